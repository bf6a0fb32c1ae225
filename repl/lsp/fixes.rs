//! Quick fixes: the name or the word that a finding says was most likely meant.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, Diagnostic, TextEdit, Uri, WorkspaceEdit,
};
use virhai::syntax::text::Text;

use super::problems::SOURCE;
use super::{Server, place};

impl Server {
    /// The fixes of the findings that the editor has at a place.
    pub(super) fn fixes(&self, asked: &CodeActionParams) -> Option<Vec<CodeAction>> {
        let uri = &asked.text_document.uri;
        let text = &self.documents.get(uri)?.text;
        let found = asked.context.diagnostics.iter();
        let found = found.filter(|found| found.source.as_deref() == Some(SOURCE));
        Some(found.filter_map(|found| fix(uri, text, found)).collect())
    }
}

// The protocol's type has URIs as keys.
#[allow(clippy::mutable_key_type)]
fn fix(uri: &Uri, text: &Text, found: &Diagnostic) -> Option<CodeAction> {
    let [begin, end] = [found.range.start, found.range.end].map(|at| place::byte(text, at));
    let new = replacement(&found.message, text.get(begin..end)?)?;
    let edit = TextEdit::new(found.range, new.to_owned());
    Some(CodeAction {
        title: format!("Replace with {new}"),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![found.clone()]),
        edit: Some(WorkspaceEdit::new(HashMap::from([(
            uri.clone(),
            vec![edit],
        )]))),
        is_preferred: Some(true),
        ..CodeAction::default()
    })
}

/// The text that stands for `old`, if the last line of `message` asks whether it was meant.
fn replacement<'m>(message: &'m str, old: &str) -> Option<&'m str> {
    let meant = message.lines().last()?;
    let meant = meant.strip_prefix("did you mean ")?.strip_suffix('?')?;
    if old.starts_with('"') {
        let is_word = meant.len() > 1 && meant.starts_with('"') && meant.ends_with('"');
        return is_word.then_some(meant);
    }
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    if old.is_empty() || !old.chars().all(is_name) {
        return None;
    }
    let name = meant.strip_prefix('`')?.strip_suffix('`')?;
    // The finding is about the name alone.
    Some(name.rsplit("::").next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::replacement;

    #[test]
    fn only_what_was_meant_replaces_the_text_of_a_finding() {
        for (message, old, new) in [
            (
                "no function\ndid you mean `create`?",
                "craete",
                Some("create"),
            ),
            (
                "no function\ndid you mean `guest::create`?",
                "craete",
                Some("create"),
            ),
            (
                "no property\ndid you mean `len()`?",
                "length",
                Some("len()"),
            ),
            (
                "not a value\ndid you mean \"running\"?",
                "\"runing\"",
                Some("\"running\""),
            ),
            ("not a value\ndid you mean \"running\"?", "[", None),
            ("no function\ndid you mean `create`?", "\"craete\"", None),
            ("no function\nusage: create()", "craete", None),
            ("did you mean `a`, or `b`?", "c d", None),
        ] {
            assert_eq!(replacement(message, old), new, "{message}");
        }
    }
}
