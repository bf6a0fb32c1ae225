//! Comparisons with `==` and `!=` that are mistakes, but that plain Rhai accepts.

use rhai::{Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString, Position};

use super::RhaiResult;
use crate::error::Error;

/// Returns the noun for an object of libvirt's and its name, for messages.
pub(crate) type Named = fn(&Dynamic) -> Option<(&'static str, String)>;

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

/// Compares both sides as plain Rhai does: whether they are equal, or whether they are not. An object of libvirt's that is
/// compared with text at `place` is a mistake: they are never equal.
pub(super) fn compare(
    context: &mut EvalContext,
    equal: bool,
    sides: [Dynamic; 2],
    place: Position,
    object: Named,
) -> RhaiResult {
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
    let never_equal = |one, other| object_and_text(object(one)?, other);
    if let Some(error) = never_equal(one, other).or_else(|| never_equal(other, one)) {
        return refuse(error, place);
    }
    let [mut one, mut other] = sides;
    let operator = if equal { "==" } else { "!=" };
    context.call_native_fn_raw(operator, true, &mut [&mut one, &mut other])
}

/// The error of a comparison of an object with `text`, if that is text.
fn object_and_text((noun, name): (&str, String), text: &Dynamic) -> Option<Error> {
    let text = text.read_lock::<ImmutableString>()?;
    let message = format!("the {noun} `{name}` is compared with text; they are never equal");
    Some(Error::script(message).with_hint(format!("compare its `name`: `.name == {:?}`", &*text)))
}

/// Throws `error` at `place`.
pub(super) fn refuse(error: Error, place: Position) -> RhaiResult {
    Err(EvalAltResult::ErrorRuntime(Dynamic::from(error), place).into())
}
