//! What a script asks of the user's machine, refused unless the user has allowed it.

use std::path::PathBuf;

use rhai::NativeCallContext;

use super::arguments::RhaiResultOf;
use crate::error::Error;
use crate::session::Session;

/// The file at `path`, links followed, to be read.
pub(crate) fn readable(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<PathBuf> {
    let granted = Session::of(ctx).grants().readable(path);
    granted.map_err(|why| {
        let error = Error::invalid(ctx, why);
        error
            .with_hint("`--allow-read PATH` allows it for one run")
            .throw()
    })
}

/// The file at `path`, links followed, to be written; it need not exist.
pub(crate) fn writable(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<PathBuf> {
    let granted = Session::of(ctx).grants().writable(path);
    granted.map_err(|why| {
        let error = Error::invalid(ctx, why);
        error
            .with_hint("`--allow-write PATH` allows it for one run")
            .throw()
    })
}

/// Refuses to connect to `port` of `host`, unless it is allowed.
pub(crate) fn reachable(ctx: &NativeCallContext, host: &str, port: u16) -> RhaiResultOf<()> {
    if Session::of(ctx).grants().reaches(host, port) {
        return Ok(());
    }
    let message = format!("the script may not connect to {host}:{port}");
    let error = Error::invalid(ctx, message);
    Err(error
        .with_hint("`--allow-net HOST` or `--allow-net HOST:PORT` allows it for one run")
        .throw())
}
