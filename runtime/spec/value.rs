//! Checks values against their declaration.

use std::borrow::Cow;

use rhai::{Array, Blob, Dynamic, Engine, FnPtr, ImmutableString, Map};

use super::condition::{Entries, Taken};
use super::fault::written;
use super::read::{unit_bytes, whole};
use super::ty::object;
use super::{Fault, FaultKind, Key, Spec, Step, Type};
use crate::advice::suggest;
use crate::spec::{duration, size};

/// The maximum number of words or keys in a hint.
const MOST_LISTED: usize = 24;

/// The longest text that a message quotes, in characters.
const LONGEST_QUOTED: usize = 60;

/// A value that is given: one at run time, or an expression of which some is known.
pub trait Given: Sized {
    /// As much as is known of it.
    fn shape(&self) -> Shape<Self>;
}

/// The knowledge about a value; `None` within stands for unknown parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape<T> {
    /// Nothing.
    Unknown,
    /// `()`.
    Unit,
    /// A truth value.
    Bool(Option<bool>),
    /// A whole number.
    Int(Option<i64>),
    /// A number with a fraction.
    Float(Option<f64>),
    /// Text.
    Text(Option<ImmutableString>),
    /// Bytes.
    Blob,
    /// A list.
    Array(Option<Vec<T>>),
    /// A map, and whether these are all of its keys.
    Map(Option<Vec<(ImmutableString, T)>>, bool),
    /// A closure.
    Function,
    /// A value of another type.
    Object(String),
}

/// A value at run time.
pub struct Value<'a> {
    /// The engine that knows the names of types.
    pub engine: &'a Engine,
    /// The value.
    pub value: Cow<'a, Dynamic>,
}

impl Given for Value<'_> {
    fn shape(&self) -> Shape<Self> {
        let (engine, value) = (self.engine, &self.value);
        let within = |value: &Dynamic| Value {
            engine,
            value: Cow::Owned(value.clone()),
        };
        if value.is_unit() {
            return Shape::Unit;
        }
        if let Ok(value) = value.as_bool() {
            return Shape::Bool(Some(value));
        }
        if let Ok(value) = value.as_int() {
            return Shape::Int(Some(value));
        }
        if let Ok(value) = value.as_float() {
            return Shape::Float(Some(value));
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Shape::Text(Some(text.clone()));
        }
        if let Some(list) = value.read_lock::<Array>() {
            return Shape::Array(Some(list.iter().map(within).collect()));
        }
        if let Some(map) = value.read_lock::<Map>() {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| (key.as_str().into(), within(value)));
            return Shape::Map(Some(entries.collect()), true);
        }
        if value.read_lock::<Blob>().is_some() {
            return Shape::Blob;
        }
        if value.read_lock::<FnPtr>().is_some() {
            return Shape::Function;
        }
        Shape::Object(engine.map_type_name(value.type_name()).to_owned())
    }
}

impl<T> Shape<T> {
    /// The value in words for messages: `the text "2"`.
    fn in_words(&self, beside_words: bool) -> String {
        match self {
            Self::Unknown => "this".into(),
            Self::Unit => "()".into(),
            Self::Bool(Some(value)) => value.to_string(),
            Self::Bool(None) => "true or false".into(),
            Self::Int(Some(value)) => value.to_string(),
            Self::Float(Some(value)) => format!("{value:?}"),
            Self::Int(None) | Self::Float(None) => "a number".into(),
            Self::Text(Some(text)) if beside_words => quoted(text),
            Self::Text(Some(text)) => format!("the text {}", quoted(text)),
            Self::Text(None) => "text".into(),
            Self::Blob => "bytes".into(),
            Self::Array(_) => "a list".into(),
            Self::Map(..) => "a map".into(),
            Self::Function => "a closure".into(),
            Self::Object(kind) => object(kind),
        }
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTED) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

impl Type {
    /// The bytes or the seconds that `text` means: the type decides whether it is a size or a duration.
    pub(super) fn amount(&self, text: &str) -> Option<f64> {
        self.alternatives().iter().find_map(|ty| match ty {
            Self::Size { unit } => size::parse(text, unit_bytes(unit))
                .ok()
                .map(|bytes| bytes as f64),
            Self::Duration => duration::parse(text).map(|duration| duration.as_secs_f64()),
            _ => None,
        })
    }

