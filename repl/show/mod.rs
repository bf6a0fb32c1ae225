//! Values for people and for programs.

mod layout;
pub(crate) mod markup;
mod table;
mod units;

use std::io::IsTerminal;

use rhai::{Array, Blob, Dynamic, Map};
use serde_json::{Value, json};
use virhai::kinds::{
    DomainKind, DomainSnapshotKind, InterfaceKind, NetworkKind, StoragePoolKind, StorageVolKind,
};
use virhai::{Connection, Error, Kind, Object, Xml, redact};

use crate::terminal;
pub(crate) use table::drawn;

/// How text is written for people.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// Whether it may have colours.
    pub(crate) colors: bool,
    /// How many columns there are, where that is known.
    pub(crate) width: Option<usize>,
    /// Whether it goes to a terminal, which must not act on what is in a value.
    pub(crate) terminal: bool,
}

impl Look {
    /// That of the terminal which standard output is, if it is one.
    pub(crate) fn of_terminal(colors: bool) -> Self {
        let size = terminal_size::terminal_size();
        Self {
            colors: colors && std::io::stdout().is_terminal(),
            width: size.map(|(terminal_size::Width(columns), _)| columns.into()),
            terminal: std::io::stdout().is_terminal(),
        }
    }

    /// Text of a value as it is shown.
    fn visible(&self, text: String) -> String {
        match self.terminal {
            true => terminal::visible(&text).into_owned(),
            false => text,
        }
    }
}

/// A value as plain text for people; nothing for `()`.
pub(crate) fn text(value: &Dynamic) -> Option<String> {
    let look = Look {
        terminal: std::io::stdout().is_terminal(),
        ..Look::default()
    };
    for_people(value, &look)
}

/// A value as people read it; nothing for `()`.
pub(crate) fn for_people(value: &Dynamic, look: &Look) -> Option<String> {
    if value.is_unit() {
        return None;
    }
    if let Some(list) = value.read_lock::<Array>() {
        return Some(layout::array(&list, look));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return Some(layout::map(&map, look));
    }
    let text = plain(value);
    Some(match look.colors && markup::is_xml(&text) {
        true => markup::colored(&text),
        false => look.visible(text),
    })
}

/// A value in one line.
fn plain(value: &Dynamic) -> String {
    if let Some((text, _)) = any_object(value) {
        return text;
    }
    if let Some(connection) = value.read_lock::<Connection>() {
        return connection.to_string();
    }
    if let Some(error) = value.read_lock::<Error>() {
        return error.to_string();
    }
    if let Some(xml) = value.read_lock::<Xml>() {
        return xml.to_string().trim_end().to_owned();
    }
    if let Some(list) = value.read_lock::<Array>() {
        return format!(
            "[{}]",
            list.iter().map(quoted).collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(map) = value.read_lock::<Map>() {
        let fields: Vec<String> = map
            .iter()
            .map(|(key, value)| format!("{key}: {}", quoted(value)))
            .collect();
        return format!("#{{{}}}", fields.join(", "));
    }
    value.to_string()
}

/// A value in one line, as a script writes it.
pub(crate) fn quoted(value: &Dynamic) -> String {
    match value.clone().into_immutable_string() {
        Ok(text) => format!("{:?}", text.as_str()),
        Err(_) if value.is_unit() => "()".into(),
        Err(_) => plain(value),
    }
}

/// An object in one line, and as data.
fn object<K: Kind>(value: &Dynamic) -> Option<(String, Value)> {
    let object = value.read_lock::<Object<K>>()?;
    let name = ("name", object.name());
    let fields = std::iter::once(name).chain(K::identity(&object));
    let data = fields.map(|(field, text)| (field.to_owned(), Value::String(text)));
    Some((object.to_string(), Value::Object(data.collect())))
}

fn any_object(value: &Dynamic) -> Option<(String, Value)> {
    object::<DomainKind>(value)
        .or_else(|| object::<StoragePoolKind>(value))
        .or_else(|| object::<StorageVolKind>(value))
        .or_else(|| object::<DomainSnapshotKind>(value))
        .or_else(|| object::<NetworkKind>(value))
        .or_else(|| object::<InterfaceKind>(value))
}

/// What messages call an object, and its name.
pub(crate) fn noun_and_name(value: &Dynamic) -> Option<(&'static str, String)> {
    fn of<K: Kind>(value: &Dynamic) -> Option<(&'static str, String)> {
        let object = value.read_lock::<Object<K>>()?;
        Some((K::NOUN, object.name()))
    }
    of::<DomainKind>(value)
        .or_else(|| of::<StoragePoolKind>(value))
        .or_else(|| of::<StorageVolKind>(value))
        .or_else(|| of::<DomainSnapshotKind>(value))
        .or_else(|| of::<NetworkKind>(value))
        .or_else(|| of::<InterfaceKind>(value))
}

/// A value for another program.
pub(crate) fn json(value: &Dynamic) -> Value {
    if value.is_unit() {
        return Value::Null;
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().map(json).collect();
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return bytes.iter().copied().collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return Value::Object(
            map.iter()
                .map(|(key, value)| (key.to_string(), json(value)))
                .collect(),
        );
    }
    if let Some((_, data)) = any_object(value) {
        return data;
    }
    if let Some(connection) = value.read_lock::<Connection>() {
        return json!({ "uri": redact::hide_uri(connection.uri()) });
    }
    if let Some(error) = value.read_lock::<Error>() {
        return self::error(&error);
    }
    if let Some(xml) = value.read_lock::<Xml>() {
        return Value::String(xml.to_string());
    }
    rhai::serde::from_dynamic::<Value>(value).unwrap_or_else(|_| Value::String(value.to_string()))
}

/// An error for another program.
pub(crate) fn error(error: &Error) -> Value {
    json!({
        "code": error.code(),
        "number": error.number(),
        "domain": error.domain(),
        "message": error.message(),
        "action": error.action(),
        "object": error.subject().map(|object| json!({ "kind": object.kind, "name": object.name })),
        "state": error.state(),
        "uri": error.uri(),
        "call": error.call(),
        "hint": error.hint(),
        "lost_connection": error.lost_connection(),
    })
}
