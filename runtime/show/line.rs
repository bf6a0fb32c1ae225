//! A value in one line.

use rhai::{Array, Dynamic, Map};

use super::DateTime;
use crate::error::Error;
use crate::error::plain::text;
use crate::objects::any;
use crate::xml::Xml;

/// A value in one line.
pub fn plain(value: &Dynamic) -> String {
    if let Some(line) = any::line(value) {
        return line;
    }
    if let Some(error) = value.read_lock::<Error>() {
        return error.to_string();
    }
    if let Some(xml) = value.read_lock::<Xml>() {
        return xml.to_string().trim_end().to_owned();
    }
    if let Some(date) = value.read_lock::<DateTime>() {
        return date.to_string();
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
    text(value)
}

/// A value in one line, as a script writes it.
pub fn quoted(value: &Dynamic) -> String {
    match value.clone().into_immutable_string() {
        Ok(text) => format!("{:?}", text.as_str()),
        Err(_) if value.is_unit() => "()".into(),
        Err(_) => plain(value),
    }
}
