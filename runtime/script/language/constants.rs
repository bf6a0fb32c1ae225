//! Comparisons with libvirt's constants.

use rhai::{Dynamic, EvalContext, Expression, ImmutableString, Position};

use super::{RhaiResult, comparison};
use crate::error::Error;
use crate::vocabulary;

/// A comparison with a constant of libvirt's.
#[derive(Clone)]
struct WithConstant {
    equal: bool,
    name: ImmutableString,
    position: Position,
}

/// The state of a comparison at `position` with the constant `name`.
pub(super) fn state(equal: bool, name: ImmutableString, position: Position) -> Dynamic {
    Dynamic::from(WithConstant {
        equal,
        name,
        position,
    })
}

/// Compares two values, one of which is a constant of libvirt's.
///
/// Calls return words, so that a text which is compared with a number was meant to be compared
/// with a word.
pub(super) fn compare(
    context: &mut EvalContext,
    inputs: &[Expression],
    state: &Dynamic,
    object: comparison::Named,
) -> RhaiResult {
    let state = state.read_lock::<WithConstant>();
    let state = state.expect("the rewriter writes a comparison with a constant");
    let sides = comparison::sides(context, inputs)?;
    let is_text = |value: &Dynamic| value.is::<ImmutableString>();
    let is_number = |value: &Dynamic| value.is_int() || value.is_float();
    let [one, other] = &sides;
    if (is_text(one) && is_number(other)) || (is_number(one) && is_text(other)) {
        let text = if is_text(one) { one } else { other };
        let name = &state.name;
        let message = format!("the text {text:?} is compared with the number `{name}`");
        let mut error = Error::script(message);
        if let Some(word) = vocabulary::of_constant(name) {
            error = error.with_hint(format!("the word for it is \"{word}\""));
        }
        return comparison::refuse(error, state.position);
    }
    comparison::compare(context, state.equal, sides, state.position, object)
}
