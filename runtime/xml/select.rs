//! What a path leads to.

use std::collections::HashSet;

use super::document::Document;
use super::fault::{Fault, Result};
use super::nodes::{DOCUMENT, NodeId};
use super::path::{Condition, End, Path, Step, To};
use crate::suggest;

/// Which elements `path` leads to from `start`, in the document's order and each once.
pub(super) fn elements(document: &Document, start: NodeId, path: &Path) -> Vec<NodeId> {
    let (steps, mut found) = furthest(document, start, path);
    if steps < path.steps.len() {
        return Vec::new();
    }
    found.retain(|node| document.is_element(*node) || (steps == 0 && *node == DOCUMENT));
    found
}

/// How many steps of `path` lead anywhere, and where those lead.
pub(super) fn furthest(document: &Document, start: NodeId, path: &Path) -> (usize, Vec<NodeId>) {
    let mut found = vec![if path.absolute { DOCUMENT } else { start }];
    let mut taken = 0;
    for step in &path.steps {
        let next = follow(document, &found, step);
        if next.is_empty() {
            break;
        }
        found = next;
        taken += 1;
    }
    if path.wanders() && found.len() > 1 {
        found = in_order(document, &found);
    }
    (taken, found)
}

fn follow(document: &Document, from: &[NodeId], step: &Step) -> Vec<NodeId> {
    match &step.to {
        To::Itself => from.to_vec(),
        To::Parent => once(from.iter().filter_map(|node| document.parent(*node))),
        To::Within => within(document, from),
        To::AnyChild => children(document, from, step, |_| true),
        To::Child(name) => children(document, from, step, |child| document.name(child) == name),
    }
}

fn children(
    document: &Document,
    from: &[NodeId],
    step: &Step,
    fits: impl Fn(NodeId) -> bool,
) -> Vec<NodeId> {
    let mut found = Vec::new();
    for parent in from {
        let children = document.elements(*parent).filter(|child| fits(*child));
        if step.conditions.is_empty() {
            found.extend(children);
            continue;
        }
        let mut children: Vec<NodeId> = children.collect();
        for condition in &step.conditions {
            children = holding(document, children, condition);
        }
        found.append(&mut children);
    }
    found
}

fn holding(document: &Document, nodes: Vec<NodeId>, condition: &Condition) -> Vec<NodeId> {
    match condition {
        Condition::Index(number) => nodes.get(number - 1).copied().into_iter().collect(),
        Condition::Last => nodes.last().copied().into_iter().collect(),
        Condition::Exists(path) => {
            let holds = |node: &NodeId| leads_anywhere(document, *node, path);
            nodes.into_iter().filter(holds).collect()
        }
        Condition::Is(path, text, equal) => {
            let holds = |node: &NodeId| {
                let values = values(document, *node, path);
                values.iter().any(|value| (value == text) == *equal)
            };
            nodes.into_iter().filter(holds).collect()
        }
    }
}

/// The elements in `from` and all that stand in them.
fn within(document: &Document, from: &[NodeId]) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for top in from {
        let mut next = Some(*top);
        while let Some(node) = next {
            let entered = seen.insert(node);
            if entered && (document.is_element(node) || node == DOCUMENT) {
                found.push(node);
            }
            next = document.nodes[node]
                .first
                .filter(|_| entered)
                .or_else(|| document.after(node, *top));
        }
    }
    found
}

fn once(nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    nodes.filter(|node| seen.insert(*node)).collect()
}

fn in_order(document: &Document, nodes: &[NodeId]) -> Vec<NodeId> {
    let wanted: HashSet<NodeId> = nodes.iter().copied().collect();
    document
        .walk(DOCUMENT)
        .filter(|node| wanted.contains(node))
        .collect()
}

/// The texts that `path` leads to.
pub(super) fn values(document: &Document, start: NodeId, path: &Path) -> Vec<String> {
    let elements = elements(document, start, path).into_iter();
    match &path.end {
        End::Elements => elements.map(|node| document.text_in(node)).collect(),
        End::Attribute(name) => elements
            .filter_map(|node| document.attribute(node, name))
            .collect(),
        End::Text => elements
            .map(|node| document.text_of(node))
            .filter(|text| !text.is_empty())
            .collect(),
    }
}

pub(super) fn leads_anywhere(document: &Document, start: NodeId, path: &Path) -> bool {
    match path.end {
        End::Elements => !elements(document, start, path).is_empty(),
        _ => !values(document, start, path).is_empty(),
    }
}

/// The first text that `path` leads to.
pub(super) fn value(document: &Document, start: NodeId, path: &Path) -> Option<String> {
    if path.end == End::Elements {
        let first = elements(document, start, path);
        return first.first().map(|node| document.text_in(*node));
    }
    values(document, start, path).into_iter().next()
}

/// Why nothing stands where `path` leads.
pub(super) fn missing(document: &Document, start: NodeId, path: &Path) -> Fault {
    let fault = Fault::new(format!("nothing is at `{}`", path.written));
    let (steps, found) = furthest(document, start, path);
    let Some(node) = found.first().copied() else {
        return fault;
    };
    let name = match document.name(node) {
        "" => "the document".to_owned(),
        name => format!("`{name}`"),
    };
    let Some(step) = path.steps.get(steps) else {
        return match &path.end {
            End::Attribute(wanted) => {
                let known = document.attributes(node);
                let known = known.iter().map(|(name, _)| *name).collect();
                fault.with_hint(instead(&name, "attribute", wanted, known))
            }
            _ => fault.with_hint(format!("{name} holds no text")),
        };
    };
    let known = document.elements(node).map(|child| document.name(child));
    match &step.to {
        To::Child(wanted) => {
            let known: Vec<&str> = known.collect();
            let same = known.iter().filter(|name| *name == wanted).count();
            fault.with_hint(match same {
                0 => instead(&name, "element", wanted, known),
                1 => format!("the one `{wanted}` in {name} is not `{}`", step.written),
                _ => format!(
                    "none of the {same} `{wanted}` in {name} is `{}`",
                    step.written
                ),
            })
        }
        _ => fault,
    }
}

/// What `owner` has in place of `wanted`.
fn instead(owner: &str, what: &str, wanted: &str, mut known: Vec<&str>) -> String {
    if let Some(near) = suggest::nearest(wanted, known.iter().copied()) {
        return format!("{owner} has no {what} `{wanted}`; did you mean `{near}`?");
    }
    let mut seen = HashSet::new();
    known.retain(|name| seen.insert(*name));
    let more = if known.len() > 12 { ", ..." } else { "" };
    known.truncate(12);
    if known.is_empty() {
        return format!("{owner} has no {what}s at all");
    }
    format!(
        "{owner} has no {what} `{wanted}`, but {}{more}",
        known.join(", ")
    )
}

/// The element that `path` leads to first.
pub(super) fn first(document: &Document, start: NodeId, path: &Path) -> Result<NodeId> {
    check_element(path)?;
    elements(document, start, path)
        .first()
        .copied()
        .filter(|node| *node != DOCUMENT)
        .ok_or_else(|| missing(document, start, path))
}

/// Refuses a path that leads to text.
pub(super) fn check_element(path: &Path) -> Result<()> {
    if path.end == End::Elements {
        return Ok(());
    }
    let wrong = format!("`{}` leads to text, and an element is wanted", path.written);
    Err(Fault::new(wrong))
}
