//! The document: its original text, and a tree of its nodes with their positions.
//!
//! A node stores the position of its bytes in `text`. Bytes of the text never change: an edit
//! appends the new bytes and points the node to them. Writing copies unmodified parts byte for
//! byte.

use super::fault::{Fault, Result};
use super::nodes::{DOCUMENT, Node, NodeId, NodeKind, Nodes, Span};
use super::{namespace, parse, tag, text};

/// The maximum depth of nested elements.
pub(crate) const MAX_DEPTH: usize = 1000;

/// The maximum size of a document, in bytes, with all its edits.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// An XML document.
#[derive(Debug, Clone)]
pub(super) struct Document {
    text: String,
    pub nodes: Nodes,
    /// The quotation mark around its attributes.
    quote: Option<char>,
    /// True if it is still being built, so that outer elements may declare its prefixes later.
    pub is_draft: bool,
    /// True if libvirt returned it as the XML of a running object.
    pub is_live: bool,
}

impl Document {
    pub fn empty() -> Self {
        let mut nodes = Nodes::default();
        nodes.push(Node::new(NodeKind::Document, Span::default()));
        Self {
            text: String::new(),
            nodes,
            quote: None,
            is_draft: true,
            is_live: false,
        }
    }

    pub fn parse(text: String) -> Result<Self> {
        let document = Self::parse_part_of_another(text)?;
        match namespace::wrong(&document, DOCUMENT, &Vec::new())? {
            Some(wrong) => Err(wrong.malformed(&document)),
            None => Ok(document),
        }
    }

    /// The document that `text` is, where prefixes may have been declared around it.
    pub fn parse_part_of_another(text: String) -> Result<Self> {
        room(0, text.len())?;
        let nodes = parse::document(&text)?;
        Ok(Self {
            text,
            nodes,
            quote: None,
            is_draft: false,
            is_live: false,
        })
    }

    /// The fault that the start tag of `node` is wrong at its byte `at`.
    pub fn fault_at(&self, node: NodeId, at: usize, message: &str) -> Fault {
        let at = self.nodes[node].open.range().start + at;
        Fault::malformed(&self.text, at, message)
    }

    /// True if its lines end with CR and LF.
    pub fn has_crlf(&self) -> bool {
        let first = memchr::memchr(b'\n', self.text.as_bytes());
        first.is_some_and(|at| at > 0 && self.text.as_bytes()[at - 1] == b'\r')
    }

    /// Parses `text`, which is inserted `depth` levels deep, and returns its nodes except white
    /// space. They have no parent yet.
    pub fn parse_part(&mut self, text: &str, depth: usize) -> Result<Vec<NodeId>> {
        let base = self.reserve(text.len())?;
        let before = self.nodes.len();
        let holder = match parse::part(&mut self.nodes, text, base, depth) {
            Ok(holder) => holder,
            Err(fault) => {
                self.nodes.truncate(before);
                return Err(fault);
            }
        };
        self.text.push_str(text);
        let parts: Vec<NodeId> = self.children(holder).collect();
        for part in &parts {
            self.nodes.detach(*part);
        }
        // An XML declaration, a DOCTYPE and the like belong to a whole document, not to a part.
        let wanted = |part: &NodeId| match self.nodes[*part].kind {
            NodeKind::Other => self.open(*part).starts_with("<!--"),
            kind => kind == NodeKind::Element,
        };
        Ok(parts.into_iter().filter(wanted).collect())
    }

    /// Its bytes with all edits.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The root element.
    pub fn root(&self) -> NodeId {
        self.children(DOCUMENT)
            .find(|child| self.is_element(*child))
            .unwrap_or(DOCUMENT)
    }

    pub fn is_element(&self, node: NodeId) -> bool {
        self.nodes[node].kind == NodeKind::Element
    }

