//! Functions of lists with a key from a closure: sorting, grouping, sum, minimum and maximum.

use std::cmp::Ordering;

use rhai::plugin::*;
use rhai::{
    Array, Dynamic, Engine, FnPtr, ImmutableString, Map, NativeCallContext, exported_module,
};

use super::arguments::RhaiResultOf;
use super::room::{ensure_room, ensure_running};
use super::value_text::printed;
use crate::error::Error;
use crate::error::plain::plain_types;
use crate::show::DateTime;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Returns the values sorted by the key that `key` returns for each: a number, text, a bool, a date, or an array of
    /// these, which is compared value by value.
    ///
    /// Values with equal keys keep their order. The array itself stays as it is. Throws if two keys cannot be compared.
    ///
    /// ```rhai
    /// let guests = [#{ name: "web", memory: 4 }, #{ name: "db", memory: 8 }];
    /// assert_eq(guests.sort_by(|guest| guest.name)[0].name, "db");
    /// assert_eq(guests.sort_by(|guest| -guest.memory)[0].name, "db");
    /// assert_eq(guests[0].name, "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sort_by", name = "order_by", pure, return_raw)]
    pub fn sort_by(ctx: NativeCallContext, array: &mut Array, key: FnPtr) -> RhaiResultOf<Array> {
        let mut keyed = super::keyed(&ctx, array, &key)?;
        let mut wrong = None;
        keyed.sort_by(|(one, _), (other, _)| {
            super::compare(one, other).unwrap_or_else(|| {
                wrong.get_or_insert_with(|| super::not_comparable(&ctx, one, other));
                Ordering::Equal
            })
        });
        match wrong {
            Some(error) => Err(error),
            None => Ok(keyed.into_iter().map(|(_, value)| value).collect()),
        }
    }

    /// Returns a map of arrays: each array has the values with the same key, under the text of this key.
    ///
    /// ```rhai
    /// let states = connect("test:///default").list_all_domains().group_by(|dom| dom.state());
    /// assert_eq(states.keys(), ["running"]);
    /// assert_eq(states.running[0].name, "test");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn group_by(ctx: NativeCallContext, array: &mut Array, key: FnPtr) -> RhaiResultOf<Map> {
        let mut groups = Map::new();
        for (key, value) in super::keyed(&ctx, array, &key)? {
            let name = printed(&ctx, &key)?;
            let group = groups
                .entry(name.into())
                .or_insert_with(|| Array::new().into());
            if let Some(mut group) = group.write_lock::<Array>() {
                group.push(value);
            }
        }
        Ok(groups)
    }

    /// Returns the sum of the numbers; 0 for an empty array. If one of them is not a whole number, the sum is a float.
    ///
    /// ```rhai
    /// assert_eq([1, 2, 3].sum(), 6);
    /// assert_eq([1, 0.5].sum(), 1.5);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn sum(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<Dynamic> {
        super::total(&ctx, array.iter())
    }

    /// Returns the sum of the numbers that `number` returns for the values.
    ///
    /// ```rhai
    /// let doms = connect("test:///default").list_all_domains();
    /// assert_eq(doms.sum(|dom| dom.info().memory_kib), 2097152);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sum", pure, return_raw)]
    pub fn sum_of(
        ctx: NativeCallContext,
        array: &mut Array,
        number: FnPtr,
    ) -> RhaiResultOf<Dynamic> {
        let keyed = super::keyed(&ctx, array, &number)?;
        super::total(&ctx, keyed.iter().map(|(number, _)| number))
    }

    /// Returns the value with the smallest key (the first of several); `()` for an empty array.
    ///
    /// ```rhai
    /// let disks = [#{ name: "a", free: 5 }, #{ name: "b", free: 3 }];
    /// assert_eq(disks.min_by(|disk| disk.free).name, "b");
    /// assert_eq([].min_by(|disk| disk.free), ());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn min_by(ctx: NativeCallContext, array: &mut Array, key: FnPtr) -> RhaiResultOf<Dynamic> {
        super::best(&ctx, array, &key, Ordering::Less)
    }

    /// Returns the value with the largest key (the first of several); `()` for an empty array.
    ///
    /// ```rhai
    /// let pools = [#{ name: "a", free: 3 }, #{ name: "b", free: 5 }];
    /// assert_eq(pools.max_by(|pool| pool.free).name, "b");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn max_by(ctx: NativeCallContext, array: &mut Array, key: FnPtr) -> RhaiResultOf<Dynamic> {
        super::best(&ctx, array, &key, Ordering::Greater)
    }
}

/// The values, each with the key that `key` returns for it.
fn keyed(
    ctx: &NativeCallContext,
    values: &Array,
    key: &FnPtr,
) -> RhaiResultOf<Vec<(Dynamic, Dynamic)>> {
    // Bytes for a key, a value, and the sorting.
    ensure_room(ctx, values.len().saturating_mul(96))?;
    let keyed = values.iter().map(|value| {
        let key = key.call_raw(ctx, None, [value.clone()])?;
        Ok((key.flatten(), value.clone()))
    });
    keyed.collect()
}

