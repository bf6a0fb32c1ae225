//! The words and the maps that calls take and return, and how they are declared beside the call.
//!
//! A function names its enumeration or its record in its signature, as `WordOf<DomainState>` or
//! `RecordOf<DomainInfo>`. Rust sees text and maps there; the catalogue reads types with these words and keys, which the
//! check, the errors and the reference use.

mod answered;
mod declared;
mod nested;
mod options;
mod parameters;
mod record;
mod words;

use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, ImmutableString, NativeCallContext};

use crate::constants::{self, Value, Words};
use crate::error::{Error, RhaiResultOf};
use crate::spec;

pub(crate) use answered::{is_nearly_a_word, of_answer};
pub(crate) use declared::*;
pub(crate) use nested::*;
pub(crate) use options::*;
pub(crate) use parameters::*;
pub(crate) use record::*;
pub(crate) use words::*;

/// The words of one kind.
pub struct Enumeration {
    /// Its name in signatures.
    pub name: &'static str,
    /// Those that stand for libvirt's constants.
    pub(crate) of_libvirt: &'static [&'static Words],
    /// The others.
    pub(crate) own: &'static [&'static str],
    /// The declared words, made at the first use.
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

    /// libvirt's number that `value` gives: a constant, or the word for it. Messages call the value `what`.
    pub(crate) fn constant(
        &self,
        ctx: &NativeCallContext,
        what: &str,
        value: &Dynamic,
    ) -> RhaiResultOf<i64> {
        if let Ok(number) = value.as_int() {
            return Ok(number);
        }
        let Ok(word) = value.clone().into_immutable_string() else {
            let kind = ctx.engine().map_type_name(value.type_name());
            let message = format!("{what} must be a constant of libvirt or a word, not {kind}");
            return Err(Error::invalid(ctx, message).throw());
        };
        self.number(&word).ok_or_else(|| {
            let error = Error::invalid(ctx, format!("{what} cannot be \"{word}\""));
            error.with_hint(self.declared().hint(&word)).throw()
        })
    }

    /// The words as a type has them.
    pub fn declared(&self) -> Arc<spec::Words> {
        let words = || spec::Words {
            name: self.name.to_owned(),
            list: self.words().into_iter().map(str::to_owned).collect(),
            of_libvirt: !self.of_libvirt.is_empty(),
            begin: "",
        };
        Arc::clone(self.declared.get_or_init(|| Arc::new(words())))
    }

    /// Throws unless `word` is one of these; `what` is the noun for them in the message.
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

/// Every enumeration.
#[cfg(test)]
pub(crate) fn enumerations() -> impl Iterator<Item = &'static Enumeration> {
    words::ALL.iter().copied()
}

/// The codes of libvirt's errors; a script may throw others.
pub(crate) fn error_codes() -> Arc<spec::Words> {
    static CODES: OnceLock<Arc<spec::Words>> = OnceLock::new();
    let codes = || spec::Words {
        name: "ErrorCode".into(),
        list: constants::group("virErrorNumber")
            .map(|code| code.name.to_owned())
            .collect(),
        of_libvirt: true,
        begin: "VIR_ERR_",
    };
    Arc::clone(CODES.get_or_init(|| Arc::new(codes())))
}

/// The enumeration called `name`.
pub fn enumeration(name: &str) -> Option<&'static Enumeration> {
    words::ALL.iter().copied().find(|known| known.name == name)
}

/// The word that calls return for the constant `name` of libvirt's.
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
    use super::{enumeration, of_constant};

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
    }
}
