//! What a script asks of the user's machine, refused unless the user has allowed it.

use std::path::PathBuf;

use rhai::NativeCallContext;

use super::connection::Connection;
use crate::error::Error;
use crate::error::RhaiResultOf;
use crate::objects::c_text::host_path;
use crate::run::session::Session;

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

/// The kinds of access to a file on the hypervisor's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
    /// Reads it, and writes it anew.
    Change,
}

/// The file `path` on the host of `conn`. A daemon opens it with its own rights; where libvirt
/// opens it in this process, with the user's, the script needs the permission for it.
///
/// An embedded hypervisor has a permission of its own, which includes all of the user's files.
pub(crate) fn host_file(
    ctx: &NativeCallContext,
    conn: &Connection,
    path: &str,
    what_for: Use,
) -> RhaiResultOf<String> {
    let path = host_path(ctx, path)?;
    // libvirt refuses all calls with files on a read-only connection, and says so.
    if conn.is_read_only() || !conn.opens_files_here() {
        return Ok(path.to_owned());
    }
    let missing = !std::path::Path::new(path).exists();
    if missing && what_for != Use::Write && Session::of(ctx).grants().may_look_at(path) {
        // libvirt says so, as of any other file that is not there.
        return Ok(path.to_owned());
    }
    let real = match what_for {
        Use::Read => readable(ctx, path)?,
        // libvirt says that the folder is missing.
        Use::Write => match Session::of(ctx).grants().writable_once_made(path) {
            Some(real) => real,
            None => writable(ctx, path)?,
        },
        Use::Change => {
            readable(ctx, path)?;
            writable(ctx, path)?
        }
    };
    if real.exists() && !real.is_file() {
        let message = format!("{path} is not a file");
        return Err(Error::invalid(ctx, message).throw());
    }
    // The file that was checked, and not what a link in the path leads to later.
    Ok(real.to_str().unwrap_or(path).to_owned())
}

/// Refuses to connect to `port` of `host`, unless it is allowed.
pub(crate) fn reachable(ctx: &NativeCallContext, host: &str, port: u16) -> RhaiResultOf<()> {
    if Session::of(ctx).grants().reaches(host, port) {
        return Ok(());
    }
    let message = format!("the script may not connect to {host}:{port}");
    let error = Error::invalid(ctx, message);
    Err(error
        .with_hint("allow it with `--allow-net HOST` or `--allow-net HOST:PORT`, for IPv6 `[ADDRESS]:PORT`")
        .throw())
}