    /// The reason why `text` is not a size or a duration, and the correct form.
    pub(crate) fn wrong_amount(&self, text: &str) -> Option<(String, String)> {
        match self {
            Self::Size { unit } => {
                let why = size::parse(text, unit_bytes(unit)).err()?;
                Some((why, size::HINT.to_owned()))
            }
            Self::Duration if duration::parse(text).is_none() => Some((
                format!("`{text}` is not a duration"),
                duration::hint(text).to_owned(),
            )),
            _ => None,
        }
    }
}

impl Spec {
    /// The faults of a map with these `entries`; `complete` is true if they are all of its keys.
    pub fn faults<T: Given>(&self, entries: &[(ImmutableString, T)], complete: bool) -> Vec<Fault> {
        let mut search = Search {
            partial: self.partial,
            ..Search::default()
        };
        search.map(self, entries, complete);
        search.faults
    }

    /// The errors of `value` as a value of the key `key`.
    pub(crate) fn faults_of_key<T: Given>(key: &Key, value: &T) -> Vec<Fault> {
        let mut search = Search::default();
        search.path.push(Step::Key(key.name.clone()));
        search.key(key, value);
        search.faults
    }

    /// The errors in `map`, which has all keys.
    pub(crate) fn faults_of(&self, engine: &Engine, map: &Map) -> Vec<Fault> {
        let value = |value| Value {
            engine,
            value: Cow::Borrowed(value),
        };
        let entries = map.iter();
        let entries: Vec<_> = entries
            .map(|(key, given)| (key.as_str().into(), value(given)))
            .collect();
        self.faults(&entries, true)
    }

    /// The first thing that is wrong with `map`.
    pub(crate) fn first_fault(&self, engine: &Engine, map: &Map) -> Option<Fault> {
        self.faults_of(engine, map).into_iter().next()
    }
}

#[derive(Default)]
struct Search {
    path: Vec<Step>,
    faults: Vec<Fault>,
    /// True inside the value of a secret, which no message shows.
    secret: bool,
    /// True if options that are not given keep the values that something has already.
    partial: bool,
}

impl Search {
    /// The value in words for messages; of a secret only its type.
    fn in_words<T>(&self, shape: &Shape<T>, beside_words: bool) -> String {
        match shape {
            Shape::Bool(_) if self.secret => Shape::<T>::Bool(None).in_words(false),
            Shape::Int(_) | Shape::Float(_) if self.secret => Shape::<T>::Int(None).in_words(false),
            Shape::Text(_) if self.secret => Shape::<T>::Text(None).in_words(false),
            shape => shape.in_words(beside_words),
        }
    }

    /// The value as the end of a message about a limit: ", not 7"; empty for a secret.
    fn not_given(&self, given: &str) -> String {
        match self.secret {
            true => String::new(),
            false => format!(", not {given}"),
        }
    }

    fn fault(&mut self, kind: FaultKind, message: String, hint: Option<String>) {
        self.faults.push(Fault {
            path: self.path.clone(),
            message,
            hint,
            kind,
        });
    }

    /// The place, in front of a message about a map that is not the outermost.
    fn place(&self) -> String {
        match self.path.is_empty() {
            true => String::new(),
            false => format!("`{}`: ", written(&self.path)),
        }
    }

    fn map<T: Given>(&mut self, spec: &Spec, entries: &[(ImmutableString, T)], complete: bool) {
        let mut meant = Vec::new();
        for (key, value) in entries {
            match spec.key(key) {
                Some(declared) => {
                    self.path.push(Step::Key(key.to_string()));
                    self.key(declared, value);
                    self.path.pop();
                }
                None if spec.open => {}
                None => meant.extend(self.unknown(spec, key)),
            }
        }
        self.conditions(spec, entries, complete);
        if !complete {
            return;
        }
        let required = spec.keys.iter().filter(|key| key.required);
        // A key that is written wrong is not missing as well.
        for key in required.filter(|key| !meant.contains(&key.name)) {
            let given = entries.iter().find(|(name, _)| *name == key.name);
            let missing = given.is_none_or(|(_, value)| matches!(value.shape(), Shape::Unit));
            if missing {
                let what = match (self.path.is_empty(), spec.noun()) {
                    (true, noun) if noun.is_empty() => {
                        format!("the option `{}` is missing", key.name)
                    }
                    (true, noun) => format!("{noun} needs the option `{}`", key.name),
                    (false, noun) if noun.is_empty() => {
                        format!("`{}` needs the key `{}`", written(&self.path), key.name)
                    }
                    (false, noun) => format!("{}{noun} needs `{}`", self.place(), key.name),
                };
                let hint = (!key.help.is_empty()).then(|| format!("`{}`: {}", key.name, key.help));
                self.fault(FaultKind::MissingKey, what, hint);
            }
        }
    }

