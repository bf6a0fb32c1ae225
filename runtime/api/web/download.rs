//! Downloads from the web directly into a pool.

use std::time::{Duration, Instant};

use rhai::plugin::*;
use rhai::{Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use sha2::{Digest, Sha256, Sha512};

use super::client::{Answer, Read1, Request, failed, headers};
use crate::api::arguments::{RhaiResultOf, whole};
use crate::api::prelude::pause;
use crate::api::room::ensure_running;
use crate::api::storage_vol::Filling;
use crate::error::Error;
use crate::objects::storage_pool::StoragePool;
use crate::objects::storage_vol::StorageVol;
use crate::run::exit::terminated;
use crate::run::hexadecimal::hexadecimal;
use crate::run::session::Session;
use crate::run::waiting::{Counter, Waiting};
use crate::vocabulary::{OptionsOf, options};

/// The maximum number of new connections after a broken one.
const ATTEMPTS: u32 = 5;

/// The shortest interval between two calls of the closure `progress`.
const EVERY: Duration = Duration::from_millis(200);

options! {
    /// Name, checksum and progress of a download.
    pub(super) struct HttpDownloadOptions {
        /// Name of the new volume; the last part of the URL if not given.
        name: Option<ImmutableString>,
        /// SHA-256 of the data, as 64 hexadecimal digits.
        sha256: Option<ImmutableString>,
        /// SHA-512 of the data, as 128 hexadecimal digits.
        sha512: Option<ImmutableString>,
        /// Headers of the request: names with their values.
        headers: Option<Map>,
        /// Time limit for the beginning of the answer, and for each pause in the answer.
        timeout: Duration = "30s",
        /// Closure `|done, total|`, called during the download with the number of received bytes and of all bytes.
        progress: Option<FnPtr>,
    }
}

/// The checksums that data must have.
struct Sums {
    sha256: Option<(String, Sha256)>,
    sha512: Option<(String, Sha512)>,
}

impl Sums {
    fn new(ctx: &NativeCallContext, options: &HttpDownloadOptions) -> RhaiResultOf<Self> {
        let wanted = |name: &str, sum: Option<&ImmutableString>, digits: usize| {
            let Some(sum) = sum.map(|sum| sum.to_lowercase()) else {
                return Ok(None);
            };
            match sum.len() == digits && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                true => Ok(Some(sum)),
                false => Error::refuse(
                    ctx,
                    format!("`{name}` must have {digits} hexadecimal digits"),
                    "copy the checksum from the website of the image",
                ),
            }
        };
        let short = wanted("sha256", options.sha256.as_ref(), 64)?;
        let long = wanted("sha512", options.sha512.as_ref(), 128)?;
        Ok(Self {
            sha256: short.map(|sum| (sum, Sha256::new())),
            sha512: long.map(|sum| (sum, Sha512::new())),
        })
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Some((_, hash)) = &mut self.sha256 {
            hash.update(bytes);
        }
        if let Some((_, hash)) = &mut self.sha512 {
            hash.update(bytes);
        }
    }

    /// The error in the data.
    fn fault(self) -> Option<String> {
        let short = self
            .sha256
            .map(|(wanted, hash)| ("SHA-256", wanted, hexadecimal(&hash.finalize())));
        let long = self
            .sha512
            .map(|(wanted, hash)| ("SHA-512", wanted, hexadecimal(&hash.finalize())));
        let wrong = [short, long]
            .into_iter()
            .flatten()
            .find(|(_, wanted, found)| wanted != found)?;
        let (name, wanted, found) = wrong;
        Some(format!("its {name} is {found}, expected {wanted}"))
    }
}

/// A download under way.
struct Download<'a> {
    ctx: &'a NativeCallContext<'a>,
    url: &'a str,
    options: &'a HttpDownloadOptions,
    total: u64,
    done: u64,
    told: Instant,
    counter: &'a Counter,
    sums: Sums,
    /// The validator that identifies this version of the data.
    version: Option<String>,
}

impl Download<'_> {
    fn request(&self, from: u64) -> RhaiResultOf<Answer> {
        let mut headers = headers(self.ctx, self.options.headers.as_ref())?;
        if from > 0 {
            headers.push(("range".into(), format!("bytes={from}-")));
            if let Some(version) = &self.version {
                headers.push(("if-range".into(), version.clone()));
            }
        }
        let request = Request {
            url: self.url,
            headers,
            timeout: self.options.timeout,
        };
        request.send(self.ctx)
    }

    /// Downloads the data into `volume`; continues after a broken connection.
    fn run(&mut self, mut answer: Answer, volume: &mut Filling) -> RhaiResultOf<()> {
        let mut broken = 0;
        loop {
            let before = self.done;
            let why = match self.read(answer, volume)? {
                None => return Ok(()),
                Some(why) => why,
            };
            broken = if self.done > before { 1 } else { broken + 1 };
            if broken > ATTEMPTS {
                return Err(failed(self.ctx, self.url, why));
            }
            pause(self.ctx, Duration::from_millis(200) * broken)?;
            answer = match self.request(self.done) {
                Ok(answer) => answer,
                Err(error) if broken == ATTEMPTS => return Err(error),
                Err(error) => {
                    ensure_running(self.ctx)?;
                    drop(error);
                    pause(self.ctx, Duration::from_secs(1) * broken)?;
                    self.request(self.done)?
                }
            };
            if self.done > 0 && answer.status != 206 {
                let why = format!(
                    "{why}, and the server cannot continue from byte {}",
                    self.done
                );
                return Err(failed(self.ctx, self.url, why));
            }
        }
    }

    /// Reads `answer` to its end; returns the reason if the connection broke.
    fn read(&mut self, answer: Answer, volume: &mut Filling) -> RhaiResultOf<Option<String>> {
        let session = Session::of(self.ctx);
        let interrupt = session.interrupt();
        let (reading, stop) = match answer.read() {
            Ok(reading) => reading,
            Err(error) => return Err(failed(self.ctx, self.url, error.to_string())),
        };
        let _guard = interrupt.on_stop(move || stop.stop());
        loop {
            match reading.next(self.options.timeout, &|| interrupt.stopping().is_some()) {
                Read1::Bytes(bytes) => {
                    if self.done + bytes.len() as u64 > self.total {
                        let why = "the server sent more bytes than it announced";
                        return Err(failed(self.ctx, self.url, why));
                    }
                    volume.send(self.ctx, &bytes)?;
                    self.sums.add(&bytes);
                    self.done += bytes.len() as u64;
                    self.counter.set(self.done, self.total);
                    self.tell()?;
                }
                Read1::End if self.done == self.total => return Ok(None),
                Read1::End => return Ok(Some("the connection ended early".into())),
                Read1::Failed(why) => return Ok(Some(why)),
                Read1::Stopped => return Err(terminated(self.ctx)),
            }
        }
    }

    fn tell(&mut self) -> RhaiResultOf<()> {
        let due = self.told.elapsed() >= EVERY || self.done == self.total;
        if let Some(closure) = self.options.progress.as_ref().filter(|_| due) {
            self.told = Instant::now();
            let told = (whole(self.done), whole(self.total));
            let _: Dynamic = closure.call_within_context(self.ctx, told)?;
        }
        Ok(())
    }
}

