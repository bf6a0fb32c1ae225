//! Arguments and results of calls: flags, sizes, durations, text and typed parameters.

use std::fmt::Display;
use std::time::Duration;

use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

use super::value_text::printed;
use super::xml::xml_text;
use crate::error::Error;
pub(crate) use crate::error::RhaiResultOf;
use crate::libvirt::typed_params::{Scalar, TypedParams};
pub(crate) use crate::objects::c_text::text;
use crate::vocabulary::{Answer, Declared, ParamType, Whole, check, parameters};

/// An array of values that are all of the type `T`, for the catalogue.
pub(crate) type ArrayOf<T> = <T as Listed>::List;

/// A type whose values an [`ArrayOf`] can contain.
pub(crate) trait Listed {
    /// The value that scripts get.
    type List;
}

impl<T> Listed for T {
    type List = Array;
}

/// A map with any keys and values of the type `T`, as the catalogue shows it.
pub(crate) type MapOf<T> = <T as Valued>::Map;

/// A type of values in a [`MapOf`].
pub(crate) trait Valued {
    /// The value that scripts get.
    type Map;
}

impl<T> Valued for T {
    type Map = Map;
}

/// An argument that is a duration: seconds, or text such as `"90s"`.
pub(crate) type DurationValue = Dynamic;

/// The same for text alone.
pub(crate) type DurationText = ImmutableString;

/// An argument that is a size: a number of bytes, or text such as `"20GiB"`.
pub(crate) type SizeValue = Dynamic;

/// The same for numbers in KiB.
pub(crate) type KibValue = Dynamic;

/// The same for numbers in MiB.
pub(crate) type MibValue = Dynamic;

/// A set of flags as libvirt's C functions take it.
pub(crate) fn flag_bits(ctx: &NativeCallContext, flags: i64) -> RhaiResultOf<u32> {
    number(ctx, "flags", flags)
}

/// A number in the range of the C type that it becomes.
pub(crate) fn number<T>(
    ctx: &NativeCallContext,
    what: &str,
    number: impl TryInto<T> + Copy + Display,
) -> RhaiResultOf<T> {
    number
        .try_into()
        .map_err(|_| Error::invalid(ctx, format!("{number} is out of range for {what}")).throw())
}

/// Text, or `()` for none.
pub(crate) fn optional_text(
    ctx: &NativeCallContext,
    what: &str,
    value: &Dynamic,
) -> RhaiResultOf<Option<String>> {
    if value.is_unit() {
        return Ok(None);
    }
    match value.clone().into_immutable_string() {
        Ok(string) => text(ctx, what, &string).map(|text| Some(text.to_owned())),
        Err(kind) => {
            Err(Error::invalid(ctx, format!("{what} must be text or (), not {kind}")).throw())
        }
    }
}

/// A UUID as text, from its 16 bytes.
pub(crate) fn uuid_text(ctx: &NativeCallContext, bytes: &[u8]) -> RhaiResultOf<String> {
    <[u8; 16]>::try_from(bytes)
        .map(|bytes| uuid::Uuid::from_bytes(bytes).to_string())
        .map_err(|_| {
            let message = format!("a UUID has 16 bytes, not {}", bytes.len());
            Error::invalid(ctx, message).throw()
        })
}

/// The 16 bytes of a UUID that libvirt gave as text.
pub(crate) fn uuid_bytes(text: &str) -> Vec<u8> {
    uuid::Uuid::parse_str(text).map_or_else(|_| Vec::new(), |uuid| uuid.as_bytes().to_vec())
}

/// A size in KiB, rounded up: a number of them, or text such as `"20GiB"`.
pub(crate) fn kib(ctx: &NativeCallContext, size: &Dynamic) -> RhaiResultOf<u64> {
    size_in(ctx, size, 1024).map(|bytes| bytes.div_ceil(1024))
}

/// The memory of a guest in KiB: a number of them, or text such as `"20GiB"`; not less than 1 MiB.
pub(crate) fn memory_kib(ctx: &NativeCallContext, size: &Dynamic) -> RhaiResultOf<u64> {
    let kib = kib(ctx, size)?;
    if kib >= 1024 {
        return Ok(kib);
    }
    let mut error = Error::invalid(ctx, format!("{kib} KiB of memory is less than 1 MiB"));
    if size.is_int() && kib > 0 {
        error = error.with_hint(format!("a number is in KiB; did you mean \"{kib}MiB\"?"));
    }
    Err(error.throw())
}

