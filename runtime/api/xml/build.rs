//! XML from a map.

use rhai::{Array, Dynamic, Map};

use crate::advice::suggest;
use crate::error::plain::type_name;
use crate::xml::{self, Fault, MAX_DEPTH, Place, Xml};

/// The text of an element that has attributes too.
const TEXT: &str = "#text";
/// Elements in an order of the script's own.
const CHILDREN: &str = "#children";

/// The document with the one element `name` that `value` makes.
pub(super) fn document(name: &str, value: &Dynamic) -> xml::Result<Xml> {
    if let Some(xml) = value.read_lock::<Xml>() {
        check_name_of(name, &xml)?;
        return xml.copy();
    }
    if value
        .read_lock::<Array>()
        .is_some_and(|list| list.len() > 1)
    {
        let fault = Fault::new("a list makes several elements, but a document has only one");
        let hint = format!("name the elements in it: xml({name:?}, #{{ item: [...] }})");
        return Err(at(name, fault).with_hint(hint));
    }
    let document = Xml::empty();
    add(&document, "", name, value, 0)?;
    if document.name().is_empty() {
        let fault = at(
            name,
            Fault::new("a value of this type cannot be an element"),
        );
        return Err(fault.with_hint("`true` makes an empty one"));
    }
    // The document as one text, whatever parts it was made of.
    Xml::parse(document.text())
}

/// The elements of the name that `map` has as its only key: one, or one for each value of an array.
///
/// Their prefixes may be declared where they are going to stand.
pub(super) fn elements(map: &Map) -> xml::Result<Vec<String>> {
    let mut keys = map.iter();
    match (keys.next(), keys.next()) {
        (Some((name, value)), None) => {
            let holder = Xml::empty();
            holder.append("elements", &[])?;
            add(&holder, "", name, value, 0)?;
            let made = holder.children()?;
            if made.is_empty() {
                let fault = at(
                    name,
                    Fault::new("a value of this type cannot be an element"),
                );
                return Err(fault.with_hint("`true` makes an empty one"));
            }
            Ok(made.iter().map(Xml::text).collect())
        }
        _ => {
            let wrong = format!("expected one element, but the map has {} keys", map.len());
            Err(Fault::new(wrong)
                .with_hint("the element's name is the only key, as in #{ disk: #{ ... } }"))
        }
    }
}

/// `value` as the text of an attribute or an element.
pub(super) fn text_of(value: &Dynamic) -> xml::Result<String> {
    if value.is_string() || value.is_int() || value.is_char() || value.is_float() {
        return Ok(value.to_string());
    }
    let kind = type_name(value);
    let fault = Fault::new(format!("expected text or a number, not {kind}"));
    Err(if value.is_bool() {
        fault.with_hint(
            "libvirt writes \"yes\" and \"no\" in some places, \"on\" and \"off\" in others",
        )
    } else {
        fault
    })
}

/// Adds the element `name` with the content `value` to `parent`, at the depth `depth`.
fn add(parent: &Xml, within: &str, name: &str, value: &Dynamic, depth: usize) -> xml::Result<()> {
    let path = if within.is_empty() {
        name.to_owned()
    } else {
        format!("{within}/{name}")
    };
    if depth >= MAX_DEPTH {
        return Err(Fault::new(format!(
            "elements would nest deeper than {MAX_DEPTH} levels"
        )));
    }
    if value.is_unit() || value.as_bool() == Ok(false) {
        return Ok(());
    }
    if let Some(list) = value.read_lock::<Array>() {
        for value in list.iter() {
            if value.is_array() {
                return Err(at(&path, Fault::new("an array contains an array")));
            }
            add(parent, within, name, value, depth)?;
        }
        return Ok(());
    }
    if let Some(xml) = value.read_lock::<Xml>() {
        check_name_of(name, &xml).map_err(|fault| at(&path, fault))?;
        return put(parent, &xml);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let attributes = attributes(&path, &map)?;
        let attributes: Vec<(&str, &str)> = attributes
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let element = parent
            .append(name, &attributes)
            .map_err(|fault| at(&path, fault))?;
        return fill(&element, &path, &map, depth + 1);
    }
    let text = match value.is_bool() {
        true => String::new(),
        false => text_of(value).map_err(|fault| at(&path, fault))?,
    };
    let element = parent.append(name, &[]).map_err(|fault| at(&path, fault))?;
    element.set(".", &text).map_err(|fault| at(&path, fault))
}

/// Adds the entries of `map`, except attributes, to `element`, at the depth `depth`.
fn fill(element: &Xml, path: &str, map: &Map, depth: usize) -> xml::Result<()> {
    if let Some(text) = map.get(TEXT).filter(|text| !text.is_unit()) {
        let text = text_of(text).and_then(|text| element.set(".", &text));
        text.map_err(|fault| at(&format!("{path}/{TEXT}"), fault))?;
    }
    if let Some(children) = map.get(CHILDREN).filter(|list| !list.is_unit()) {
        add_all(element, path, children, depth)?;
    }
    for (name, value) in map {
        if !name.starts_with(['@', '#']) {
            add(element, path, name, value, depth)?;
        }
    }
    Ok(())
}

/// Adds the elements of a list, each a map or an `Xml`.
fn add_all(element: &Xml, path: &str, children: &Dynamic, depth: usize) -> xml::Result<()> {
    let wrong = || {
        at(
            &format!("{path}/{CHILDREN}"),
            Fault::new("expected an array of maps"),
        )
    };
    let children = children.read_lock::<Array>().ok_or_else(wrong)?;
    for child in children.iter() {
        if let Some(xml) = child.read_lock::<Xml>() {
            put(element, &xml)?;
        } else if let Some(map) = child.read_lock::<Map>() {
            for (name, value) in map.iter() {
                add(element, path, name, value, depth)?;
            }
        } else if !child.is_unit() {
            return Err(wrong());
        }
    }
    Ok(())
}

fn put(parent: &Xml, xml: &Xml) -> xml::Result<()> {
    let text = xml.portable_to(parent)?;
    parent.insert(".", Place::In, &text).map(drop)
}

/// The attributes that `map` gives the element at `path`.
fn attributes<'a>(path: &str, map: &'a Map) -> xml::Result<Vec<(&'a str, String)>> {
    let mut attributes = Vec::new();
    for (key, value) in map {
        let path = format!("{path}/{key}");
        if let Some(name) = key.strip_prefix('@') {
            if value.is_unit() {
                continue;
            }
            xml::check_name(name).map_err(|fault| at(&path, fault))?;
            let value = text_of(value).and_then(|text| xml::check_text(&text).map(|()| text));
            attributes.push((name, value.map_err(|fault| at(&path, fault))?));
        } else if key.starts_with('#') && key != TEXT && key != CHILDREN {
            let fault = at(&path, Fault::new(format!("there is no key `{key}`")));
            let near = suggest::nearest(key, [TEXT, CHILDREN].into_iter()).unwrap_or(CHILDREN);
            return Err(fault.with_hint(format!("did you mean `{near}`?")));
        }
    }
    Ok(attributes)
}

fn check_name_of(name: &str, xml: &Xml) -> xml::Result<()> {
    let own = xml.name();
    if own == name {
        return Ok(());
    }
    Err(
        Fault::new(format!("the key is `{name}`, and the Xml is a `{own}`")).with_hint(format!(
            "an Xml is inserted unchanged: give it the key `{own}`, or put it in {CHILDREN}"
        )),
    )
}

/// `fault`, with the place `path` in the map.
fn at(path: &str, fault: Fault) -> Fault {
    Fault {
        message: format!("{path}: {}", fault.message),
        ..fault
    }
}