/// The name of the volume for `url`.
fn name_of(ctx: &NativeCallContext, url: &str) -> RhaiResultOf<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
    match !name.is_empty() && !name.starts_with('.') && name.chars().all(plain) {
        true => Ok(name.to_owned()),
        false => Error::refuse(
            ctx,
            format!("the URL {url} does not end in a name for the volume"),
            "give the volume a name with the option `name`",
        ),
    }
}

fn download(
    ctx: &NativeCallContext,
    pool: &StoragePool,
    url: &str,
    options: &Map,
) -> RhaiResultOf<StorageVol> {
    let options = HttpDownloadOptions::read(ctx, options)?;
    let sums = Sums::new(ctx, &options)?;
    let name = match &options.name {
        Some(name) => name.to_string(),
        None => name_of(ctx, url)?,
    };
    let session = Session::of(ctx);
    let counter = Counter::default();
    let _waiting = Waiting::for_transfer(&session, &counter, || format!("the download of {url}"));
    let mut download = Download {
        ctx,
        url,
        options: &options,
        total: 0,
        done: 0,
        told: Instant::now(),
        counter: &counter,
        sums,
        version: None,
    };
    let answer = download.request(0)?;
    if answer.status != 200 {
        let why = format!("the server answered with status {}", answer.status);
        return Err(failed(ctx, url, why));
    }
    let Some(total) = answer.length() else {
        return Err(failed(
            ctx,
            url,
            "the server did not send the length of the file",
        ));
    };
    download.total = total;
    let version = answer.header("etag").or(answer.header("last-modified"));
    download.version = version.map(str::to_owned);
    let xml = volume_xml(&name, total);
    let mut volume = Filling::create(ctx, pool, &xml, total)?;
    let done = download
        .run(answer, &mut volume)
        .and_then(|()| match download.sums.fault() {
            Some(fault) => Err(failed(ctx, url, fault)),
            None => volume.finish(ctx),
        });
    match done {
        Ok(()) => Ok(volume.into_volume()),
        Err(error) => {
            volume.remove(ctx);
            Err(error)
        }
    }
}

fn volume_xml(name: &str, bytes: u64) -> String {
    let name = quick_xml::escape::escape(name);
    format!(
        "<volume><name>{name}</name><capacity unit='bytes'>{bytes}</capacity><allocation>0</allocation><target><format type='raw'/></target></volume>"
    )
}

#[export_module]
pub(super) mod functions {
    /// Downloads the http or https URL `url` into a new volume of the pool. The volume is named like the last part of the URL.
    ///
    /// Needs `--allow-net HOST`. The data goes to the host while it arrives, without a copy on this machine. After a broken
    /// connection, virhai connects again and continues the download. A failed download leaves no volume.
    ///
    /// ```rhai
    /// let pool = connect().storage_pool_lookup_by_name("default-pool");
    /// try {
    ///     pool.http_download("https://example.com/image.qcow2");
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-net"));
    /// }
    /// ```
    /// Calls virStorageVolCreateXML, virStorageVolUpload.
    #[rhai_fn(name = "http_download", pure, return_raw)]
    pub fn http_download(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        url: &str,
    ) -> RhaiResultOf<StorageVol> {
        download(&ctx, pool, url, &Map::new())
    }

    /// Downloads `url` into a new volume with options: `name` of the volume, the expected `sha256` or `sha512` of the data,
    /// `headers`, `timeout`, and `progress`, a closure that gets the number of received bytes and of all bytes.
    ///
    /// ```rhai
    /// let pool = connect().storage_pool_lookup_by_name("default-pool");
    /// let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// try {
    ///     pool.http_download("https://example.com/image.qcow2", #{ name: "base.qcow2", sha256: sum });
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-net"));
    /// }
    /// ```
    /// Calls virStorageVolCreateXML, virStorageVolUpload.
    #[rhai_fn(name = "http_download", pure, return_raw)]
    pub fn http_download_with_options(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        url: &str,
        options: OptionsOf<HttpDownloadOptions>,
    ) -> RhaiResultOf<StorageVol> {
        download(&ctx, pool, url, &options)
    }
}
