//! Bringing data into volumes and out of them, through streams.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use rhai::plugin::*;
use rhai::{Blob, Dynamic, FnPtr, Map, NativeCallContext};
use virt::stream::Stream;

use super::StorageVol;
use super::file::{Run, fill, run_at};
use crate::api::arguments::{RhaiResultOf, bytes, number, unknown_key, whole};
use crate::api::growth::length;
use crate::error::Error;
use crate::libvirt::stream::{self, Received};
use crate::libvirt::{Failure, Result};
use crate::session::Session;

/// Bytes that are sent or received at a time.
const CHUNK: usize = 256 * 1024;

/// How often a script is told how far a transfer is.
const PROGRESS: Duration = Duration::from_millis(200);

/// What a transfer of a file may be told.
#[derive(Default)]
struct Plan {
    offset: u64,
    length: u64,
    sparse: bool,
    progress: Option<FnPtr>,
}

impl Plan {
    fn new(ctx: &NativeCallContext, options: &Map) -> RhaiResultOf<Self> {
        unknown_key(
            ctx,
            options,
            ["offset", "length", "sparse", "progress"].into_iter(),
        )?;
        let size = |name: &str| match options.get(name) {
            Some(size) if !size.is_unit() => bytes(ctx, size),
            _ => Ok(0),
        };
        let progress = options.get("progress").filter(|value| !value.is_unit());
        Ok(Self {
            offset: size("offset")?,
            length: size("length")?,
            sparse: options
                .get("sparse")
                .is_none_or(|sparse| sparse.as_bool().unwrap_or(true)),
            progress: match progress {
                None => None,
                Some(value) => Some(value.clone().try_cast::<FnPtr>().ok_or_else(|| {
                    Error::invalid(ctx, "`progress` must be a closure |done, total|").throw()
                })?),
            },
        })
    }
}

/// One transfer under way: it ends whole, or is broken off when this is dropped.
struct Transfer<'a> {
    ctx: &'a NativeCallContext<'a>,
    session: Session,
    stream: Stream,
    plan: &'a Plan,
    total: u64,
    done: u64,
    told: Instant,
    finished: bool,
}

impl Transfer<'_> {
    /// Counts `bytes`, tells the script now and then, and sees whether it is being stopped.
    fn count(&mut self, bytes: u64) -> Result<()> {
        self.done += bytes;
        if self.session.interrupt().stopping().is_some() {
            return Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_ABORTED,
                "the script was stopped in the middle of it",
            ));
        }
        if let Some(progress) = &self.plan.progress
            && (self.told.elapsed() >= PROGRESS || self.done >= self.total)
        {
            self.told = Instant::now();
            let told = (whole(self.done), whole(self.total));
            let _: Dynamic = progress
                .call_within_context(self.ctx, told)
                .map_err(|error| {
                    Failure::new(virt_sys::VIR_ERR_OPERATION_ABORTED, error.to_string())
                })?;
        }
        Ok(())
    }

    fn send(&mut self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let sent = stream::send(&self.stream, &data[..data.len().min(CHUNK)])?;
            data = &data[sent..];
            self.count(sent as u64)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.finished = true;
        stream::finish(&self.stream)
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        if !self.finished {
            stream::break_off(&self.stream);
        }
    }
}

fn begin<'a>(
    ctx: &'a NativeCallContext,
    vol: &virt::storage_vol::StorageVol,
    plan: &'a Plan,
    total: u64,
    open: impl FnOnce(&Stream) -> std::result::Result<(), virt::error::Error>,
) -> Result<Transfer<'a>> {
    let stream = stream::new_blocking(&vol.connect()?)?;
    open(&stream)?;
    Ok(Transfer {
        ctx,
        session: Session::of(ctx),
        stream,
        plan,
        total,
        done: 0,
        told: Instant::now(),
        finished: false,
    })
}

fn local(error: std::io::Error) -> Failure {
    let mut failure = Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, error.to_string());
    failure.int1 = i64::from(error.raw_os_error().unwrap_or(0));
    failure
}

