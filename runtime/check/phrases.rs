//! Wording of findings.

use super::definitions::Definition;
use super::scope::KnownType;
use crate::catalog::{Function, Signature};
use crate::script::imports;
use crate::spec::{Type, typed_parameters};

/// A type as messages show it.
pub(super) fn kind(kind: &KnownType) -> String {
    kind.as_ref()
        .map_or_else(|| "?".into(), |kind| kind.plain().to_string())
}

/// The name of a type with its article.
pub(super) fn with_article(kind: &str) -> String {
    match kind.chars().next() {
        Some('(') => "`()`".into(),
        Some('a' | 'e' | 'i' | 'o' | 'u' | 'A' | 'E' | 'I' | 'O') => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

/// A call by its name and the types of its arguments.
pub(super) fn shown(name: &str, kinds: &[KnownType]) -> String {
    let kinds: Vec<String> = kinds.iter().map(kind).collect();
    format!("{name}({})", kinds.join(", "))
}

/// The message that `name` does not take `given` arguments.
pub(super) fn count(name: &str, counts: impl Iterator<Item = usize>, given: usize) -> String {
    let mut counts: Vec<usize> = counts.collect();
    counts.sort_unstable();
    counts.dedup();
    let (last, before) = match counts.split_last() {
        Some((last, before)) => (*last, before),
        None => (0, &[][..]),
    };
    let takes = match before {
        [] if last == 0 => "no arguments".to_owned(),
        [] if last == 1 => "1 argument".to_owned(),
        [] => format!("{last} arguments"),
        _ => {
            let before: Vec<String> = before.iter().map(ToString::to_string).collect();
            format!("{} or {last} arguments", before.join(", "))
        }
    };
    format!("`{name}` takes {takes}, not {given}")
}

/// The signatures of a script's functions.
pub(super) fn own_signatures(functions: &[&Definition]) -> String {
    let signatures: Vec<String> = functions
        .iter()
        .map(|function| format!("`{}({})`", function.name, function.parameters.join(", ")))
        .collect();
    format!("usage: {}", signatures.join(", or "))
}

/// The signature of the script's function `name`, the first of whose `parameters` are of these `types`.
pub(super) fn typed_signature(name: &str, parameters: &[String], types: &[Type]) -> String {
    format!(
        "usage: `{name}({})`",
        typed_parameters(parameters, types).join(", ")
    )
}

/// The signatures of native functions, on a value for methods.
pub(super) fn signatures(functions: &[&Function], method: bool) -> String {
    // Overloads for Rust's types only lengthen the usage.
    let is_plain = |function: &&&Function| {
        let mut types = function.parameters.iter().map(|(_, ty)| ty);
        types.all(|ty| *ty != Type::Char && (ty.is_object() || !matches!(ty, Type::Object(_))))
    };
    let plain: Vec<&Function> = functions.iter().filter(is_plain).copied().collect();
    let functions = if plain.is_empty() { functions } else { &plain };
    let mut signatures: Vec<String> = Vec::new();
    for function in functions {
        let shown = signature(function, method);
        if !signatures.contains(&shown) {
            signatures.push(shown);
        }
    }
    // The engine does not order them.
    signatures.sort_by_cached_key(|shown| (shown.matches(',').count(), shown.clone()));
    const MOST: usize = 4;
    let more = signatures.len() > MOST;
    signatures.truncate(MOST);
    let dots = if more { ", ..." } else { "" };
    format!("usage: {}{dots}", signatures.join(", or "))
}

fn signature(function: &Function, method: bool) -> String {
    let method = method || function.is_on_object();
    let way = Signature {
        // The result type does not matter for the error.
        returns: String::new(),
        ..Signature::of(function, method)
    };
    match function.parameters.first() {
        Some((name, _)) if method => format!("`{name}.{way}`"),
        _ => format!("`{way}`"),
    }
}

/// The import that `alias` looks like, if the standard library has it.
pub(super) fn recipe(alias: &str) -> Option<String> {
    imports::recipes()
        .any(|recipe| recipe == alias)
        .then(|| format!("`import \"std/{alias}\" as {alias};` imports it"))
}
