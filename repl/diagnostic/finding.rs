//! A finding of the check as a diagnostic.

use rhai::Position;
use virhai::check::{Finding, Severity as FindingSeverity, Span};

use super::place::Place;
use super::{Diagnostic, Severity};
use virhai::plain::plain_message;

impl Diagnostic {
    /// What a check found.
    pub(crate) fn of_finding(finding: &Finding) -> Self {
        let severity = match finding.severity {
            FindingSeverity::Error => Severity::Error,
            FindingSeverity::Warning => Severity::Warning,
        };
        let diagnostic = Self {
            severity,
            hint: finding.hint.clone(),
            ..Self::plain(plain_message(&finding.message))
        }
        .of_kind("check")
        .with_code(finding.code.id())
        .at(place(&finding.file, finding.span), finding.label.as_str());
        finding.related.iter().fold(diagnostic, |diagnostic, at| {
            diagnostic.with_place(at.message.as_str(), place(&at.file, at.span))
        })
    }
}

fn place(file: &str, span: Span) -> Place {
    let position = match (u16::try_from(span.line), u16::try_from(span.column)) {
        (Ok(line @ 1..), Ok(column)) => Position::new(line, column),
        _ => Position::NONE,
    };
    Place::new(file, position).with_width(span.width)
}