fn upload(ctx: &NativeCallContext, vol: &StorageVol, data: &[u8], offset: i64) -> RhaiResultOf<()> {
    let plan = Plan {
        offset: number(ctx, "an offset", offset)?,
        ..Plan::default()
    };
    vol.call(ctx, "virStorageVolUpload", "upload to", |v| {
        let total = data.len() as u64;
        // A length of 0 would stand for all that may come.
        if total == 0 {
            return Ok(());
        }
        let mut transfer = begin(ctx, v, &plan, total, |s| v.upload(s, plan.offset, total, 0))?;
        transfer.send(data)?;
        transfer.finish()
    })
}

fn upload_file(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    path: &str,
    options: &Map,
) -> RhaiResultOf<()> {
    let plan = Plan::new(ctx, options)?;
    let real = granted(
        ctx,
        Session::of(ctx).grants().readable(path),
        "--allow-read",
    )?;
    vol.call(
        ctx,
        "virStorageVolUpload",
        format_args!("upload {path} to"),
        |v| {
            let mut file = File::open(&real).map_err(local)?;
            let size = file.metadata().map_err(local)?.len();
            let end = match plan.length {
                0 => size,
                length => size.min(length),
            };
            if end == 0 {
                return Ok(());
            }
            let flags = match plan.sparse {
                true => virt_sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM,
                false => 0,
            };
            let mut transfer = begin(ctx, v, &plan, end, |s| v.upload(s, plan.offset, end, flags))?;
            let mut place = 0;
            let mut buffer = vec![0; CHUNK];
            while place < end {
                let run = match plan.sparse {
                    true => run_at(&mut file, place, end).map_err(local)?,
                    false => Run::Data(end - place),
                };
                match run {
                    Run::Hole(length) => {
                        stream::send_hole(&transfer.stream, length)?;
                        transfer.count(length)?;
                        place += length;
                    }
                    Run::Data(mut left) => {
                        while left > 0 {
                            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                            let got = fill(&mut file, &mut buffer[..want]).map_err(local)?;
                            if got == 0 {
                                let message = format!("{path} became shorter while it was read");
                                return Err(Failure::new(
                                    virt_sys::VIR_ERR_OPERATION_FAILED,
                                    message,
                                ));
                            }
                            transfer.send(&buffer[..got])?;
                            left -= got as u64;
                            place += got as u64;
                        }
                    }
                }
            }
            transfer.finish()
        },
    )
}

fn download(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    offset: i64,
    size: i64,
) -> RhaiResultOf<Blob> {
    let size = length(ctx, size)?;
    let plan = Plan {
        offset: number(ctx, "an offset", offset)?,
        ..Plan::default()
    };
    vol.call(ctx, "virStorageVolDownload", "download from", |v| {
        let mut data = Vec::with_capacity(size);
        if size == 0 {
            return Ok(data);
        }
        let total = size as u64;
        let mut transfer = begin(ctx, v, &plan, total, |s| {
            v.download(s, plan.offset, total, 0)
        })?;
        let mut buffer = vec![0; CHUNK];
        loop {
            match stream::receive(&transfer.stream, &mut buffer)? {
                Received::End => break,
                Received::Bytes(count) => data.extend_from_slice(&buffer[..count]),
                Received::Hole(hole) => {
                    let hole = usize::try_from(hole).unwrap_or(usize::MAX);
                    data.resize(data.len().saturating_add(hole).min(size), 0);
                }
            }
            transfer.count(0)?;
        }
        transfer.finish()?;
        Ok::<_, Failure>(data)
    })
}

