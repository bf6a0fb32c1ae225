//! Records: maps that calls return, each declared beside its call.
//!
//! ```ignore
//! record! {
//!     /// Sizes of a disk.
//!     pub(crate) struct BlockInfo {
//!         /// Size that the guest sees.
//!         capacity_bytes: Whole,
//!     }
//! }
//! ```
//!
//! declares a struct whose fields are the keys. `BlockInfo { capacity_bytes }.into_map()` makes the
//! map; leaving a key out or adding one is a compile error; `.. open` as the last line allows other
//! keys as well. A record whose keys are libvirt's own is `pub(crate) struct DomainStats by keys;`,
//! with the function that reads the keys. The same lines give the [`Spec`](crate::spec::Spec) that
//! the check, completion and the reference read. A signature names it as `RecordOf<BlockInfo>`, and
//! the list `DECLARED` of the folder has a row for it.

use std::marker::PhantomData;

use rhai::{Blob, Dynamic, ImmutableString, Map};

use super::Worded;
use super::declared::{in_a_line, name_of};
use crate::spec::{Key, Type};

/// A type of values in records.
pub(crate) trait Answer: Sized {
    /// The type as scripts know it.
    fn ty() -> Type;

    /// The value that scripts get.
    fn into_value(self) -> Dynamic;

    /// Puts the value into `map`.
    fn put(self, map: &mut Map, key: &'static str) {
        map.insert(key.into(), self.into_value());
    }
}

/// A key that the map has only if there is a value.
pub(crate) struct IfKnown<T>(pub(crate) Option<T>);

/// A word of the enumeration `E`.
pub(crate) struct Word<E>(ImmutableString, PhantomData<E>);

/// A number without a sign as libvirt counts: Rhai's integer, or the text of its digits if that is too small for it.
pub(crate) struct Whole(pub(crate) u64);

/// Bytes.
pub(crate) struct Bytes(pub(crate) Blob);

/// Text, or bytes if it is not UTF-8.
pub(crate) struct Output(pub(crate) Dynamic);

impl<E, T: Into<ImmutableString>> From<T> for Word<E> {
    fn from(word: T) -> Self {
        Self(word.into(), PhantomData)
    }
}

impl<E: Worded> Answer for Word<E> {
    fn ty() -> Type {
        Type::Words(E::WORDS.declared())
    }

    fn into_value(self) -> Dynamic {
        self.0.into()
    }
}

impl<T: Answer> Answer for IfKnown<T> {
    fn ty() -> Type {
        T::ty()
    }

    fn into_value(self) -> Dynamic {
        self.0.map_or(Dynamic::UNIT, T::into_value)
    }

    fn put(self, map: &mut Map, key: &'static str) {
        if let Some(value) = self.0 {
            value.put(map, key);
        }
    }
}

/// `()` stands for a value that is not known.
impl<T: Answer> Answer for Option<T> {
    fn ty() -> Type {
        Type::one_of([T::ty(), Type::Unit])
    }

    fn into_value(self) -> Dynamic {
        self.map_or(Dynamic::UNIT, T::into_value)
    }
}

impl<T: Answer> Answer for Vec<T> {
    fn ty() -> Type {
        Type::Array(Box::new(T::ty()))
    }

    fn into_value(self) -> Dynamic {
        Dynamic::from_array(self.into_iter().map(T::into_value).collect())
    }
}

macro_rules! answers {
    ($($rust:ty: $ty:expr, |$value:ident| $make:expr;)*) => {
        $(impl Answer for $rust {
            fn ty() -> Type {
                $ty
            }

            fn into_value(self) -> Dynamic {
                let $value = self;
                $make
            }
        })*
    };
}

answers! {
    bool: Type::Bool, |value| Dynamic::from_bool(value);
    i64: Type::Int, |value| Dynamic::from_int(value);
    f64: Type::Float, |value| Dynamic::from_float(value);
    String: Type::Text, |value| Dynamic::from(value);
    ImmutableString: Type::Text, |value| Dynamic::from(value);
    Map: Type::Map, |value| Dynamic::from_map(value);
    Bytes: Type::Blob, |value| Dynamic::from_blob(value.0);
    Output: Type::one_of([Type::Text, Type::Blob]), |value| value.0;
    Whole: Type::Int, |value| {
        let number = value.0;
        i64::try_from(number).map_or_else(|_| number.to_string().into(), Dynamic::from)
    };
}

/// A map that is the record `R`.
pub(crate) type RecordOf<R> = <R as Recorded>::Map;

/// The same as a value that scripts get as it is; from a [`Map`], Rhai builds a second map.
pub(crate) type RecordValueOf<R> = <R as Recorded>::Value;

/// A type with the declared keys of a record.
pub(crate) trait Recorded {
    /// The value that scripts get.
    type Map;
    /// The same as a value.
    type Value;
}

/// Declares a record.
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        $visible:vis struct $name:ident by $keys:expr;
    ) => {
        $(#[doc = $about])+
        $visible struct $name;

        impl $crate::vocabulary::Recorded for $name {
            type Map = rhai::Map;
            type Value = rhai::Dynamic;
        }

        impl $name {
            /// The declaration of its keys; a newer libvirt may have more.
            pub(crate) const DECLARED: &'static $crate::vocabulary::Declared = {
                static DECLARED: $crate::vocabulary::Declared = $crate::vocabulary::Declared {
                    name: stringify!($name),
                    role: $crate::vocabulary::Role::Record,
                    about: &[$($about),+],
                    open: true,
                    keys: $keys,
                    spec: std::sync::OnceLock::new(),
                };
                &DECLARED
            };
        }
    };
    (
        $(#[doc = $about:literal])+
        $visible:vis struct $name:ident {
            $($(#[doc = $help:literal])+ $key:ident: $ty:ty,)*
            $(.. $open:ident)?
        }
    ) => {
        $(#[doc = $about])+
        $visible struct $name {
            $($(#[doc = $help])+ pub(crate) $key: $ty,)*
        }

        impl $crate::vocabulary::Recorded for $name {
            type Map = rhai::Map;
            type Value = rhai::Dynamic;
        }

        impl $crate::vocabulary::Answer for $name {
            fn ty() -> $crate::spec::Type {
                $crate::spec::Type::Keys(Self::DECLARED.spec())
            }

            fn into_value(self) -> rhai::Dynamic {
                self.into_map().into()
            }
        }

        impl $name {
            /// The declaration of its keys.
            pub(crate) const DECLARED: &'static $crate::vocabulary::Declared = {
                static DECLARED: $crate::vocabulary::Declared = $crate::vocabulary::Declared {
                    name: stringify!($name),
                    role: $crate::vocabulary::Role::Record,
                    about: &[$($about),+],
                    open: false $(|| !stringify!($open).is_empty())?,
                    keys: || vec![$($crate::vocabulary::answered_key::<$ty>(
                        stringify!($key),
                        &[$($help),+],
                    )),*],
                    spec: std::sync::OnceLock::new(),
                };
                &DECLARED
            };

            /// The map that scripts get.
            pub(crate) fn into_map(self) -> rhai::Map {
                let mut map = rhai::Map::new();
                $($crate::vocabulary::Answer::put(
                    self.$key,
                    &mut map,
                    $crate::vocabulary::name_of(stringify!($key)),
                );)*
                map
            }
        }
    };
}
pub(crate) use record;

/// The declaration of the key `key` of a record; `help` has the lines of its comment.
pub(crate) fn answered_key<T: Answer>(key: &'static str, help: &[&str]) -> Key {
    Key {
        help: in_a_line(help),
        ..Key::of_result(name_of(key), T::ty())
    }
}
