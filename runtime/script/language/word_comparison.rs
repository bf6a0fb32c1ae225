//! Comparisons of words with text that is not a word.

use rhai::{Dynamic, EvalContext, Expression, ImmutableString, Position};

use super::{RhaiResult, comparison};
use crate::error::Error;
use crate::vocabulary;

/// A comparison with text that the script writes.
#[derive(Clone)]
struct WithText {
    equal: bool,
    text: ImmutableString,
    /// The place of the text.
    place: Position,
    /// True if the other side is the result of a call, not a variable.
    direct: bool,
}

/// The state of a comparison with `text` at `place`.
pub(super) fn state(equal: bool, text: ImmutableString, place: Position, direct: bool) -> Dynamic {
    Dynamic::from(WithText {
        equal,
        text,
        place,
        direct,
    })
}

/// Compares a value with text that the script writes.
///
/// A word that a call returns can only be one of its enumeration. Where the value is the result
/// itself, any other text is a mistake. A variable can hold other text as well, so there only text
/// that resembles a word is a mistake.
pub(super) fn compare(
    context: &mut EvalContext,
    inputs: &[Expression],
    state: &Dynamic,
    object: comparison::Named,
) -> RhaiResult {
    let state = state.read_lock::<WithText>();
    let state = state.expect("the rewriter writes a comparison with text");
    let sides = comparison::sides(context, inputs)?;
    let answered = match sides.each_ref().map(Dynamic::read_lock::<ImmutableString>) {
        [Some(one), Some(other)] => {
            vocabulary::of_answer(&one).or_else(|| vocabulary::of_answer(&other))
        }
        _ => None,
    };
    if let Some(table) = answered {
        let words = table.declared();
        let is_mistake = match state.direct {
            true => !words.has(&state.text),
            false => words.near(&state.text).is_some(),
        };
        if is_mistake {
            let message = format!("{:?} is not a possible value here", state.text);
            let error = Error::script(message).with_hint(words.hint(&state.text));
            return comparison::refuse(error, state.place);
        }
    }
    comparison::compare(context, state.equal, sides, state.place, object)
}
