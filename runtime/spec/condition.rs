//! Conditions between the options of one map: `needs`, `not_with` and `unique`.

use std::collections::BTreeMap;

use rhai::{Dynamic, ImmutableString, Map};

use super::{Given, Key, Literal, Shape, Spec};

/// Another option of the same map, as a condition names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Its name.
    pub key: String,
    /// The values that the condition is about; any value if empty.
    pub values: Vec<Literal>,
}

impl Other {
    /// The options that the field `field` of a declaration names: `"kernel"`, `["size", "backing"]` or
    /// `#{ type: ["unix", "tcp"] }`.
    pub(super) fn read(field: &str, literal: Option<&Literal>) -> Result<Vec<Self>, String> {
        let any = |key: &str| Self {
            key: key.to_owned(),
            values: Vec::new(),
        };
        let others = match literal {
            None => return Ok(Vec::new()),
            Some(Literal::Text(key)) => vec![any(key)],
            Some(Literal::List(keys)) => {
                let keys = keys.iter().map(|key| key.text().map(any));
                keys.collect::<Option<_>>().unwrap_or_default()
            }
            Some(Literal::Map(entries)) => {
                let entries = entries.iter().map(|(key, values)| Self {
                    key: key.clone(),
                    values: match values {
                        Literal::List(values) => values.clone(),
                        value => vec![value.clone()],
                    },
                });
                entries.collect()
            }
            Some(_) => Vec::new(),
        };
        match others.is_empty() {
            true => Err(format!(
                "`{field}` must be the name of an option, a list of names, or a map such as #{{ type: \"tcp\" }}"
            )),
            false => Ok(others),
        }
    }

    /// The reason why the option does not exist in `spec`, or cannot have one of the values.
    pub(super) fn contradiction(&self, spec: &Spec) -> Option<String> {
        let Some(key) = spec.key(&self.key) else {
            return Some(format!("there is no option `{}`", self.key));
        };
        let mut values = self.values.iter();
        let fault = values.find_map(|value| Spec::faults_of_key(key, &value).into_iter().next())?;
        Some(fault.message)
    }

    /// The option in words: `kernel`, or `type: "unix"` or `type: "tcp"`.
    fn in_words(&self) -> Vec<String> {
        match self.values.as_slice() {
            [] => vec![format!("`{}`", self.key)],
            values => {
                let values = values.iter();
                values
                    .map(|value| format!("`{}: {value}`", self.key))
                    .collect()
            }
        }
    }
}

/// The names of options in words, as a choice.
pub(super) fn choice_of(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    or(names.collect())
}

/// The options in words, as a choice.
fn choice(others: &[Other]) -> String {
    or(others.iter().flat_map(Other::in_words).collect())
}

fn or(mut words: Vec<String>) -> String {
    let last = words.pop().unwrap_or_default();
    match words.is_empty() {
        true => last,
        false => format!("{} or {last}", words.join(", ")),
    }
}

impl Key {
    /// The value of the option in `map`, which does not give it: its default, unless the map gives an option that it cannot be
    /// combined with.
    pub(super) fn default_in(&self, map: &Map) -> Dynamic {
        let default = self.default.as_ref();
        let fits = |default: &&Literal| {
            is_something(&default.shape()) != Some(true) || !self.is_excluded_in(map)
        };
        default.filter(fits).map_or(Dynamic::UNIT, Literal::value)
    }

    /// True if `map` gives an option that this one cannot be combined with.
    fn is_excluded_in(&self, map: &Map) -> bool {
        self.not_with.iter().any(|other| {
            let value = map.get(other.key.as_str()).and_then(Literal::of_value);
            value.is_some_and(|value| match other.values.is_empty() {
                true => is_something(&(&value).shape()) == Some(true),
                false => other.values.contains(&value),
            })
        })
    }

    /// Its conditions in words, such as "needs `kernel`".
    pub(super) fn conditions(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.needs.is_empty() {
            words.push(format!("needs {}", choice(&self.needs)));
        }
        if !self.not_with.is_empty() {
            words.push(format!("not with {}", choice(&self.not_with)));
        }
        if self.unique {
            words.push("unique in the list".to_owned());
        }
        words
    }
}

/// The entries of a map, with their declaration.
pub(super) struct Entries<'a, T> {
    pub spec: &'a Spec,
    pub entries: &'a [(ImmutableString, T)],
    /// True if options that are not given have no value, or their default: the map has all of its keys, and does not
    /// change something that has values for the others.
    pub complete: bool,
}

