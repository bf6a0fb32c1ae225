//! A failure in one line, with its place.

use rhai::{Dynamic, Engine, EvalAltResult, Map};

use crate::error::{Error, extent, plain};
use crate::run::interrupt::Stop;
use crate::syntax::written_names;

/// The reason of a failure, in one line.
pub fn line(engine: &Engine, error: &EvalAltResult) -> String {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => format!("{}{}", words(value), at(error)),
        EvalAltResult::ErrorTerminated(why, _) if why.is::<Stop>() => {
            format!("{}{}", why.clone_cast::<Stop>(), at(error))
        }
        EvalAltResult::ErrorTerminated(..) => format!("a call was stopped{}", at(error)),
        other => {
            let as_written = written_names::error_as_written(other);
            let (what, _) = plain::words(engine, as_written.as_ref().unwrap_or(other));
            format!("{what}{}", at(error))
        }
    }
}

/// The message of the thrown value: an `Error`, a map with a `message`, or another value.
fn words(thrown: &Dynamic) -> String {
    if !extent::is_short(thrown) {
        return "the thrown value is too large to show".into();
    }
    if let Some(error) = thrown.read_lock::<Error>() {
        return error.to_string();
    }
    let map = thrown.read_lock::<Map>();
    match map.as_ref().and_then(|map| map.get("message")) {
        Some(message) => message.to_string(),
        None => thrown.to_string(),
    }
}

/// The place of `error`, if it is known.
pub(crate) fn at(error: &EvalAltResult) -> String {
    let (mut file, mut inner) = (None, error);
    while let EvalAltResult::ErrorInFunctionCall(_, source, next, _) = inner {
        file = Some(source.as_str()).filter(|source| !source.is_empty());
        inner = next;
    }
    let Some(line) = inner.position().line() else {
        return String::new();
    };
    match file {
        Some(file) => format!(" (line {line} of {file})"),
        None => format!(" (line {line})"),
    }
}
