//! Comparisons of words with text that is not a word.

use rhai::{Array, Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString, Position};

use super::RhaiResult;
use crate::error::Error;
use crate::vocabulary;

/// The facts that a checked comparison needs.
pub(super) fn state(
    operator: &str,
    text: ImmutableString,
    place: Position,
    direct: bool,
) -> Dynamic {
    let state: Array = vec![
        operator.into(),
        text.into(),
        Dynamic::from(place),
        direct.into(),
    ];
    state.into()
}

/// Compares a value with text that the script writes.
///
/// A word that a call answers can only be one of its enumeration. Where the value is the answer itself, any other text
/// is a mistake. A variable can hold other text as well, so there only what is near to a word is one.
pub(super) fn compare(
    context: &mut EvalContext,
    inputs: &[Expression],
    state: &Dynamic,
) -> RhaiResult {
    let one = context.eval_expression_tree(&inputs[0])?.flatten();
    let other = context.eval_expression_tree(&inputs[1])?.flatten();
    let state = state.read_lock::<Array>();
    let state = state.as_deref().map_or(&[][..], Vec::as_slice);
    let [operator, text, place, direct] = state else {
        unreachable!("the rewriter writes four");
    };
    let operator = operator.to_string();
    if let (Some(one), Some(other)) = (
        one.read_lock::<ImmutableString>(),
        other.read_lock::<ImmutableString>(),
    ) {
        let answered = vocabulary::of_answer(&one).or_else(|| vocabulary::of_answer(&other));
        if let Some(table) = answered {
            let text = text.to_string();
            let words = table.declared();
            let is_mistake = match direct.as_bool() {
                Ok(true) => !words.has(&text),
                _ => words.near(&text).is_some(),
            };
            if is_mistake {
                let message = format!("{text:?} is not a possible value here");
                let error = Error::script(message).with_hint(words.hint(&text));
                let place = place.clone().try_cast().unwrap_or(Position::NONE);
                return Err(EvalAltResult::ErrorRuntime(Dynamic::from(error), place).into());
            }
        }
        return Ok(((*one == *other) == (operator == "==")).into());
    }
    let mut arguments = [one, other];
    let mut arguments: Vec<&mut Dynamic> = arguments.iter_mut().collect();
    context.call_native_fn_raw(operator, true, &mut arguments)
}
