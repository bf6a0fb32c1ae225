//! Values of a script as JSON, and back: data, libvirt's objects, and closures with their captured
//! values.
//!
//! Data becomes plain JSON. Every other value becomes an object with the key `$`, which names its
//! kind.

mod revival;

use std::cell::Cell;
use std::ops::{Range, RangeInclusive};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::error::plain::type_name;
use crate::objects::any;
use crate::objects::connection::Connection;
use crate::redact;
use crate::script::imports::Imports;
use crate::show::DateTime;
use crate::xml::Xml;
pub(crate) use revival::Revival;

/// The key that marks values other than plain data.
const MARK: &str = "$";

/// The files of the functions in `json`.
pub(crate) fn functions(json: &Json) -> Vec<&str> {
    match json {
        Json::Array(items) => items.iter().flat_map(functions).collect(),
        Json::Object(fields) => {
            let is_function = json[MARK] == "function";
            let own = json["file"].as_str().filter(|_| is_function);
            own.into_iter()
                .chain(fields.values().flat_map(functions))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The deepest value that is stored.
const DEEPEST: usize = 64;

/// The bytes of text of the largest value that is stored.
const LARGEST: usize = 4 * 1024 * 1024;

/// Stores values.
pub(crate) struct Store<'a> {
    imports: &'a Imports,
    /// The name that Rust has for the type of undo lists.
    undo_list: &'static str,
    room: Cell<usize>,
}

/// The reason why a value cannot be stored.
pub(crate) type Unstorable = String;

impl<'a> Store<'a> {
    /// A store of values; `undo_list` is the name that Rust has for the type of undo lists.
    pub(crate) fn new(imports: &'a Imports, undo_list: &'static str) -> Self {
        Self {
            imports,
            undo_list,
            room: Cell::new(LARGEST),
        }
    }

    /// `value` as JSON. A secret in it becomes `{"$": "secret"}`.
    ///
    /// # Errors
    ///
    /// The reason why a value cannot be stored.
    pub(crate) fn json(&self, value: &Dynamic) -> Result<Json, Unstorable> {
        self.of_value(value, 0)
    }

    /// The closure as JSON. Captured objects, and values that another thread uses, are copied from
    /// `before`, its earlier JSON.
    pub(crate) fn closure(
        &self,
        closure: &FnPtr,
        before: Option<&Json>,
    ) -> Result<Json, Unstorable> {
        self.of_closure(closure, before, 0)
    }

    fn of_value(&self, value: &Dynamic, depth: usize) -> Result<Json, Unstorable> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        self.take(16)?;
        let deeper = depth + 1;
        // A method works on it, or another thread.
        if value.is_shared() && value.is_locked() {
            return Ok(json!({ MARK: "in use" }));
        }
        if value.is_unit() {
            return Ok(Json::Null);
        }
        if let Ok(truth) = value.as_bool() {
            return Ok(truth.into());
        }
        if let Ok(number) = value.as_int() {
            return Ok(match redact::is_kept(&number.to_string()) {
                true => json!({ MARK: "secret" }),
                false => number.into(),
            });
        }
        if let Ok(number) = value.as_float() {
            return Ok(match number.is_finite() {
                true => number.into(),
                false => json!({ MARK: "float", "text": number.to_string() }),
            });
        }
        if let Ok(letter) = value.as_char() {
            return Ok(json!({ MARK: "char", "text": letter }));
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return self.of_text(&text);
        }
        if let Some(items) = value.read_lock::<Array>() {
            let items = items.iter().map(|item| self.of_value(item, deeper));
            return Ok(Json::Array(items.collect::<Result<_, _>>()?));
        }
        if let Some(map) = value.read_lock::<Map>() {
            let mut fields = serde_json::Map::new();
            for (key, value) in map.iter() {
                self.take(key.len())?;
                if redact::is_kept(key) {
                    return Ok(json!({ MARK: "secret" }));
                }
                fields.insert(key.to_string(), self.of_value(value, deeper)?);
            }
            return Ok(match fields.contains_key(MARK) {
                true => json!({ MARK: "map", "fields": fields }),
                false => Json::Object(fields),
            });
        }
        if let Some(bytes) = value.read_lock::<Blob>() {
            self.take(bytes.len().saturating_mul(2))?;
            if redact::has_secret(&String::from_utf8_lossy(&bytes)) {
                return Ok(json!({ MARK: "secret" }));
            }
            return Ok(json!({ MARK: "blob", "base64": STANDARD.encode(&*bytes) }));
        }
        if let Some(closure) = value.read_lock::<FnPtr>() {
            return self.of_closure(&closure, None, deeper);
        }
        if let Some(xml) = value.read_lock::<Xml>() {
            let text = xml.to_string();
            let stored = self.of_text(&text)?;
            return Ok(match stored.is_string() {
                true => json!({ MARK: "Xml", "text": stored }),
                false => stored,
            });
        }
        if let Some(time) = value.read_lock::<DateTime>() {
            return Ok(json!({ MARK: "DateTime", "text": time.0.to_string() }));
        }
        if let Some(range) = value.read_lock::<Range<i64>>() {
            return Ok(json!({ MARK: "range", "from": range.start, "to": range.end }));
        }
        if let Some(range) = value.read_lock::<RangeInclusive<i64>>() {
            return Ok(json!({ MARK: "range=", "from": range.start(), "to": range.end() }));
        }
        if let Some(connection) = value.read_lock::<Connection>() {
            return Ok(of_connection(&connection));
        }
        if let Some(error) = value.read_lock::<Error>() {
            return self.of_text(&error.to_string());
        }
        if let (Some(identity), Some(connection)) = (any::identity(value), any::connection(value)) {
            return Ok(json!({
                MARK: "object", "kind": identity.kind, "name": identity.name,
                "facts": identity.facts, "host": of_connection(&connection),
            }));
        }
        if value.type_name() == self.undo_list {
            return Ok(json!({ MARK: "Undo" }));
        }
        Err(format!("it is a `{}`", type_name(value)))
    }

    fn of_text(&self, text: &str) -> Result<Json, Unstorable> {
        self.take(text.len())?;
        Ok(match redact::has_secret(text) {
            true => json!({ MARK: "secret" }),
            false => text.into(),
        })
    }

    fn of_closure(
        &self,
        closure: &FnPtr,
        before: Option<&Json>,
        depth: usize,
    ) -> Result<Json, Unstorable> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let (name, file) = self.imports.written(closure.fn_name());
        let known = before.and_then(|before| before["captured"].as_array());
        let captured = closure.curry().iter().enumerate().map(|(place, value)| {
            let known = known.and_then(|known| known.get(place));
            match known {
                // A call on an object locks the variable that holds it.
                Some(known) if is_object(known) => Ok(known.clone()),
                // Another thread works with it.
                Some(known) if value.is_locked() => Ok(known.clone()),
                _ => self.of_value(value, depth + 1),
            }
        });
        let captured: Vec<Json> = captured.collect::<Result<_, _>>()?;
        Ok(json!({ MARK: "function", "name": name, "file": file, "captured": captured }))
    }

    fn take(&self, bytes: usize) -> Result<(), Unstorable> {
        let left = self.room.get().checked_sub(bytes);
        self.room
            .set(left.ok_or_else(|| "it is too large".to_owned())?);
        Ok(())
    }
}

fn is_object(json: &Json) -> bool {
    let mark = json.get(MARK).and_then(Json::as_str);
    mark.is_some_and(|mark| ["object", "Connection"].contains(&mark))
}

fn of_connection(connection: &Connection) -> Json {
    json!({
        MARK: "Connection", "uri": redact::hide_uri(connection.uri()), "read_only": connection.is_read_only(),
    })
}
