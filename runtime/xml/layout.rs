//! Lines and indentation: new elements are indented like their neighbours, and a removed element takes its
//! line along.

use super::document::Document;
use super::fault::Result;
use super::nodes::{DOCUMENT, NodeId, NodeKind};

/// The indentation of children if the document does not show any.
const INDENT: &str = "  ";

/// The line end and the indentation before `node`, if it begins a line.
fn line_before(document: &Document, node: NodeId) -> Option<&str> {
    let previous = document.nodes[node].previous?;
    line_of(document, previous)
}

/// The last line end in the space `node`, with the indentation that follows it.
fn line_of(document: &Document, node: NodeId) -> Option<&str> {
    if document.nodes[node].kind != NodeKind::Text {
        return None;
    }
    let text = document.open(node);
    let newline = text.rfind('\n')?;
    let tail = &text[newline + 1..];
    let start = if text[..newline].ends_with('\r') {
        newline - 1
    } else {
        newline
    };
    tail.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t'))
        .then(|| &text[start..])
}

/// The line end and the indentation before `node`; the root element is not indented.
fn own_line(document: &Document, node: NodeId) -> Option<String> {
    if document.parent(node) == Some(DOCUMENT) {
        let end = if document.has_crlf() { "\r\n" } else { "\n" };
        return Some(end.into());
    }
    line_before(document, node).map(str::to_owned)
}

/// The additional indentation of the children of `node`.
fn indent(document: &Document, node: NodeId, own: &str) -> String {
    let outer = document
        .parent(node)
        .and_then(|parent| own_line(document, parent));
    let more = outer.and_then(|outer| {
        indentation(own)
            .strip_prefix(indentation(&outer))
            .map(str::to_owned)
    });
    more.filter(|more| !more.is_empty())
        .or_else(|| indent_of_root(document))
        .unwrap_or_else(|| INDENT.into())
}

/// The indentation of the first child of the root that begins a line.
fn indent_of_root(document: &Document) -> Option<String> {
    let root = document.root();
    let lines = document
        .elements(root)
        .filter_map(|child| line_before(document, child));
    let mut indents = lines.map(indentation);
    indents.find(|indent| !indent.is_empty()).map(str::to_owned)
}

/// Sets the lines within `node`, which [`INDENT`] sets out, as the document sets out its own.
pub(super) fn set_out(document: &mut Document, node: NodeId) -> Result<()> {
    let Some(own) = line_before(document, node).map(str::to_owned) else {
        return Ok(());
    };
    let parent = document.parent(node);
    let outer = parent.and_then(|parent| own_line(document, parent));
    let outer = outer.as_deref().map(indentation).unwrap_or_default();
    let base = indentation(&own).to_owned();
    let unit = base
        .strip_prefix(outer)
        .filter(|unit| !unit.is_empty())
        .unwrap_or(INDENT)
        .to_owned();
    let end = if own.starts_with('\r') { "\r\n" } else { "\n" };
    if end == "\n" && unit == INDENT {
        return Ok(());
    }
    for space in lines_within(document, node) {
        let more = indentation(document.open(space)).strip_prefix(base.as_str());
        let depth = more.unwrap_or_default().len() / INDENT.len();
        let line = format!("{end}{base}{}", unit.repeat(depth));
        document.set_open(space, &line)?;
    }
    Ok(())
}

/// The spaces within `node` that begin its lines.
fn lines_within(document: &Document, node: NodeId) -> Vec<NodeId> {
    document
        .walk(node)
        .filter(|element| holds_no_text(document, *element))
        .flat_map(|element| document.children(element))
        .filter(|child| line_of(document, *child).is_some())
        .collect()
}

/// The text after the line end in `line`.
fn indentation(line: &str) -> &str {
    line.rsplit('\n').next().unwrap_or_default()
}

