//! Errors that scripts and Rhai itself throw, not failures of virhai's calls.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, Position};

use super::{Details, Error, plain};
use crate::advice::suggest;
use crate::error::extent::{is_short, shortened};
use crate::libvirt::Failure;
use crate::syntax::written_names;

/// The largest number of keys that are searched for a similar one.
const MOST_KEYS: usize = 1_000;

/// The largest number of keys that a hint names.
const SHOWN_KEYS: usize = 12;

/// The properties of every error, for suggestions.
const FIELDS: [&str; 12] = [
    "action",
    "call",
    "code",
    "domain",
    "file",
    "hint",
    "line",
    "lost_connection",
    "message",
    "number",
    "uri",
    "value",
];

impl Error {
    /// An error with only the text `message`.
    pub(crate) fn script(message: impl Into<String>) -> Self {
        let message = shortened(message.into());
        let cause = EvalAltResult::ErrorRuntime(message.clone().into(), Position::NONE);
        Self::of_cause(message, cause.into())
    }

    /// Arguments that the called function does not take. The error stands at the call, if that is not in the standard library.
    pub(crate) fn of_arguments(message: impl Into<String>) -> Self {
        Self::script(message).given_outside("")
    }

    /// The error that a map with `keys` has no key `key`.
    pub(crate) fn missing_key<'a>(key: &str, keys: impl Iterator<Item = &'a str>) -> Self {
        let keys: Vec<&str> = keys.take(MOST_KEYS).collect();
        let cause = EvalAltResult::ErrorPropertyNotFound(shortened(key.to_owned()), Position::NONE);
        let message = shortened(format!("the map has no key `{key}`"));
        let hint = match suggest::nearest_key(key, &keys) {
            _ if ["keys", "len", "values"].contains(&key) => {
                format!("`{key}` is a method: call it as `{key}()`")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None if keys.is_empty() => "the map is empty".to_owned(),
            None if keys.len() <= SHOWN_KEYS => format!(
                "its keys are {}; `?.` and `??` ask for a key that can be missing",
                keys.join(", ")
            ),
            None => "`?.` and `??` ask for a key that can be missing".to_owned(),
        };
        Self::of_cause(message, cause.into()).with_hint(hint)
    }

    fn of_cause(message: String, cause: Arc<EvalAltResult>) -> Self {
        Self(Arc::new(Details {
            failure: Failure {
                message,
                ..Failure::default()
            },
            call: "",
            action: String::new(),
            subject: None,
            uri: String::new(),
            hint: None,
            xml: None,
            state: None,
            position: Position::NONE,
            source: None,
            cause: Some(cause),
            declared_in: None,
        }))
    }

    /// The error for `thrown`, which was thrown in the file `source`; `file_of` returns the file of
    /// a closure.
    pub(crate) fn caught(
        engine: &Engine,
        thrown: &Arc<EvalAltResult>,
        source: Option<&str>,
        file_of: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut source = source.map(str::to_owned);
        let mut inner = &**thrown;
        let mut frames: Vec<(String, Position)> = Vec::new();
        loop {
            match inner {
                EvalAltResult::ErrorInFunctionCall(function, file, next, place) => {
                    frames.insert(0, (source.clone().unwrap_or_default(), *place));
                    let closure = written_names::is_closure(function);
                    if let Some(file) = closure.then(|| file_of(function)).flatten() {
                        source = Some(file);
                    } else if !file.is_empty() {
                        source = Some(file.clone());
                    }
                    inner = next;
                }
                EvalAltResult::ErrorInModule(file, next, _) => {
                    source = Some(file.clone());
                    inner = next;
                }
                _ => break,
            }
        }
        let position = inner.position();
        let error = match inner {
            EvalAltResult::ErrorRuntime(value, _) => match value.clone().try_cast::<Self>() {
                // An error that was thrown before already has its position.
                Some(error) if !error.0.position.is_none() => {
                    return error.seen_at(position, source).where_given(&frames);
                }
                Some(error) => error,
                None => Self::of_value(value, thrown),
            },
            other => {
                let as_written = written_names::error_as_written(other);
                let (message, hint) = plain::words(engine, as_written.as_ref().unwrap_or(other));
                Self::of_cause(shortened(message), Arc::clone(thrown)).with_hint_if_any(hint)
            }
        };
        error.with(|details| {
            details.position = position;
            details.source = source;
        })
    }

    /// The error with its file, if it comes from `position` of the file `source`: a function that a closure calls knows only
    /// the file that called the closure.
    fn seen_at(self, position: Position, source: Option<String>) -> Self {
        match self.0.position == position && source.is_some() {
            true => self.with(|details| details.source = source),
            false => self,
        }
    }

    /// An error about options gets the place where they were given, if that is among `frames`; any
    /// other error is unchanged.
    fn where_given(self, frames: &[(String, Position)]) -> Self {
        let places: Vec<(&str, bool)> = frames
            .iter()
            .map(|(file, place)| (file.as_str(), !place.is_none()))
            .collect();
        match self.options_given_at(&places) {
            Some(at) => self.with(|details| {
                details.position = frames[at].1;
                details.source = Some(frames[at].0.clone());
                details.declared_in = None;
            }),
            None => self,
        }
    }

    /// The error of a script that threw `value`.
    fn of_value(value: &Dynamic, thrown: &Arc<EvalAltResult>) -> Self {
        let error = Self::of_cause(message(value), Arc::clone(thrown));
        error.with_hint_if_any(text_of(value, "hint"))
    }

    /// The thrown value, if it is not a failure of a call of virhai's.
    pub fn cause(&self) -> Option<&EvalAltResult> {
        self.0.cause.as_deref().map(EvalAltResult::unwrap_inner)
    }

    /// The value that a script threw.
    pub fn value(&self) -> Option<&Dynamic> {
        match self.cause()? {
            EvalAltResult::ErrorRuntime(value, _) => Some(value),
            _ => None,
        }
    }

    /// True if it is the same error as `other`.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The value of the thrown map under the key `name`.
    pub(crate) fn field(&self, name: &str) -> Option<Dynamic> {
        self.value()?.read_lock::<Map>()?.get(name).cloned()
    }

    /// The error that there is no property `name` here.
    pub(crate) fn without_field(&self, name: &str) -> Self {
        let map = self.value().and_then(|value| value.read_lock::<Map>());
        let keys = map.iter().flat_map(|map| map.keys());
        let keys: Vec<&str> = FIELDS
            .into_iter()
            .chain(keys.map(|key| key.as_str()))
            .collect();
        let cause = EvalAltResult::ErrorPropertyNotFound(name.to_owned(), Position::NONE);
        let message = shortened(format!("the error has no property `{name}`"));
        let error = Self::of_cause(message, cause.into());
        match suggest::nearest(name, keys.into_iter()) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }
}

