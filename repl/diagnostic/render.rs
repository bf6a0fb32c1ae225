//! A diagnostic as text for people.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use virhai::Imports;

use super::place::{Place, SHOWN};
use super::{Diagnostic, Severity};

impl Diagnostic {
    /// The diagnostic as text, with the lines of the script that it is about.
    pub(crate) fn render(&self, imports: &Imports, colors: bool) -> String {
        let texts: Vec<Option<String>> = self
            .places()
            .map(|(_, place)| imports.text(&place.file))
            .collect();
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(self.title.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group = Group::with_title(title);
        for (index, ((label, place), text)) in self.places().zip(&texts).enumerate() {
            let Some(text) = text else { continue };
            let Some(span) = place.span(text) else {
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
        if let Some(rejected) = &self.rejected
            && let Some(spot) = &rejected.spot
        {
            let mut annotation = AnnotationKind::Context.span(spot.bytes.clone());
            if !self.title.ends_with(&spot.what) {
                annotation = annotation.label(spot.what.as_str());
            }
            let snippet = Snippet::source(&*rejected.text)
                .path("XML")
                .annotation(annotation);
            group = group.element(snippet);
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
        let first = self
            .place
            .as_ref()
            .map(|place| (self.label.as_str(), place));
        first.into_iter().chain(
            self.trail
                .iter()
                .map(|(label, place)| (label.as_str(), place)),
        )
    }
}
