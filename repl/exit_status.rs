//! The exit statuses of this program, besides a script's own `exit(n)`.

use rhai::EvalAltResult;
use virhai::Error;
use virhai::interrupt::Stop;

pub(crate) const DONE: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const WRONG_USAGE: u8 = 2;
pub(crate) const DOES_NOT_COMPILE: u8 = 3;
pub(crate) const NO_CONNECTION: u8 = 4;
pub(crate) const TIMED_OUT: u8 = 124;
pub(crate) const INTERRUPTED: u8 = 130;

/// The status of a program that a signal ended, as a shell gives it.
pub(crate) fn killed_by(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(INTERRUPTED)
}

/// The exit status of a script that was stopped.
pub(crate) fn status_of_stop(stop: Stop) -> u8 {
    match stop {
        Stop::Interrupted => INTERRUPTED,
        Stop::TimedOut => TIMED_OUT,
        Stop::OutOfMemory
        | Stop::TooDeep
        | Stop::NestsTooDeep
        | Stop::TooManyOperations
        | Stop::UndoTimedOut => FAILED,
    }
}

/// The exit status of a script that failed.
pub(crate) fn status_of(error: &EvalAltResult) -> u8 {
    let connecting = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => value
            .clone()
            .try_cast::<Error>()
            .is_some_and(|error| error.no_connection()),
        _ => false,
    };
    if connecting { NO_CONNECTION } else { FAILED }
}
