//! Selects the nodes that match a path.

use std::collections::HashSet;

use super::document::Document;
use super::effort;
use super::fault::{Fault, Result};
use super::nodes::{DOCUMENT, NodeId};
use super::path::{Condition, End, Path, Step, To};
use crate::advice::suggest;

/// The elements that `path` matches from `start`, in the document's order and each once.
pub(super) fn elements(document: &Document, start: NodeId, path: &Path) -> Result<Vec<NodeId>> {
    let (steps, mut found) = furthest(document, start, path)?;
    if steps < path.steps.len() {
        return Ok(Vec::new());
    }
    found.retain(|node| document.is_element(*node) || (steps == 0 && *node == DOCUMENT));
    Ok(found)
}

/// The number of steps of `path` that match, and the nodes of the last one.
pub(super) fn furthest(
    document: &Document,
    start: NodeId,
    path: &Path,
) -> Result<(usize, Vec<NodeId>)> {
    let mut found = vec![if path.absolute { DOCUMENT } else { start }];
    let mut taken = 0;
    for step in &path.steps {
        let next = follow(document, &found, step)?;
        if next.is_empty() {
            break;
        }
        found = next;
        taken += 1;
    }
    if path.wanders() && found.len() > 1 {
        found = in_order(document, &found)?;
    }
    Ok((taken, found))
}

fn follow(document: &Document, from: &[NodeId], step: &Step) -> Result<Vec<NodeId>> {
    match &step.to {
        To::Itself => Ok(from.to_vec()),
        To::Parent => parents(document, from),
        To::Within => within(document, from),
        To::AnyChild => children(document, from, step, None),
        To::Child(name) => children(document, from, step, Some(name)),
    }
}

fn children(
    document: &Document,
    from: &[NodeId],
    step: &Step,
    name: Option<&str>,
) -> Result<Vec<NodeId>> {
    let mut found = Vec::new();
    for parent in from {
        let mut children = Vec::new();
        for child in document.children(*parent) {
            effort::take(1)?;
            if document.is_element(child) && is_called(document, child, name)? {
                children.push(child);
            }
        }
        for condition in &step.conditions {
            children = holding(document, children, condition)?;
        }
        found.append(&mut children);
    }
    Ok(found)
}

fn is_called(document: &Document, element: NodeId, wanted: Option<&str>) -> Result<bool> {
    let Some(wanted) = wanted else {
        return Ok(true);
    };
    let name = document.name(element);
    effort::take(name.len() / 16)?;
    Ok(name == wanted)
}

fn holding(
    document: &Document,
    mut nodes: Vec<NodeId>,
    condition: &Condition,
) -> Result<Vec<NodeId>> {
    let mut holding = Vec::new();
    match condition {
        Condition::Index(number) => holding.extend(nodes.get(number - 1)),
        Condition::Last => holding.extend(nodes.last()),
        Condition::Exists(path) => {
            for node in nodes.drain(..) {
                if leads_anywhere(document, node, path)? {
                    holding.push(node);
                }
            }
        }
        Condition::Is(path, text, equal) => {
            let fits = |value: &str| (value == text) == *equal;
            for node in nodes.drain(..) {
                if first_value(document, node, path, fits)?.is_some() {
                    holding.push(node);
                }
            }
        }
    }
    Ok(holding)
}

/// The elements in `from` and all that stand in them.
fn within(document: &Document, from: &[NodeId]) -> Result<Vec<NodeId>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for top in from {
        let mut next = Some(*top);
        while let Some(node) = next {
            effort::take(1)?;
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
    Ok(found)
}

fn parents(document: &Document, from: &[NodeId]) -> Result<Vec<NodeId>> {
    effort::take(from.len())?;
    let mut seen = HashSet::new();
    let parents = from.iter().filter_map(|node| document.parent(*node));
    Ok(parents.filter(|node| seen.insert(*node)).collect())
}

fn in_order(document: &Document, nodes: &[NodeId]) -> Result<Vec<NodeId>> {
    let wanted: HashSet<NodeId> = nodes.iter().copied().collect();
    let mut found = Vec::with_capacity(nodes.len());
    for node in document.walk(DOCUMENT) {
        effort::take(1)?;
        if wanted.contains(&node) {
            found.push(node);
        }
    }
    Ok(found)
}

/// The value of `end` in the element `node`, if it has one.
fn value_at(document: &Document, node: NodeId, end: &End) -> Result<Option<String>> {
    match end {
        End::Elements => text_of(document, document.walk(node)).map(Some),
        End::Attribute(name) => {
            effort::take(1 + document.open(node).len() / 16)?;
            Ok(document.attribute(node, name))
        }
        End::Text => {
            let text = text_of(document, document.children(node))?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
    }
}

/// The texts among `nodes`, joined.
fn text_of(document: &Document, nodes: impl Iterator<Item = NodeId>) -> Result<String> {
    let mut all = String::new();
    for node in nodes {
        let text = document.own_text(node);
        effort::take(1 + text.len() / 16)?;
        // While a growing text is moved, memory holds it twice.
        effort::ensure_room(all.len() + text.len())?;
        all.push_str(&text);
    }
    Ok(all)
}

/// The texts that `path` leads to.
pub(super) fn values(document: &Document, start: NodeId, path: &Path) -> Result<Vec<String>> {
    let mut values = Vec::new();
    for node in elements(document, start, path)? {
        if let Some(value) = value_at(document, node, &path.end)? {
            values.push(value);
        }
    }
    Ok(values)
}

pub(super) fn leads_anywhere(document: &Document, start: NodeId, path: &Path) -> Result<bool> {
    match path.end {
        End::Elements => elements(document, start, path).map(|found| !found.is_empty()),
        _ => value(document, start, path).map(|found| found.is_some()),
    }
}

/// The first text that `path` leads to.
pub(super) fn value(document: &Document, start: NodeId, path: &Path) -> Result<Option<String>> {
    first_value(document, start, path, |_| true)
}

/// The first text that `path` leads to and that `fits`.
fn first_value(
    document: &Document,
    start: NodeId,
    path: &Path,
    fits: impl Fn(&str) -> bool,
) -> Result<Option<String>> {
    for node in elements(document, start, path)? {
        if let Some(value) = value_at(document, node, &path.end)?
            && fits(&value)
        {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The fault that no node matches `path`.
pub(super) fn missing(document: &Document, start: NodeId, path: &Path) -> Fault {
    let fault = Fault::new(format!("no node matches `{}`", path.written));
    let (steps, found) = match furthest(document, start, path) {
        Ok(found) => found,
        Err(stopped) => return stopped,
    };
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

/// The names that `owner` has instead of `wanted`.
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
    elements(document, start, path)?
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
    let wrong = format!("`{}` matches text, but an element is needed", path.written);
    Err(Fault::new(wrong))
}
