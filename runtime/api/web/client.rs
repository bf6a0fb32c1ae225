//! HTTP requests to permitted hosts; a request can be stopped.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rhai::{EvalAltResult, ImmutableString, Map, NativeCallContext};
use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::error::plain::type_name;
use crate::libvirt::Failure;
use crate::objects::granted::reachable;
use crate::run::exit::terminated;
use crate::run::session::Session;
use crate::run::timeout::{self, NoAnswer};

/// The maximum number of redirections.
const REDIRECTIONS: usize = 10;

/// The size of a chunk of the body.
const CHUNK: usize = 64 * 1024;

/// A request for a URL.
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    pub(super) headers: Vec<(String, String)>,
    /// Time limit for the server's answer.
    pub(super) timeout: Duration,
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) url: String,
    body: Body,
}

/// The error that the request for `url` fails with.
pub(super) fn failed(
    ctx: &NativeCallContext,
    url: &str,
    why: impl Into<String>,
) -> Box<EvalAltResult> {
    let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_FAILED, why);
    Error::new(ctx, failure, "", format!("get {url}"), "").throw()
}

/// The headers that a script gives.
pub(super) fn headers(
    ctx: &NativeCallContext,
    map: Option<&Map>,
) -> RhaiResultOf<Vec<(String, String)>> {
    let headers =
        map.into_iter()
            .flatten()
            .map(|(name, value)| match value.read_lock::<ImmutableString>() {
                Some(value) => Ok((name.to_string(), value.to_string())),
                None => {
                    let message = format!("the header `{name}` is {}, not text", type_name(value));
                    Err(Error::invalid(ctx, message).throw())
                }
            });
    headers.collect()
}

impl Request<'_> {
    /// Sends the request, and follows redirections to hosts that the script may reach.
    pub(super) fn send(mut self, ctx: &NativeCallContext) -> RhaiResultOf<Answer> {
        let mut uri = address(ctx, self.url)?;
        for _ in 0..=REDIRECTIONS {
            check(ctx, &uri)?;
            let answer = self.once(ctx, &uri)?;
            let next = match answer.status {
                301 | 302 | 303 | 307 | 308 => answer.headers.get(header::LOCATION),
                _ => return Ok(answer),
            };
            let next = next
                .and_then(|place| place.to_str().ok())
                .unwrap_or_default();
            let next = redirected(&uri, next)
                .ok_or_else(|| failed(ctx, self.url, format!("it redirects to `{next}`")))?;
            if uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                let why = format!("it redirects from https to {next}");
                return Err(failed(ctx, self.url, why));
            }
            // Another host must not get the credentials.
            if next.authority() != uri.authority() {
                self.headers.retain(|(name, _)| {
                    !["authorization", "cookie"].contains(&name.to_lowercase().as_str())
                });
            }
            uri = next;
        }
        Err(failed(
            ctx,
            self.url,
            format!("it redirected more than {REDIRECTIONS} times"),
        ))
    }

    fn once(&self, ctx: &NativeCallContext, uri: &Uri) -> RhaiResultOf<Answer> {
        let session = Session::of(ctx);
        let (headers, timeout, asked) = (self.headers.clone(), self.timeout, uri.clone());
        let answer = timeout::run_with_timeout("http", timeout, session.interrupt(), move || {
            let mut request = agent(timeout).get(asked);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            request.call()
        });
        match answer {
            Ok(Ok(response)) => {
                let (parts, body) = response.into_parts();
                Ok(Answer {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    url: uri.to_string(),
                    body,
                })
            }
            Ok(Err(error)) => Err(failed(ctx, self.url, error.to_string())),
            Err(NoAnswer::TimedOut) => {
                let limit = crate::run::duration_text::plain_duration(timeout);
                let why = format!("the server did not answer within {limit}");
                Err(failed(ctx, self.url, why))
            }
            Err(NoAnswer::Stopped) => Err(terminated(ctx)),
            Err(NoAnswer::NoThread(error)) => Err(failed(ctx, self.url, error.to_string())),
        }
    }
}

fn agent(timeout: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .user_agent(concat!("virhai/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .into()
}

/// The URL that a script gives.
fn address(ctx: &NativeCallContext, url: &str) -> RhaiResultOf<Uri> {
    let refuse = |why: &str| {
        Error::refuse(
            ctx,
            format!("`{url}` {why}"),
            "a URL looks like https://example.com/image.qcow2",
        )
    };
    let Ok(uri) = url.parse::<Uri>() else {
        return refuse("is not a URL");
    };
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
            refuse("contains a user name; use the header `authorization` in the option `headers`")
        }
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => refuse("is not an http or https URL"),
    }
}