/// The values in their order, the least first, or the largest if `down` is true.
pub(super) fn sorted(ctx: &NativeCallContext, values: &Array, down: bool) -> RhaiResultOf<Array> {
    // Bytes for a second list of the values, and the sorting.
    ensure_room(ctx, values.len().saturating_mul(2 * size_of::<Dynamic>()))?;
    let mut sorted = values.clone();
    let mut wrong = None;
    sorted.sort_by(|one, other| {
        let order = compare(one, other).unwrap_or_else(|| {
            wrong.get_or_insert_with(|| no_order(ctx, one, other));
            Ordering::Equal
        });
        if down { order.reverse() } else { order }
    });
    wrong.map_or(Ok(sorted), Err)
}

/// The order of two keys; `None` if they cannot be compared.
fn compare(one: &Dynamic, other: &Dynamic) -> Option<Ordering> {
    if let (Ok(one), Ok(other)) = (one.as_int(), other.as_int()) {
        return Some(one.cmp(&other));
    }
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Some(one.total_cmp(&other));
    }
    if let (Some(one), Some(other)) = (
        one.read_lock::<ImmutableString>(),
        other.read_lock::<ImmutableString>(),
    ) {
        return Some(one.cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_bool(), other.as_bool()) {
        return Some(one.cmp(&other));
    }
    if let (Ok(one), Ok(other)) = (one.as_char(), other.as_char()) {
        return Some(one.cmp(&other));
    }
    if let (Some(one), Some(other)) = (one.read_lock::<DateTime>(), other.read_lock::<DateTime>()) {
        return Some(one.cmp(&other));
    }
    if let (Some(one), Some(other)) = (one.read_lock::<Array>(), other.read_lock::<Array>()) {
        for (one, other) in one.iter().zip(other.iter()) {
            match compare(one, other)? {
                Ordering::Equal => {}
                order => return Some(order),
            }
        }
        return Some(one.len().cmp(&other.len()));
    }
    // `()` sorts before every other value.
    match (one.is_unit(), other.is_unit()) {
        (false, false) => None,
        (one, other) => Some(other.cmp(&one)),
    }
}

fn number(value: &Dynamic) -> Option<f64> {
    let whole = value.as_int().ok().map(|number| number as f64);
    whole.or_else(|| value.as_float().ok())
}

fn not_comparable(ctx: &NativeCallContext, one: &Dynamic, other: &Dynamic) -> Box<EvalAltResult> {
    Error::invalid(ctx, not_compared(ctx, "key", one, other))
        .with_hint("a key is a number, text, a bool, a date, or an array of these")
        .throw()
}

/// The error that a list without keys has no order.
fn no_order(ctx: &NativeCallContext, one: &Dynamic, other: &Dynamic) -> Box<EvalAltResult> {
    Error::invalid(ctx, not_compared(ctx, "value", one, other))
        .with_hint(
            "`sort_by` sorts by a key of each value: `list.sort_by(|value| value.name)`, or `list.sort_by(|value| value.to_string())`",
        )
        .throw()
}

/// The message that `one` and `other`, which are called a `noun`, cannot be compared.
fn not_compared(ctx: &NativeCallContext, noun: &str, one: &Dynamic, other: &Dynamic) -> String {
    let kind = |value: &Dynamic| plain_types(ctx.engine().map_type_name(value.type_name()));
    let (first, second) = (kind(one), kind(other));
    match first == second {
        true => format!("{noun}s of type {first} have no order"),
        false => format!("a {noun} of type {first} cannot be compared with one of type {second}"),
    }
}

fn best(
    ctx: &NativeCallContext,
    values: &Array,
    key: &FnPtr,
    wanted: Ordering,
) -> RhaiResultOf<Dynamic> {
    let mut best: Option<(Dynamic, Dynamic)> = None;
    for (key, value) in keyed(ctx, values, key)? {
        let better = match &best {
            None => true,
            Some((least, _)) => {
                let order = compare(&key, least);
                order.ok_or_else(|| not_comparable(ctx, &key, least))? == wanted
            }
        };
        if better {
            best = Some((key, value));
        }
    }
    Ok(best.map_or(Dynamic::UNIT, |(_, value)| value))
}

fn total<'a>(
    ctx: &NativeCallContext,
    numbers: impl Iterator<Item = &'a Dynamic>,
) -> RhaiResultOf<Dynamic> {
    let (mut whole, mut fraction, mut is_whole) = (0_i64, 0.0_f64, true);
    for (index, value) in numbers.enumerate() {
        if index % 100_000 == 99_999 {
            ensure_running(ctx)?;
        }
        if let Ok(number) = value.as_int() {
            whole = whole.checked_add(number).ok_or_else(|| {
                Error::invalid(ctx, "the sum is larger than a whole number can be").throw()
            })?;
        } else if let Ok(number) = value.as_float() {
            (fraction, is_whole) = (fraction + number, false);
        } else {
            let shown = printed(ctx, value)?;
            return Err(Error::invalid(ctx, format!("`{shown}` is not a number"))
                .with_hint("`sum(|value| ...)` adds what the closure returns for each value")
                .throw());
        }
    }
    Ok(match is_whole {
        true => whole.into(),
        false => (whole as f64 + fraction).into(),
    })
}
