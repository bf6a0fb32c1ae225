//! The types of values.

use std::fmt;
use std::sync::Arc;

use super::Spec;

/// The type of a value, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Any value.
    Unknown,
    /// `()`.
    Unit,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number, with or without a fraction.
    Float,
    /// A letter.
    Char,
    /// Text.
    Text,
    /// Text that is a path on the host.
    Path,
    /// Bytes.
    Blob,
    /// A size: text such as `"20GiB"`, or a number of `unit` bytes each.
    Size {
        /// The unit of a number, such as `KiB`; empty for bytes.
        unit: String,
    },
    /// A duration: seconds, or text such as `"90s"`.
    Duration,
    /// One of these words.
    Words(Vec<String>),
    /// The name of something on the host.
    NameOf(HostName),
    /// A list whose items are of this type.
    Array(Box<Type>),
    /// A map with any keys.
    Map,
    /// A map with known keys.
    Keys(Arc<Spec>),
    /// A value of one of libvirt's or virhai's types, such as `Domain`.
    Object(String),
    /// A closure or the name of a function.
    Function,
    /// A value of any of these types.
    OneOf(Vec<Type>),
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostName {
    /// A guest.
    Domain,
    /// A network.
    Network,
    /// A storage pool.
    Pool,
    /// A volume.
    Volume,
}

impl HostName {
    const ALL: [(&'static str, Self, &'static str, &'static str); 4] = [
        ("domain", Self::Domain, "Domain", "the name of a guest"),
        ("network", Self::Network, "Network", "the name of a network"),
        (
            "pool",
            Self::Pool,
            "StoragePool",
            "the name of a storage pool",
        ),
        ("volume", Self::Volume, "StorageVol", "the name of a volume"),
    ];

    fn row(self) -> &'static (&'static str, Self, &'static str, &'static str) {
        // Every variant has a row.
        let mut rows = Self::ALL.iter();
        rows.find(|row| row.1 == self).unwrap_or(&Self::ALL[0])
    }

    /// The kind of the object, such as `StoragePool`.
    pub fn object(self) -> &'static str {
        self.row().2
    }
}

