//! Compares arrays and maps of any depth.

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map, NativeCallContext};

use super::room::{ensure_running, stop};
use crate::error::RhaiResultOf;
use crate::run::interrupt::Stop;
use crate::run::resources::stack;

/// True if both arrays hold equal values in the same order.
pub(crate) fn arrays(ctx: &NativeCallContext, one: &Array, other: &Array) -> RhaiResultOf<bool> {
    if one.len() != other.len() {
        return Ok(false);
    }
    for (index, (one, other)) in one.iter().zip(other).enumerate() {
        // So that a comparison of many values can be stopped.
        if index % 100_000 == 99_999 {
            ensure_running(ctx)?;
        }
        if !values(ctx, one, other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if both maps hold equal values under the same keys.
pub(crate) fn maps(ctx: &NativeCallContext, one: &Map, other: &Map) -> RhaiResultOf<bool> {
    if one.len() != other.len() {
        return Ok(false);
    }
    for (key, value) in one {
        let Some(other) = other.get(key) else {
            return Ok(false);
        };
        if !values(ctx, value, other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if two values are equal by the operator `==`. Values of different types are equal only if an operator compares
/// them.
fn values(ctx: &NativeCallContext, one: &Dynamic, other: &Dynamic) -> RhaiResultOf<bool> {
    if stack::is_used_up() {
        return Err(stop(ctx, Stop::NestsTooDeep));
    }
    if let (Ok(one), Ok(other)) = (one.as_int(), other.as_int()) {
        return Ok(one == other);
    }
    if let (Some(one), Some(other)) = (
        one.read_lock::<ImmutableString>(),
        other.read_lock::<ImmutableString>(),
    ) {
        return Ok(*one == *other);
    }
    if let (Some(one), Some(other)) = (one.read_lock::<Array>(), other.read_lock::<Array>()) {
        return arrays(ctx, &one, &other);
    }
    if let (Some(one), Some(other)) = (one.read_lock::<Map>(), other.read_lock::<Map>()) {
        return maps(ctx, &one, &other);
    }
    let (mut one, mut other) = (one.flatten_clone(), other.flatten_clone());
    let (kind, other_kind) = (one.type_id(), other.type_id());
    match ctx.call_native_fn_raw("==", true, &mut [&mut one, &mut other]) {
        Ok(equal) => Ok(equal.as_bool().unwrap_or(false)),
        Err(error) => match *error {
            EvalAltResult::ErrorFunctionNotFound(ref signature, _)
                if signature.starts_with("==") && kind != other_kind =>
            {
                Ok(false)
            }
            _ => Err(error),
        },
    }
}
