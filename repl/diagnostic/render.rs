//! A diagnostic as text for people.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use virhai::check::Severity;
use virhai::{Imports, redact};

use super::Diagnostic;
use super::place::{Place, SHOWN};
use crate::terminal;

/// The maximum number of shown characters of a text.
const LONGEST_TEXT: usize = 10_000;

/// The longest line that is shown as an excerpt; for a longer line only the position is shown.
const LONGEST_LINE: usize = 10_000;

impl Diagnostic {
    /// The diagnostic as text, with the lines of the script that it is about.
    pub(crate) fn render(&self, imports: &Imports, colors: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(prose(&self.title));
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group = Group::with_title(title);
        for (index, (label, place)) in self.places().enumerate() {
            let Some(text) = imports.text(&place.file) else {
                continue;
            };
            let Some((number, line, span)) = place.excerpt(&text) else {
                continue;
            };
            let path = terminal::visible_line(&place.file).into_owned();
            if line.len() > LONGEST_LINE {
                let column = line[..span.start].chars().count() + 1;
                group = group.element(Origin::path(path).line(number).char_column(column));
            } else {
                let kind = if index == 0 {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                let (line, span) = shown(line, &span);
                let mut annotation = kind.span(span);
                if !label.is_empty() {
                    annotation = annotation.label(prose(label));
                }
                let snippet = Snippet::source(line)
                    .line_start(number)
                    .path(path)
                    .annotation(annotation);
                group = group.element(snippet);
            }
            if self.left_out > 0 && index == SHOWN / 2 {
                let note = format!("{} calls in between are not shown", self.left_out);
                group = group.element(Level::NOTE.message(note));
            }
        }
        if let Some(rejected) = &self.rejected
            && let Some(spot) = &rejected.spot
        {
            let (text, span) = shown(&rejected.text, &spot.bytes);
            let mut annotation = AnnotationKind::Context.span(span);
            if !self.title.ends_with(&spot.what) {
                annotation = annotation.label(prose(&spot.what));
            }
            let snippet = Snippet::source(text).path("XML").annotation(annotation);
            group = group.element(snippet);
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(prose(note)));
        }
        if let Some(place) = &self.place
            && self.leaves_out(place)
        {
            let line = place.line.map(|line| format!(":{line}"));
            let from = format!("thrown by {}{}", place.file, line.unwrap_or_default());
            group = group.element(Level::NOTE.message(from));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(prose(hint)));
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
        let trail = self.trail.iter();
        let all = first
            .into_iter()
            .chain(trail.map(|(label, place)| (label.as_str(), place)));
        let shown = all.filter(|(_, place)| !self.leaves_out(place));
        shown.enumerate().map(|(index, (label, place))| {
            let is_call = index == 0
                && self
                    .place
                    .as_ref()
                    .is_some_and(|first| self.leaves_out(first));
            (if is_call { "" } else { label }, place)
        })
    }

    /// True if `place` is not shown: a place in a recipe of virhai's, in an error that the recipe threw for its caller.
    fn leaves_out(&self, place: &Place) -> bool {
        let is_for_caller = self.error.is_some() || self.thrown.is_some() || self.kind == "thrown";
        let is_users = |place: &Place| !place.file.starts_with("std/");
        let has_users =
            self.place.iter().any(is_users) || self.trail.iter().any(|(_, place)| is_users(place));
        is_for_caller && has_users && !is_users(place)
    }
}

/// Text without secrets and control characters.
fn prose(text: &str) -> String {
    let hidden = redact::hide(text);
    match hidden.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => {
            let left = hidden[end..].chars().count();
            format!(
                "{} ... and {left} more characters",
                terminal::visible(&hidden[..end])
            )
        }
        None => terminal::visible(&hidden).into_owned(),
    }
}

/// An excerpt without secrets and control characters, and the new position of its bytes `span`.
fn shown(text: &str, span: &Range<usize>) -> (String, Range<usize>) {
    let masked = redact::mask(text);
    // A mask has as many characters as the hidden text.
    let place = |at: usize| {
        let letters = text[..at].chars().count();
        let before: String = masked.chars().take(letters).collect();
        terminal::visible(&before).len()
    };
    let (start, end) = match &masked {
        std::borrow::Cow::Borrowed(text) => {
            let place = |at: usize| terminal::visible(&text[..at]).len();
            (place(span.start), place(span.end))
        }
        std::borrow::Cow::Owned(_) => (place(span.start), place(span.end)),
    };
    (terminal::visible(&masked).into_owned(), start..end)
}
