//! The types of values.

use std::fmt;
use std::sync::Arc;

use super::Spec;
use crate::advice::suggest;

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
    /// Text that is the URI of a host.
    Uri,
    /// Text that must not be shown.
    Secret,
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
    Words(Arc<Words>),
    /// The name of something on the host.
    NameOf(HostName),
    /// A list whose items are of this type.
    Array(Box<Type>),
    /// A map with any keys.
    Map,
    /// A map with any keys, whose values are of this type.
    MapOf(Box<Type>),
    /// A map with known keys.
    Keys(Arc<Spec>),
    /// A value of one of libvirt's or virhai's types, such as `Domain`.
    Object(String),
    /// A closure or the name of a function.
    Function,
    /// A value of any of these types.
    OneOf(Vec<Type>),
}

/// The kind of object that a name belongs to.
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
    /// A host of the list of hosts.
    Host,
}

impl HostName {
    const ALL: [(&'static str, Self, &'static str, &'static str); 5] = [
        ("domain", Self::Domain, "Domain", "the name of a guest"),
        ("network", Self::Network, "Network", "the name of a network"),
        (
            "pool",
            Self::Pool,
            "StoragePool",
            "the name of a storage pool",
        ),
        ("volume", Self::Volume, "StorageVol", "the name of a volume"),
        ("host", Self::Host, "Connection", "the name of a host"),
    ];

    fn row(self) -> &'static (&'static str, Self, &'static str, &'static str) {
        // Every variant has a row.
        let mut rows = Self::ALL.iter();
        rows.find(|row| row.1 == self).unwrap_or(&Self::ALL[0])
    }

    /// The name of the type in declarations, such as `pool`.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// The kind of the object, such as `StoragePool`.
    pub fn object(self) -> &'static str {
        self.row().2
    }
}

/// The words that a value may be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Words {
    /// The name in the documentation, such as `DomainState`; empty for the words of one option.
    pub name: String,
    /// The words, in the order of the declaration.
    pub list: Vec<String>,
    /// True if they stand for constants of libvirt; a newer libvirt may have more: `unknown-9`.
    pub of_libvirt: bool,
    /// The begin of every word; text that begins otherwise is of a script, and may be anything. Empty if only the words
    /// are possible.
    pub begin: &'static str,
}

impl Words {
    /// True if `word` is a possible value.
    pub fn has(&self, word: &str) -> bool {
        !word.starts_with(self.begin)
            || (self.of_libvirt && word.starts_with("unknown-"))
            || self.list.iter().any(|it| it == word)
    }

    /// The word that was most likely meant by `word`, which is not one of these, or all of them.
    pub fn hint(&self, word: &str) -> String {
        match self.near(word) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the words are {}", self.list.join(", ")),
        }
    }

    /// The word that means the same as `word`, of which `inactive` is the contrary.
    fn synonym(&self, word: &str) -> Option<&str> {
        let meant = match word {
            "active" | "started" => "running",
            _ => return None,
        };
        self.list.iter().map(String::as_str).find(|it| *it == meant)
    }

    /// The word that `word` is near to, unless `word` is itself one of the words.
    pub fn near(&self, word: &str) -> Option<&str> {
        match self.has(word) {
            true => None,
            false => self
                .synonym(word)
                .or_else(|| suggest::nearest(word, self.list.iter().map(String::as_str))),
        }
    }
}

impl Type {
    /// The type of a value that Rhai calls `name`.
    pub fn of_value(name: &str) -> Self {
        match name {
            "()" => Self::Unit,
            "bool" => Self::Bool,
            "int" | "i64" | "INT" => Self::Int,
            "float" | "f64" | "FLOAT" => Self::Float,
            "char" => Self::Char,
            "string" | "str" | "String" | "ImmutableString" => Self::Text,
            "blob" | "Blob" | "rhai::Blob" => Self::Blob,
            "array" | "Array" | "rhai::Array" => Self::array(),
            "map" | "Map" | "rhai::Map" => Self::Map,
            "Fn" | "FnPtr" => Self::Function,
            "?" | "" | "_" | "Dynamic" => Self::Unknown,
            other => Self::Object(other.to_owned()),
        }
    }

    /// One of `words`, which have no name of their own.
    pub fn of_words(words: Vec<String>) -> Self {
        Self::Words(Arc::new(Words {
            list: words,
            ..Words::default()
        }))
    }

    /// A list of any values.
    pub fn array() -> Self {
        Self::Array(Box::new(Self::Unknown))
    }

    /// A list of values of these types, if they are all of the same.
    pub fn array_of(items: impl IntoIterator<Item = Option<Self>>) -> Self {
        let mut items = items.into_iter();
        match items.next().flatten() {
            Some(first) if items.all(|other| other.as_ref() == Some(&first)) => {
                Self::Array(Box::new(first))
            }
            _ => Self::array(),
        }
    }

