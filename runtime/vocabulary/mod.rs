//! The words and the maps that calls answer and take, each declared once.
//!
//! A function names its enumeration or its record in its signature, as `WordOf<DomainState>` or
//! `RecordOf<DomainInfo>`. Rust sees text and maps there; the catalogue reads `string of DomainState` and
//! `map of DomainInfo`, which the check, the errors and the reference look up here.

mod records;
mod words;

use rhai::{ImmutableString, Map, NativeCallContext};

use crate::advice::suggest;
use crate::constants::{self, Value, Words};
use crate::error::Error;

pub(crate) use records::*;
pub(crate) use words::*;

/// The words of one kind.
pub struct Enumeration {
    /// Its name in signatures.
    pub name: &'static str,
    /// Those that stand for libvirt's constants.
    pub(crate) of_libvirt: &'static [&'static Words],
    /// The others.
    pub(crate) own: &'static [&'static str],
}

impl Enumeration {
    /// Every word.
    pub fn words(&self) -> Vec<&str> {
        let of_libvirt = self.of_libvirt.iter().flat_map(|words| words.all());
        let mut words: Vec<&str> = of_libvirt
            .map(ImmutableString::as_str)
            .filter(|word| !word.is_empty())
            .chain(self.own.iter().copied())
            .collect();
        words.dedup();
        words
    }

    /// The word for libvirt's `number`.
    pub(crate) fn word(&self, number: i64) -> ImmutableString {
        match self.of_libvirt {
            [words, ..] => words.word(number),
            [] => format!("unknown-{number}").into(),
        }
    }

    /// libvirt's number for `word`.
    pub(crate) fn number(&self, word: &str) -> Option<i64> {
        self.of_libvirt.iter().find_map(|words| words.number(word))
    }

    /// Whether a call can answer `word`; a newer libvirt may have words of its own.
    pub fn has(&self, word: &str) -> bool {
        word.starts_with("unknown-") || self.words().contains(&word)
    }

    /// What to say to one who wrote `word`, which is none of these.
    pub fn hint(&self, word: &str) -> String {
        let words = self.words();
        match suggest::nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the words are {}", words.join(", ")),
        }
    }

    /// Throws unless `word` is one of these; `what` says what it is to be.
    pub(crate) fn expect(
        &self,
        ctx: &NativeCallContext,
        what: &str,
        word: &str,
    ) -> Result<(), Box<rhai::EvalAltResult>> {
        if self.words().contains(&word) {
            return Ok(());
        }
        let error = Error::invalid(ctx, format!("there is no {what} `{word}`"));
        Err(error.with_hint(self.hint(word)).throw())
    }
}

/// The keys of a map that a call answers.
pub struct Record {
    /// Its name in signatures.
    pub name: &'static str,
    /// Each key with the type of its value. Some are there only where they make sense.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether it can have other keys as well, such as those of a newer libvirt.
    pub open: bool,
}

impl Record {
    /// The type of the value under `key`.
    pub fn kind(&self, key: &str) -> Option<&'static str> {
        let (_, kind) = self.fields.iter().find(|(name, _)| *name == key)?;
        Some(kind)
    }

    /// Its keys.
    pub fn keys(&self) -> Vec<&'static str> {
        self.fields.iter().map(|(key, _)| *key).collect()
    }

    /// `map`, whose keys are all declared.
    pub(crate) fn of(&self, map: Map) -> Map {
        for key in map.keys() {
            debug_assert!(
                self.open || self.kind(key).is_some(),
                "{} does not declare `{key}`",
                self.name
            );
        }
        map
    }
}

/// The enumeration called `name`.
pub fn enumeration(name: &str) -> Option<&'static Enumeration> {
    words::ALL.iter().copied().find(|known| known.name == name)
}

/// The record called `name`.
pub fn record(name: &str) -> Option<&'static Record> {
    records::ALL
        .iter()
        .copied()
        .find(|known| known.name == name)
}

/// The enumeration of a value of the type `kind`, which is `string of NAME`.
pub fn enumeration_of(kind: &str) -> Option<&'static Enumeration> {
    enumeration(kind.strip_prefix("string of ")?)
}

/// The record of a value of the type `kind`, which is `map of NAME`.
pub fn record_of(kind: &str) -> Option<&'static Record> {
    record(kind.strip_prefix("map of ")?)
}

/// The word that calls answer for the constant `name` of libvirt's.
pub fn of_constant(name: &str) -> Option<String> {
    let constant = constants::all().find(|constant| constant.name == name)?;
    let Value::Integer(number) = constant.value else {
        return None;
    };
    let enumerations = words::ALL.iter().flat_map(|known| known.of_libvirt);
    let words = enumerations
        .into_iter()
        .find(|words| words.group() == constant.group)?;
    Some(words.word(number).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{enumeration, enumeration_of, of_constant, record, record_of, records, words};
    use crate::catalog;
    use crate::engine::{self, Limits};
    use crate::{Imports, Session, SessionOptions};

    /// The names of enumerations and records in the type `kind`.
    fn names(kind: &str) -> impl Iterator<Item = &str> {
        let kinds = kind.split(" | ");
        kinds.filter_map(|kind| {
            let (before, name) = kind.rsplit_once(" of ")?;
            let declared = before.ends_with("string") || before.ends_with("map");
            declared.then_some(name)
        })
    }

    #[test]
    fn what_signatures_name_is_declared_and_what_is_declared_is_named() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let functions = catalog::functions(&engine);
        let mut named: HashSet<&str> = HashSet::new();
        for function in &functions {
            let parameters = function.parameters.iter().map(|(_, kind)| kind.as_str());
            named.extend(
                parameters
                    .chain([function.returns.as_str()])
                    .flat_map(names),
            );
        }
        for name in &named {
            assert!(
                enumeration(name).is_some() || record(name).is_some(),
                "{name}"
            );
        }
        for table in records::ALL {
            assert!(
                named.contains(table.name),
                "no function answers {}",
                table.name
            );
            named.extend(table.fields.iter().flat_map(|(_, kind)| names(kind)));
        }
        // These are taken as text or as libvirt's number.
        named.insert("WipeAlgorithm");
        for table in words::ALL {
            assert!(
                named.contains(table.name),
                "nothing answers or takes {}",
                table.name
            );
            assert!(!table.words().is_empty(), "{}", table.name);
        }
    }

    #[test]
    fn words_follow_from_constants() {
        for (constant, word) in [
            ("VIR_DOMAIN_RUNNING", Some("running")),
            ("VIR_DOMAIN_PAUSED_IOERROR", Some("ioerror")),
            ("VIR_STORAGE_POOL_INACTIVE", Some("inactive")),
            ("VIR_DOMAIN_START_PAUSED", None),
            ("VIR_NOTHING", None),
        ] {
            assert_eq!(of_constant(constant).as_deref(), word, "{constant}");
        }
        let states = enumeration_of("string of DomainState").expect("it is declared");
        assert!(states.has("running") && !states.has("stopped") && states.has("unknown-9"));
        assert_eq!(states.hint("runing"), "did you mean \"running\"?");
        let info = record_of("map of DomainInfo").expect("it is declared");
        assert_eq!(info.kind("vcpus"), Some("int"));
        assert_eq!(info.kind("memory"), None);
        assert!(record_of("map").is_none() && enumeration_of("string").is_none());
    }
}
