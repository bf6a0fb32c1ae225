//! Values for people and for programs.

use rhai::{Array, Blob, Dynamic, Map};
use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use virhai::{Connection, Domain, Error, Interface, Network, Xml};

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
    if let Some(domain) = value.read_lock::<Domain>() {
        return domain.to_string();
    }
    if let Some(network) = value.read_lock::<Network>() {
        return network.to_string();
    }
    if let Some(interface) = value.read_lock::<Interface>() {
        return interface.to_string();
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
    if let Some(domains) = all_of::<Domain>(list) {
        let head = ["Id", "Name", "State", "Memory", "Vcpus"];
        return table(head, domains.iter().map(Domain::row));
    }
    if let Some(networks) = all_of::<Network>(list) {
        let head = ["Name", "State", "Autostart", "Persistent", "Bridge"];
        return table(head, networks.iter().map(Network::row));
    }
    if let Some(interfaces) = all_of::<Interface>(list) {
        let head = ["Name", "State", "MAC address"];
        return table(head, interfaces.iter().map(Interface::row));
    }
    list.iter().map(plain).collect::<Vec<_>>().join("\n")
}

/// The values of `list`, where each is a `T`.
fn all_of<T: Clone + 'static>(list: &Array) -> Option<Vec<T>> {
    list.iter()
        .map(|value| value.clone().try_cast::<T>())
        .collect()
}

fn table<const WIDTH: usize>(
    head: [&str; WIDTH],
    rows: impl Iterator<Item = [String; WIDTH]>,
) -> String {
    let mut builder = Builder::new();
    builder.push_record(head);
    rows.for_each(|row| builder.push_record(row));
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table
        .to_string()
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
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
    if let Some(domain) = value.read_lock::<Domain>() {
        return json!({ "name": domain.name(), "uuid": domain.uuid() });
    }
    if let Some(network) = value.read_lock::<Network>() {
        return json!({ "name": network.name(), "uuid": network.uuid() });
    }
    if let Some(interface) = value.read_lock::<Interface>() {
        return json!({ "name": interface.name() });
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
        "uri": error.uri(),
        "call": error.call(),
        "hint": error.hint(),
        "lost_connection": error.lost_connection(),
    })
}