    /// Reports options that contradict others of their map.
    fn conditions<T: Given>(
        &mut self,
        spec: &Spec,
        entries: &[(ImmutableString, T)],
        complete: bool,
    ) {
        let entries = Entries {
            spec,
            entries,
            complete: complete && !self.partial,
        };
        if let Some(choice) = spec.choice().filter(|_| entries.lacks_all()) {
            let message = match (self.path.is_empty(), spec.noun()) {
                (true, noun) if noun.is_empty() => format!("the option {choice} is missing"),
                (false, noun) if noun.is_empty() => {
                    format!("`{}` needs {choice}", written(&self.path))
                }
                (_, noun) => format!("{}{noun} needs {choice}", self.place()),
            };
            self.fault(FaultKind::Value, message, None);
        }
        for (key, message, hint) in entries.unmet() {
            let message = format!("{}{message}", self.place());
            self.path.push(Step::Key(key.name.clone()));
            self.fault(FaultKind::Value, message, Some(hint));
            self.path.pop();
        }
    }

    /// Reports maps of a list that have the same value of a unique option.
    fn duplicates<T: Given>(&mut self, item: &Type, items: &[T]) {
        let Some(spec) = item.keys().filter(|_| !self.secret) else {
            return;
        };
        let mut taken = Taken::default();
        for (number, value) in items.iter().enumerate() {
            let Shape::Map(Some(entries), _) = value.shape() else {
                continue;
            };
            for (name, first, text) in taken.twice(spec, &entries, number) {
                let list = written(&self.path);
                let message = format!(
                    "`{list}[{first}].{name}` and `{list}[{number}].{name}` are both {}",
                    quoted(&text)
                );
                self.path.push(Step::Item(number));
                self.path.push(Step::Key(name.to_owned()));
                let hint = "give them different values, or leave one out";
                self.fault(FaultKind::Value, message, Some(hint.to_owned()));
                self.path.truncate(self.path.len() - 2);
            }
        }
    }

    /// Reports a key that is not declared; returns the one that was most likely meant.
    fn unknown(&mut self, spec: &Spec, key: &str) -> Option<String> {
        let message = match (self.path.is_empty(), spec.noun()) {
            (true, noun) if noun.is_empty() => format!("there is no option `{key}`"),
            (false, noun) if noun.is_empty() => {
                format!("`{}` has no key `{key}`", written(&self.path))
            }
            (_, noun) => format!("{}{noun} has no option `{key}`", self.place()),
        };
        let names: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
        let near = suggest::nearest_key(key, &names);
        let hint = match near {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if names.len() <= MOST_LISTED => {
                Some(format!("the options are {}", names.join(", ")))
            }
            None => spec
                .file
                .strip_suffix(".rhai")
                .filter(|file| file.starts_with("std/"))
                .map(|recipe| format!("`virhai doc {recipe}` lists the options")),
        };
        self.path.push(Step::Key(key.to_owned()));
        self.fault(FaultKind::UnknownKey, message, hint);
        self.path.pop();
        near.map(str::to_owned)
    }

    /// The value of a key; `()` stands for one that is not given.
    fn key<T: Given>(&mut self, key: &Key, value: &T) {
        let shape = value.shape();
        if matches!(shape, Shape::Unit) {
            return;
        }
        let outside = self.secret;
        self.secret |= key.ty.is_secret();
        if self.value(&key.ty, &shape) {
            self.bounds(key, &shape);
            self.pattern(key, &shape);
        }
        self.secret = outside;
    }

    /// True if a value of the type `ty` may be `shape`; reports a fault if not.
    fn value<T: Given>(&mut self, ty: &Type, shape: &Shape<T>) -> bool {
        let outside = self.secret;
        self.secret |= may_contain_secret(ty, shape);
        let fits = self.fits(ty, shape);
        self.secret = outside;
        fits
    }

    fn fits<T: Given>(&mut self, ty: &Type, shape: &Shape<T>) -> bool {
        let types = ty.alternatives();
        if types.iter().any(|ty| accepts(ty, shape)) {
            let before = self.faults.len();
            self.within(types, shape);
            self.misspelled(types, shape);
            return self.faults.len() == before;
        }
        let Shape::Text(Some(text)) = shape else {
            self.wrong_type(ty, shape);
            return false;
        };
        // Text with the wrong content and a value of the wrong type have different messages.
        let place = written(&self.path);
        let amount = match types {
            [one] if !self.secret => one.wrong_amount(text),
            _ => None,
        };
        match amount {
            Some((why, hint)) => {
                self.fault(FaultKind::Value, format!("`{place}`: {why}"), Some(hint));
            }
            None => self.wrong_text(ty, shape, text),
        }
        false
    }

