//! A finding of the check as text for people.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use virhai::Imports;
use virhai::check::{Finding, Severity, Span};

/// The finding as text, with the lines that it is about.
pub(crate) fn render(finding: &Finding, imports: &Imports, colors: bool) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let text = imports.text(&finding.file).unwrap_or_default();
    let further: Vec<_> = finding
        .related
        .iter()
        .filter_map(|place| Some((place, imports.text(&place.file)?)))
        .collect();
    let message = super::words::plain_message(&finding.message);
    let mut group = Group::with_title(level.primary_title(message).id(finding.code.id()));
    let mut annotation = AnnotationKind::Primary.span(bytes(&text, finding.span));
    if !finding.label.is_empty() {
        annotation = annotation.label(finding.label.as_str());
    }
    group = group.element(
        Snippet::source(text.as_str())
            .path(finding.file.as_str())
            .annotation(annotation),
    );
    for (place, text) in &further {
        let annotation = AnnotationKind::Context
            .span(bytes(text, place.span))
            .label(place.message.as_str());
        group = group.element(
            Snippet::source(text.as_str())
                .path(place.file.as_str())
                .annotation(annotation),
        );
    }
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if colors {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group]).to_string()
}

/// The bytes of `text` that `span` covers.
fn bytes(text: &str, span: Span) -> std::ops::Range<usize> {
    let begin: usize = text
        .split_inclusive('\n')
        .take(span.line.saturating_sub(1))
        .map(str::len)
        .sum();
    let line = text[begin..].lines().next().unwrap_or_default();
    let up_to = |columns: usize| {
        line.chars()
            .take(columns)
            .map(char::len_utf8)
            .sum::<usize>()
    };
    let before = span.column.saturating_sub(1);
    begin + up_to(before)..begin + up_to(before + span.width)
}
