//! Rhai's functions that can fill memory in a single operation, which no check between operations
//! can stop. They check the memory limit first. [`asking`] lists those that need only this check.

use rhai::plugin::*;
use rhai::{
    Array, Blob, Dynamic, Engine, ImmutableString, Map, NativeCallContext, exported_module,
};

use super::arguments::RhaiResultOf;
use super::room::{MOST, ensure_room};
use super::{asking, comparison, value_text};
use crate::error::Error;
use crate::run::guarded::unwind;

pub(crate) fn register(engine: &mut Engine) {
    asking::register(engine);
    engine.register_global_module(exported_module!(functions).into());
}

/// The text that `write` makes. Rhai ignores the errors of functions that turn values into text, and
/// takes another text instead: so an error here ends the script.
fn text_or_end(text: RhaiResultOf<String>) -> String {
    text.unwrap_or_else(|error| unwind(error))
}

/// The bytes of `count` copies of `value`.
fn copies(value: &Dynamic, count: usize) -> usize {
    asking::size(value)
        .saturating_add(size_of::<Dynamic>())
        .saturating_mul(count)
}

/// The length `len`; a negative length is 0.
pub(crate) fn length(ctx: &NativeCallContext, len: i64) -> RhaiResultOf<usize> {
    let len = usize::try_from(len.max(0)).unwrap_or(usize::MAX);
    if len > MOST {
        let message = format!("the result would be longer than {MOST}");
        return Error::refuse(
            ctx,
            message,
            "one call can make at most 16 Mi values or bytes",
        );
    }
    Ok(len)
}