impl<T: Given> Entries<'_, T> {
    /// The message and the hint for each option whose conditions are not met.
    pub fn unmet(&self) -> Vec<(&Key, String, String)> {
        let mut unmet = Vec::new();
        for key in &self.spec.keys {
            let has_conditions = !key.needs.is_empty() || !key.not_with.is_empty();
            if !has_conditions || self.is_given(&key.name) != Some(true) {
                continue;
            }
            let name = &key.name;
            let mut excluded = key.not_with.iter();
            if let Some(words) = excluded.find_map(|other| self.met(other)) {
                let message = format!("`{name}` cannot be combined with {words}");
                unmet.push((key, message, "leave one of the two out".to_owned()));
            } else if !key.needs.is_empty() && key.needs.iter().all(|other| self.is_unmet(other)) {
                let needed = choice(&key.needs);
                let message = format!("`{name}` needs {needed}");
                unmet.push((
                    key,
                    message,
                    format!("give {needed}, or leave `{name}` out"),
                ));
            }
        }
        unmet
    }

    /// True if certainly none of the options is given of which the map needs one.
    pub fn lacks_all(&self) -> bool {
        let names = &self.spec.one_of;
        !names.is_empty() && names.iter().all(|name| self.is_given(name) == Some(false))
    }

    /// The option `other` in words if it certainly has one of the values.
    fn met(&self, other: &Other) -> Option<String> {
        if other.values.is_empty() {
            return (self.is_given(&other.key) == Some(true)).then(|| other.in_words().concat());
        }
        let mut values = other.values.iter();
        let value = values.find(|value| self.has(&other.key, value) == Some(true))?;
        Some(format!("`{}: {value}`", other.key))
    }

    /// True if the option `other` certainly has none of the values.
    fn is_unmet(&self, other: &Other) -> bool {
        match other.values.as_slice() {
            [] => self.is_given(&other.key) == Some(false) && !self.has_value_anyway(&other.key),
            values => values
                .iter()
                .all(|value| self.has(&other.key, value) == Some(false)),
        }
    }

    fn value(&self, key: &str) -> Option<Shape<T>> {
        let mut entries = self.entries.iter();
        let (_, value) = entries.find(|(name, _)| name == key)?;
        Some(value.shape()).filter(|shape| !matches!(shape, Shape::Unit))
    }

    /// True if the option counts as given when it is not: it has a default, or it is required and the check reports its
    /// absence separately.
    fn has_value_anyway(&self, key: &str) -> bool {
        let Some(key) = self.spec.key(key) else {
            return false;
        };
        let default = key.default.as_ref();
        key.required || default.is_some_and(|default| is_something(&default.shape()) == Some(true))
    }

    /// True if the option is given, and is not empty, `false` or its default; `None` if that is not known.
    fn is_given(&self, key: &str) -> Option<bool> {
        let Some(shape) = self.value(key) else {
            return self.complete.then_some(false);
        };
        let default = self.spec.key(key).and_then(|key| key.default.as_ref());
        match default.map(|default| is_equal(&shape, default)) {
            Some(Some(true)) => Some(false),
            _ => is_something(&shape),
        }
    }

    /// True if the value of the option, or its default, is `value`; `None` if that is not known.
    fn has(&self, key: &str, value: &Literal) -> Option<bool> {
        if let Some(shape) = self.value(key) {
            return is_equal(&shape, value);
        }
        let key = self.spec.key(key).filter(|key| !key.required)?;
        let default = key.default.as_ref().map(|default| default.shape());
        let is_default = default.is_some_and(|default| is_equal(&default, value) == Some(true));
        self.complete.then_some(is_default)
    }
}

/// True if a value requests something; `None` if that is not known.
fn is_something<T>(shape: &Shape<T>) -> Option<bool> {
    match shape {
        Shape::Unknown | Shape::Bool(None) | Shape::Text(None) | Shape::Array(None) => None,
        Shape::Unit => Some(false),
        Shape::Bool(Some(on)) => Some(*on),
        Shape::Text(Some(text)) => Some(!text.is_empty()),
        Shape::Array(Some(items)) => Some(!items.is_empty()),
        _ => Some(true),
    }
}

/// True if a value is `literal`; `None` if that is not known.
fn is_equal<T>(shape: &Shape<T>, literal: &Literal) -> Option<bool> {
    match (shape, literal) {
        (Shape::Unknown, _)
        | (Shape::Bool(None), Literal::Bool(_))
        | (Shape::Int(None), Literal::Int(_))
        | (Shape::Text(None), Literal::Text(_)) => None,
        (Shape::Bool(Some(value)), Literal::Bool(wanted)) => Some(value == wanted),
        (Shape::Int(Some(value)), Literal::Int(wanted)) => Some(value == wanted),
        (Shape::Text(Some(value)), Literal::Text(wanted)) => Some(value.as_str() == wanted),
        _ => Some(false),
    }
}

/// The values of unique options among the maps of one list: for each, the first item that has it.
#[derive(Default)]
pub(super) struct Taken(BTreeMap<(String, String), usize>);

impl Taken {
    /// The unique options of the map `entries`, the item `number`, whose value an earlier item has: the option, that
    /// item and the value.
    pub fn twice<'s, T: Given>(
        &mut self,
        spec: &'s Spec,
        entries: &[(ImmutableString, T)],
        number: usize,
    ) -> Vec<(&'s str, usize, String)> {
        let mut twice = Vec::new();
        for key in spec.keys.iter().filter(|key| key.unique) {
            let given = entries.iter().find(|(name, _)| *name == key.name);
            let Some(Shape::Text(Some(text))) = given.map(|(_, value)| value.shape()) else {
                continue;
            };
            let place = (key.name.clone(), text.to_lowercase());
            match self.0.get(&place) {
                Some(first) => twice.push((key.name.as_str(), *first, text.to_string())),
                None => drop(self.0.insert(place, number)),
            }
        }
        twice
    }
}
