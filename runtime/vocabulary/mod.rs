//! The words and the maps that calls answer and take, each declared once.
//!
//! A function names its enumeration or its record in its signature, as `WordOf<DomainState>` or
//! `RecordOf<DomainInfo>`. Rust sees text and maps there; the catalogue reads types with these words and keys, which the
//! check, the errors and the reference use.

mod answered;
mod records;
mod words;

use std::sync::{Arc, OnceLock};

use rhai::{ImmutableString, Map, NativeCallContext};

use crate::constants::{self, Value, Words};
use crate::error::Error;
use crate::spec::{self, Key, Spec, Type};

pub(crate) use answered::{is_nearly_a_word, of_answer};
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
    /// All of them, made when somebody asks.
    pub(crate) declared: OnceLock<Arc<spec::Words>>,
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

    /// The words as a type has them.
    pub fn declared(&self) -> Arc<spec::Words> {
        let words = || spec::Words {
            name: self.name.to_owned(),
            list: self.words().into_iter().map(str::to_owned).collect(),
            of_libvirt: !self.of_libvirt.is_empty(),
        };
        Arc::clone(self.declared.get_or_init(|| Arc::new(words())))
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
        Err(error.with_hint(self.declared().hint(word)).throw())
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
    /// The same as a type has it, made when somebody asks.
    pub(crate) spec: OnceLock<Arc<Spec>>,
}

impl Record {
    /// The same as a type has it.
    pub fn spec(&self) -> Arc<Spec> {
        let spec = || Spec {
            name: self.name.to_owned(),
            open: self.open,
            keys: self
                .fields
                .iter()
                .map(|(name, kind)| Key::of_result(name, of_text(kind)))
                .collect(),
            ..Spec::default()
        };
        Arc::clone(self.spec.get_or_init(|| Arc::new(spec())))
    }

    /// The type of the value under `key`.
    pub fn kind(&self, key: &str) -> Option<&'static str> {
        let (_, kind) = self.fields.iter().find(|(name, _)| *name == key)?;
        Some(kind)
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

/// The type of a field of a record.
fn of_text(kind: &str) -> Type {
    if let Some(words) = kind.strip_prefix("string of ").and_then(enumeration) {
        return Type::Words(words.declared());
    }
    match kind.strip_prefix("array of ") {
        Some(item) => Type::Array(Box::new(of_text(item))),
        None => Type::of_value(kind),
    }
}

/// The word that calls answer for the constant `name` of libvirt's.
pub fn of_constant(name: &str) -> Option<String> {
    let constant = constants::constant(name)?;
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

    use super::{enumeration, of_constant, record, records, words};
    use crate::catalog;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    /// The names of enumerations and records in the type `ty`.
    fn names(ty: &Type, into: &mut HashSet<String>) {
        match ty {
            Type::Words(words) => drop(into.insert(words.name.clone())),
            Type::Keys(spec) => {
                into.insert(spec.name.clone());
                for key in &spec.keys {
                    names(&key.ty, into);
                }
            }
            Type::Array(item) => names(item, into),
            Type::OneOf(types) => types.iter().for_each(|ty| names(ty, into)),
            _ => {}
        }
    }

    #[test]
    fn what_signatures_name_is_declared_and_what_is_declared_is_named() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut named = HashSet::new();
        for function in &catalog::functions(&engine) {
            let parameters = function.parameters.iter().map(|(_, ty)| ty);
            for ty in parameters.chain([&function.returns]) {
                names(ty, &mut named);
            }
        }
        for table in records::ALL {
            assert!(
                named.contains(table.name),
                "no function answers {}",
                table.name
            );
        }
        // These are taken as text or as libvirt's number.
        named.insert("WipeAlgorithm".into());
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
        let states = enumeration("DomainState").expect("it is declared");
        let states = states.declared();
        assert!(states.has("running") && !states.has("stopped") && states.has("unknown-9"));
        assert_eq!(states.hint("runing"), "did you mean \"running\"?");
        let info = record("DomainInfo").expect("it is declared").spec();
        assert_eq!(info.key("vcpus").map(|key| &key.ty), Some(&Type::Int));
        assert!(info.key("memory").is_none());
    }
}
