//! A finding of the check as a diagnostic.

use virhai::check::Finding;
use virhai::plain::plain_message;

use super::Diagnostic;
use super::place::Place;

impl Diagnostic {
    /// The diagnostic of a finding of a check.
    pub(crate) fn of_finding(finding: &Finding) -> Self {
        let diagnostic = Self {
            severity: finding.severity,
            hint: finding.hint.clone(),
            ..Self::plain(plain_message(&finding.message))
        }
        .of_kind("check")
        .with_code(finding.code.id())
        .at(
            Place::of_span(&finding.file, finding.span),
            finding.label.as_str(),
        );
        finding.related.iter().fold(diagnostic, |diagnostic, at| {
            diagnostic.with_place(at.message.as_str(), Place::of_span(&at.file, at.span))
        })
    }
}
