//! Makes values from stored JSON.

use std::cell::RefCell;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext};
use serde_json::Value as Json;

use super::MARK;
use crate::error::failure_line;
use crate::objects::any::{self, Identity};
use crate::objects::connection::Connection;
use crate::objects::connection::open::{Target, connect_to};
use crate::run::session::Session;
use crate::script::Library;
use crate::script::imports::Imports;
use crate::show::DateTime;
use crate::xml::Xml;

/// Makes values from stored JSON.
pub(crate) struct Revival<'a> {
    ctx: &'a NativeCallContext<'a>,
    imports: Imports,
    library: RefCell<Library>,
    connections: RefCell<HashMap<(String, bool), Connection>>,
    undo_list: fn() -> Dynamic,
}

impl<'a> Revival<'a> {
    /// A revival for the session of `ctx`; `undo_list` makes an empty undo list.
    pub(crate) fn new(ctx: &'a NativeCallContext<'a>, undo_list: fn() -> Dynamic) -> Self {
        let imports = Session::of(ctx).kept::<Imports>().unwrap_or_default();
        Self {
            ctx,
            imports,
            library: RefCell::new(Library::new(ctx)),
            connections: RefCell::default(),
            undo_list,
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
    /// The reason why the value cannot be restored.
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
            "Undo" => (self.undo_list)(),
            "in use" => {
                return Err("a call was using a value that it needs when virhai ended".into());
            }
            "secret" => {
                return Err("it needs a secret, and a journal contains no secrets".into());
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
        let mut target = Target::new(&session, Some(&uri));
        target.read_only |= read_only;
        let connection = connect_to(self.ctx, target)
            .map_err(|error| failure_line::line(self.ctx.engine(), &error))?;
        self.connections
            .borrow_mut()
            .insert(key, connection.clone());
        Ok(connection)
    }
}
