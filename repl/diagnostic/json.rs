//! A diagnostic as data for programs.

use serde_json::{Value, json};
use virhai::{Imports, Rejected, redact};

use super::Diagnostic;
use super::place::Place;
use crate::show;

impl Diagnostic {
    /// The diagnostic for another program; columns and widths count characters.
    pub(crate) fn json(&self, imports: &Imports) -> Value {
        let trail: Vec<Value> = self
            .trail
            .iter()
            .map(|(what, at)| json!({ "what": what, "at": at.json(imports) }))
            .collect();
        let mut json = json!({
            "severity": self.severity.word(),
            "kind": self.kind,
            "code": self.code,
            "message": self.title,
            "at": self.place.as_ref().map(|place| place.json(imports)),
            "label": Some(&self.label).filter(|label| !label.is_empty()),
            "trail": trail,
            "notes": self.notes,
            "hint": self.hint,
            "libvirt": self.error.as_ref().map(show::error),
            "xml": self.rejected.as_ref().map(xml),
            "not_undone": self.not_undone,
            "thrown": self.thrown.as_ref().map(show::json),
        });
        redact::hide_in_json(&mut json);
        json
    }
}

/// The place in the XML at which a call failed.
fn xml(rejected: &Rejected) -> Value {
    let place = rejected.place();
    json!({
        "text": redact::mask(&rejected.text),
        "line": place.map(|(line, ..)| line),
        "column": place.map(|(_, column, _)| column),
        "width": place.map(|(.., width)| width),
        "element": rejected.spot.as_ref().and_then(|spot| spot.element.as_deref()),
        "label": rejected.spot.as_ref().map(|spot| spot.what.as_str()),
    })
}

impl Place {
    fn json(&self, imports: &Imports) -> Value {
        let text = imports.text(&self.file);
        let width = text.and_then(|text| {
            let (_, line, span) = self.excerpt(&text)?;
            Some(line[span].chars().count())
        });
        json!({
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "width": width,
        })
    }
}
