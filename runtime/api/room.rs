//! Checks the memory limit before a native function allocates memory, and stops scripts that would exceed it.

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::error::RhaiResultOf;
use crate::run::interrupt::Stop;
use crate::run::resources::memory;
use crate::run::session::Session;

/// The most values or bytes that one call can make.
pub(crate) const MOST: usize = 16 * 1024 * 1024;

/// Stops the script unless it may hold `bytes` more at this moment.
pub(crate) fn ensure_room(ctx: &NativeCallContext, bytes: usize) -> RhaiResultOf<()> {
    match memory::fits(bytes) {
        true => Ok(()),
        false => Err(stop(ctx, Stop::OutOfMemory)),
    }
}

/// Stops the script, unless it undoes changes; no script can catch that.
pub(crate) fn stop(ctx: &NativeCallContext, why: Stop) -> Box<EvalAltResult> {
    Session::of(ctx).interrupt().stop(why);
    EvalAltResult::ErrorTerminated(Dynamic::from(why), ctx.call_position()).into()
}

/// The error of a call that was given up because of `why`. If memory is missing, it also stops the script.
pub(crate) fn given_up(ctx: &NativeCallContext, why: Stop) -> Box<EvalAltResult> {
    match why {
        Stop::OutOfMemory => stop(ctx, why),
        _ => EvalAltResult::ErrorTerminated(Dynamic::from(why), ctx.call_position()).into(),
    }
}

/// Fails if the script is being stopped, as a native function that takes long asks now and then.
pub(crate) fn ensure_running(ctx: &NativeCallContext) -> RhaiResultOf<()> {
    match Session::of(ctx).interrupt().stopping() {
        None => Ok(()),
        Some(why) => {
            let why = Dynamic::from(why);
            Err(EvalAltResult::ErrorTerminated(why, ctx.call_position()).into())
        }
    }
}
