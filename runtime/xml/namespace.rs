//! Namespaces: a part of a document takes the declarations along that it stands under.

use super::document::Document;
use super::nodes::NodeId;
use super::tag;

/// Declarations as `(attribute, value)`, the nearest first.
pub(super) type Scope = Vec<(String, String)>;

/// The declarations that hold in `node`.
pub(super) fn scope(document: &Document, node: NodeId) -> Scope {
    let mut scope = Scope::new();
    for element in std::iter::once(node).chain(document.ancestors(node)) {
        for (name, value) in document.attributes(element) {
            let declares = name == "xmlns" || name.starts_with("xmlns:");
            if declares && lookup(&scope, name).is_none() {
                scope.push((name.to_owned(), value));
            }
        }
    }
    scope
}

fn lookup<'a>(scope: &'a Scope, name: &str) -> Option<&'a str> {
    scope
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// The XML of `node` for a place where `known` holds: what else its names need is declared in it.
pub(super) fn portable(document: &Document, node: NodeId, known: &Scope) -> String {
    let outer = document.outer(node);
    let Some(parent) = document.parent(node) else {
        return outer;
    };
    let open = document.open(node);
    let rest = &outer[open.len()..];
    let mut tag = open.to_owned();
    for (name, value) in scope(document, parent) {
        let needed = match name.strip_prefix("xmlns:") {
            Some(prefix) => outer.contains(&format!("{prefix}:")),
            None => true,
        };
        if !needed
            || lookup(known, &name) == Some(&value)
            || document.attribute(node, &name).is_some()
        {
            continue;
        }
        let quote = tag::quote(&tag).unwrap_or('\'');
        if let Some(with) = tag::with(&tag, &name, &value, quote) {
            tag = with;
        }
    }
    tag + rest
}
