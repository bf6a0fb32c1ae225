//! Typed parameters of libvirt's, as maps that calls take or return.
//!
//! ```ignore
//! parameters! {
//!     /// Limits of a guest's memory on its host.
//!     pub(crate) struct MemoryParameters = "VIR_DOMAIN_MEMORY_", |_| ParamType::KiB;
//! }
//! ```
//!
//! declares the parameters whose constants begin with `VIR_DOMAIN_MEMORY_`:
//! `MemoryParameters::OPTIONS` is the declaration of a map that a call takes
//! (`OptionsOf<MemoryParameters>`), `MemoryParameters::RECORD` that of one that a call returns
//! (`RecordOf<MemoryParameters>`). libvirt's comments on the constants are the help of the keys.
//! `set ["a", "b"]` after the types names the parameters that can be set, where the others can only
//! be read. Parameters of which libvirt publishes no constants are written out:
//! `struct ClientLimits { "nclients": ParamType::UInt, "number of clients"; }`.

use super::Enumeration;
use crate::constants;
use crate::spec::{Key, Type};

/// The type that libvirt demands of a typed parameter.
#[derive(Clone, Copy)]
pub(crate) enum ParamType {
    /// A C `int`.
    Int,
    /// A C `unsigned int`.
    UInt,
    /// A C `long long`.
    Long,
    /// A C `unsigned long long`.
    ULong,
    /// A C `int` that is true or false.
    Bool,
    /// A C `unsigned long long` in KiB, which text such as `"1GiB"` also gives.
    KiB,
    /// A C `unsigned long long` in MiB, which text such as `"1GiB"` also gives.
    MiB,
    /// A C `unsigned long long` in bytes, which text such as `"64MiB"` also gives.
    Bytes,
    /// A string.
    Text,
    /// A string, or several under the same name, which a list gives.
    Texts,
    /// XML, which an `Xml` also gives.
    Xml,
    /// A C `int` that is one of libvirt's constants, which a word also gives.
    Constant(&'static Enumeration),
}

impl ParamType {
    /// The type of the option.
    fn asked(self) -> Type {
        let size = |unit: &str| Type::Size { unit: unit.into() };
        match self {
            Self::KiB => size("KiB"),
            Self::MiB => size("MiB"),
            Self::Bytes => size(""),
            Self::Texts => Type::one_of([Type::Text, Type::Array(Box::new(Type::Text))]),
            Self::Xml => Type::one_of([Type::Text, Type::Object("Xml".into())]),
            Self::Constant(words) => Type::one_of([Type::Words(words.declared()), Type::Int]),
            other => other.answered(),
        }
    }

    /// The type of the key of a record.
    fn answered(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Text | Self::Texts | Self::Xml => Type::Text,
            Self::Constant(words) => Type::Words(words.declared()),
            _ => Type::Int,
        }
    }
}

/// The keys of options whose constants begin with `prefix`; `set` are the names of those that can be set, if not all can.
pub(crate) fn asked_parameters(
    prefix: &str,
    types: fn(&str) -> ParamType,
    set: &[&str],
) -> Vec<Key> {
    settable(published(prefix, |name| types(name).asked()), set)
}

/// The keys of a record whose constants begin with `prefix`.
pub(crate) fn answered_parameters(prefix: &str, types: fn(&str) -> ParamType) -> Vec<Key> {
    published(prefix, |name| types(name).answered())
}

/// The keys of options that are written out, with their help.
pub(crate) fn asked_of(
    keys: &[(&str, &str)],
    types: fn(&str) -> ParamType,
    set: &[&str],
) -> Vec<Key> {
    settable(written(keys, |name| types(name).asked()), set)
}

/// The keys of a record that are written out, with their help.
pub(crate) fn answered_of(keys: &[(&str, &str)], types: fn(&str) -> ParamType) -> Vec<Key> {
    written(keys, |name| types(name).answered())
}

fn settable(mut keys: Vec<Key>, set: &[&str]) -> Vec<Key> {
    keys.retain(|key| set.is_empty() || set.contains(&key.name.as_str()));
    keys
}

fn published(prefix: &str, ty: impl Fn(&str) -> Type) -> Vec<Key> {
    let keys = constants::parameters(prefix).map(|(constant, name)| Key {
        help: constants::sentence(constant).map_or_else(String::new, plain),
        ..Key::of_result(name, ty(name))
    });
    keys.collect()
}

fn written(keys: &[(&str, &str)], ty: impl Fn(&str) -> Type) -> Vec<Key> {
    let keys = keys.iter().map(|(name, help)| Key {
        help: (*help).to_owned(),
        ..Key::of_result(name, ty(name))
    });
    keys.collect()
}

