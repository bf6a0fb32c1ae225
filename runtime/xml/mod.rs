//! XML documents that keep their original text: parse, select, edit, compare, write.
//!
//! An [`Xml`] is an element of a document, or the whole of it; copies of it are the same element.
//! Unmodified parts are preserved byte for byte: comments, CDATA, references, quotes and white
//! space.

mod diff;
mod document;
mod edit;
mod effort;
mod fault;
mod layout;
mod namespace;
mod nodes;
mod parse;
mod path;
mod select;
mod spot;
mod tag;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

pub(crate) use diff::Difference;
use document::Document;
pub(crate) use document::MAX_DEPTH;
pub(crate) use fault::{Fault, Result};
use nodes::{DOCUMENT, NodeId};
pub(crate) use path::quoted;
use path::{End, Path};
pub use spot::Spot;
pub(crate) use spot::{against_schema, lacking, malformed, named, root};
pub(crate) use text::escaped_attribute;

/// An element of an XML document, or a whole document.
#[derive(Clone, Debug)]
pub struct Xml {
    document: Arc<Mutex<Document>>,
    node: NodeId,
}

/// The result of a path.
pub(crate) enum Selected {
    Elements(Vec<Xml>),
    Texts(Vec<String>),
}

/// The place for a new element.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// As the last within.
    In,
    Before,
    After,
}

impl Xml {
    /// The document that `text` is.
    pub(crate) fn parse(text: impl Into<String>) -> Result<Self> {
        Ok(Self::whole(Document::parse(text.into())?))
    }