    /// A value of one of these types.
    pub fn one_of(types: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for ty in types {
            let more = match ty {
                Self::OneOf(types) => types,
                one => vec![one],
            };
            for ty in more {
                if !flat.contains(&ty) {
                    flat.push(ty);
                }
            }
        }
        match flat.len() {
            1 => flat.swap_remove(0),
            _ => Self::OneOf(flat),
        }
    }

    /// The type, if something is known of it.
    pub fn known(self) -> Option<Self> {
        (self != Self::Unknown).then_some(self)
    }

    /// The type by which functions are distinguished: without words, keys and items.
    pub fn plain(&self) -> Self {
        match self {
            Self::Path | Self::Uri | Self::Secret | Self::Words(_) | Self::NameOf(_) => Self::Text,
            Self::Keys(_) | Self::MapOf(_) => Self::Map,
            Self::Array(_) => Self::array(),
            other => other.clone(),
        }
    }

    /// True if the types are the same for functions.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (one, other) if one.is_text() => other.is_text(),
            (one, other) if one.is_map() => other.is_map(),
            (Self::Array(_), Self::Array(_)) => true,
            (one, other) => one == other,
        }
    }

    /// True if a value of the type `given` is accepted for this type.
    pub fn takes(&self, given: &Self) -> bool {
        match (self, given) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::OneOf(types), given) => types.iter().any(|ty| ty.takes(given)),
            (wanted, Self::OneOf(types)) => types.iter().any(|ty| wanted.takes(ty)),
            // These are given as numbers or as text.
            (Self::Size { .. } | Self::Duration, given) => {
                let is_number = matches!(given, Self::Int | Self::Float);
                let is_same = std::mem::discriminant(self) == std::mem::discriminant(given);
                given.is_text() || is_number || is_same
            }
            (wanted, Self::Size { .. } | Self::Duration) => {
                wanted.is_text() || matches!(wanted, Self::Int | Self::Float)
            }
            (wanted, given) => wanted.is_like(given),
        }
    }

    /// A parameter `name` of this type, as it is shown.
    pub fn of_parameter(&self, name: &str) -> String {
        match self {
            Self::Unknown => name.to_owned(),
            ty => format!("{name}: {ty}"),
        }
    }

    /// True if it is text.
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text | Self::Path | Self::Uri | Self::Secret | Self::Words(_) | Self::NameOf(_)
        )
    }

    /// True if it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map | Self::MapOf(_) | Self::Keys(_))
    }

    /// True if it is one of libvirt's or virhai's types, whose functions are its methods.
    pub fn is_object(&self) -> bool {
        self.object().is_some()
    }

    /// The name of the type of an object: `Domain`.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Object(name) if name.starts_with(|letter: char| letter.is_uppercase()) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// True if it is the object type called `name`.
    pub fn is_called(&self, name: &str) -> bool {
        self.object() == Some(name)
    }

    /// The type of the elements of a value, if it is known: the items of a list, the characters of
    /// text.
    pub fn element(&self) -> Option<Self> {
        match self {
            Self::Array(item) => Self::clone(item).known(),
            Self::Blob => Some(Self::Int),
            Self::Object(name) if name == "ExclusiveRange" || name == "InclusiveRange" => {
                Some(Self::Int)
            }
            text if text.is_text() => Some(Self::Char),
            _ => None,
        }
    }

    /// The declaration of the keys of a map.
    pub fn keys(&self) -> Option<&Arc<Spec>> {
        self.alternatives().iter().find_map(|ty| match ty {
            Self::Keys(spec) => Some(spec),
            _ => None,
        })
    }

    /// The type of the values of a map with any keys.
    pub fn value(&self) -> Option<&Self> {
        match self {
            Self::MapOf(value) => Some(value),
            _ => None,
        }
    }

    /// The words that a value may be, where they are all that it may be as text.
    pub fn vocabulary(&self) -> Option<&Arc<Words>> {
        self.alternatives().iter().find_map(|ty| match ty {
            Self::Words(words) => Some(words),
            _ => None,
        })
    }

    /// The type that declarations call `name`; `None` for an unknown name.
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
            "uri" => Self::Uri,
            "secret" => Self::Secret,
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
    pub(crate) const NAMES: [&'static str; 21] = [
        "any", "array", "blob", "bool", "char", "domain", "duration", "float", "function", "host",
        "int", "map", "network", "path", "pool", "secret", "size", "string", "uri", "volume",
        "words",
    ];

    /// The types that a value may have: those of `OneOf`, or this one alone.
    pub fn alternatives(&self) -> &[Self] {
        match self {
            Self::OneOf(types) => types,
            one => std::slice::from_ref(one),
        }
    }

    /// True if a value may be a secret, or a list of secrets.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::Array(item) | Self::MapOf(item) => item.is_secret(),
            Self::OneOf(types) => types.iter().any(Self::is_secret),
            _ => false,
        }
    }

    /// True if a value, or a part of it at any depth, may be a secret.
    pub fn has_secret(&self) -> bool {
        let mut keys = self.specs().into_iter().flat_map(|spec| &spec.keys);
        self.is_secret() || keys.any(|key| key.ty.has_secret())
    }

    /// The declarations of the maps that a value may be or hold.
    pub fn specs(&self) -> Vec<&Arc<Spec>> {
        match self {
            Self::Keys(spec) => vec![spec],
            Self::Array(item) | Self::MapOf(item) => item.specs(),
            Self::OneOf(types) => types.iter().flat_map(Self::specs).collect(),
            _ => Vec::new(),
        }
    }

    /// The kinds of objects that a value may be or hold.
    pub fn objects(&self) -> Vec<&str> {
        match self {
            Self::Array(item) | Self::MapOf(item) => item.objects(),
            Self::OneOf(types) => types.iter().flat_map(Self::objects).collect(),
            ty => ty.object().into_iter().collect(),
        }
    }

    /// The words that a value may be, in the order of the declaration.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Words(words) => words.list.iter().map(String::as_str).collect(),
            Self::OneOf(types) => types.iter().flat_map(Self::words).collect(),
            _ => Vec::new(),
        }
    }

    /// The kinds of objects whose names a value may be.
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

    /// The expected value, in words for messages: "a number".
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Unknown => "any value".into(),
            Self::Unit => "()".into(),
            Self::Bool => "true or false".into(),
            Self::Int | Self::Float => "a number".into(),
            Self::Char => "a letter".into(),
            Self::Text => "text".into(),
            Self::Path => "a path".into(),
            Self::Uri => "a URI such as \"qemu:///system\"".into(),
            Self::Secret => "text".into(),
            Self::Blob => "bytes".into(),
            Self::Size { .. } => "a size such as \"20GiB\"".into(),
            Self::Duration => "a duration such as \"90s\"".into(),
            Self::Words(words) => {
                let quoted = words.list.iter().map(|word| format!("{word:?}"));
                or(&quoted.collect::<Vec<String>>())
            }
            Self::NameOf(what) => what.row().3.into(),
            Self::Array(_) => "a list".into(),
            Self::Map | Self::MapOf(_) | Self::Keys(_) => "a map".into(),
            Self::Object(kind) => object(kind),
            Self::Function => "a closure".into(),
            Self::OneOf(types) => {
                let mut words: Vec<String> = Vec::new();
                // If any text is allowed, the types of special texts add nothing.
                let is_text = |ty: &&Self| {
                    matches!(
                        ty,
                        Self::Words(_) | Self::Path | Self::Uri | Self::NameOf(_)
                    )
                };
                let all = types.contains(&Self::Text);
                let types = types.iter().filter(|ty| !(all && is_text(ty)));
                let one_by_one = types.flat_map(|ty| match ty {
                    Self::Words(words) => {
                        let quoted = words.list.iter().map(|word| format!("{word:?}"));
                        quoted.collect()
                    }
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

/// Parameters as they are shown, the first of which are of these `types`.
pub fn typed_parameters(names: &[String], types: &[Type]) -> Vec<String> {
    let types = types.iter().chain(std::iter::repeat(&Type::Unknown));
    names
        .iter()
        .zip(types)
        .map(|(name, ty)| ty.of_parameter(name))
        .collect()
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
            Self::Uri => f.write_str("uri"),
            Self::Secret => f.write_str("secret"),
            Self::Blob => f.write_str("blob"),
            Self::Size { unit } if unit.is_empty() => f.write_str("size"),
            Self::Size { unit } => write!(f, "size ({unit})"),
            Self::Duration => f.write_str("duration"),
            Self::Words(words) if !words.name.is_empty() => f.write_str(&words.name),
            Self::Words(words) => {
                let quoted = words.list.iter().map(|word| format!("{word:?}"));
                f.write_str(&quoted.collect::<Vec<String>>().join(" | "))
            }
            Self::NameOf(what) => write!(f, "{} name", what.row().0),
            Self::Array(item) => match &**item {
                Self::Unknown => f.write_str("array"),
                Self::OneOf(_) => write!(f, "array of ({item})"),
                Self::Words(words) if words.name.is_empty() => write!(f, "array of ({item})"),
                item => write!(f, "array of {item}"),
            },
            Self::Map => f.write_str("map"),
            Self::MapOf(value) => write!(f, "map of {value}"),
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
