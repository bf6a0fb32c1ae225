//! Edits a document: an edit changes only the bytes that it must change.

use super::document::{Document, MAX_DEPTH};
use super::fault::{Fault, Result};
use super::layout;
use super::nodes::{DOCUMENT, NodeId, NodeKind};
use super::path::{Condition, End, Path, Step, To};
use super::{namespace, select, tag, text};

/// Sets the text or the attribute that `path` leads to first. Creates missing elements on the way,
/// if `path` names each of them unambiguously.
pub(super) fn set(document: &mut Document, start: NodeId, path: &Path, value: &str) -> Result<()> {
    super::check_text(value)?;
    let reached = reach(document, start, path)?;
    let set = match &path.end {
        End::Attribute(name) => set_attribute(document, reached.node, name, value),
        End::Elements | End::Text => set_text(document, reached.node, value),
    };
    if set.is_err() {
        reached.undo(document);
    }
    set
}

/// An element that a path leads to.
pub(super) struct Reached {
    pub node: NodeId,
    /// The outermost element that was made on the way.
    made: Option<NodeId>,
}

impl From<NodeId> for Reached {
    fn from(node: NodeId) -> Self {
        Self { node, made: None }
    }
}

impl Reached {
    /// Removes the nodes that were created on the way.
    pub fn undo(&self, document: &mut Document) {
        if let Some(made) = self.made {
            layout::remove(document, made);
        }
    }
}

/// The element that `path` leads to first, made if there is none.
pub(super) fn reach(document: &mut Document, start: NodeId, path: &Path) -> Result<Reached> {
    let (steps, found) = select::furthest(document, start, path)?;
    let missing = &path.steps[steps..];
    let anywhere = steps > 0 && path.steps[steps - 1].to == To::Within;
    match found.first().copied() {
        Some(node) if missing.is_empty() || !(anywhere || node == DOCUMENT) => {
            make(document, node, missing)
        }
        _ => Err(select::missing(document, start, path)),
    }
}

/// Makes an element in `parent` for each of `steps`, one in the other.
fn make(document: &mut Document, parent: NodeId, steps: &[Step]) -> Result<Reached> {
    for step in steps {
        check_makeable(step)?;
    }
    let mut reached = Reached {
        node: parent,
        made: None,
    };
    for step in steps {
        let made = make_step(document, &mut reached, step);
        if let Err(fault) = made {
            reached.undo(document);
            return Err(fault);
        }
    }
    Ok(reached)
}

fn make_step(document: &mut Document, reached: &mut Reached, step: &Step) -> Result<()> {
    let To::Child(name) = &step.to else {
        return Ok(());
    };
    let node = append_element(document, reached.node, name, &[])?;
    reached.node = node;
    reached.made.get_or_insert(node);
    for condition in &step.conditions {
        if let Condition::Is(path, value, true) = condition {
            set(document, node, path, value)?;
        }
    }
    Ok(())
}

fn check_makeable(step: &Step) -> Result<()> {
    let plain = |condition: &Condition| match condition {
        Condition::Is(path, _, true) => {
            !path.absolute && path.steps.iter().all(|step| check_makeable(step).is_ok())
        }
        _ => false,
    };
    if matches!(step.to, To::Child(_)) && step.conditions.iter().all(plain) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "no node matches `{}`, and the path does not tell which one to create",
        step.written
    ))
    .with_hint("each missing step must be a name, with conditions such as [@type='file']"))
}

pub(super) fn set_attribute(
    document: &mut Document,
    node: NodeId,
    name: &str,
    value: &str,
) -> Result<()> {
    if !document.is_element(node) {
        return Err(Fault::new(
            "a document has no attributes; its root element has them",
        ));
    }
    let quote = document.quote(node);
    match tag::with(document.open(node), name, value, quote) {
        Some(tag) => set_tag(document, node, name, &tag),
        None => Ok(()),
    }
}

/// Replaces the start tag of `node` by `tag`, in which the attribute `name` changed.
fn set_tag(document: &mut Document, node: NodeId, name: &str, tag: &str) -> Result<()> {
    let before = document.nodes[node].open;
    document.set_open(node, tag)?;
    if !name.contains(':') {
        return Ok(());
    }
    let parent = document.parent(node).unwrap_or(DOCUMENT);
    let checked = check_prefixes(document, node, parent);
    if checked.is_err() {
        document.nodes[node].open = before;
    }
    checked
}

/// Refuses prefixes in `node` that are not declared, if it stands in `parent`.
fn check_prefixes(document: &Document, node: NodeId, parent: NodeId) -> Result<()> {
    if document.is_draft {
        return Ok(());
    }
    match namespace::wrong(document, node, &namespace::scope(document, parent))? {
        Some(wrong) => Err(wrong.fault()),
        None => Ok(()),
    }
}

