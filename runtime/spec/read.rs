//! Reads the [`Spec`] that a constant declares.

use std::sync::Arc;

use super::consistency::contradiction;
use super::in_xml::short_key;
use super::{Bound, InXml, Key, Literal, Other, Spec, Type};
use crate::advice::suggest;
use crate::spec::size;

/// Finds the spec that a declaration calls by its name, such as `DISK` or `devices::DISK`.
pub(crate) type Resolve<'a> = &'a mut dyn FnMut(&str) -> Result<Arc<Spec>, String>;

/// The fields of a key in a declaration.
const FIELDS: [&str; 16] = [
    "type", "words", "unit", "default", "required", "min", "max", "pattern", "xml", "written",
    "short", "several", "needs", "not_with", "unique", "help",
];

/// True if `literal` declares options: each of its values is a map with a type or words.
pub(crate) fn is_spec(literal: &Literal) -> bool {
    let Literal::Map(entries) = literal else {
        return false;
    };
    let declares = |(name, value): &(String, Literal)| match value {
        Literal::Map(fields) => fields
            .iter()
            .any(|(field, _)| field == "type" || field == "words"),
        Literal::Text(_) => name == "include",
        _ => false,
    };
    !entries.is_empty() && entries.iter().any(declares)
}

/// The spec that `literal` declares, under the name `name` in the file `file`.
pub(crate) fn read(
    name: &str,
    file: &str,
    literal: &Literal,
    resolve: Resolve,
) -> Result<Spec, String> {
    let Literal::Map(entries) = literal else {
        return Err(format!("`{name}` is not a map that declares options"));
    };
    let mut keys: Vec<Key> = Vec::new();
    let mut own: Vec<&str> = Vec::new();
    let mut called = String::new();
    let mut partial = false;
    let mut one_of: Vec<String> = Vec::new();
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("called", Literal::Text(text)) => called.clone_from(text),
            ("partial", Literal::Bool(on)) => partial = *on,
            ("one_of", Literal::List(names)) => {
                let names = names.iter().map(|name| name.text().map(str::to_owned));
                let names: Option<Vec<String>> = names.collect();
                one_of = names.ok_or("`one_of` lists names of options")?;
            }
            ("one_of", Literal::Unit) => one_of.clear(),
            ("include", Literal::Text(other)) => {
                let other = resolve(other)?;
                one_of.extend_from_slice(&other.one_of);
                include(&mut keys, &own, other);
            }
            ("include", Literal::List(others)) => {
                for other in others {
                    let other = other.text().ok_or("`include` lists names of constants")?;
                    let other = resolve(other)?;
                    one_of.extend_from_slice(&other.one_of);
                    include(&mut keys, &own, other);
                }
            }
            // An option that is included is left out again.
            (_, Literal::Unit) => keys.retain(|known| known.name != *key),
            (_, Literal::Map(fields)) => {
                let declared = read_key(key, fields, file, resolve)
                    .map_err(|why| format!("the declaration of `{key}` is wrong: {why}"))?;
                put(&mut keys, declared);
                own.push(key);
            }
            _ => {
                return Err(format!(
                    "the declaration of `{key}` is wrong: it must be a map such as #{{ type: \"string\" }}"
                ));
            }
        }
    }
    let mut spec = Spec {
        called,
        name: name.to_owned(),
        file: file.to_owned(),
        keys,
        partial,
        one_of,
        ..Spec::default()
    };
    check_conditions(&mut spec, &own)?;
    Ok(spec)
}

/// Refuses conditions of the keys `own` on options that do not exist. An included key loses its conditions on options
/// that are left out.
fn check_conditions(spec: &mut Spec, own: &[&str]) -> Result<(), String> {
    for key in spec
        .keys
        .iter()
        .filter(|key| own.contains(&key.name.as_str()))
    {
        for (field, others) in [("needs", &key.needs), ("not_with", &key.not_with)] {
            if let Some(why) = others.iter().find_map(|other| other.contradiction(spec)) {
                let name = &key.name;
                return Err(format!(
                    "the declaration of `{name}` is wrong: `{field}`: {why}"
                ));
            }
        }
    }
    if let Some(name) = spec.one_of.iter().find(|name| spec.key(name).is_none()) {
        return Err(format!("`one_of`: there is no option `{name}`"));
    }
    let names: Vec<String> = spec.keys.iter().map(|key| key.name.clone()).collect();
    for key in &mut spec.keys {
        key.needs.retain(|other| names.contains(&other.key));
        key.not_with.retain(|other| names.contains(&other.key));
    }
    Ok(())
}

