//! A diagnostic as text for people and as data for programs.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};
use virhai::Imports;

use super::Diagnostic;
use super::place::{Place, SHOWN, span};
use crate::show;

impl Diagnostic {
    /// The failure as text, with the lines of the script that it is about.
    pub(crate) fn render(&self, imports: &Imports, colors: bool) -> String {
        let texts: Vec<Option<String>> = self
            .places()
            .map(|(_, place)| imports.text(&place.file))
            .collect();
        let mut title = Level::ERROR.primary_title(self.title.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group = Group::with_title(title);
        for (index, ((label, place), text)) in self.places().zip(&texts).enumerate() {
            let Some(text) = text else { continue };
            let Some(span) = span(text, place.position) else {
                continue;
            };
            let kind = if index == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let mut annotation = kind.span(span);
            if !label.is_empty() {
                annotation = annotation.label(label);
            }
            let snippet = Snippet::source(text.as_str())
                .path(place.file.as_str())
                .annotation(annotation);
            group = group.element(snippet);
            if self.left_out > 0 && index == SHOWN / 2 {
                let note = format!("{} calls between these are left out", self.left_out);
                group = group.element(Level::NOTE.message(note));
            }
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let renderer = if colors {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group]).to_string()
    }

    fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        let first = self.place.as_ref().map(|place| ("", place));
        first.into_iter().chain(
            self.trail
                .iter()
                .map(|(label, place)| (label.as_str(), place)),
        )
    }

    /// The failure for another program.
    pub(crate) fn json(&self) -> Value {
        let place = |place: &Place| {
            json!({
                "file": place.file,
                "line": place.position.line(),
                "column": place.position.position(),
            })
        };
        let trail: Vec<Value> = self
            .trail
            .iter()
            .map(|(what, at)| json!({ "what": what, "at": place(at) }))
            .collect();
        json!({
            "message": self.title,
            "at": self.place.as_ref().map(place),
            "trail": trail,
            "hint": self.hint,
            "libvirt": self.error.as_ref().map(show::error),
            "thrown": self.thrown.as_ref().map(show::json),
        })
    }
}