/// libvirt's description of a parameter, without the C type and the common first words.
pub(super) fn plain(sentence: &str) -> String {
    let before = [
        "it represents ",
        "Macro represents ",
        "that represents ",
        "that lists ",
        " field: ",
        "Macro for ",
    ];
    let rest = |words: &&str| Some(sentence.split_once(words)?.1);
    let sentence = before.iter().find_map(rest).unwrap_or(sentence);
    let end = [", as a", ", as VIR", " as VIR_TYPED", ", with a type of"]
        .iter()
        .filter_map(|kind| sentence.find(kind))
        .min();
    let sentence = &sentence[..end.unwrap_or(sentence.len())];
    sentence.trim_end_matches(['.', ',', ':']).to_owned()
}

/// Declares typed parameters.
macro_rules! parameters {
    (
        $(#[doc = $about:literal])+
        $visible:vis struct $name:ident = $prefix:literal, $types:expr $(, set [$($settable:literal),+])?;
    ) => {
        $(#[doc = $about])+
        $visible struct $name;

        $crate::vocabulary::declare_parameters!(
            $name [$($about),+] $types,
            $crate::vocabulary::asked_parameters($prefix, $name::TYPES, &[$($($settable),+)?]),
            $crate::vocabulary::answered_parameters($prefix, $name::TYPES)
        );
    };
    (
        $(#[doc = $about:literal])+
        $visible:vis struct $name:ident {
            $($key:literal: $ty:expr, $help:literal;)+
        } $(set [$($settable:literal),+])?
    ) => {
        $(#[doc = $about])+
        $visible struct $name;

        $crate::vocabulary::declare_parameters!(
            $name [$($about),+]
            |name| match name {
                $($key => $ty,)+
                _ => $crate::vocabulary::ParamType::Text,
            },
            $crate::vocabulary::asked_of(&[$(($key, $help)),+], $name::TYPES, &[$($($settable),+)?]),
            $crate::vocabulary::answered_of(&[$(($key, $help)),+], $name::TYPES)
        );
    };
}
pub(crate) use parameters;

/// The declarations of typed parameters, whose keys `$asked` and `$answered` make.
macro_rules! declare_parameters {
    ($name:ident [$($about:literal),+] $types:expr, $asked:expr, $answered:expr) => {
        impl $crate::vocabulary::Optioned for $name {
            type Map = rhai::Map;
        }

        impl $crate::vocabulary::Recorded for $name {
            type Map = rhai::Map;
            type Value = rhai::Dynamic;
        }

        #[allow(dead_code)] // Some parameters can only be read, and some only be set.
        impl $name {
            /// The type of each parameter, by its name.
            pub(crate) const TYPES: fn(&str) -> $crate::vocabulary::ParamType = $types;

            /// The declaration of the map that calls take.
            pub(crate) const OPTIONS: &'static $crate::vocabulary::Declared = {
                static OPTIONS: $crate::vocabulary::Declared = $crate::vocabulary::Declared {
                    name: stringify!($name),
                    role: $crate::vocabulary::Role::Options,
                    about: &[$($about),+],
                    open: false,
                    keys: || $asked,
                    spec: std::sync::OnceLock::new(),
                };
                &OPTIONS
            };

            /// The declaration of the map that calls return, to which a newer libvirt adds keys.
            pub(crate) const RECORD: &'static $crate::vocabulary::Declared = {
                static RECORD: $crate::vocabulary::Declared = $crate::vocabulary::Declared {
                    name: stringify!($name),
                    role: $crate::vocabulary::Role::Record,
                    about: &[$($about),+],
                    open: true,
                    keys: || $answered,
                    spec: std::sync::OnceLock::new(),
                };
                &RECORD
            };
        }
    };
}
pub(crate) use declare_parameters;

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn libvirts_sentences_lose_their_c_types() {
        for (sentence, shown) in [
            (
                "virDomainMigrate* params field: the number of compression threads as VIR_TYPED_PARAM_INT.",
                "the number of compression threads",
            ),
            ("Macro for the total memory.", "the total memory"),
            (
                "Macro for the memory tunable hard_limit: it represents the maximum memory the guest can use, as a ullong.",
                "the maximum memory the guest can use",
            ),
            (
                "The UNIX user ID as VIR_TYPED_PARAM_ULLONG.",
                "The UNIX user ID",
            ),
        ] {
            assert_eq!(plain(sentence), shown);
        }
    }
}