/// Adds the keys of `spec`, without those that the declaration has as its `own`.
fn include(keys: &mut Vec<Key>, own: &[&str], spec: Arc<Spec>) {
    for key in &spec.keys {
        if !own.contains(&key.name.as_str()) {
            put(keys, key.clone());
        }
    }
}

/// Adds a key, in the place of one that has its name.
fn put(keys: &mut Vec<Key>, key: Key) {
    match keys.iter_mut().find(|known| known.name == key.name) {
        Some(known) => *known = key,
        None => keys.push(key),
    }
}

fn read_key(
    name: &str,
    fields: &[(String, Literal)],
    file: &str,
    resolve: Resolve,
) -> Result<Key, String> {
    for (field, _) in fields {
        if !FIELDS.contains(&field.as_str()) {
            let near = suggest::nearest(field, FIELDS.into_iter());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(format!("it has no field `{field}`{near}"));
        }
    }
    let field = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value)
    };
    let text = |name: &str| match field(name) {
        None => Ok(""),
        Some(Literal::Text(text)) => Ok(text.as_str()),
        Some(other) => Err(format!("`{name}` must be text, not {other}")),
    };
    let flag = |name: &str| match field(name) {
        None => Ok(false),
        Some(Literal::Bool(value)) => Ok(*value),
        Some(other) => Err(format!("`{name}` must be true or false, not {other}")),
    };
    let words = match field("words") {
        None => None,
        Some(Literal::List(words)) => {
            let texts = words.iter().map(|word| word.text().map(str::to_owned));
            Some(
                texts
                    .collect::<Option<Vec<_>>>()
                    .ok_or("`words` must be a list of texts")?,
            )
        }
        Some(other) => return Err(format!("`words` must be a list of texts, not {other}")),
    };
    let mut reader = Types {
        words: words.clone(),
        words_used: false,
        unit: unit(text("unit")?)?,
        file,
        resolve,
    };
    let mut types = match field("type") {
        None if words.is_none() => return Err("it has neither `type` nor `words`".into()),
        None => Vec::new(),
        Some(literal) => match reader.read(literal)? {
            Type::OneOf(types) => types,
            one => vec![one],
        },
    };
    if let Some(words) = words
        && !reader.words_used
    {
        match types.as_slice() {
            // Text that is one of the words.
            [] | [Type::Text] => types = vec![Type::of_words(words)],
            _ => {
                return Err(
                    "`words` needs \"words\" in `type`, as in `type: [\"array\", \"words\"]`"
                        .into(),
                );
            }
        }
    }
    let unit = reader.unit;
    let short = text("short")?;
    let short_key = match short {
        "" => None,
        short => Some(short_key(&types, short)?),
    };
    if let Some(key) = &short_key {
        let mut all = key.ty.alternatives().to_vec();
        all.retain(|ty| !types.contains(ty));
        all.append(&mut types);
        types = all;
    }
    if flag("several")? {
        let one = match types.as_slice() {
            [one] => one.clone(),
            _ => Type::OneOf(types.clone()),
        };
        types.push(Type::Array(Box::new(one)));
    }
    let ty = match types.len() {
        1 => types.swap_remove(0),
        _ => Type::OneOf(types),
    };
    let bound = |name: &str| match field(name) {
        None => Ok(None),
        Some(literal) => bound(literal, unit, &ty)
            .map(Some)
            .ok_or_else(|| format!("`{name}` must be {}, not {literal}", limit_in_words(&ty))),
    };
    let pattern = match text("pattern")? {
        "" => None,
        pattern => {
            whole(pattern)
                .map_err(|error| format!("`pattern` is not a regular expression: {error}"))?;
            Some(pattern.to_owned())
        }
    };
    // A short form of a key has its limits.
    let min = bound("min")?.or_else(|| short_key.as_ref()?.min.clone());
    let max = bound("max")?.or_else(|| short_key.as_ref()?.max.clone());
    let key = Key {
        name: name.to_owned(),
        ty,
        default: field("default").cloned(),
        required: flag("required")?,
        min,
        max,
        xml: InXml::read(text("xml")?, field("written"), short)?,
        pattern,
        needs: Other::read("needs", field("needs"))?,
        not_with: Other::read("not_with", field("not_with"))?,
        unique: flag("unique")?,
        help: text("help")?.to_owned(),
    };
    match contradiction(&key) {
        Some(why) => Err(why),
        None => Ok(key),
    }
}

