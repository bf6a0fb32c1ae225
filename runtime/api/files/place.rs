//! Reading and writing whole files.

use std::io::{Read, Write};

use rhai::{EvalAltResult, NativeCallContext};

use crate::api::arguments::RhaiResultOf;
use crate::api::room::{MOST, ensure_room, ensure_running};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::objects::granted::{readable, writable};
use crate::run::beneath;
use crate::script::files::reason;

/// The bytes that are read or written at once; the script can be stopped in between.
const CHUNK: usize = 256 * 1024;

/// The error that the file `path` cannot be read or written.
pub(super) fn failed(
    ctx: &NativeCallContext,
    verb: &str,
    path: &str,
    why: impl Into<String>,
) -> Box<EvalAltResult> {
    let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_FAILED, why);
    Error::new(ctx, failure, "", format!("{verb} {path}"), "").throw()
}

fn failed_io(
    ctx: &NativeCallContext,
    verb: &str,
    path: &str,
    error: &std::io::Error,
) -> Box<EvalAltResult> {
    let mut failure = Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, reason(error));
    failure.int1 = i64::from(error.raw_os_error().unwrap_or(0));
    Error::new(ctx, failure, "", format!("{verb} {path}"), "").throw()
}

/// The bytes of the file `path`, 16 MiB at most.
pub(super) fn read(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<Vec<u8>> {
    let real = readable(ctx, path)?;
    let wrong = |error: std::io::Error| failed_io(ctx, "read", path, &error);
    let mut file = beneath::open_file(&real).map_err(wrong)?;
    let mut bytes = Vec::new();
    loop {
        ensure_running(ctx)?;
        // A vector that grows is held twice for a moment.
        ensure_room(ctx, 2 * bytes.len() + CHUNK)?;
        let part = (&mut file).take(CHUNK as u64).read_to_end(&mut bytes);
        if part.map_err(wrong)? == 0 {
            return Ok(bytes);
        }
        if bytes.len() > MOST {
            return Err(failed(ctx, "read", path, "it exceeds the limit of 16 MiB"));
        }
    }
}

/// The text of the file `path`, 16 MiB at most.
pub(super) fn read_text(ctx: &NativeCallContext, path: &str) -> RhaiResultOf<String> {
    let bytes = read(ctx, path)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        let why = format!("it is not UTF-8 text: the first invalid byte is on line {line}");
        failed(ctx, "read", path, why)
    })
}

/// Writes the file `path`. The old file stays until the new file is complete.
pub(super) fn write(ctx: &NativeCallContext, path: &str, bytes: &[u8]) -> RhaiResultOf<()> {
    let real = writable(ctx, path)?;
    let mut stopped = None;
    let written = beneath::replace(&real, |file| {
        for part in bytes.chunks(CHUNK) {
            if let Err(stop) = ensure_running(ctx) {
                stopped = Some(stop);
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            file.write_all(part)?;
        }
        Ok(())
    });
    match (written, stopped) {
        (_, Some(stop)) => Err(stop),
        (Err(error), None) => Err(failed_io(ctx, "write", path, &error)),
        (Ok(()), None) => Ok(()),
    }
}
