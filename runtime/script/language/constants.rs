//! Comparisons with libvirt's constants.

use rhai::{Array, Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString, Position};

use super::RhaiResult;
use crate::error::Error;
use crate::vocabulary;

/// Compares two values, one of which is a constant of libvirt's.
///
/// Calls answer words, so that a text which is compared with a number was meant to be compared
/// with a word.
pub(super) fn compare(
    context: &mut EvalContext,
    inputs: &[Expression],
    state: &Dynamic,
) -> RhaiResult {
    let one = context.eval_expression_tree(&inputs[0])?.flatten();
    let other = context.eval_expression_tree(&inputs[1])?.flatten();
    let state = state.read_lock::<Array>();
    let state = state.as_deref().map_or(&[][..], Vec::as_slice);
    let [name, equal, position] = state else {
        unreachable!("the rewriter writes three");
    };
    let position = position.clone().try_cast().unwrap_or(Position::NONE);
    let is_text = |value: &Dynamic| value.is::<ImmutableString>();
    let is_number = |value: &Dynamic| value.is_int() || value.is_float();
    if (is_text(&one) && is_number(&other)) || (is_number(&one) && is_text(&other)) {
        let text = if is_text(&one) { &one } else { &other };
        let name = name.to_string();
        let message = format!("the text {text:?} is compared with the number `{name}`");
        let mut error = Error::script(message);
        if let Some(word) = vocabulary::of_constant(&name) {
            error = error.with_hint(format!("the word for it is \"{word}\""));
        }
        return Err(EvalAltResult::ErrorRuntime(Dynamic::from(error), position).into());
    }
    let operator = if equal.as_bool().unwrap_or(true) {
        "=="
    } else {
        "!="
    };
    if let (Ok(one), Ok(other)) = (one.as_int(), other.as_int()) {
        return Ok(((one == other) == (operator == "==")).into());
    }
    let mut arguments = [one, other];
    let mut arguments: Vec<&mut Dynamic> = arguments.iter_mut().collect();
    context.call_native_fn_raw(operator, true, &mut arguments)
}