const MIB: u64 = 1024 * 1024;

/// A size in whole MiB: a number of them, or text such as `"20GiB"`.
pub(crate) fn mib(ctx: &NativeCallContext, size: &Dynamic) -> RhaiResultOf<u64> {
    whole_mib(ctx, "", size)
}

/// The same; messages begin with `before`. Refuses parts of a MiB, which libvirt cannot take.
fn whole_mib(ctx: &NativeCallContext, before: &str, size: &Dynamic) -> RhaiResultOf<u64> {
    let bytes = size_of(ctx, before, size, MIB)?;
    let (below, above) = (bytes / MIB, bytes.div_ceil(MIB));
    if below == above {
        return Ok(below);
    }
    let hint = match below {
        0 => format!("\"{above}MiB\" is the smallest"),
        _ => format!("give \"{below}MiB\" or \"{above}MiB\""),
    };
    let message =
        format!("{before}`{size}` is not a whole number of MiB, and libvirt takes no parts");
    Error::refuse(ctx, message, hint)
}

/// A size in bytes: a number of them, or text such as `"20GiB"`.
pub(crate) fn bytes(ctx: &NativeCallContext, size: &Dynamic) -> RhaiResultOf<u64> {
    size_in(ctx, size, 1)
}

/// A size in bytes: a number of `unit` bytes each, or text such as `"20GiB"`.
pub(crate) fn size_in(ctx: &NativeCallContext, size: &Dynamic, unit: u64) -> RhaiResultOf<u64> {
    size_of(ctx, "", size, unit)
}

/// The same; messages begin with `before`.
fn size_of(ctx: &NativeCallContext, before: &str, size: &Dynamic, unit: u64) -> RhaiResultOf<u64> {
    let text = match size.as_int() {
        Ok(number) => number.to_string(),
        Err(_) => match size.clone().into_immutable_string() {
            Ok(text) => text.to_string(),
            Err(kind) => {
                let message =
                    format!("{before}a size is a number or text such as \"20GiB\", not {kind}");
                return Err(Error::invalid(ctx, message).throw());
            }
        },
    };
    crate::spec::size::parse(&text, unit).map_err(|reason| {
        Error::invalid(ctx, format!("{before}{reason}"))
            .with_hint(crate::spec::size::HINT)
            .throw()
    })
}