impl Type {
    /// The type that a declaration calls `name`; nothing for one that it does not know.
    pub fn named(name: &str, unit: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Unknown,
            "()" => Self::Unit,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "char" => Self::Char,
            "string" => Self::Text,
            "path" => Self::Path,
            "blob" => Self::Blob,
            "size" => Self::Size {
                unit: unit.to_owned(),
            },
            "duration" => Self::Duration,
            "array" => Self::Array(Box::new(Self::Unknown)),
            "map" => Self::Map,
            "function" => Self::Function,
            _ => {
                if let Some(row) = HostName::ALL.iter().find(|row| row.0 == name) {
                    return Some(Self::NameOf(row.1));
                }
                let object = name.starts_with(|letter: char| letter.is_ascii_uppercase())
                    && name.contains(|letter: char| letter.is_ascii_lowercase())
                    && name.chars().all(char::is_alphanumeric);
                return object.then(|| Self::Object(name.to_owned()));
            }
        })
    }

    /// The names that [`Type::named`] knows, for suggestions.
    pub(super) const NAMES: [&'static str; 18] = [
        "any", "array", "blob", "bool", "char", "domain", "duration", "float", "function", "int",
        "map", "network", "path", "pool", "size", "string", "volume", "words",
    ];

    /// The types that a value may have: those of `OneOf`, or this one alone.
    pub fn alternatives(&self) -> &[Self] {
        match self {
            Self::OneOf(types) => types,
            one => std::slice::from_ref(one),
        }
    }

    /// The declarations of the maps that a value may be or hold.
    pub fn specs(&self) -> Vec<&Arc<Spec>> {
        match self {
            Self::Keys(spec) => vec![spec],
            Self::Array(item) => item.specs(),
            Self::OneOf(types) => types.iter().flat_map(Self::specs).collect(),
            _ => Vec::new(),
        }
    }

    /// The words that a value may be, in the order of the declaration.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Words(words) => words.iter().map(String::as_str).collect(),
            Self::OneOf(types) => types.iter().flat_map(Self::words).collect(),
            _ => Vec::new(),
        }
    }

    /// What a value may be the name of.
    pub fn host_names(&self) -> Vec<HostName> {
        match self {
            Self::NameOf(what) => vec![*what],
            Self::OneOf(types) => types.iter().flat_map(Self::host_names).collect(),
            _ => Vec::new(),
        }
    }

    /// The type of the items of a list.
    pub fn item(&self) -> Option<&Self> {
        self.alternatives().iter().find_map(|ty| match ty {
            Self::Array(item) => Some(&**item),
            _ => None,
        })
    }

    /// What a value must be, in words for messages: "a number".
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Unknown => "any value".into(),
            Self::Unit => "()".into(),
            Self::Bool => "true or false".into(),
            Self::Int | Self::Float => "a number".into(),
            Self::Char => "a letter".into(),
            Self::Text => "text".into(),
            Self::Path => "a path".into(),
            Self::Blob => "bytes".into(),
            Self::Size { .. } => "a size such as \"20GiB\"".into(),
            Self::Duration => "a duration such as \"90s\"".into(),
            Self::Words(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                or(&quoted)
            }
            Self::NameOf(what) => what.row().3.into(),
            Self::Array(_) => "a list".into(),
            Self::Map | Self::Keys(_) => "a map".into(),
            Self::Object(kind) => object(kind),
            Self::Function => "a closure".into(),
            Self::OneOf(types) => {
                let mut words: Vec<String> = Vec::new();
                // Any text is one of them.
                let is_text =
                    |ty: &&Self| matches!(ty, Self::Words(_) | Self::Path | Self::NameOf(_));
                let all = types.contains(&Self::Text);
                let types = types.iter().filter(|ty| !(all && is_text(ty)));
                let one_by_one = types.flat_map(|ty| match ty {
                    Self::Words(list) => list.iter().map(|word| format!("{word:?}")).collect(),
                    other => vec![other.in_words()],
                });
                for word in one_by_one {
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                or(&words)
            }
        }
    }
}

/// A value of the type `kind` in words.
pub(super) fn object(kind: &str) -> String {
    match kind {
        "StorageVol" => "a volume".into(),
        "StoragePool" => "a storage pool".into(),
        "Xml" => "XML".into(),
        "Domain" | "Network" | "Connection" => format!("a {}", kind.to_lowercase()),
        other => format!("a value of the type {other}"),
    }
}

/// The words as an English list.
fn or(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// As the reference shows it: "array of DISK | path".
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("any"),
            Self::Unit => f.write_str("()"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Char => f.write_str("char"),
            Self::Text => f.write_str("string"),
            Self::Path => f.write_str("path"),
            Self::Blob => f.write_str("blob"),
            Self::Size { unit } if unit.is_empty() => f.write_str("size"),
            Self::Size { unit } => write!(f, "size ({unit})"),
            Self::Duration => f.write_str("duration"),
            Self::Words(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                f.write_str(&quoted.join(" | "))
            }
            Self::NameOf(what) => write!(f, "{} name", what.row().0),
            Self::Array(item) => match &**item {
                Self::Unknown => f.write_str("array"),
                Self::OneOf(_) | Self::Words(_) => write!(f, "array of ({item})"),
                item => write!(f, "array of {item}"),
            },
            Self::Map => f.write_str("map"),
            Self::Keys(spec) if spec.name.is_empty() => f.write_str("map"),
            Self::Keys(spec) => f.write_str(&spec.name),
            Self::Object(kind) => f.write_str(kind),
            Self::Function => f.write_str("closure"),
            Self::OneOf(types) => {
                let types: Vec<String> = types.iter().map(ToString::to_string).collect();
                f.write_str(&types.join(" | "))
            }
        }
    }
}
