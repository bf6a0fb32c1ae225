//! Uses of the user's machine by scripts, which need a permission of the user.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::NativeCallContext;

use super::connection::Connection;
use crate::error::Error;
use crate::error::RhaiResultOf;
use crate::libvirt::Failure;
use crate::objects::c_text::host_path;
use crate::run::grants::{GrantedProgram, Grants, Wish};
use crate::run::session::Session;
use crate::runbook::twin::Rehearsal;

/// The file at `path`, links followed, to be read.
pub(crate) fn readable(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<PathBuf> {
    if let Some(own) = written_in_rehearsal(ctx, path) {
        return Ok(own);
    }
    let wish = || std::fs::canonicalize(path).ok().map(Wish::Read);
    granted(
        ctx,
        |grants| grants.readable(path),
        wish,
        "--allow-read PATH",
    )
}

/// The file at `path`, links followed, to be written; it need not exist.
///
/// In a rehearsal it is a temporary file. A run after its plan notes it, for the comparison with the plan.
pub(crate) fn writable(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<PathBuf> {
    let real = writable_here(ctx, path)?;
    let Some(rehearsal) = Rehearsal::of(&Session::of(ctx)) else {
        return Ok(real);
    };
    rehearsal.writes(&real).map_err(|error| {
        let message = format!("cannot rehearse the writing of {path}: {error}");
        Error::invalid(ctx, message).throw()
    })
}

/// The files below `folder` that the script wrote in this rehearsal.
pub(crate) fn written_below(ctx: &NativeCallContext, folder: &Path) -> Vec<PathBuf> {
    rehearsal(ctx).map_or_else(Vec::new, |rehearsal| rehearsal.written_below(folder))
}

/// The temporary file for `path`, if the script wrote `path` in this rehearsal.
fn written_in_rehearsal(ctx: &NativeCallContext, path: &str) -> Option<PathBuf> {
    let rehearsal = rehearsal(ctx)?;
    if !Session::of(ctx).grants().may_look_at(path) {
        return None;
    }
    rehearsal.written(&Grants::everywhere().writable(path).ok()?)
}

/// The rehearsal on twins of this script.
fn rehearsal(ctx: &NativeCallContext) -> Option<Arc<Rehearsal>> {
    Rehearsal::of(&Session::of(ctx)).filter(|rehearsal| rehearsal.has_twins())
}

/// Refuses `verb` in a rehearsal, because it would change something outside of the twins.
fn refuse_in_rehearsal(ctx: &NativeCallContext, verb: &str) -> RhaiResultOf<()> {
    let Some(rehearsal) = rehearsal(ctx) else {
        return Ok(());
    };
    rehearsal.leaves_out(verb);
    let message = "a rehearsal changes only its twins";
    let failure = Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message);
    let error = Error::new(ctx, failure, "", verb, "");
    Err(error
        .with_hint("the plan ends here; only a real run shows the changes after this line")
        .throw())
}

/// The same file in a rehearsal and in a run.
fn writable_here(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<PathBuf> {
    if Session::of(ctx).grants().writable_once_made(path).is_some() {
        let folder = Path::new(path).parent().unwrap_or(Path::new("."));
        let message = format!(
            "cannot write {path}: the folder {} does not exist",
            folder.display()
        );
        return Err(Error::invalid(ctx, message)
            .with_hint("create the folder before the run, for example with `mkdir -p`")
            .throw());
    }
    let wish = || Grants::everywhere().writable(path).ok().map(Wish::Write);
    granted(
        ctx,
        |grants| grants.writable(path),
        wish,
        "--allow-write PATH",
    )
}

/// The file of the program that a script calls `name`.
pub(crate) fn program(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<PathBuf> {
    let wish = || {
        let program = GrantedProgram::named(name);
        let named = !name.contains('/') || name.starts_with('/');
        (named && program.file().is_some()).then_some(Wish::Run(program))
    };
    let program = granted(
        ctx,
        |grants| grants.program(name),
        wish,
        "--allow-run PROGRAM",
    )?;
    refuse_in_rehearsal(ctx, &format!("run the program `{name}`"))?;
    Ok(program)
}

/// Refuses the environment variable `name`, unless it is allowed.
pub(crate) fn env(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<()> {
    let check = |grants: &Grants| match grants.has_env(name) {
        true => Ok(()),
        false => Err(format!(
            "the script may not read the environment variable `{name}`"
        )),
    };
    let wish = || Some(Wish::Env(name.to_owned()));
    granted(ctx, check, wish, "--allow-env NAME")
}

/// Refuses to run commands on `host` by ssh, unless it is allowed.
pub(crate) fn ssh(ctx: &NativeCallContext, host: &str) -> RhaiResultOf<()> {
    let check = |grants: &Grants| match grants.has_ssh(host) {
        true => Ok(()),
        false => Err(format!(
            "the script may not run commands on `{host}` by ssh"
        )),
    };
    let wish = || Some(Wish::Ssh(host.to_owned()));
    granted(ctx, check, wish, "--allow-ssh HOST")?;
    refuse_in_rehearsal(ctx, &format!("run commands on `{host}` by ssh"))
}

/// The result of `check` for the permissions of the script, or for the user's answer to `wish`.
fn granted<T>(
    ctx: &NativeCallContext,
    check: impl Fn(&Grants) -> Result<T, String>,
    wish: impl FnOnce() -> Option<Wish>,
    option: &str,
) -> RhaiResultOf<T> {
    let granted = Session::of(ctx).granted(check, wish);
    granted.map_err(|why| {
        let error = Error::invalid(ctx, why);
        error
            .with_hint(format!("`{option}` allows it for one run"))
            .throw()
    })
}

/// The kinds of access to a file on the hypervisor's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
    /// Reads it, and writes it again.
    Change,
}

/// The file `path` on the host of `conn`. A daemon opens it with its own rights; where libvirt
/// opens it in this process, with the user's, the script needs the permission for it.
///
/// An embedded hypervisor needs its own permission, which includes all of the user's files.
pub(crate) fn host_file(
    ctx: &NativeCallContext,
    conn: &Connection,
    path: &str,
    what_for: Use,
) -> RhaiResultOf<String> {
    let path = host_path(ctx, path)?;
    // libvirt refuses all calls with files on a read-only connection, with its own message.
    if conn.is_read_only() || !conn.opens_files_here() {
        return Ok(path.to_owned());
    }
    let missing = !std::path::Path::new(path).exists();
    if missing && what_for != Use::Write && Session::of(ctx).grants().may_look_at(path) {
        // libvirt reports that, as for any other missing file.
        return Ok(path.to_owned());
    }
    let real = match what_for {
        Use::Read => readable(ctx, path)?,
        // libvirt says that the folder is missing.
        Use::Write => match Session::of(ctx).grants().writable_once_made(path) {
            Some(real) => real,
            None => writable_here(ctx, path)?,
        },
        Use::Change => {
            readable(ctx, path)?;
            writable_here(ctx, path)?
        }
    };
    if real.exists() && !real.is_file() {
        let message = format!("{path} is not a file");
        return Err(Error::invalid(ctx, message).throw());
    }
    // The file that was checked: a symbolic link in `path` may lead elsewhere later.
    Ok(real.to_str().unwrap_or(path).to_owned())
}

/// Refuses to connect to `port` of `host`, unless it is allowed.
pub(crate) fn reachable(ctx: &NativeCallContext, host: &str, port: u16) -> RhaiResultOf<()> {
    let check = |grants: &Grants| match grants.reaches(host, port) {
        true => Ok(()),
        false => Err(format!("the script may not connect to {host}:{port}")),
    };
    let wish = || {
        Some(Wish::Net(match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }))
    };
    Session::of(ctx).granted(check, wish).map_err(|message| {
        let error = Error::invalid(ctx, message);
        error
            .with_hint("allow it with `--allow-net HOST` or `--allow-net HOST:PORT`, for IPv6 `[ADDRESS]:PORT`")
            .throw()
    })
}
