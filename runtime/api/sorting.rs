//! Sorts by the values themselves, or by a comparison function of the script.

use std::cmp::Ordering;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use super::by_key;
use super::room::ensure_running;
use crate::error::Error;
use crate::error::extent::is_short;
use crate::error::plain::{text, type_name};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Sorts the array by `comparison`, which takes two values and returns a negative number if the first comes before
    /// the second, 0 if they are equal, and otherwise a positive number.
    ///
    /// Returns `()`: the array itself is sorted. Throws the errors of `comparison`, and an error if it does not return
    /// a number.
    ///
    /// ```rhai
    /// let sizes = [3, 1, 2];
    /// sizes.sort(|a, b| b - a);
    /// assert_eq(sizes, [3, 2, 1]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sort", return_raw)]
    pub fn sort(ctx: NativeCallContext, array: &mut Array, comparison: FnPtr) -> RhaiResultOf<()> {
        let values = sorted(&ctx, array.clone(), &comparison)?;
        *array = values;
        Ok(())
    }

    /// Sorts the array, the least value first: numbers, text, bools, dates, or arrays of these, which are compared value by
    /// value.
    ///
    /// Returns `()`: the array itself is sorted. Throws if two values cannot be compared, such as a number and text; `sort_by`
    /// sorts other values.
    ///
    /// ```rhai
    /// let sizes = [3, 1.5, 2];
    /// sizes.sort();
    /// assert_eq(sizes, [1.5, 2, 3]);
    /// assert(assert_throws(|| [3, "a"].sort()).message.contains("cannot be compared"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sort", return_raw)]
    pub fn sort_up(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<()> {
        *array = by_key::sorted(&ctx, array, false)?;
        Ok(())
    }

    /// Sorts the array as `sort` does, the largest value first.
    ///
    /// ```rhai
    /// let names = ["a", "c", "b"];
    /// names.sort_desc();
    /// assert_eq(names, ["c", "b", "a"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sort_desc", return_raw)]
    pub fn sort_down(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<()> {
        *array = by_key::sorted(&ctx, array, true)?;
        Ok(())
    }

    /// Returns the values as `sort(comparison)` sorts them; the array itself stays as it is.
    ///
    /// ```rhai
    /// assert_eq([1, 3, 2].order(|a, b| b - a), [3, 2, 1]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "order", pure, return_raw)]
    pub fn order_with(
        ctx: NativeCallContext,
        array: &mut Array,
        comparison: FnPtr,
    ) -> RhaiResultOf<Array> {
        super::sorted(&ctx, array.clone(), &comparison)
    }

    /// Removes each value that is equal to the value before it according to `equal`, which takes the earlier value and the
    /// later one, and returns whether they are equal.
    ///
    /// Returns `()`: the array itself is changed. Throws the errors of `equal`, and an error if it does not return a bool.
    ///
    /// ```rhai
    /// let names = ["web", "WEB", "db"];
    /// names.dedup(|a, b| a.to_lower() == b.to_lower());
    /// assert_eq(names, ["web", "db"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "dedup", return_raw)]
    pub fn dedup_with(ctx: NativeCallContext, array: &mut Array, equal: FnPtr) -> RhaiResultOf<()> {
        let mut kept = Array::new();
        for value in array.iter() {
            ensure_running(&ctx)?;
            let is_repeated = match kept.last() {
                Some(last) => super::are_equal(&ctx, last, value, &equal)?,
                None => false,
            };
            if !is_repeated {
                kept.push(value.clone());
            }
        }
        *array = kept;
        Ok(())
    }

    /// Returns the values as `sort` sorts them; the array itself stays as it is.
    ///
    /// ```rhai
    /// assert_eq(["b", "a"].order(), ["a", "b"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn order(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<Array> {
        by_key::sorted(&ctx, array, false)
    }

    /// Returns the values as `sort_desc` sorts them; the array itself stays as it is.
    ///
    /// ```rhai
    /// assert_eq([1, 3, 2].order_desc(), [3, 2, 1]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn order_desc(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<Array> {
        by_key::sorted(&ctx, array, true)
    }
}

/// The values in their order. A comparison that contradicts itself gives some order.
fn sorted(ctx: &NativeCallContext, values: Array, comparison: &FnPtr) -> RhaiResultOf<Array> {
    if values.len() < 2 {
        return Ok(values);
    }
    let mut first = values;
    let second = first.split_off(first.len() / 2);
    let mut one = sorted(ctx, first, comparison)?.into_iter().peekable();
    let mut other = sorted(ctx, second, comparison)?.into_iter().peekable();
    ensure_running(ctx)?;
    let mut merged = Array::with_capacity(one.len() + other.len());
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        let next = match compare(ctx, left, right, comparison)? {
            Ordering::Greater => other.next(),
            Ordering::Less | Ordering::Equal => one.next(),
        };
        merged.extend(next);
    }
    merged.extend(one);
    merged.extend(other);
    Ok(merged)
}

fn compare(
    ctx: &NativeCallContext,
    left: &Dynamic,
    right: &Dynamic,
    comparison: &FnPtr,
) -> RhaiResultOf<Ordering> {
    let arguments = [left.clone(), right.clone()];
    let order = comparison.call_raw(ctx, None, arguments)?;
    if let Ok(number) = order.as_int() {
        return Ok(number.cmp(&0));
    }
    if let Ok(number) = order.as_float() {
        return Ok(number.total_cmp(&0.0));
    }
    let kind = type_name(&order);
    let given = match is_short(&order) {
        true => format!("{} (type {kind})", text(&order)),
        false => format!("a value of type {kind}"),
    };
    let message = format!("the comparison must return a number, not {given}");
    Error::refuse(
        ctx,
        message,
        "return a negative number if the first value comes first: `|a, b| a - b`; `sort()` sorts numbers and text",
    )
}

/// True if `equal` returns true for the two values.
fn are_equal(
    ctx: &NativeCallContext,
    one: &Dynamic,
    other: &Dynamic,
    equal: &FnPtr,
) -> RhaiResultOf<bool> {
    let answer = equal.call_raw(ctx, None, [one.clone(), other.clone()])?;
    answer.as_bool().or_else(|kind| {
        let message = format!("the comparison must return a bool, not a value of type {kind}");
        Error::refuse(ctx, message, "compare the two values: `|a, b| a == b`")
    })
}