/// Refuses hosts that the script may not reach.
fn check(ctx: &NativeCallContext, uri: &Uri) -> RhaiResultOf<()> {
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let usual = if uri.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    reachable(ctx, host, uri.port_u16().unwrap_or(usual))
}

/// The URL of the redirection `place` from `from`.
fn redirected(from: &Uri, place: &str) -> Option<Uri> {
    if place.starts_with("//") {
        return format!("{}:{place}", from.scheme_str()?).parse().ok();
    }
    // A path can have a colon too, but not in its first part.
    let first = place.split(['/', '?']).next().unwrap_or_default();
    if first.contains(':') {
        let uri = place.parse::<Uri>().ok()?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        return (is_web && uri.authority().is_some()).then_some(uri);
    }
    let path = match place.strip_prefix('/') {
        Some(_) => place.to_owned(),
        None if place.is_empty() => return None,
        None => {
            let folder = from
                .path()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            format!("{folder}/{place}")
        }
    };
    format!("{}://{}{path}", from.scheme_str()?, from.authority()?)
        .parse()
        .ok()
}

/// A body that a thread reads, so that waiting for it can be stopped.
pub(super) struct Reading {
    parts: Receiver<Part>,
}

enum Part {
    Bytes(Vec<u8>),
    Failed(String),
    End,
    Stop,
}

/// The result of a read of the body.
pub(super) enum Read1 {
    Bytes(Vec<u8>),
    End,
    Failed(String),
    Stopped,
}

impl Answer {
    /// The length from the server.
    pub(super) fn length(&self) -> Option<u64> {
        let text = self.header("content-length");
        self.body.content_length().or(text?.parse().ok())
    }

    /// The text of the header `name`.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Begins to read the body.
    pub(super) fn read(self) -> std::io::Result<(Reading, SyncStop)> {
        let (sender, parts) = sync_channel(4);
        let stop = SyncStop(sender.clone());
        thread::Builder::new()
            .name("http body".into())
            .stack_size(512 * 1024)
            .spawn(move || {
                let mut body = self.body.into_reader();
                loop {
                    let mut bytes = vec![0; CHUNK];
                    let part = match body.read(&mut bytes) {
                        Ok(0) => Part::End,
                        Ok(count) => {
                            bytes.truncate(count);
                            Part::Bytes(bytes)
                        }
                        Err(error) => Part::Failed(error.to_string()),
                    };
                    let last = !matches!(part, Part::Bytes(_));
                    if sender.send(part).is_err() || last {
                        return;
                    }
                }
            })?;
        Ok((Reading { parts }, stop))
    }
}

/// Ends the wait for a body.
#[derive(Clone)]
pub(super) struct SyncStop(SyncSender<Part>);

impl SyncStop {
    pub(super) fn stop(&self) {
        // A full channel needs no wake-up.
        let _ = self.0.try_send(Part::Stop);
    }
}

impl Reading {
    /// The next bytes; a server that is silent for `patience` has failed.
    pub(super) fn next(&self, patience: Duration, is_stopping: &dyn Fn() -> bool) -> Read1 {
        let until = Instant::now() + patience;
        loop {
            if is_stopping() {
                return Read1::Stopped;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.parts.recv_timeout(left) {
                Ok(Part::Bytes(bytes)) => return Read1::Bytes(bytes),
                Ok(Part::End) => return Read1::End,
                Ok(Part::Failed(why)) => return Read1::Failed(why),
                Ok(Part::Stop) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Read1::Failed("the server stopped sending".into());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Read1::Failed("the connection ended".into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::Uri;

    use super::redirected;

    #[test]
    fn a_redirection_leads_to_the_web_only() {
        let from: Uri = "https://a.example:8443/x/y?z".parse().expect("a URL");
        for (place, to) in [
            ("/b", Some("https://a.example:8443/b")),
            ("b", Some("https://a.example:8443/x/b")),
            ("//c.example/d", Some("https://c.example/d")),
            ("http://c.example/d", Some("http://c.example/d")),
            ("ftp://c.example/d", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            let found = redirected(&from, place).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), to, "{place}");
        }
    }
}
