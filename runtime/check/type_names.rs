//! Checks the names of types in the doc comments of functions.

use super::files::{File, Files};
use super::{Checker, Code, Finding};
use crate::advice::suggest;
use crate::api;
use crate::script::declarations::{self, Sources};
use crate::spec::{self, Spec, Type};
use crate::syntax::doc_comment;

/// The names after `Takes:` and `Returns:` in `file` that are not types.
pub(super) fn unknown(checker: &Checker, files: &Files, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in &file.outline().functions {
        let comments = function.after..function.span.start;
        for (begin, line) in doc_comment::lines(&file.text, comments) {
            let taken = spec::names_of_parameters(line).into_iter();
            let returned = spec::names_of_result(line).into_iter();
            let names = taken
                .map(|bytes| (bytes, true))
                .chain(returned.map(|bytes| (bytes, false)));
            for (bytes, is_parameter) in names {
                let name = &line[bytes.clone()];
                if is_type(checker, files, file, name) {
                    continue;
                }
                // No value has the type of an object that does not exist, so each call would fail.
                let code = match Type::named(name, "") {
                    Some(_) if is_parameter => Code::WrongDeclaration,
                    _ => Code::UnknownType,
                };
                let span = file.text.span(&(begin + bytes.start..begin + bytes.end));
                let message = format!("the type `{name}` does not exist");
                let mut finding = file.finding(code, span, message);
                finding.hint = nearest(checker, files, file, name);
                findings.push(finding);
            }
        }
    }
    findings
}

/// The first key of `spec`, and of the maps in it, whose type is an object that does not exist, with the name of the type.
pub(super) fn unknown_object<'a>(checker: &Checker, spec: &'a Spec) -> Option<(&'a str, &'a str)> {
    spec.keys.iter().find_map(|key| {
        let mut objects = key.ty.objects().into_iter();
        let unknown = objects.find(|kind| !checker.catalog.has_kind(kind));
        let within = || {
            key.ty
                .specs()
                .into_iter()
                .find_map(|spec| unknown_object(checker, spec))
        };
        unknown
            .map(|kind| (key.name.as_str(), kind))
            .or_else(within)
    })
}

/// True if `name` is a type or may be one.
fn is_type(checker: &Checker, files: &Files, file: &File, name: &str) -> bool {
    match Type::named(name, "") {
        Some(ty @ Type::Object(_)) => {
            checker.is_sure(&ty) || api::all_declared().any(|declared| declared.name == name)
        }
        Some(_) => true,
        // The imported file may be unknown, and the check reports an error in the declaration separately.
        None => name.contains("::") || declarations::is_declared(files, &file.name, name),
    }
}

/// The correction of `name`, if a type has a similar name.
pub(super) fn nearest(checker: &Checker, files: &Files, file: &File, name: &str) -> Option<String> {
    let constants = files.constants(&file.name).unwrap_or_default();
    let simple = Type::NAMES.into_iter().filter(|name| *name != "words");
    let mut names: Vec<&str> = simple.chain(checker.catalog.kinds()).collect();
    names.extend(constants.specs());
    // The catalogue does not order them.
    names.sort_unstable();
    let near = suggest::nearest(name, names.into_iter())?;
    Some(format!("did you mean `{near}`?"))
}
