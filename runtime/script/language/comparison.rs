//! Comparisons with `==` and `!=` that plain Rhai lets pass where one side is wrong.

use rhai::{Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString, Position};

use super::RhaiResult;
use crate::error::Error;

/// The values of both sides.
pub(super) fn sides(
    context: &mut EvalContext,
    inputs: &[Expression],
) -> Result<[Dynamic; 2], Box<EvalAltResult>> {
    Ok([
        context.eval_expression_tree(&inputs[0])?.flatten(),
        context.eval_expression_tree(&inputs[1])?.flatten(),
    ])
}

/// Compares both sides as plain Rhai does: whether they are equal, or whether they are not.
pub(super) fn compare(context: &mut EvalContext, equal: bool, sides: [Dynamic; 2]) -> RhaiResult {
    let [one, other] = &sides;
    if let (Ok(one), Ok(other)) = (one.as_int(), other.as_int()) {
        return Ok(((one == other) == equal).into());
    }
    if let (Some(one), Some(other)) = (
        one.read_lock::<ImmutableString>(),
        other.read_lock::<ImmutableString>(),
    ) {
        return Ok(((*one == *other) == equal).into());
    }
    let [mut one, mut other] = sides;
    let operator = if equal { "==" } else { "!=" };
    context.call_native_fn_raw(operator, true, &mut [&mut one, &mut other])
}

/// Throws `error` at `place`.
pub(super) fn refuse(error: Error, place: Position) -> RhaiResult {
    Err(EvalAltResult::ErrorRuntime(Dynamic::from(error), place).into())
}