    /// The faults inside a list or a map.
    fn within<T: Given>(&mut self, types: &[Type], shape: &Shape<T>) {
        match shape {
            Shape::Array(Some(items)) => {
                let item = types.iter().find_map(|ty| match ty {
                    Type::Array(item) => Some(item),
                    _ => None,
                });
                let Some(item) = item.filter(|item| ***item != Type::Unknown) else {
                    return;
                };
                for (number, value) in items.iter().enumerate() {
                    self.path.push(Step::Item(number));
                    self.value(item, &value.shape());
                    self.path.pop();
                }
                self.duplicates(item, items);
            }
            Shape::Map(Some(entries), complete) => {
                let free = types
                    .iter()
                    .any(|ty| matches!(ty, Type::Map | Type::Unknown));
                let spec = types.iter().find_map(|ty| match ty {
                    Type::Keys(spec) if !free => Some(spec),
                    _ => None,
                });
                if let Some(spec) = spec {
                    self.map(spec, entries, *complete);
                }
            }
            _ => {}
        }
    }

    fn wrong_type<T: Given>(&mut self, ty: &Type, shape: &Shape<T>) {
        let needed = needed(ty, shape);
        let place = written(&self.path);
        let given = self.in_words(shape, false);
        let message = format!("`{place}` must be {needed}, not {given}");
        let hint = self.as_list(ty, shape);
        self.fault(FaultKind::Value, message, hint);
    }

    fn wrong_text<T: Given>(&mut self, ty: &Type, shape: &Shape<T>, text: &str) {
        let words = ty.words();
        let place = written(&self.path);
        let given = self.in_words(shape, !words.is_empty());
        let message = format!("`{place}` must be {}, not {given}", needed(ty, shape));
        let near = suggest::nearest(text, words.iter().copied());
        let hint = match near {
            Some(near) => Some(format!("did you mean {near:?}?")),
            None => self.as_list(ty, shape),
        };
        self.fault(FaultKind::Value, message, hint);
    }

    /// Text that is nearly one of the words, where other text is possible as well.
    fn misspelled<T: Given>(&mut self, types: &[Type], shape: &Shape<T>) {
        let Shape::Text(Some(text)) = shape else {
            return;
        };
        let words = types.iter().filter_map(Type::vocabulary);
        let words: Vec<&str> = words
            .flat_map(|words| words.list.iter().map(String::as_str))
            .collect();
        if self.secret || !types.contains(&Type::Text) || words.contains(&text.as_str()) {
            return;
        }
        if let Some(meant) = suggest::misspelled(text, words.into_iter()) {
            let message = format!(
                "`{}`: {} misspells {meant:?}",
                written(&self.path),
                quoted(text)
            );
            self.fault(
                FaultKind::Value,
                message,
                Some(format!("did you mean {meant:?}?")),
            );
        }
    }

    /// The hint for a single value in place of a list.
    fn as_list<T: Given>(&self, ty: &Type, shape: &Shape<T>) -> Option<String> {
        let Type::Array(item) = ty else { return None };
        if self.secret {
            return None;
        }
        let fits = item.alternatives().iter().any(|ty| accepts(ty, shape));
        let text = match shape {
            Shape::Text(Some(text)) if matches!(text.as_str(), "none" | "") => {
                return Some("write [] for none".into());
            }
            _ if !fits => return None,
            Shape::Text(Some(text)) => quoted(text),
            Shape::Int(Some(number)) => number.to_string(),
            Shape::Map(..) => "#{ ... }".into(),
            _ => return None,
        };
        Some(format!("write [{text}]"))
    }

    fn pattern<T: Given>(&mut self, key: &Key, shape: &Shape<T>) {
        let (Some(pattern), Shape::Text(Some(text))) = (&key.pattern, shape) else {
            return;
        };
        if whole(pattern).is_ok_and(|whole| !whole.is_match(text)) {
            let place = written(&self.path);
            let not = self.not_given(&quoted(text));
            let message = format!("`{place}` must match `{pattern}`{not}");
            self.fault(FaultKind::Value, message, None);
        }
    }

