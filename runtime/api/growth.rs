//! Rhai's functions that fill memory in a single step, which no check between steps can stop.

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, Engine, ImmutableString, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use crate::error::Error;

/// What one call may make: values, or bytes.
const MOST: usize = 16 * 1024 * 1024;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The length `len`, which is none where it is negative.
pub(crate) fn length(ctx: &NativeCallContext, len: i64) -> RhaiResultOf<usize> {
    let len = usize::try_from(len.max(0)).unwrap_or(usize::MAX);
    if len > MOST {
        let message = format!("the result would be longer than {MOST}");
        return Err(Error::invalid(ctx, message)
            .with_hint("one call makes 16 Mi values or bytes at most")
            .throw());
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
        length(&ctx, len).map(|len| vec![0; len])
    }

    /// A blob of `len` bytes, 16 Mi at most, all `value`.
    ///
    /// ```rhai
    /// assert_eq(blob(2, 7)[1], 7);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of_value(ctx: NativeCallContext, len: i64, value: i64) -> RhaiResultOf<Blob> {
        length(&ctx, len).map(|len| vec![(value & 0xff) as u8; len])
    }
}
