//! Maps of options that calls take, each declared beside its call.
//!
//! ```ignore
//! options! {
//!     /// Time limits of the steps of a stop.
//!     pub(crate) struct StopOptions {
//!         /// Time for the guest to shut down after it was asked.
//!         shutdown: Duration = "1m",
//!         /// Number of times that it is asked.
//!         tries: i64 = 1; 1..=10,
//!         /// Whether to destroy the guest even if it could not be asked.
//!         force: bool = false,
//!     }
//! }
//! ```
//!
//! declares a struct that `StopOptions::read(ctx, &map)` makes of the map of a script, with the
//! defaults of the options that are not given; it throws at the first mistake, in the words of the
//! declaration. An option of the type `Option<...>` can be left out; one without a default must be
//! given. A range behind a semicolon has the least and the largest value. A signature names the map
//! as `OptionsOf<StopOptions>`, and the list `DECLARED` of the folder has a row for it.

use std::ops::RangeBounds;
use std::time::Duration;

use rhai::{Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::Declared;
use super::declared::{in_a_line, name_of};
use crate::error::{Error, RhaiResultOf};
use crate::spec::{Bound, Key, Literal, Spec, Type, duration, size};

/// A map of the options `O`.
pub(crate) type OptionsOf<O> = <O as Optioned>::Map;

/// A type with declared options.
pub(crate) trait Optioned {
    /// The value that scripts pass.
    type Map;
}

/// A type of options.
pub(crate) trait Asked: Sized {
    /// True if the option is required if it has no default.
    const REQUIRED: bool = true;

    /// The type as scripts know it.
    fn ty() -> Type;

    /// The option from the value that a script gives, which is of that type.
    fn read(value: &Dynamic) -> Option<Self>;
}

/// A number of bytes; scripts write a number, or text such as `"20GiB"`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size(pub(crate) u64);

/// Text or bytes.
pub(crate) struct TextOrBytes(pub(crate) Dynamic);

impl<T: Asked> Asked for Option<T> {
    const REQUIRED: bool = false;

    fn ty() -> Type {
        T::ty()
    }

    fn read(value: &Dynamic) -> Option<Self> {
        match value.is_unit() {
            true => Some(None),
            false => T::read(value).map(Some),
        }
    }
}

macro_rules! asked {
    ($($rust:ty: $ty:expr, |$value:ident| $read:expr;)*) => {
        $(impl Asked for $rust {
            fn ty() -> Type {
                $ty
            }

            fn read($value: &Dynamic) -> Option<Self> {
                $read
            }
        })*
    };
}

asked! {
    bool: Type::Bool, |value| value.as_bool().ok();
    i64: Type::Int, |value| value.as_int().ok();
    ImmutableString: Type::Text, |value| value.clone().into_immutable_string().ok();
    FnPtr: Type::Function, |value| value.clone().try_cast::<FnPtr>();
    Map: Type::Map, |value| value.clone().try_cast::<Map>();
    Duration: Type::Duration, |value| duration::of_value(value);
    Size: Type::Size { unit: String::new() }, |value| size::of_value(value, 1).map(Size);
    TextOrBytes: Type::one_of([Type::Text, Type::Blob]), |value| Some(TextOrBytes(value.clone()));
}

/// Declares options.
macro_rules! options {
    (
        $(#[doc = $about:literal])+
        $visible:vis struct $name:ident {
            $($(#[doc = $help:literal])+ $key:ident: $ty:ty $(= $default:expr)? $(; $range:expr)?,)*
        }
    ) => {
        $(#[doc = $about])+
        $visible struct $name {
            $($(#[doc = $help])+ pub(crate) $key: $ty,)*
        }

        impl $crate::vocabulary::Optioned for $name {
            type Map = rhai::Map;
        }

        impl $name {
            /// The declaration of its keys.
            pub(crate) const DECLARED: &'static $crate::vocabulary::Declared = {
                static DECLARED: $crate::vocabulary::Declared = $crate::vocabulary::Declared {
                    name: stringify!($name),
                    role: $crate::vocabulary::Role::Options,
                    about: &[$($about),+],
                    open: false,
                    keys: || vec![$($crate::vocabulary::asked_key::<$ty>(
                        stringify!($key),
                        [$($crate::spec::Literal::from($default))?].into_iter().next(),
                        [$($crate::vocabulary::limits($range))?].into_iter().next(),
                        &[$($help),+],
                    )),*],
                    spec: std::sync::OnceLock::new(),
                };
                &DECLARED
            };

            /// The options that a script gives, with the defaults of the others.
            pub(crate) fn read(
                ctx: &rhai::NativeCallContext,
                options: &rhai::Map,
            ) -> $crate::error::RhaiResultOf<Self> {
                let options = $crate::vocabulary::checked(ctx, Self::DECLARED, options)?;
                Ok(Self {
                    $($key: $crate::vocabulary::read_option(ctx, &options, stringify!($key))?,)*
                })
            }
        }
    };
}
pub(crate) use options;

/// The minimum and the maximum of `range`.
pub(crate) fn limits(range: impl RangeBounds<i64>) -> [Option<Bound>; 2] {
    let bound = |number: i64| Bound {
        number: number as f64,
        text: number.to_string(),
    };
    [range.start_bound(), range.end_bound()].map(|end| match end {
        std::ops::Bound::Included(number) => Some(bound(*number)),
        std::ops::Bound::Excluded(number) => Some(bound(number - 1)),
        std::ops::Bound::Unbounded => None,
    })
}

/// The declaration of the option `key`; `help` has the lines of its comment.
pub(crate) fn asked_key<T: Asked>(
    key: &'static str,
    default: Option<Literal>,
    limits: Option<[Option<Bound>; 2]>,
    help: &[&str],
) -> Key {
    let [min, max] = limits.unwrap_or_default();
    Key {
        required: T::REQUIRED && default.is_none(),
        default,
        min,
        max,
        help: in_a_line(help),
        ..Key::of_result(name_of(key), T::ty())
    }
}

/// The options of `map` with the defaults of the others; throws at the first that `declared` does not allow.
pub(crate) fn checked(
    ctx: &NativeCallContext,
    declared: &Declared,
    map: &Map,
) -> RhaiResultOf<Map> {
    let spec = declared.spec();
    check(ctx, &spec, map)?;
    Ok(spec.filled(map.clone()))
}

/// Throws at the first option of `map` that `spec` does not allow.
pub(crate) fn check(ctx: &NativeCallContext, spec: &Spec, map: &Map) -> RhaiResultOf<()> {
    let Some(fault) = spec.first_fault(ctx.engine(), map) else {
        return Ok(());
    };
    let error = Error::invalid(ctx, fault.message);
    Err(error.with_hint_if_any(fault.hint).throw())
}

/// The option `key` of `options`, which were checked.
pub(crate) fn read_option<T: Asked>(
    ctx: &NativeCallContext,
    options: &Map,
    key: &'static str,
) -> RhaiResultOf<T> {
    let key = name_of(key);
    let value = options.get(key);
    T::read(value.unwrap_or(&Dynamic::UNIT)).ok_or_else(|| {
        let message = format!("`{key}` must be {}", T::ty().in_words());
        Error::invalid(ctx, message).throw()
    })
}
