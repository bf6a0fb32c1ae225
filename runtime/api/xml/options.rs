//! Options written into XML, at the places that their declaration names.

use rhai::{Array, Dynamic, Map};

use super::build;
use crate::spec::{InXml, Key, Spec, Type, size};
use crate::xml::{Fault, Place, Result, Xml};

/// Writes options, and keeps the removed elements.
#[derive(Default)]
pub(super) struct Writer {
    /// The names of the options that are being written, one within the other.
    at: Vec<String>,
    /// The elements that were taken out, each with the path of its parent.
    pub removed: Vec<(String, Xml)>,
}

impl Writer {
    /// `fault`, with the option that it is about.
    pub fn explain(&self, fault: Fault) -> Fault {
        match self.at.is_empty() {
            true => fault,
            false => Fault {
                message: format!("`{}`: {}", self.at.join("."), fault.message),
                ..fault
            },
        }
    }

    /// Writes the options of `map` that have a place in XML into `target`.
    pub fn map(&mut self, target: &Xml, spec: &Spec, map: &Map) -> Result<()> {
        for key in &spec.keys {
            let value = map.get(key.name.as_str());
            let (Some(place), Some(value)) = (&key.xml, value) else {
                continue;
            };
            if value.is_unit() {
                continue;
            }
            self.at.push(key.name.clone());
            self.key(target, key, place, value)?;
            self.at.pop();
        }
        Ok(())
    }

    fn key(&mut self, target: &Xml, key: &Key, place: &InXml, value: &Dynamic) -> Result<()> {
        let Some(item) = key.ty.item() else {
            return self.one(target, &key.ty, place, value);
        };
        if let Some(list) = value.read_lock::<Array>() {
            return self.list(target, item, place, &list);
        }
        match value.as_bool() {
            Ok(false) => self.remove(target, &place.path),
            Ok(true) if target.has(&place.path)? => Ok(()),
            _ => self.list(target, item, place, std::slice::from_ref(value)),
        }
    }

    /// Writes one value of the type `ty`.
    fn one(&mut self, target: &Xml, ty: &Type, place: &InXml, value: &Dynamic) -> Result<()> {
        let path = place.path.as_str();
        if let Some(element) = element(ty, value)? {
            return self.replace(target, path, &element);
        }
        if let Ok(on) = value.as_bool() {
            let is_attribute = split_attribute(path).1.is_some();
            if is_attribute || place.written.is_some() {
                let words = place.written.as_ref();
                let (yes, no) = words.map_or(("yes", "no"), |(yes, no)| (yes, no));
                return target.set(path, if on { yes } else { no });
            }
            return match on {
                false => self.remove(target, path),
                true if target.has(path)? => Ok(()),
                true => match ty.keys() {
                    Some(spec) => self.fresh(target, path, spec, Map::new()),
                    None => target.reach(path).map(drop),
                },
            };
        }
        let Some(spec) = ty.keys() else {
            return match value.read_lock::<Map>() {
                Some(_) => {
                    let name = step_name(split(path).1);
                    self.replace(target, path, &build::document(name, value)?)
                }
                None => set(target, path, ty, value),
            };
        };
        let map = match value.read_lock::<Map>() {
            Some(map) => map.clone(),
            None => Map::from_iter([(place.short.as_str().into(), value.clone())]),
        };
        match target.has(path)? {
            true => self.map(&target.reach(path)?, spec, &map),
            false => self.fresh(target, path, spec, map),
        }
    }

    /// Makes the element at `path` with the options of `map` and the defaults of the others.
    fn fresh(&mut self, target: &Xml, path: &str, spec: &Spec, map: Map) -> Result<()> {
        let element = target.reach(path)?;
        self.map(&element, spec, &spec.filled(map))
    }

    /// Replaces the node at `path` with `element`.
    fn replace(&mut self, target: &Xml, path: &str, element: &Xml) -> Result<()> {
        let (parent, step) = split(path);
        let name = step_name(step);
        if element.name() != name {
            let message = format!("expected <{name}>, not <{}>", element.name());
            return Err(Fault::new(message));
        }
        for old in elements(target, path)? {
            if has_all(&old, element)? {
                return Ok(());
            }
        }
        self.remove(target, path)?;
        let text = element.portable_to(target)?;
        target.insert(parent, Place::In, &text).map(drop)
    }

