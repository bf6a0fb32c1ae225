//! The tree of a document: the position and the bytes of each node.

use std::num::NonZeroU32;
use std::ops::Range;

/// The node that stands for the whole document.
pub(super) const DOCUMENT: NodeId = NodeId(NonZeroU32::MIN);

/// A node's place in its document, which stays its own also after it was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(NonZeroU32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Document,
    Element,
    Text,
    CData,
    /// A comment, a processing instruction, the declaration, the document type or the byte order
    /// mark.
    Other,
}

/// Bytes of the document's text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The bytes `range`, `base` bytes further on.
    pub fn new(range: Range<usize>, base: usize) -> Self {
        // `room` in `document.rs` keeps every document small enough for 32-bit positions.
        let narrow = |at: usize| u32::try_from(base + at).unwrap_or(u32::MAX);
        Self {
            start: narrow(range.start),
            end: narrow(range.end),
        }
    }

    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes from the first of these to the last of `end`.
    pub fn up_to(self, end: Self) -> Range<usize> {
        self.start as usize..end.end as usize
    }

    /// Adds the bytes of `next`, if they directly follow these.
    pub fn extend(&mut self, next: Span) -> bool {
        let follows = self.end == next.start;
        if follows {
            self.end = next.end;
        }
        follows
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub kind: NodeKind,
    /// True if it or a node in it differs from the text from `open` to `close`.
    pub edited: bool,
    pub parent: Option<NodeId>,
    pub previous: Option<NodeId>,
    pub next: Option<NodeId>,
    pub first: Option<NodeId>,
    pub last: Option<NodeId>,
    /// An element's start tag, and all of anything else.
    pub open: Span,
    /// An element's end tag; nothing if the start tag ends it as well.
    pub close: Span,
}

impl Node {
    pub fn new(kind: NodeKind, open: Span) -> Self {
        Self {
            kind,
            edited: false,
            parent: None,
            previous: None,
            next: None,
            first: None,
            last: None,
            open,
            close: Span {
                start: open.end,
                end: open.end,
            },
        }
    }
}

/// The nodes of a document, in the order in which they came into being.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes(Vec<Node>);

impl Nodes {
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    pub fn push(&mut self, node: Node) -> NodeId {
        self.0.push(node);
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        NodeId(NonZeroU32::new(count).unwrap_or(NonZeroU32::MAX))
    }

    /// Forgets all but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.0.truncate(count);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds `child` as the last in `parent`.
    pub fn append(&mut self, parent: NodeId, child: NodeId) {
        let last = self[parent].last.replace(child);
        match last {
            Some(last) => self[last].next = Some(child),
            None => self[parent].first = Some(child),
        }
        self[child].parent = Some(parent);
        self[child].previous = last;
        self[child].next = None;
    }

    /// Removes `node` from its parent.
    pub fn detach(&mut self, node: NodeId) {
        let Node {
            parent,
            previous,
            next,
            ..
        } = self[node];
        match (previous, parent) {
            (Some(previous), _) => self[previous].next = next,
            (None, Some(parent)) => self[parent].first = next,
            (None, None) => {}
        }
        match (next, parent) {
            (Some(next), _) => self[next].previous = previous,
            (None, Some(parent)) => self[parent].last = previous,
            (None, None) => {}
        }
        let node = &mut self[node];
        (node.parent, node.previous, node.next) = (None, None, None);
    }

    /// Puts `child`, which has no parent, right after `before`, or first in `parent`.
    pub fn insert(&mut self, parent: NodeId, before: Option<NodeId>, child: NodeId) {
        let next = match before {
            Some(before) => self[before].next.replace(child),
            None => self[parent].first.replace(child),
        };
        match next {
            Some(next) => self[next].previous = Some(child),
            None => self[parent].last = Some(child),
        }
        let child = &mut self[child];
        (child.parent, child.previous, child.next) = (Some(parent), before, next);
    }
}

impl std::ops::Index<NodeId> for Nodes {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.0[id.0.get() as usize - 1]
    }
}

impl std::ops::IndexMut<NodeId> for Nodes {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.0[id.0.get() as usize - 1]
    }
}