fn download_file(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    path: &str,
    options: &Map,
) -> RhaiResultOf<()> {
    let plan = Plan::new(ctx, options)?;
    let real = granted(
        ctx,
        Session::of(ctx).grants().writable(path),
        "--allow-write",
    )?;
    vol.call(
        ctx,
        "virStorageVolDownload",
        format_args!("download to {path} from"),
        |v| {
            let total = match plan.length {
                0 => v
                    .info_flags(virt_sys::VIR_STORAGE_VOL_GET_PHYSICAL)
                    .map_or(0, |info| info.allocation),
                length => length,
            };
            let flags = match plan.sparse {
                true => virt_sys::VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM,
                false => 0,
            };
            let mut transfer = begin(ctx, v, &plan, total, |s| {
                v.download(s, plan.offset, plan.length, flags)
            })?;
            // Beside its place first: what was there stays until all has arrived.
            let folder = real.parent().unwrap_or(std::path::Path::new("/"));
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(local)?;
            let mut buffer = vec![0; CHUNK];
            let mut place = 0;
            loop {
                let count = match stream::receive(&transfer.stream, &mut buffer)? {
                    Received::End => break,
                    Received::Bytes(count) => {
                        file.write_all(&buffer[..count]).map_err(local)?;
                        count as u64
                    }
                    Received::Hole(hole) => {
                        file.seek(SeekFrom::Start(place + hole)).map_err(local)?;
                        hole
                    }
                };
                place += count;
                transfer.count(count)?;
            }
            transfer.finish()?;
            file.as_file().set_len(place).map_err(local)?;
            file.persist(&real).map_err(|error| local(error.error))?;
            Ok::<_, Failure>(())
        },
    )
}

/// The path that a script may use, or what the user has to allow.
fn granted<T>(
    ctx: &NativeCallContext,
    path: std::result::Result<T, String>,
    option: &str,
) -> RhaiResultOf<T> {
    path.map_err(|why| {
        Error::invalid(ctx, why)
            .with_hint(format!("`{option} PATH` allows it for one run"))
            .throw()
    })
}

#[export_module]
pub(super) mod functions {
    /// Writes bytes, or text, to the beginning of the volume.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload("hello");
    /// assert_eq(vol.download(0, 5).as_string(), "hello");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_text(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        text: &str,
    ) -> RhaiResultOf<()> {
        super::upload(&ctx, vol, text.as_bytes(), 0)
    }

    /// Writes bytes to the beginning of the volume.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload(blob(512, 7));
    /// assert_eq(vol.download(511, 1)[0], 7);
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_bytes(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        bytes: Blob,
    ) -> RhaiResultOf<()> {
        super::upload(&ctx, vol, &bytes, 0)
    }

    /// Writes bytes to the volume from `offset` on.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload(blob(2, 7), 510);
    /// assert_eq(vol.download(509, 3), blob(1) + blob(2, 7));
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_at(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        bytes: Blob,
        offset: i64,
    ) -> RhaiResultOf<()> {
        super::upload(&ctx, vol, &bytes, offset)
    }

    /// Fills the volume from the local file `path`, which the run must be allowed to read.
    ///
    /// What takes no place in the file takes none in the volume.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// vol.upload_file("/tmp/copy.img");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload_file", pure, return_raw)]
    pub fn upload_file_whole(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
    ) -> RhaiResultOf<()> {
        super::upload_file(&ctx, vol, path, &Map::new())
    }

    /// Fills the volume from a local file as `options` say: `offset` in the volume, `length`,
    /// `sparse: false` to send holes as zeros, and `progress`, a closure that is told the bytes
    /// done and in all, some times a second.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// vol.upload_file("/tmp/copy.img", #{ length: "4KiB", progress: |done, total| assert(done <= total) });
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload_file", pure, return_raw)]
    pub fn upload_file_options(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
        options: Map,
    ) -> RhaiResultOf<()> {
        super::upload_file(&ctx, vol, path, &options)
    }

    /// `size` bytes of the volume from `offset` on, 16 MiB at most; fewer where it ends before.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// assert_eq(vol.download(0, 512).len(), 512);
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download", pure, return_raw)]
    pub fn download_bytes(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        offset: i64,
        size: i64,
    ) -> RhaiResultOf<Blob> {
        super::download(&ctx, vol, offset, size)
    }

    /// Copies the volume to the local file `path`, which the run must be allowed to write; what
    /// was there is replaced once all has arrived.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download_file", pure, return_raw)]
    pub fn download_file_whole(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
    ) -> RhaiResultOf<()> {
        super::download_file(&ctx, vol, path, &Map::new())
    }

    /// Copies the volume to a local file as `options` say, which are those of `upload_file`.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img", #{ offset: 512, length: 512, sparse: false });
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download_file", pure, return_raw)]
    pub fn download_file_options(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
        options: Map,
    ) -> RhaiResultOf<()> {
        super::download_file(&ctx, vol, path, &options)
    }
}