#[export_module]
mod functions {
    /// Lengthens this array to `len` values, 16 Mi at most, with copies of `item`.
    ///
    /// ```rhai
    /// let list = [1];
    /// list.pad(3, 0);
    /// assert_eq(list, [1, 0, 0]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_array(
        ctx: NativeCallContext,
        array: &mut Array,
        len: i64,
        item: Dynamic,
    ) -> RhaiResultOf<()> {
        let len = length(&ctx, len)?;
        if len > array.len() {
            ensure_room(&ctx, copies(&item, len - array.len()))?;
            array.resize(len, item);
        }
        Ok(())
    }

    /// Lengthens this blob to `len` bytes, 16 Mi at most, with the byte `value`.
    ///
    /// ```rhai
    /// let bytes = blob(1, 7);
    /// bytes.pad(3, 0);
    /// assert_eq(bytes.len(), 3);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_blob(
        ctx: NativeCallContext,
        blob: &mut Blob,
        len: i64,
        value: i64,
    ) -> RhaiResultOf<()> {
        let len = length(&ctx, len)?;
        if len > blob.len() {
            ensure_room(&ctx, len)?;
            blob.resize(len, (value & 0xff) as u8);
        }
        Ok(())
    }

    /// Lengthens this text to `len` characters, 16 Mi at most, with `character`.
    ///
    /// ```rhai
    /// let text = "web";
    /// text.pad(5, '.');
    /// assert_eq(text, "web..");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_text(
        ctx: NativeCallContext,
        text: &mut ImmutableString,
        len: i64,
        character: char,
    ) -> RhaiResultOf<()> {
        let missing = length(&ctx, len)?.saturating_sub(text.chars().count());
        if missing > 0 {
            ensure_room(&ctx, (text.len() + missing * character.len_utf8()) * 2)?;
            text.make_mut()
                .extend(std::iter::repeat_n(character, missing));
        }
        Ok(())
    }

    /// Lengthens this text to `len` characters, 16 Mi at most, with `padding` over and over.
    ///
    /// ```rhai
    /// let text = "web";
    /// text.pad(6, "-=");
    /// assert_eq(text, "web-=-");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_text_with(
        ctx: NativeCallContext,
        text: &mut ImmutableString,
        len: i64,
        padding: &str,
    ) -> RhaiResultOf<()> {
        let missing = length(&ctx, len)?.saturating_sub(text.chars().count());
        if missing > 0 {
            ensure_room(&ctx, (text.len() + missing * 4) * 2)?;
            text.make_mut()
                .extend(padding.chars().cycle().take(missing));
        }
        Ok(())
    }

    /// A blob of `len` bytes, 16 Mi at most, all zero.
    ///
    /// ```rhai
    /// assert_eq(blob(3).len(), 3);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of(ctx: NativeCallContext, len: i64) -> RhaiResultOf<Blob> {
        let len = length(&ctx, len)?;
        ensure_room(&ctx, len)?;
        Ok(vec![0; len])
    }

    /// A blob of `len` bytes, 16 Mi at most, all `value`.
    ///
    /// ```rhai
    /// assert_eq(blob(2, 7)[1], 7);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of_value(ctx: NativeCallContext, len: i64, value: i64) -> RhaiResultOf<Blob> {
        let len = length(&ctx, len)?;
        ensure_room(&ctx, len)?;
        Ok(vec![(value & 0xff) as u8; len])
    }

    /// This array as text.
    ///
    /// ```rhai
    /// assert_eq([1, "a", [()]].to_string(), `[1, "a", [()]]`);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(
        name = "to_string",
        name = "to_debug",
        name = "print",
        name = "debug",
        pure
    )]
    pub fn array_text(ctx: NativeCallContext, array: &mut Array) -> String {
        text_or_end(value_text::array_text(&ctx, array))
    }

    /// This map as text.
    ///
    /// ```rhai
    /// assert_eq(#{ name: "web" }.to_string(), `#{"name": "web"}`);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(
        name = "to_string",
        name = "to_debug",
        name = "print",
        name = "debug",
        pure
    )]
    pub fn map_text(ctx: NativeCallContext, map: &mut Map) -> String {
        text_or_end(value_text::map_text(&ctx, map))
    }

    /// This blob as hexadecimal digits.
    ///
    /// ```rhai
    /// assert_eq(blob(2, 255).to_string(), "[ffff]");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(
        name = "to_string",
        name = "to_debug",
        name = "print",
        name = "debug",
        pure
    )]
    pub fn blob_text(ctx: NativeCallContext, blob: &mut Blob) -> String {
        text_or_end(value_text::blob_text(&ctx, blob))
    }

    /// This text in quotes.
    ///
    /// ```rhai
    /// assert_eq("web".to_debug(), `"web"`);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_debug", name = "debug")]
    pub fn quoted_text(ctx: NativeCallContext, text: &str) -> String {
        text_or_end(value_text::quoted_text(&ctx, text))
    }

    /// This map as JSON.
    ///
    /// Dates and libvirt's objects become their texts. A closure becomes its name; the values that it captured are left out.
    ///
    /// ```rhai
    /// assert_eq(#{ name: "web", disks: [1, ()] }.to_json(), `{"disks":[1,null],"name":"web"}`);
    /// let made = date("2026-05-04T03:02:01Z");
    /// assert(#{ made: made }.to_json().contains("2026-05-04"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_json", pure, return_raw)]
    pub fn to_json(ctx: NativeCallContext, map: &mut Map) -> RhaiResultOf<String> {
        value_text::json(&ctx, map)
    }

    /// True if both arrays hold equal values in the same order.
    ///
    /// ```rhai
    /// assert([1, [2]] == [1, [2]]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure, return_raw)]
    pub fn equal_arrays(
        ctx: NativeCallContext,
        array: &mut Array,
        other: Array,
    ) -> RhaiResultOf<bool> {
        comparison::arrays(&ctx, array, &other)
    }

    /// True if the arrays differ.
    ///
    /// ```rhai
    /// assert([1, 2] != [2, 1]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure, return_raw)]
    pub fn different_arrays(
        ctx: NativeCallContext,
        array: &mut Array,
        other: Array,
    ) -> RhaiResultOf<bool> {
        comparison::arrays(&ctx, array, &other).map(|equal| !equal)
    }

    /// True if both maps hold equal values under the same keys.
    ///
    /// ```rhai
    /// assert(#{ a: 1, b: 2 } == #{ b: 2, a: 1 });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure, return_raw)]
    pub fn equal_maps(ctx: NativeCallContext, map: &mut Map, other: Map) -> RhaiResultOf<bool> {
        comparison::maps(&ctx, map, &other)
    }

    /// True if the maps differ.
    ///
    /// ```rhai
    /// assert(#{ a: 1 } != #{ a: 2 });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure, return_raw)]
    pub fn different_maps(ctx: NativeCallContext, map: &mut Map, other: Map) -> RhaiResultOf<bool> {
        comparison::maps(&ctx, map, &other).map(|equal| !equal)
    }
}
