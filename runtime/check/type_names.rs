//! Checks the names of types in the doc comments of functions.

use super::files::{File, Files};
use super::{Checker, Code, Finding};
use crate::advice::suggest;
use crate::api;
use crate::script::declarations::{self, Sources};
use crate::spec::{self, Type};
use crate::syntax::doc_comment;

/// The names after `Takes:` and `Returns:` in `file` that are not types.
pub(super) fn unknown(checker: &Checker, files: &Files, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in &file.outline().functions {
        let comments = function.after..function.span.start;
        for (begin, line) in doc_comment::lines(&file.text, comments) {
            for bytes in spec::type_names(line) {
                let name = &line[bytes.clone()];
                if is_type(checker, files, file, name) {
                    continue;
                }
                let span = file.text.span(&(begin + bytes.start..begin + bytes.end));
                let message = format!("there is no type `{name}`");
                let mut finding = file.finding(Code::UnknownType, span, message);
                finding.hint = nearest(checker, files, file, name);
                findings.push(finding);
            }
        }
    }
    findings
}

/// True if `name` is a type or may be one.
fn is_type(checker: &Checker, files: &Files, file: &File, name: &str) -> bool {
    match Type::named(name, "") {
        Some(Type::Object(kind)) => {
            checker.is_sure(&Type::Object(kind))
                || api::all_declared().any(|declared| declared.name == name)
        }
        Some(_) => true,
        // The imported file may be unknown; an error in the declaration is a finding of its own.
        None => name.contains("::") || declarations::is_declared(files, &file.name, name),
    }
}

fn nearest(checker: &Checker, files: &Files, file: &File, name: &str) -> Option<String> {
    let constants = files.constants(&file.name).unwrap_or_default();
    let simple = Type::NAMES.into_iter().filter(|name| *name != "words");
    let mut names: Vec<&str> = simple.chain(checker.catalog.kinds()).collect();
    names.extend(constants.specs());
    // The catalogue does not order them.
    names.sort_unstable();
    let near = suggest::nearest(name, names.into_iter())?;
    Some(format!("did you mean `{near}`?"))
}