/// Reads types.
struct Types<'a, 'r> {
    words: Option<Vec<String>>,
    words_used: bool,
    unit: &'a str,
    file: &'a str,
    resolve: Resolve<'r>,
}

impl Types<'_, '_> {
    fn read(&mut self, literal: &Literal) -> Result<Type, String> {
        match literal {
            Literal::Text(name) => self.named(name),
            // Written where it is needed.
            Literal::Map(_) => {
                read("", self.file, literal, self.resolve).map(|spec| Type::Keys(Arc::new(spec)))
            }
            Literal::List(items) => match items.split_first() {
                Some((Literal::Text(first), items)) if first == "array" => {
                    let item = match items {
                        [] => Type::Unknown,
                        items => self.one_of(items)?,
                    };
                    Ok(Type::Array(Box::new(item)))
                }
                _ => self.one_of(items),
            },
            Literal::Unit => Ok(Type::Unit),
            other => Err(format!(
                "`type` must be the name of a type, a list of them, or a map of keys, not {other}"
            )),
        }
    }

    fn one_of(&mut self, items: &[Literal]) -> Result<Type, String> {
        let mut types = Vec::new();
        for item in items {
            match self.read(item)? {
                Type::OneOf(more) => types.extend(more),
                one => types.push(one),
            }
        }
        Ok(match types.len() {
            1 => types.swap_remove(0),
            _ => Type::OneOf(types),
        })
    }

    fn named(&mut self, name: &str) -> Result<Type, String> {
        if name == "words" {
            self.words_used = true;
            return match &self.words {
                Some(words) => Ok(Type::of_words(words.clone())),
                None => Err("the type \"words\" needs `words`".into()),
            };
        }
        if let Some(ty) = Type::named(name, self.unit) {
            return Ok(ty);
        }
        let last = name.rsplit("::").next().unwrap_or(name);
        if last.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            return (self.resolve)(name).map(Type::Keys);
        }
        let near = suggest::nearest(name, Type::NAMES.into_iter());
        let near = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        Err(format!("the type \"{name}\" does not exist{near}"))
    }
}

/// The regular expression that matches a text if all of it matches `pattern`.
pub(super) fn whole(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

fn bound(literal: &Literal, unit: &str, ty: &Type) -> Option<Bound> {
    let number = match literal {
        Literal::Int(number) => *number as f64 * unit_bytes(unit) as f64,
        Literal::Float(number) => *number,
        Literal::Text(text) => ty.amount(text)?,
        _ => return None,
    };
    let text = match literal {
        Literal::Text(text) => text.clone(),
        other => other.to_string(),
    };
    Some(Bound { number, text })
}

/// A limit of values of the type `ty`, in words for messages.
fn limit_in_words(ty: &Type) -> String {
    let amount = |ty: &&Type| matches!(ty, Type::Size { .. } | Type::Duration);
    match ty.alternatives().iter().find(amount) {
        Some(amount) => amount.in_words(),
        None => Type::Int.in_words(),
    }
}

/// `unit`, if sizes know it.
fn unit(unit: &str) -> Result<&str, String> {
    match unit.is_empty() || size::parse(&format!("1{unit}"), 1).is_ok() {
        true => Ok(unit),
        false => Err(format!(
            "`unit` is \"{unit}\", which is not a unit of sizes; {}",
            size::HINT
        )),
    }
}

/// The bytes of the unit `unit`.
pub(super) fn unit_bytes(unit: &str) -> u64 {
    match unit {
        "" => 1,
        unit => size::parse(&format!("1{unit}"), 1).unwrap_or(1),
    }
}