    fn bounds<T: Given>(&mut self, key: &Key, shape: &Shape<T>) {
        if key.min.is_none() && key.max.is_none() {
            return;
        }
        let size_unit = key.ty.alternatives().iter().find_map(|ty| match ty {
            Type::Size { unit } => Some(unit_bytes(unit)),
            _ => None,
        });
        let number = match (shape, size_unit) {
            (Shape::Int(Some(number)), Some(unit)) => *number as f64 * unit as f64,
            (Shape::Int(Some(number)), None) => *number as f64,
            (Shape::Float(Some(number)), _) => *number,
            (Shape::Text(Some(text)), _) => match key.ty.amount(text) {
                Some(amount) => amount,
                None => return,
            },
            _ => return,
        };
        let place = written(&self.path);
        let not = match shape {
            Shape::Text(Some(text)) => self.not_given(text),
            other => self.not_given(&other.in_words(false)),
        };
        // NaN is neither less nor greater than a limit.
        let few = |bound: &super::Bound| number < bound.number || number.is_nan();
        let many = |bound: &super::Bound| number > bound.number || number.is_nan();
        if let Some(bound) = key.min.as_ref().filter(|bound| few(bound)) {
            let message = format!("`{place}` must be {} or more{not}", bound.text);
            self.fault(FaultKind::Value, message, None);
        } else if let Some(bound) = key.max.as_ref().filter(|bound| many(bound)) {
            let message = format!("`{place}` must be {} or less{not}", bound.text);
            self.fault(FaultKind::Value, message, None);
        }
    }
}

/// The words for a value of the type `ty`, which replace `shape` in a message.
fn needed<T>(ty: &Type, shape: &Shape<T>) -> String {
    match (ty, shape) {
        (Type::Int, Shape::Float(_)) => "a whole number".into(),
        (Type::Int, Shape::Text(Some(text))) if is_whole_number(text) => {
            "a whole number of at most 64 bits".into()
        }
        (Type::Int, Shape::Text(Some(text))) if is_fraction(text) => "a whole number".into(),
        _ => ty.in_words(),
    }
}

fn is_fraction(text: &str) -> bool {
    text.parse::<i64>().is_err() && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// True if `text` is a number of digits only that no integer of a script can hold.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.parse::<i64>().is_err()
}

/// True if `shape` is text or a number in place of a map or a list with secrets, such as JSON with a mistake.
fn may_contain_secret<T>(ty: &Type, shape: &Shape<T>) -> bool {
    let is_json = match shape {
        Shape::Text(Some(text)) => text.trim_start().starts_with(['{', '[']),
        Shape::Int(_) | Shape::Float(_) => false,
        _ => return false,
    };
    let is_container = |ty: &Type| ty.is_map() || matches!(ty, Type::Array(_));
    ty.has_secret() && (is_json || ty.alternatives().iter().all(is_container))
}

/// True if a value of the type `ty` may be `shape`, apart from its contents.
pub(super) fn accepts<T>(ty: &Type, shape: &Shape<T>) -> bool {
    match (ty, shape) {
        (Type::Unknown, _) | (_, Shape::Unknown) => true,
        (Type::Unit, Shape::Unit)
        | (Type::Bool, Shape::Bool(_))
        | (Type::Int | Type::Float, Shape::Int(_))
        | (Type::Float, Shape::Float(_))
        | (Type::Text | Type::Path | Type::Secret | Type::NameOf(_), Shape::Text(_))
        | (Type::Char, Shape::Text(None))
        | (Type::Blob, Shape::Blob)
        | (Type::Array(_), Shape::Array(_))
        | (Type::Map | Type::MapOf(_) | Type::Keys(_), Shape::Map(..))
        | (Type::Function, Shape::Function)
        | (Type::Size { .. } | Type::Words(_) | Type::Duration | Type::Uri, Shape::Text(None)) => {
            true
        }
        (Type::Size { .. }, Shape::Int(number)) => number.is_none_or(|number| number >= 0),
        (Type::Size { unit }, Shape::Text(Some(text))) => {
            size::parse(text, unit_bytes(unit)).is_ok()
        }
        (Type::Duration, Shape::Int(number)) => number.is_none_or(|number| number >= 0),
        (Type::Duration, Shape::Float(number)) => number.is_none_or(|number| number >= 0.0),
        (Type::Duration, Shape::Text(Some(text))) => duration::parse(text).is_some(),
        (Type::Words(words), Shape::Text(Some(text))) => words.has(text),
        (Type::Uri, Shape::Text(Some(text))) => text.contains(":/"),
        (Type::Char, Shape::Text(Some(text))) => text.chars().count() == 1,
        (Type::Object(kind), Shape::Object(given)) => kind == given,
        // XML can be given as text.
        (Type::Object(kind), Shape::Text(text)) => {
            kind == "Xml"
                && text
                    .as_ref()
                    .is_none_or(|text| text.trim_start().starts_with('<'))
        }
        (Type::OneOf(types), shape) => types.iter().any(|ty| accepts(ty, shape)),
        _ => false,
    }
}
