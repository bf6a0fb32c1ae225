//! Values for people and for programs.

use rhai::{Array, Blob, Dynamic, Map};
use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use virhai::kinds::{
    DomainKind, DomainSnapshotKind, InterfaceKind, NetworkKind, StoragePoolKind, StorageVolKind,
};
use virhai::{Connection, Error, Kind, Object, Xml};

/// A value as a person reads it; nothing for `()`.
pub(crate) fn text(value: &Dynamic) -> Option<String> {
    if value.is_unit() {
        return None;
    }
    if let Some(list) = value.read_lock::<Array>() {
        return Some(array(&list));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return Some(fields(&map));
    }
    Some(plain(value))
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

fn array(list: &Array) -> String {
    if list.is_empty() {
        return "[]".into();
    }
    table::<DomainKind>(list)
        .or_else(|| table::<StoragePoolKind>(list))
        .or_else(|| table::<StorageVolKind>(list))
        .or_else(|| table::<DomainSnapshotKind>(list))
        .or_else(|| table::<NetworkKind>(list))
        .or_else(|| table::<InterfaceKind>(list))
        .unwrap_or_else(|| list.iter().map(plain).collect::<Vec<_>>().join("\n"))
}

/// A list of nothing but objects of one kind.
fn table<K: Kind>(list: &Array) -> Option<String> {
    let mut rows = Builder::new();
    rows.push_record(K::COLUMNS.iter().copied());
    for value in list {
        rows.push_record(K::row(&value.clone().try_cast::<Object<K>>()?));
    }
    let mut table = rows.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    let lines: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    Some(lines.join("\n"))
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

fn fields(map: &Map) -> String {
    let width = map.keys().map(|key| key.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key:width$}  {}", plain(value)))
        .collect();
    if lines.is_empty() {
        "#{}".into()
    } else {
        lines.join("\n")
    }
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
        return json!({ "uri": connection.uri() });
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
        "object": error.object().map(|(kind, name)| json!({ "kind": kind, "name": name })),
        "state": error.state(),
        "uri": error.uri(),
        "call": error.call(),
        "hint": error.hint(),
        "lost_connection": error.lost_connection(),
    })
}