    /// True if `node` still belongs to the document.
    pub fn is_attached(&self, node: NodeId) -> bool {
        self.ancestors(node).last().unwrap_or(node) == DOCUMENT
    }

    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.nodes[node].parent
    }

    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(node), |node| self.parent(*node))
    }

    /// The number of elements around `node`.
    pub fn depth(&self, node: NodeId) -> usize {
        self.ancestors(node).count()
    }

    pub fn children(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        Children {
            document: self,
            first: self.nodes[node].first,
            last: self.nodes[node].last,
        }
    }

    pub fn elements(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.children(node).filter(|child| self.is_element(*child))
    }

    /// `top` and everything in it, in the document's order.
    pub fn walk(&self, top: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(top), move |node| {
            self.nodes[*node].first.or_else(|| self.after(*node, top))
        })
    }

    /// The node after `node` and its contents, within `top`.
    pub fn after(&self, node: NodeId, top: NodeId) -> Option<NodeId> {
        let mut node = node;
        while node != top {
            if let Some(next) = self.nodes[node].next {
                return Some(next);
            }
            node = self.nodes[node].parent?;
        }
        None
    }

    /// The start tag of an element, and all of any other node but the document.
    pub fn open(&self, node: NodeId) -> &str {
        &self.text[self.nodes[node].open.range()]
    }

    fn close(&self, node: NodeId) -> &str {
        &self.text[self.nodes[node].close.range()]
    }

    /// An element's name, with its prefix.
    pub fn name(&self, node: NodeId) -> &str {
        match self.nodes[node].kind {
            NodeKind::Element => tag::name(self.open(node)),
            _ => "",
        }
    }

    pub fn attribute(&self, node: NodeId, name: &str) -> Option<String> {
        if !self.is_element(node) {
            return None;
        }
        tag::attributes(self.open(node))
            .find(|attribute| attribute.name == name)
            .map(|attribute| attribute.value().into_owned())
    }

    /// Names and values of an element's attributes.
    pub fn attributes(&self, node: NodeId) -> Vec<(&str, String)> {
        if !self.is_element(node) {
            return Vec::new();
        }
        tag::attributes(self.open(node))
            .map(|attribute| (attribute.name, attribute.value().into_owned()))
            .collect()
    }

    /// The text that stands in an element directly.
    pub fn text_of(&self, node: NodeId) -> String {
        let mut all = String::new();
        for child in self.children(node) {
            all.push_str(&self.own_text(child));
        }
        all
    }

    /// The text of a text node.
    pub fn own_text(&self, node: NodeId) -> std::borrow::Cow<'_, str> {
        match self.nodes[node].kind {
            NodeKind::Text => text::plain(self.open(node)),
            NodeKind::CData => text::verbatim(self.open(node)),
            _ => "".into(),
        }
    }

    /// True if `node` is only space between lines.
    pub fn is_space(&self, node: NodeId) -> bool {
        self.nodes[node].kind == NodeKind::Text && text::is_space(self.open(node))
    }

    /// The XML of `node` as it stands.
    pub fn outer(&self, node: NodeId) -> String {
        let mut out = String::with_capacity(self.outer_length(node));
        self.write(node, &mut out);
        out
    }

    /// The bytes of that XML.
    pub fn outer_length(&self, node: NodeId) -> usize {
        let Node {
            edited,
            open,
            close,
            ..
        } = self.nodes[node];
        if !edited {
            return open.up_to(close).len();
        }
        let within = self.children(node).map(|child| self.outer_length(child));
        open.range().len() + within.sum::<usize>() + close.range().len()
    }

    fn write(&self, node: NodeId, out: &mut String) {
        let Node {
            edited,
            open,
            close,
            ..
        } = self.nodes[node];
        if !edited {
            out.push_str(&self.text[open.up_to(close)]);
            return;
        }
        out.push_str(self.open(node));
        for child in self.children(node) {
            self.write(child, out);
        }
        out.push_str(self.close(node));
    }

    /// The quotation mark for a new attribute of `node`: that of its other attributes, or else of
    /// the document's first attribute.
    pub fn quote(&mut self, node: NodeId) -> char {
        if let Some(quote) = tag::quote(self.open(node)) {
            return quote;
        }
        if let Some(quote) = self.quote {
            return quote;
        }
        let first = {
            let mut elements = self.walk(DOCUMENT).filter(|node| self.is_element(*node));
            elements.find_map(|node| tag::quote(self.open(node)))
        };
        *self.quote.insert(first.unwrap_or('\''))
    }

    /// Appends `text` to the document's text, and returns its span for a node.
    fn store(&mut self, text: &str) -> Result<Span> {
        let base = self.reserve(text.len())?;
        self.text.push_str(text);
        Ok(Span::new(0..text.len(), base))
    }

    fn reserve(&self, more: usize) -> Result<usize> {
        room(self.text.len(), more)?;
        Ok(self.text.len())
    }

    /// A new node, which has no parent yet.
    pub fn create(&mut self, kind: NodeKind, text: &str) -> Result<NodeId> {
        let span = self.store(text)?;
        Ok(self.nodes.push(Node::new(kind, span)))
    }

    /// Replaces the start tag or the text of `node`.
    pub fn set_open(&mut self, node: NodeId, text: &str) -> Result<()> {
        self.nodes[node].open = self.store(text)?;
        self.touch(node);
        Ok(())
    }

    /// Keeps the first `length` bytes of the text `node`.
    pub fn shorten(&mut self, node: NodeId, length: usize) {
        if length == 0 {
            self.nodes.detach(node);
            return;
        }
        let start = self.nodes[node].open.range().start;
        self.nodes[node].open = Span::new(start..start + length, 0);
        self.touch(node);
    }

    /// Makes room for children in an element that has no end tag.
    pub fn open_up(&mut self, node: NodeId) -> Result<()> {
        let Some(opened) = tag::opened(self.open(node)).filter(|_| self.is_element(node)) else {
            return Ok(());
        };
        let end = format!("</{}>", self.name(node));
        self.nodes[node].close = self.store(&end)?;
        self.set_open(node, &opened)
    }

    /// Notes that `node` differs from its bytes in the text.
    pub fn touch(&mut self, node: NodeId) {
        let mut next = Some(node);
        while let Some(node) = next {
            let node = &mut self.nodes[node];
            node.edited = true;
            next = node.parent;
        }
    }
}

fn room(held: usize, more: usize) -> Result<()> {
    if held.saturating_add(more) > MAX_BYTES {
        return Err(Fault::new("the document would be larger than 1 GiB"));
    }
    Ok(())
}

struct Children<'a> {
    document: &'a Document,
    first: Option<NodeId>,
    last: Option<NodeId>,
}

impl Children<'_> {
    /// Notes that the one both ends have come to was the last of all.
    fn ended(&mut self) {
        (self.first, self.last) = (None, None);
    }
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let node = self.first?;
        self.first = self.document.nodes[node].next;
        if self.last == Some(node) {
            self.ended();
        }
        Some(node)
    }
}

impl DoubleEndedIterator for Children<'_> {
    fn next_back(&mut self) -> Option<NodeId> {
        let node = self.last?;
        self.last = self.document.nodes[node].previous;
        if self.first == Some(node) {
            self.ended();
        }
        Some(node)
    }
}