/// Makes `value` the text of `node`; comments in it stay.
fn set_text(document: &mut Document, node: NodeId, value: &str) -> Result<()> {
    if !document.is_element(node) {
        return Err(Fault::new(
            "a document has no text; its root element has it",
        ));
    }
    if let Some(child) = document.elements(node).next() {
        let (name, child) = (document.name(node), document.name(child));
        return Err(Fault::new(format!(
            "`{name}` contains elements, such as `{child}`, which a text would replace"
        ))
        .with_hint("remove them first, or set a text in one of them"));
    }
    if document.text_of(node) == value {
        return Ok(());
    }
    let is_text = |document: &Document, node: NodeId| {
        matches!(document.nodes[node].kind, NodeKind::Text | NodeKind::CData)
    };
    let old: Vec<NodeId> = document
        .children(node)
        .filter(|child| is_text(document, *child))
        .collect();
    let before = old.first().map_or(document.nodes[node].last, |first| {
        document.nodes[*first].previous
    });
    let new = document.create(NodeKind::Text, &text::escaped(value))?;
    for old in old {
        document.nodes.detach(old);
    }
    document.open_up(node)?;
    document.touch(node);
    document.nodes.insert(node, before, new);
    Ok(())
}

/// Adds an empty element as the last in `parent`, set out as those before it.
pub(super) fn append_element(
    document: &mut Document,
    parent: NodeId,
    name: &str,
    attributes: &[(&str, &str)],
) -> Result<NodeId> {
    if parent == DOCUMENT && document.root() != DOCUMENT {
        return Err(Fault::new("a document has only one root element"));
    }
    if document.depth(parent) >= MAX_DEPTH {
        return Err(Fault::new(format!(
            "elements would nest deeper than {MAX_DEPTH} levels"
        )));
    }
    let mut tag = format!("<{name}");
    for (name, value) in attributes {
        let value = text::escaped_attribute(value);
        tag.push_str(&format!(" {name}='{value}'"));
    }
    tag.push_str("/>");
    let node = document.create(NodeKind::Element, &tag)?;
    if tag.contains(':') {
        check_prefixes(document, node, parent)?;
    }
    layout::append(document, parent, node)?;
    Ok(node)
}

/// The place for a new node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    LastIn,
    Before,
    After,
}

/// Puts the XML `what` beside or into `node`, and returns its element.
///
/// With `is_built`, virhai generated `what`, and its lines are indented like the document's.
pub(super) fn insert(
    document: &mut Document,
    node: NodeId,
    place: Where,
    what: &str,
    is_built: bool,
) -> Result<NodeId> {
    let parent = match place {
        Where::LastIn => Some(node),
        Where::Before | Where::After => document.parent(node),
    };
    let Some(parent) = parent.filter(|parent| *parent != DOCUMENT) else {
        return Err(Fault::new("a document has only one root element"));
    };
    let parts = document.parse_part(what, document.depth(parent))?;
    for part in &parts {
        check_prefixes(document, *part, parent)?;
    }
    let mut element = node;
    let mut last = node;
    for part in parts {
        if document.is_element(part) {
            element = part;
        }
        match place {
            Where::LastIn => layout::append(document, parent, part)?,
            Where::Before => layout::before(document, node, part)?,
            Where::After => layout::after(document, last, part)?,
        }
        if is_built {
            layout::set_out(document, part)?;
        }
        last = part;
    }
    Ok(element)
}

/// Removes all nodes at `path`, and returns their number.
pub(super) fn remove(document: &mut Document, start: NodeId, path: &Path) -> Result<usize> {
    let nodes = select::elements(document, start, path)?;
    let mut removed = 0;
    for node in nodes {
        match &path.end {
            End::Elements => {
                if matches!(document.parent(node), None | Some(DOCUMENT)) {
                    // An element inside a removed one is already gone.
                    if node == document.root() {
                        return Err(Fault::new("the root element cannot be removed"));
                    }
                    continue;
                }
                layout::remove(document, node);
            }
            End::Attribute(name) => match tag::without(document.open(node), name) {
                Some(tag) => set_tag(document, node, name, &tag)?,
                None => continue,
            },
            End::Text => {
                if document.text_of(node).is_empty() {
                    continue;
                }
                let texts: Vec<NodeId> = document
                    .children(node)
                    .filter(|child| {
                        matches!(
                            document.nodes[*child].kind,
                            NodeKind::Text | NodeKind::CData
                        )
                    })
                    .collect();
                for text in texts {
                    document.nodes.detach(text);
                }
                document.touch(node);
            }
        }
        removed += 1;
    }
    Ok(removed)
}
