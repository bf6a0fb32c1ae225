//! The findings of the check in the open texts.

use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, NumberOrString, PublishDiagnosticsParams, Uri,
};
use std::path::Path;
use virhai::Imports;
use virhai::check::{Checker, Code, Finding, Severity};
use virhai::syntax::outline::Outline;
use virhai::syntax::text::Text;

use super::documents::{Document, uri_of};
use super::{Server, place};

/// The source of findings, as editors show it.
pub(super) const SOURCE: &str = "virhai";

impl Server {
    /// The findings in the text that `changed`, and in every open text that can import it.
    pub(super) fn problems(&self, changed: &Uri) -> Vec<PublishDiagnosticsParams> {
        let checker = Checker::new(&self.engine, &self.catalog);
        let mut all = Vec::new();
        let has_imports = |document: &Document| !Outline::of(&document.text).imports.is_empty();
        let affected = |document: &&Document| document.uri == *changed || has_imports(document);
        for document in self.documents.iter().filter(affected) {
            let imports = self.documents.imports(document);
            let name = document.name();
            let text = &document.text;
            let found = checker.check(&imports, &name, text);
            let own = found
                .iter()
                .filter_map(|finding| match finding.file == name {
                    true => Some(problem(finding, text, &imports)),
                    false => through_import(finding, text, &name),
                });
            all.push(PublishDiagnosticsParams::new(
                document.uri.clone(),
                own.collect(),
                Some(document.version()),
            ));
        }
        all
    }
}

fn problem(finding: &Finding, text: &Text, imports: &Imports) -> Diagnostic {
    let message = match &finding.hint {
        Some(hint) => format!("{}\n{hint}", finding.message),
        None => finding.message.clone(),
    };
    let related = finding.related.iter().filter_map(|related| {
        let text = imports.text(&related.file)?;
        Some(DiagnosticRelatedInformation {
            location: Location {
                uri: uri_of(Path::new(&related.file))?,
                range: place::of_span(&text, related.span),
            },
            message: related.message.clone(),
        })
    });
    let related: Vec<_> = related.collect();
    let unused = matches!(finding.code, Code::UnusedVariable | Code::UnusedImport);
    Diagnostic {
        range: place::of_span(text, finding.span),
        severity: Some(severity(finding)),
        code: Some(NumberOrString::String(finding.code.id().into())),
        code_description: None::<CodeDescription>,
        source: Some(SOURCE.into()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    }
}

/// An error in a file that `document` imports, shown at the import that leads there.
fn through_import(finding: &Finding, document: &Text, name: &str) -> Option<Diagnostic> {
    let import = finding
        .related
        .iter()
        .rev()
        .find(|related| related.file == name)?;
    (finding.severity == Severity::Error).then(|| Diagnostic {
        range: place::of_span(document, import.span),
        severity: Some(severity(finding)),
        code: Some(NumberOrString::String(finding.code.id().into())),
        source: Some(SOURCE.into()),
        message: format!(
            "{}:{}: {}",
            finding.file, finding.span.line, finding.message
        ),
        ..Diagnostic::default()
    })
}

fn severity(finding: &Finding) -> DiagnosticSeverity {
    match finding.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
    }
}
