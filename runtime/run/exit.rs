//! Ends of a script that it cannot catch: `exit`, or a stop from outside.

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

/// The error that `exit` throws: Rhai's own becomes the script's result.
#[derive(Debug, Clone, Copy)]
struct ExitStatus(u8);

/// The end of a script by `exit`, which no script can catch.
pub(crate) fn exit(status: u8) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(ExitStatus(status)), Position::NONE).into()
}

/// The end of a script that is being stopped from outside.
pub(crate) fn terminated(ctx: &NativeCallContext) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, ctx.call_position()).into()
}

/// The status that a script gave to `exit`, if that ended it.
pub fn exit_status(error: &EvalAltResult) -> Option<u8> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(token, _) => {
            let status = token.clone().try_cast::<ExitStatus>()?;
            Some(status.0)
        }
        _ => None,
    }
}
