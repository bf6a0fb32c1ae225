//! Values for people and for programs.

mod layout;
pub(crate) mod markup;

use std::io::IsTerminal;

use rhai::{Array, Blob, Dynamic, Map};
use serde_json::{Value, json};
use virhai::KeyOrder;
pub(crate) use virhai::objects_of::noun_and_name;
pub(crate) use virhai::show::{plain, quoted};
use virhai::{Connection, DateTime, Error, Xml, objects_of, redact};

use crate::terminal;

/// The style of text for people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// True if it may have colours.
    pub(crate) colors: bool,
    /// The number of columns, if it is known.
    pub(crate) width: Option<usize>,
    /// True if the text goes to a terminal, which must not act on control characters in a value.
    pub(crate) terminal: bool,
    /// The order in which literals write the keys of maps.
    pub(crate) order: KeyOrder,
}

impl Look {
    /// The style for the terminal of standard output, if it is one.
    pub(crate) fn of_terminal(colors: bool) -> Self {
        let size = terminal_size::terminal_size();
        Self {
            colors: colors && std::io::stdout().is_terminal(),
            width: size.map(|(terminal_size::Width(columns), _)| columns.into()),
            terminal: std::io::stdout().is_terminal(),
            order: KeyOrder::default(),
        }
    }

    /// The same with the keys of maps in that order.
    pub(crate) fn with_order(self, order: KeyOrder) -> Self {
        Self { order, ..self }
    }

    /// Text of a value as it is shown.
    fn visible(&self, text: String) -> String {
        match self.terminal {
            true => terminal::visible(&text).into_owned(),
            false => text,
        }
    }
}

/// A value as plain text for people, with the keys of maps in that order; `None` for `()`.
pub(crate) fn text(value: &Dynamic, order: KeyOrder) -> Option<String> {
    let look = Look {
        terminal: std::io::stdout().is_terminal(),
        order,
        ..Look::default()
    };
    for_people(value, &look)
}

/// A value as text for people; `None` for `()`.
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

/// The keys of an object that a person reads first.
const FIRST: [&str; 5] = ["name", "id", "state", "memory_kib", "vcpus"];

/// The facts about an object, one line for each; other values as [`for_people`] shows them.
pub(crate) fn view(value: &Dynamic, look: &Look) -> Option<String> {
    let Some(data) = objects_of::details(value) else {
        return for_people(value, look);
    };
    let order = KeyOrder::default();
    order.prefer(FIRST.into_iter().filter(|key| data.contains_key(*key)));
    order.prefer(["target", "source"].into_iter());
    order.prefer(["mac", "source"].into_iter());
    order.prefer(["mac", "source", "addresses"].into_iter());
    Some(layout::map(&data, &look.clone().with_order(order)))
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
    if let Some(data) = objects_of::data(value) {
        return json(&data.into());
    }
    if let Some(connection) = value.read_lock::<Connection>() {
        return json!({ "uri": redact::hide_uri(connection.uri()) });
    }
    if let Some(error) = value.read_lock::<Error>() {
        return self::error(&error);
    }
    if let Some(date) = value.read_lock::<DateTime>() {
        return Value::String(date.to_string());
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
