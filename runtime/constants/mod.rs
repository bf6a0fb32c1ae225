//! libvirt's public constants under their own names, and the words that scripts use for them.
//!
//! The table is built on the first use of a name, so that a script without one starts without paying for it.

mod published;

use std::sync::OnceLock;

use rhai::{Dynamic, ImmutableString};

pub use published::{constant, enumerations, is_published, method_of, sentence, version_of};

/// One public constant of libvirt.
#[derive(Debug, Clone, Copy)]
pub struct Constant {
    /// Its C name, such as `VIR_DOMAIN_RUNNING`.
    pub name: &'static str,
    /// The C enumeration it belongs to, such as `virDomainState`; `macro` for a number that libvirt defines with
    /// `#define`, and empty for a string.
    pub group: &'static str,
    /// Its value in libvirt's headers.
    pub value: Value,
    /// libvirt's sentence about it, or `None`.
    sentence: &'static str,
}

/// The value of a [`Constant`].
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A number or flag.
    Integer(i64),
    /// The name of a typed parameter or statistic.
    Text(&'static str),
}

/// Every constant, by enumeration and value.
pub fn all() -> impl Iterator<Item = &'static Constant> {
    published::ALL.iter()
}

/// The value of the constant `name` as a script sees it.
pub fn lookup(name: &str) -> Option<Dynamic> {
    constant(name).map(|constant| match constant.value {
        Value::Integer(number) => Dynamic::from_int(number),
        Value::Text(text) => text.into(),
    })
}

/// The constants of the C enumeration `group`.
pub fn group(group: &str) -> impl Iterator<Item = &'static Constant> {
    all().filter(move |constant| constant.group == group)
}

/// The typed parameters whose constants begin with `prefix`: the constant, and the name of the parameter.
pub fn parameters(prefix: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    all()
        .filter(move |constant| constant.name.starts_with(prefix))
        .filter_map(|constant| match constant.value {
            Value::Text(text) => Some((constant.name, text)),
            Value::Integer(_) => None,
        })
}

/// The name of the constant of `group` with the value `number`.
pub fn name_of(group_name: &str, number: i64) -> Option<&'static str> {
    group(group_name)
        .find(|constant| matches!(constant.value, Value::Integer(value) if value == number))
        .map(|constant| constant.name)
}

/// The words for the values of one C enumeration: the constant's name less a prefix, lower case.
///
/// ```
/// use virhai::constants::Words;
/// static STATES: Words = Words::new("virDomainState", "VIR_DOMAIN_");
/// assert_eq!(STATES.word(1), "running");
/// assert_eq!(STATES.number("paused"), Some(3));
/// ```
pub struct Words {
    group: &'static str,
    prefix: &'static str,
    words: OnceLock<Vec<ImmutableString>>,
}

impl Words {
    /// The words of the enumeration `group`, whose constants begin with `prefix`.
    pub const fn new(group: &'static str, prefix: &'static str) -> Self {
        Self {
            group,
            prefix,
            words: OnceLock::new(),
        }
    }

    /// The C enumeration.
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// The word for `number`; a number newer than the table is answered as `unknown-N`.
    pub fn word(&self, number: i64) -> ImmutableString {
        usize::try_from(number)
            .ok()
            .and_then(|index| {
                self.all()
                    .get(index)
                    .filter(|word| !word.is_empty())
                    .cloned()
            })
            .unwrap_or_else(|| format!("unknown-{number}").into())
    }

    /// The number of `word`.
    pub fn number(&self, word: &str) -> Option<i64> {
        self.all()
            .iter()
            .position(|known| known == word)
            .map(|index| index as i64)
    }

    /// Every word, at the index of its number; empty if libvirt has no such number.
    pub fn all(&self) -> &[ImmutableString] {
        self.words.get_or_init(|| {
            let mut words = Vec::new();
            for constant in group(self.group) {
                let Value::Integer(value) = constant.value else {
                    continue;
                };
                let Ok(index) = usize::try_from(value) else {
                    continue;
                };
                if words.len() <= index {
                    words.resize(index + 1, ImmutableString::new());
                }
                let word = constant
                    .name
                    .strip_prefix(self.prefix)
                    .unwrap_or(constant.name);
                words[index] = word.to_lowercase().into();
            }
            words
        })
    }
}