    /// The document that `bytes` are, in UTF-8.
    pub(crate) fn parse_bytes(bytes: Vec<u8>) -> Result<Self> {
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
                Err(Fault::malformed(&text, at, "this is not UTF-8"))
            }
        }
    }

    /// The document that libvirt returned as the XML of a running object.
    pub(crate) fn of_what_runs(self) -> Self {
        self.document().is_live = true;
        self
    }

    /// True if it is, or was before edits, the XML of a running object.
    pub(crate) fn is_live(&self) -> bool {
        self.document().is_live
    }

    /// A document that has no root element yet.
    pub(crate) fn empty() -> Self {
        Self::whole(Document::empty())
    }

    fn whole(document: Document) -> Self {
        Self {
            document: Arc::new(Mutex::new(document)),
            node: DOCUMENT,
        }
    }

    /// The document, for as long as the element is in it.
    fn lock(&self) -> Result<MutexGuard<'_, Document>> {
        let document = self.document();
        if document.is_attached(self.node) {
            Ok(document)
        } else {
            let name = document.name(self.node);
            Err(Fault::new(format!(
                "this `{name}` was removed from its document"
            )))
        }
    }

    /// The document, which may no longer hold the element.
    fn document(&self) -> MutexGuard<'_, Document> {
        // The tree is consistent even after an edit that panicked.
        self.document.lock()
    }

    /// The element that this value represents; for a whole document, its root.
    fn element(&self, document: &Document) -> NodeId {
        if self.node == DOCUMENT {
            document.root()
        } else {
            self.node
        }
    }

    fn at(&self, node: NodeId) -> Self {
        Self {
            document: Arc::clone(&self.document),
            node,
        }
    }

    /// The XML text; for a removed element, its text before the removal.
    pub(crate) fn text(&self) -> String {
        self.document().outer(self.node)
    }

    /// The bytes of the document with all its edits.
    pub(crate) fn size(&self) -> usize {
        self.document().size()
    }

    /// The element's name, with its prefix.
    pub(crate) fn name(&self) -> String {
        let document = self.document();
        document.name(self.element(&document)).to_owned()
    }

    /// Names and values of the element's attributes, in the document's order.
    pub(crate) fn attributes(&self) -> Result<Vec<(String, String)>> {
        let document = self.lock()?;
        let attributes = document.attributes(self.element(&document)).into_iter();
        Ok(attributes
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }

    /// The elements that stand in this one directly.
    pub(crate) fn children(&self) -> Result<Vec<Self>> {
        let document = self.lock()?;
        let children = document.elements(self.element(&document));
        Ok(children.map(|node| self.at(node)).collect())
    }

    /// The text of the first node at `path`.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let path = Path::parse(path)?;
        let document = self.lock()?;
        let start = self.element(&document);
        match select::value(&document, start, &path)? {
            Some(value) => Ok(value),
            None => Err(select::missing(&document, start, &path)),
        }
    }

    /// The text of the first node at `path`, if there is one.
    pub(crate) fn find(&self, path: &str) -> Result<Option<String>> {
        let path = Path::parse(path)?;
        let document = self.lock()?;
        select::value(&document, self.element(&document), &path)
    }

    /// True if any node matches `path`.
    pub(crate) fn has(&self, path: &str) -> Result<bool> {
        let path = Path::parse(path)?;
        let document = self.lock()?;
        select::leads_anywhere(&document, self.element(&document), &path)
    }

    /// Everything that matches `path`.
    pub(crate) fn select(&self, path: &str) -> Result<Selected> {
        let path = Path::parse(path)?;
        let document = self.lock()?;
        let start = self.element(&document);
        Ok(match path.end {
            End::Elements => {
                let nodes = select::elements(&document, start, &path)?;
                Selected::Elements(nodes.into_iter().map(|node| self.at(node)).collect())
            }
            _ => Selected::Texts(select::values(&document, start, &path)?),
        })
    }

    /// The XML of all elements that `path` leads to, or the texts.
    pub(crate) fn texts(&self, path: &str) -> Result<Vec<String>> {
        Ok(match self.select(path)? {
            Selected::Elements(elements) => elements.iter().map(Self::text).collect(),
            Selected::Texts(texts) => texts,
        })
    }

    /// Sets the text or the attribute of the first node at `path`, and creates missing nodes.
    pub(crate) fn set(&self, path: &str, value: &str) -> Result<()> {
        let path = Path::parse(path)?;
        let mut document = self.lock()?;
        let start = self.element(&document);
        edit::set(&mut document, start, &path, value)
    }

    /// The element that `path` leads to first, made if there is none.
    pub(crate) fn reach(&self, path: &str) -> Result<Self> {
        let path = Path::parse(path)?;
        select::check_element(&path)?;
        let mut document = self.lock()?;
        let start = self.element(&document);
        let reached = edit::reach(&mut document, start, &path)?;
        Ok(self.at(reached.node))
    }

    /// Puts the XML `what` in, before or after the element that `path` leads to first.
    pub(crate) fn insert(&self, path: &str, place: Place, what: &str) -> Result<Self> {
        self.insert_all(path, place, &[what.to_owned()], false)
    }

    /// Puts in the elements `what`, at least one, in their order, and returns the last.
    ///
    /// With `is_built`, virhai generated them, and their lines are indented like the document's.
    pub(crate) fn insert_all(
        &self,
        path: &str,
        place: Place,
        what: &[String],
        is_built: bool,
    ) -> Result<Self> {
        let path = Path::parse(path)?;
        select::check_element(&path)?;
        let mut document = self.lock()?;
        let start = self.element(&document);
        let (place, reached) = match place {
            Place::In => (
                edit::Where::LastIn,
                edit::reach(&mut document, start, &path)?,
            ),
            Place::Before => (
                edit::Where::Before,
                select::first(&document, start, &path)?.into(),
            ),
            Place::After => (
                edit::Where::After,
                select::first(&document, start, &path)?.into(),
            ),
        };
        let mut inserted: Vec<NodeId> = Vec::new();
        for what in what {
            let (place, beside) = match (place, inserted.last()) {
                (edit::Where::After, Some(last)) => (edit::Where::After, *last),
                (place, _) => (place, reached.node),
            };
            match edit::insert(&mut document, beside, place, what, is_built) {
                Ok(node) => inserted.push(node),
                Err(fault) => {
                    for node in inserted {
                        layout::remove(&mut document, node);
                    }
                    reached.undo(&mut document);
                    return Err(fault);
                }
            }
        }
        Ok(self.at(inserted.last().copied().unwrap_or(reached.node)))
    }

    /// The XML of this element for a place within `other`, with the namespaces it needs there.
    pub(crate) fn portable_to(&self, other: &Self) -> Result<String> {
        let known = {
            let document = other.lock()?;
            namespace::scope(&document, other.element(&document))
        };
        let document = self.lock()?;
        Ok(namespace::portable(
            &document,
            self.element(&document),
            &known,
        ))
    }

    /// Removes all nodes at `path`, and returns their number.
    pub(crate) fn remove(&self, path: &str) -> Result<usize> {
        let path = Path::parse(path)?;
        let mut document = self.lock()?;
        let start = self.element(&document);
        edit::remove(&mut document, start, &path)
    }

    /// The XML for a place of its own, with the namespaces that it needs.
    pub(crate) fn standalone(&self) -> Result<String> {
        let document = self.lock()?;
        Ok(namespace::portable(&document, self.node, &Vec::new()))
    }

    /// A document of its own with the same content.
    pub(crate) fn copy(&self) -> Result<Self> {
        Self::parse(self.standalone()?)
    }

    /// Adds an empty element as the last in this one.
    pub(crate) fn append(&self, name: &str, attributes: &[(&str, &str)]) -> Result<Self> {
        check_name(name)?;
        for (name, value) in attributes {
            check_name(name)?;
            check_text(value)?;
        }
        let mut document = self.lock()?;
        let parent = self.element(&document);
        let node = edit::append_element(&mut document, parent, name, attributes)?;
        Ok(self.at(node))
    }

    /// The differences between this and `other`.
    pub(crate) fn diff(&self, other: &Self) -> Result<Vec<Difference>> {
        // Copies another document: two threads that compare crosswise must not block.
        let copy;
        let other = if Arc::ptr_eq(&self.document, &other.document) {
            drop(other.lock()?);
            other
        } else {
            let text = {
                let document = other.lock()?;
                document.outer(other.element(&document))
            };
            copy = Self::whole(Document::parse_part_of_another(text)?);
            &copy
        };
        let from = self.lock()?;
        let theirs;
        let to = if Arc::ptr_eq(&self.document, &other.document) {
            &*from
        } else {
            theirs = other.document();
            &*theirs
        };
        let side = |document, xml: &Self| diff::Side {
            document,
            node: xml.element(document),
        };
        diff::diff(side(&from, self), side(to, other))
    }
}

/// Refuses names that an element or attribute cannot have.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if text::is_name(name) {
        Ok(())
    } else {
        Err(Fault::new(format!(
            "`{name}` is not a name for an element or an attribute"
        )))
    }
}

/// Refuses text that no XML can hold.
pub(crate) fn check_text(text: &str) -> Result<()> {
    match text::forbidden_character(text) {
        None => Ok(()),
        Some((_, letter)) => Err(Fault::new(format!(
            "{} is not allowed in XML",
            text::shown(letter)
        ))),
    }
}

impl std::fmt::Display for Xml {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}