    /// Writes the elements of a list: those that are there already stay as they are, and others go.
    fn list(&mut self, target: &Xml, ty: &Type, place: &InXml, items: &[Dynamic]) -> Result<()> {
        let (path, attribute) = split_attribute(&place.path);
        let (parent, step) = split(path);
        let in_holder = InXml {
            path: match attribute {
                Some(attribute) => format!("{step}/@{attribute}"),
                None => step.to_owned(),
            },
            ..place.clone()
        };
        let mut wanted = Vec::new();
        let mut is_plain = ty.keys().is_none();
        for item in items {
            is_plain &= !item.is_map() && element(ty, item)?.is_none();
            let holder = Xml::empty();
            let root = holder.append("holder", &[])?;
            self.one(&root, ty, &in_holder, item)?;
            wanted.extend(root.children()?);
        }
        let mut old = elements(target, path)?;
        // The order of plain values counts.
        if is_plain {
            let mut pairs = old.iter().zip(&wanted);
            let same = old.len() == wanted.len()
                && pairs.try_fold(true, |same, (old, new)| Ok(same && has_all(old, new)?))?;
            return match same {
                true => Ok(()),
                false => put_in_order(target, path, &wanted),
            };
        }
        let mut new = Vec::new();
        for element in wanted {
            let mut found = None;
            for (number, old) in old.iter().enumerate() {
                if found.is_none() && has_all(old, &element)? {
                    found = Some(number);
                }
            }
            match found {
                Some(number) => drop(old.remove(number)),
                None => new.push(element.text()),
            }
        }
        for old in old {
            self.removed.push((parent.to_owned(), old.copy()?));
            old.remove(".")?;
        }
        if !new.is_empty() {
            target.insert_all(parent, Place::In, &new, true)?;
        }
        Ok(())
    }

    fn remove(&mut self, target: &Xml, path: &str) -> Result<()> {
        for old in elements(target, path)? {
            let parent = split(path).0.to_owned();
            self.removed.push((parent, old.copy()?));
        }
        target.remove(path).map(drop)
    }
}

/// Puts `wanted` in the place of the elements at `path`.
fn put_in_order(target: &Xml, path: &str, wanted: &[Xml]) -> Result<()> {
    target.remove(path)?;
    let texts: Vec<String> = wanted.iter().map(Xml::text).collect();
    match texts.is_empty() {
        true => Ok(()),
        false => target
            .insert_all(split(path).0, Place::In, &texts, true)
            .map(drop),
    }
}

/// The elements that `path` leads to; none for the path of attributes.
fn elements(target: &Xml, path: &str) -> Result<Vec<Xml>> {
    Ok(match target.select(path)? {
        crate::xml::Selected::Elements(elements) => elements,
        crate::xml::Selected::Texts(_) => Vec::new(),
    })
}

/// The element that a value is: an `Xml`, or text of XML if the type takes one.
fn element(ty: &Type, value: &Dynamic) -> Result<Option<Xml>> {
    if let Some(element) = value.read_lock::<Xml>() {
        return element.copy().map(Some);
    }
    let takes_xml = |ty: &Type| matches!(ty, Type::Object(kind) if kind == "Xml");
    match value.clone().into_immutable_string() {
        Ok(text) if text.trim_start().starts_with('<') => {
            match ty.alternatives().iter().any(takes_xml) {
                true => Xml::parse(text.as_str()).map(Some),
                false => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Sets an attribute or the text of an element.
fn set(target: &Xml, path: &str, ty: &Type, value: &Dynamic) -> Result<()> {
    let text = build::text_of(value)?;
    let unit = ty.alternatives().iter().find_map(|ty| match ty {
        Type::Size { unit } => Some(unit.as_str()),
        _ => None,
    });
    let Some(unit) = unit.filter(|_| !ty.words().contains(&text.as_str())) else {
        return target.set(path, &text);
    };
    let one = match unit {
        "" => 1,
        unit => size::parse(&format!("1{unit}"), 1).map_err(Fault::new)?,
    };
    let bytes = size::parse(&text, one).map_err(|why| Fault::new(why).with_hint(size::HINT))?;
    if bytes % one != 0 {
        return Err(Fault::new(format!(
            "`{text}` is not a whole number of {unit}"
        )));
    }
    let number = (bytes / one).to_string();
    if split_attribute(path).1.is_some() || unit.is_empty() {
        return target.set(path, &number);
    }
    // The same size in another unit stays.
    if let Some(old) = target.find(path)? {
        let old_unit = target.find(&format!("{path}/@unit"))?.unwrap_or_default();
        if size::parse(&format!("{old}{old_unit}"), one) == Ok(bytes) {
            return Ok(());
        }
    }
    target.set(path, &number)?;
    target.set(&format!("{path}/@unit"), unit)
}

/// True if `found` contains everything in `wanted`; it may contain more.
fn has_all(found: &Xml, wanted: &Xml) -> Result<bool> {
    let differences = wanted.diff(found)?;
    Ok(differences.iter().all(|one| one.change() == "added"))
}

/// A path without its attribute, and the attribute.
fn split_attribute(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('@') {
        Some((before, name)) if !name.contains([']', '/']) => {
            let element = before.strip_suffix('/').unwrap_or(before);
            (if element.is_empty() { "." } else { element }, Some(name))
        }
        _ => (path, None),
    }
}

/// The path of the parent, and the last step.
fn split(path: &str) -> (&str, &str) {
    let mut depth = 0;
    let slash = path.char_indices().rev().find(|(_, letter)| {
        match letter {
            ']' => depth += 1,
            '[' => depth -= 1,
            _ => {}
        }
        depth == 0 && *letter == '/'
    });
    match slash {
        Some((at, _)) => (&path[..at], &path[at + 1..]),
        None => (".", path),
    }
}

/// The name of the element that a step leads to.
fn step_name(step: &str) -> &str {
    step.split('[').next().unwrap_or(step)
}
