//! Values of a script as JSON, and back: data, libvirt's objects, and closures with what they captured.
//!
//! Data is the JSON that it looks like. Everything else is an object with the key `$`, which says what it is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::error::failure_line;
use crate::objects::any::{self, Identity};
use crate::objects::connection::Connection;
use crate::objects::connection::open::{Target, connect_to};
use crate::redact;
use crate::run::session::Session;
use crate::script::Library;
use crate::script::imports::Imports;
use crate::show::DateTime;
use crate::xml::Xml;

/// The key of what is no plain data.
const MARK: &str = "$";

/// The deepest value that is stored.
const DEEPEST: usize = 64;

/// The bytes of text of the largest value that is stored.
const LARGEST: usize = 4 * 1024 * 1024;

/// Stores values.
pub(crate) struct Store<'a> {
    imports: &'a Imports,
    room: Cell<usize>,
}

/// Why a value cannot be stored.
pub(crate) type Unstorable = String;

impl<'a> Store<'a> {
    pub(crate) fn new(imports: &'a Imports) -> Self {
        Self {
            imports,
            room: Cell::new(LARGEST),
        }
    }

    /// `value` as JSON. A secret in it becomes `{"$": "secret"}`.
    ///
    /// # Errors
    ///
    /// What cannot be stored.
    pub(crate) fn json(&self, value: &Dynamic) -> Result<Json, Unstorable> {
        self.of_value(value, 0)
    }

    /// The closure as JSON. Of what `before` says it captured, objects are taken as they were.
    pub(crate) fn closure(
        &self,
        closure: &FnPtr,
        before: Option<&Json>,
    ) -> Result<Json, Unstorable> {
        self.of_closure(closure, before, 0)
    }

    fn of_value(&self, value: &Dynamic, depth: usize) -> Result<Json, Unstorable> {
        if depth > DEEPEST {
            return Err("it nests too deep".into());
        }
        self.take(16)?;
        let deeper = depth + 1;
        if value.is_unit() {
            return Ok(Json::Null);
        }
        if let Ok(truth) = value.as_bool() {
            return Ok(truth.into());
        }
        if let Ok(number) = value.as_int() {
            return Ok(number.into());
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
                fields.insert(key.to_string(), self.of_value(value, deeper)?);
            }
            return Ok(match fields.contains_key(MARK) {
                true => json!({ MARK: "map", "fields": fields }),
                false => Json::Object(fields),
            });
        }
        if let Some(bytes) = value.read_lock::<Blob>() {
            self.take(bytes.len().saturating_mul(2))?;
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
        Err(format!("it is a `{}`", value.type_name()))
    }

