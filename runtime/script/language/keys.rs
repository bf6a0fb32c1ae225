//! Keys that a map does not have.

use rhai::{Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString, Map, Target};

use super::RhaiResult;
use crate::error::Error;

/// Begins the name of a key that is asked for: without it, the value is `()`.
pub(crate) const ASKED: char = '\u{1}';

/// Begins the name of a key that is assigned to.
pub(crate) const ASSIGNED: char = '\u{2}';

/// The value for the key `key`, marked or not, that `map` does not have under that name.
pub(super) fn missing<'a>(map: &'a mut Map, key: &str) -> Result<Target<'a>, Box<EvalAltResult>> {
    if let Some(name) = key.strip_prefix(ASKED) {
        return match map.get_mut(name) {
            Some(value) => value.try_into(),
            None => Ok(Dynamic::UNIT.into()),
        };
    }
    if let Some(name) = key.strip_prefix(ASSIGNED) {
        return map.entry(name.into()).or_insert(Dynamic::UNIT).try_into();
    }
    Err(Error::missing_key(key, map.keys().map(|key| key.as_str())).throw())
}

/// The value of an index, marked where it is text.
pub(super) fn marked(context: &mut EvalContext, inputs: &[Expression], mark: char) -> RhaiResult {
    let index = context.eval_expression_tree(&inputs[0])?.flatten();
    let marked = index
        .read_lock::<ImmutableString>()
        .map(|key| format!("{mark}{}", key.as_str()).into());
    Ok(marked.unwrap_or(index))
}