/// Adds `new` as the last in `parent`.
pub(super) fn append(document: &mut Document, parent: NodeId, new: NodeId) -> Result<()> {
    document.open_up(parent)?;
    document.touch(parent);
    let is_space = |node: &NodeId| document.is_space(*node);
    let last = document.children(parent).rev().find(|node| !is_space(node));
    let closing = document.nodes[parent]
        .last
        .filter(|node| line_of(document, *node).is_some());
    match last {
        Some(last) if document.nodes[last].kind == NodeKind::Text => {
            let end = document.nodes[parent].last;
            document.nodes.insert(parent, end, new);
        }
        Some(last) => {
            let line = line_before(document, last).map(str::to_owned);
            put_after(document, last, new, line)?;
        }
        None => match own_line(document, parent) {
            Some(own) => {
                let line = format!("{own}{}", indent(document, parent, &own));
                if closing.is_none() {
                    let space = document.create(NodeKind::Text, &own)?;
                    document.nodes.insert(parent, None, space);
                }
                document.nodes.insert(parent, None, new);
                let space = document.create(NodeKind::Text, &line)?;
                document.nodes.insert(parent, None, space);
                indent_as(document, new, &line)?;
            }
            None => document.nodes.insert(parent, None, new),
        },
    }
    Ok(())
}

/// Puts `new` after `node`.
pub(super) fn after(document: &mut Document, node: NodeId, new: NodeId) -> Result<()> {
    let line = line_before(document, node).map(str::to_owned);
    put_after(document, node, new, line)
}

fn put_after(
    document: &mut Document,
    node: NodeId,
    new: NodeId,
    line: Option<String>,
) -> Result<()> {
    let Some(parent) = document.parent(node) else {
        return Ok(());
    };
    document.touch(parent);
    document.nodes.insert(parent, Some(node), new);
    if let Some(line) = line {
        let space = document.create(NodeKind::Text, &line)?;
        document.nodes.insert(parent, Some(node), space);
        indent_as(document, new, &line)?;
    }
    Ok(())
}

/// Puts `new` before `node`.
pub(super) fn before(document: &mut Document, node: NodeId, new: NodeId) -> Result<()> {
    let Some(parent) = document.parent(node) else {
        return Ok(());
    };
    document.touch(parent);
    let line = line_before(document, node).map(str::to_owned);
    let previous = document.nodes[node].previous;
    document.nodes.insert(parent, previous, new);
    if let Some(line) = line {
        let space = document.create(NodeKind::Text, &line)?;
        document.nodes.insert(parent, Some(new), space);
        indent_as(document, new, &line)?;
    }
    Ok(())
}

/// Removes `node`, with the line that it began.
pub(super) fn remove(document: &mut Document, node: NodeId) {
    if let Some(parent) = document.parent(node) {
        document.touch(parent);
    }
    // If a node follows on the same line, the line stays.
    let ends_line = document.nodes[node]
        .next
        .is_none_or(|next| document.is_space(next) && document.open(next).contains('\n'));
    if let Some(space) = document.nodes[node].previous
        && document.is_space(space)
        && let Some(line) = line_of(document, space).filter(|_| ends_line)
    {
        let kept = document.open(space).len() - line.len();
        document.shorten(space, kept);
    }
    document.nodes.detach(node);
}

/// Indents the lines within `node`, which comes from elsewhere, to match `line`.
fn indent_as(document: &mut Document, node: NodeId, line: &str) -> Result<()> {
    // Its own end tag shows its indentation.
    let closing = document.nodes[node].last;
    let Some(base) = closing.and_then(|space| line_of(document, space)) else {
        return Ok(());
    };
    let (base, target) = (indentation(base).to_owned(), indentation(line));
    if base == target {
        return Ok(());
    }
    for space in lines_within(document, node) {
        let text = document.open(space);
        let old = indentation(text);
        let before = &text[..text.len() - old.len()];
        let more = old.strip_prefix(base.as_str()).unwrap_or_default();
        let moved = format!("{before}{target}{more}");
        document.set_open(space, &moved)?;
    }
    Ok(())
}

/// True if `node` contains only space between lines.
fn holds_no_text(document: &Document, node: NodeId) -> bool {
    document.elements(node).next().is_some()
        && document
            .children(node)
            .all(|child| match document.nodes[child].kind {
                NodeKind::Element | NodeKind::Other => true,
                _ => document.is_space(child),
            })
}