/// A duration: seconds, or text such as `"90s"` and `"5m"`.
pub(crate) fn duration(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<Duration> {
    crate::spec::duration::of_value(value).map_or_else(
        || {
            let shown = printed(ctx, value)?;
            Error::refuse(
                ctx,
                format!("`{shown}` is not a duration"),
                crate::spec::duration::hint(&shown),
            )
        },
        Ok,
    )
}

/// A duration in whole seconds; refuses others, which libvirt cannot take.
pub(crate) fn whole_seconds(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<u64> {
    let duration = duration(ctx, value)?;
    if duration.subsec_nanos() == 0 {
        return Ok(duration.as_secs());
    }
    let shown = printed(ctx, value)?;
    let (below, above) = (duration.as_secs(), duration.as_secs().saturating_add(1));
    let hint = match below {
        0 => format!("\"{above}s\" is the shortest"),
        _ => format!("give \"{below}s\" or \"{above}s\""),
    };
    let message = format!("`{shown}` is not a whole number of seconds, and libvirt takes no parts");
    Error::refuse(ctx, message, hint)
}

/// The typed parameters that the map `options` gives, which `declared` describes.
pub(crate) fn typed_params(
    ctx: &NativeCallContext,
    declared: &Declared,
    types: fn(&str) -> ParamType,
    options: &Map,
) -> RhaiResultOf<TypedParams> {
    check(ctx, &declared.spec(), options)?;
    let mut params = TypedParams::default();
    for (key, value) in options.iter().filter(|(_, value)| !value.is_unit()) {
        let values = match value.read_lock::<Array>() {
            Some(list) => list.clone(),
            None => vec![value.clone()],
        };
        for value in values {
            let scalar = scalar(ctx, key, &value, types(key))?;
            params
                .add(key, &scalar)
                .map_err(|failure| Error::invalid(ctx, failure.message).throw())?;
        }
    }
    Ok(params)
}

parameters! {
    /// The file of a saved guest, and how it is written or read.
    pub(crate) struct SaveParameters = "VIR_DOMAIN_SAVE_PARAM_", |name| match name {
        "parallel.channels" => ParamType::Int,
        "dxml" => ParamType::Xml,
        _ => ParamType::Text,
    };
}

fn scalar(
    ctx: &NativeCallContext,
    key: &str,
    value: &Dynamic,
    kind: ParamType,
) -> RhaiResultOf<Scalar> {
    let wrong = |what: &str, kind: &str| {
        Error::invalid(ctx, format!("`{key}` must be {what}, not {kind}")).throw()
    };
    let quoted = &format!("`{key}`");
    let whole = || value.as_int().map_err(|kind| wrong("a whole number", kind));
    let size = |unit: u64| {
        let bytes = size_of(ctx, &format!("{quoted}: "), value, unit)?;
        Ok(Scalar::ULong(bytes.div_ceil(unit)))
    };
    match kind {
        ParamType::KiB => size(1024),
        ParamType::MiB => whole_mib(ctx, &format!("{quoted}: "), value).map(Scalar::ULong),
        ParamType::Bytes => size(1),
        ParamType::Int => number(ctx, quoted, whole()?).map(Scalar::Int),
        ParamType::UInt => number(ctx, quoted, whole()?).map(Scalar::UInt),
        ParamType::Long => whole().map(Scalar::Long),
        ParamType::ULong => number(ctx, quoted, whole()?).map(Scalar::ULong),
        ParamType::Bool => match value.as_bool() {
            Ok(truth) => Ok(Scalar::Bool(truth)),
            Err(kind) => Err(wrong("true or false", kind)),
        },
        ParamType::Xml => xml_text(ctx, quoted, value).map(Scalar::Text),
        ParamType::Text | ParamType::Texts => optional_text(ctx, quoted, value)?
            .map(Scalar::Text)
            .ok_or_else(|| wrong("text", "()")),
        ParamType::Constant(words) => {
            let constant = words.constant(ctx, quoted, value)?;
            number(ctx, quoted, constant).map(Scalar::Int)
        }
    }
}

/// Converts libvirt's typed parameters to a map.
pub(crate) fn map(fields: Vec<(String, Scalar)>) -> Map {
    fields
        .into_iter()
        .map(|(name, value)| (name.into(), dynamic(value)))
        .collect()
}

/// One typed parameter as a script sees it.
pub(crate) fn dynamic(value: Scalar) -> Dynamic {
    match value {
        Scalar::Int(number) => i64::from(number).into(),
        Scalar::UInt(number) => i64::from(number).into(),
        Scalar::Long(number) => number.into(),
        Scalar::ULong(number) => whole(number),
        Scalar::Double(number) => number.into(),
        Scalar::Bool(truth) => truth.into(),
        Scalar::Text(text) => text.into(),
    }
}

/// An unsigned number as a script sees it: Rhai's integer, or the text of its digits where that
/// is too small for it.
pub(crate) fn whole(number: u64) -> Dynamic {
    Whole(number).into_value()
}

/// An unsigned number that a call returns as Rhai's integer; thrown if that is too small for it.
pub(crate) fn integer(ctx: &NativeCallContext, number: u64) -> RhaiResultOf<i64> {
    i64::try_from(number).map_err(|_| {
        let message = format!("the number {number} is greater than {}", i64::MAX);
        Error::invalid(ctx, message).throw()
    })
}

/// A map of names to values.
macro_rules! fields {
    ($($name:literal: $value:expr),* $(,)?) => {{
        let mut map = rhai::Map::new();
        $(map.insert($name.into(), rhai::Dynamic::from($value));)*
        map
    }};
}
pub(crate) use fields;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_rhais_keeps_its_digits() {
        for (number, shown) in [
            (0, "0"),
            (i64::MAX.unsigned_abs(), "9223372036854775807"),
            (i64::MAX.unsigned_abs() + 1, "9223372036854775808"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(whole(number).to_string(), shown);
            assert_eq!(dynamic(Scalar::ULong(number)).to_string(), shown);
            assert_eq!(whole(number).is_int(), i64::try_from(number).is_ok());
        }
    }
}