/// The text in the map `value` under the key `name`.
fn text_of(value: &Dynamic, name: &str) -> Option<String> {
    let map = value.read_lock::<Map>()?;
    let text = map.get(name)?.read_lock::<ImmutableString>()?;
    Some(text.to_string())
}

/// The message of a script that threw `value`.
fn message(value: &Dynamic) -> String {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return shortened(text.to_string());
    }
    if let Some(text) = text_of(value, "message") {
        return shortened(text);
    }
    if !is_short(value) {
        return "the script threw a value that is too large to show".into();
    }
    if let Some(failures) = value.read_lock::<Array>().as_deref().and_then(parallel) {
        return shortened(failures);
    }
    shortened(format!("the script threw {}", plain::text(value)))
}

/// The message of `parallel`: the number of failures, and each of them.
fn parallel(list: &Array) -> Option<String> {
    let line = |failure: &Dynamic| {
        let failure = failure.read_lock::<Map>()?;
        let error = failure.get("error")?.read_lock::<Error>()?.to_string();
        Some(format!("{}: {error}", failure.get("item")?))
    };
    let lines: Vec<String> = list.iter().map(line).collect::<Option<_>>()?;
    match &lines[..] {
        [] => None,
        [line] => Some(format!("one of the calls in parallel failed: {line}")),
        _ => Some(format!(
            "{} of the calls in parallel failed: {}",
            lines.len(),
            lines.join("; ")
        )),
    }
}