    fn of_text(&self, text: &str) -> Result<Json, Unstorable> {
        self.take(text.len())?;
        let is_secret = redact::has_secret(text) || redact::without_kept(text) != text;
        Ok(match is_secret {
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
            return Err("it nests too deep".into());
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

/// Makes values of what was stored.
pub(crate) struct Revival<'a> {
    ctx: &'a NativeCallContext<'a>,
    imports: Imports,
    library: RefCell<Library>,
    connections: RefCell<HashMap<(String, bool), Connection>>,
}

impl<'a> Revival<'a> {
    /// A revival for the session of `ctx`.
    pub(crate) fn new(ctx: &'a NativeCallContext<'a>) -> Self {
        let imports = Session::of(ctx).kept::<Imports>().unwrap_or_default();
        Self {
            ctx,
            imports,
            library: RefCell::new(Library::new(ctx)),
            connections: RefCell::default(),
        }
    }

    /// The functions that the closures need which were revived.
    pub(crate) fn library(&self) -> Library {
        self.library.borrow().clone()
    }

    /// The value that was stored as `json`.
    ///
    /// # Errors
    ///
    /// Why there is no such value any more.
    pub(crate) fn value(&self, json: &Json) -> Result<Dynamic, String> {
        Ok(match json {
            Json::Null => Dynamic::UNIT,
            Json::Bool(truth) => (*truth).into(),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => number.into(),
                (None, number) => number.unwrap_or_default().into(),
            },
            Json::String(text) => text.into(),
            Json::Array(items) => {
                let items = items.iter().map(|item| self.value(item));
                Dynamic::from(items.collect::<Result<Array, _>>()?)
            }
            Json::Object(fields) => match fields.get(MARK).and_then(Json::as_str) {
                None => self.map(fields)?.into(),
                Some(mark) => self.marked(mark, json)?,
            },
        })
    }

    fn map(&self, fields: &serde_json::Map<String, Json>) -> Result<Map, String> {
        let fields = fields.iter();
        fields
            .map(|(key, value)| Ok((key.as_str().into(), self.value(value)?)))
            .collect()
    }

    fn marked(&self, mark: &str, json: &Json) -> Result<Dynamic, String> {
        let text = |key: &str| json[key].as_str().unwrap_or_default();
        let number = |key: &str| json[key].as_i64().unwrap_or_default();
        let wrong = |_| format!("the journal has a wrong value of the type `{mark}`");
        Ok(match mark {
            "float" => Dynamic::from(text("text").parse::<f64>().map_err(|_| wrong(()))?),
            "char" => Dynamic::from(text("text").chars().next().unwrap_or_default()),
            "map" => match &json["fields"] {
                Json::Object(fields) => self.map(fields)?.into(),
                _ => return Err(wrong(())),
            },
            "blob" => {
                let bytes = STANDARD.decode(text("base64"));
                Dynamic::from_blob(bytes.map_err(|_| wrong(()))?)
            }
            "Xml" => Dynamic::from(Xml::parse(text("text")).map_err(|_| wrong(()))?),
            "DateTime" => {
                let time = text("text").parse().map_err(|_| wrong(()))?;
                Dynamic::from(DateTime(time))
            }
            "range" => Dynamic::from(number("from")..number("to")),
            "range=" => Dynamic::from(number("from")..=number("to")),
            "secret" => {
                return Err("it needs a secret, which a journal does not keep".into());
            }
            "Connection" => Dynamic::from(self.connection(json)?),
            "object" => {
                let identity: Identity =
                    serde_json::from_value(json.clone()).map_err(|_| wrong(()))?;
                let connection = self.connection(&json["host"])?;
                any::remembered(&connection, &identity).ok_or_else(|| wrong(()))?
            }
            "function" => Dynamic::from(self.closure(json)?),
            _ => return Err(wrong(())),
        })
    }

    /// The closure that was stored as `json`.
    pub(crate) fn closure(&self, json: &Json) -> Result<FnPtr, String> {
        let (name, file) = (json["name"].as_str(), json["file"].as_str());
        let (Some(name), Some(file)) = (name, file) else {
            return Err("the journal does not say which function it is".into());
        };
        let captured = json["captured"].as_array().cloned().unwrap_or_default();
        let captured = captured.iter().map(|value| self.value(value));
        let captured: Vec<Dynamic> = captured.collect::<Result<_, _>>()?;
        let mut library = self.library.borrow_mut();
        let mut closure = library.function(self.ctx, &self.imports, file, name)?;
        closure.set_curry(captured);
        Ok(closure)
    }

    fn connection(&self, json: &Json) -> Result<Connection, String> {
        let uri = json["uri"].as_str().unwrap_or_default().to_owned();
        let read_only = json["read_only"].as_bool().unwrap_or_default();
        let key = (uri.clone(), read_only);
        if let Some(open) = self.connections.borrow().get(&key) {
            return Ok(open.clone());
        }
        let session = Session::of(self.ctx);
        // The run was allowed to open it.
        session.give(&uri);
        let target = Target {
            read_only,
            ..Target::new(&session, Some(&uri))
        };
        let connection = connect_to(self.ctx, target)
            .map_err(|error| failure_line::of(self.ctx.engine(), &error))?;
        self.connections
            .borrow_mut()
            .insert(key, connection.clone());
        Ok(connection)
    }
}
