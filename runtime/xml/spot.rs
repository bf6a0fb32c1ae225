//! Finds the place of the fault in a refused text.

use std::ops::Range;

use super::document::Document;
use super::fault::Fault;
use super::nodes::{DOCUMENT, NodeId};
use super::tag;

/// The maximum number of trials without a part of the document, at ten milliseconds each.
const TRIES: usize = 150;

const SOMEWHERE: &str = "libvirt's schema does not allow this, or something in it";

/// A part of a text, and its fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Its bytes, within one line where it can be.
    pub bytes: Range<usize>,
    /// The path from the root to the element around it; `None` if the text is not XML.
    pub element: Option<String>,
    /// The fault, in a few words.
    pub what: String,
}

/// The place at which `text` stops being XML.
pub(crate) fn malformed(text: &str) -> Option<Spot> {
    let Fault { message, at, .. } = Document::parse(text.to_owned()).err()?;
    let at = super::text::floor(text, at?.min(text.len()));
    let what = message
        .split_once(": ")
        .map_or(message.as_str(), |(_, what)| what);
    let line = text[at..].lines().next().unwrap_or_default();
    let end = match line.chars().next() {
        Some('<') => line.find('>').map_or(line.len(), |end| end + 1),
        Some('&') => line.find(';').map_or(1, |end| end + 1),
        other => other.map_or(0, char::len_utf8),
    };
    Some(Spot {
        bytes: at..at + end,
        element: None,
        what: what.to_owned(),
    })
}

/// The root element of `text`.
pub(crate) fn root(text: &str) -> Option<String> {
    let document = Document::parse(text.to_owned()).ok()?;
    Some(document.name(document.root()).to_owned())
}

/// The element in `text` that lacks the element `name`.
pub(crate) fn lacking(text: &str, name: &str) -> Option<Spot> {
    let document = Document::parse(text.to_owned()).ok()?;
    Some(document.spot(document.root(), format!("it has no element <{name}>")))
}

/// The part that libvirt's schema refuses: `text` is accepted without it. If no single part is to
/// blame, the element that libvirt's message `words` names.
pub(crate) fn against_schema(
    text: &str,
    words: &str,
    refused: impl Fn(&str) -> bool,
) -> Option<Spot> {
    let document = Document::parse(text.to_owned()).ok()?;
    let named = document.named(words);
    let mut tries = 0;
    let mut accepted_without = |range: Range<usize>| {
        tries += 1;
        let mut rest = text.to_owned();
        rest.replace_range(range, "");
        tries <= TRIES && !refused(&rest)
    };
    let mut culprit = document.root();
    loop {
        let mut within: Vec<NodeId> = document.elements(culprit).collect();
        // An element that libvirt names is the most likely.
        within.sort_by_key(|element| !named.contains(element));
        let Some(found) = within
            .into_iter()
            .find(|element| accepted_without(document.range(*element)))
        else {
            break;
        };
        culprit = found;
    }
    // A required element cannot be left out as a whole, but perhaps an attribute in it can.
    let within: Vec<NodeId> = document.elements_in(culprit).collect();
    for element in within {
        let attributes: Vec<Range<usize>> = document.attribute_ranges(element).collect();
        if let Some(bytes) = attributes
            .into_iter()
            .find(|bytes| accepted_without(bytes.clone()))
        {
            return Some(Spot {
                bytes,
                ..document.spot(
                    element,
                    "libvirt's schema does not allow this attribute, or its value",
                )
            });
        }
    }
    if culprit != document.root() {
        let what = match document.children(culprit).next() {
            Some(_) if document.elements(culprit).next().is_some() => SOMEWHERE,
            Some(_) => "libvirt's schema does not allow this element, or its value",
            None => "libvirt's schema does not allow this element here",
        };
        return Some(document.spot(culprit, what));
    }
    let named = named.into_iter().next()?;
    Some(document.spot(named, SOMEWHERE))
}

/// The part that libvirt's message names: an attribute or a text with a value, or an element.
pub(crate) fn named(text: &str, words: &str) -> Option<Spot> {
    let document = Document::parse(text.to_owned()).ok()?;
    let quoted: Vec<&str> = words.split(['\'', '"']).skip(1).step_by(2).collect();
    let elements: Vec<NodeId> = document.elements_in(DOCUMENT).collect();
    let says_element = words.contains("element '");
    let of_interest =
        |node: &&NodeId| !says_element || quoted.iter().any(|name| *name == document.name(**node));
    for node in elements.iter().filter(of_interest) {
        let attributes = document.attributes(*node);
        let wrong = attributes.iter().position(|(name, value)| {
            quoted.contains(&value.as_str())
                && (!words.contains("attribute '") || quoted.contains(name))
        });
        if let Some(bytes) = wrong.and_then(|at| document.attribute_ranges(*node).nth(at)) {
            return Some(Spot {
                bytes,
                ..document.spot(*node, "libvirt does not accept this value")
            });
        }
    }
    // Such as "interface type='network' requires a 'source' element".
    let mut alike = elements.iter().filter(|node| {
        document.attributes(**node).iter().any(|(name, value)| {
            words.contains(&format!("{} {name}='{value}'", document.name(**node)))
        })
    });
    if let (Some(only), None) = (alike.next(), alike.next()) {
        return Some(document.spot(*only, "libvirt's error is about this element"));
    }
    if let Some(missing) = words
        .strip_prefix("XML error: ")
        .unwrap_or(words)
        .to_lowercase()
        .strip_prefix("missing")
        && missing.contains("attribute")
        && let [attribute, element, ..] = quoted[..]
    {
        let bare = elements.iter().find(|node| {
            document.name(**node) == element && document.attribute(**node, attribute).is_none()
        });
        return Some(document.spot(*bare?, format!("it has no attribute `{attribute}`")));
    }
    let mut holding = elements.iter().filter(|node| {
        let text = document.text_of(**node);
        !text.trim().is_empty() && quoted.contains(&text.trim())
    });
    if let (Some(only), None) = (holding.next(), holding.next()) {
        return Some(document.spot(*only, "libvirt does not accept this value"));
    }
    None
}

impl Document {
    /// All bytes of an element.
    fn range(&self, node: NodeId) -> Range<usize> {
        self.nodes[node].open.up_to(self.nodes[node].close)
    }

    /// The elements in `top`, itself among them.
    fn elements_in(&self, top: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.walk(top).filter(|node| self.is_element(*node))
    }

    /// The bytes of the attributes of `node`, values and all.
    fn attribute_ranges(&self, node: NodeId) -> impl Iterator<Item = Range<usize>> + '_ {
        let (open, start) = (self.open(node), self.nodes[node].open.range().start);
        tag::attributes(open).map(move |attribute| {
            let within = attribute.whole(open);
            start + within.start..start + within.end
        })
    }

    /// The start of `node`, and its fault.
    fn spot(&self, node: NodeId, what: impl Into<String>) -> Spot {
        let start = self.nodes[node].open.range().start;
        let line = self.open(node).lines().next().unwrap_or_default();
        Spot {
            bytes: start..start + line.len(),
            element: Some(self.way_to(node)),
            what: what.into(),
        }
    }

    /// The names of the elements that lead to `node`.
    fn way_to(&self, node: NodeId) -> String {
        let mut names: Vec<&str> = std::iter::once(node)
            .chain(self.ancestors(node))
            .filter(|node| self.is_element(*node))
            .map(|node| self.name(node))
            .collect();
        names.reverse();
        names.join("/")
    }

    /// The elements that the words of a schema's complaint name, as they name them.
    fn named(&self, words: &str) -> Vec<NodeId> {
        let mut found = Vec::new();
        for line in words.lines() {
            let name = line
                .strip_prefix("Extra element ")
                .and_then(|rest| rest.split(' ').next())
                .or_else(|| line.split_once("has extra content: ").map(|(_, name)| name))
                .or_else(|| line.split_once("for element ").map(|(_, name)| name))
                .or_else(|| {
                    let rest = line.strip_prefix("Did not expect element ")?;
                    rest.split(' ').next()
                })
                .or_else(|| line.split_once(", got ").map(|(_, name)| name));
            let Some(name) = name.map(str::trim) else {
                continue;
            };
            found.extend(self.walk(DOCUMENT).filter(|node| self.name(*node) == name));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{against_schema, malformed, named};

    const TEXT: &str = "<domain type='test'>\n  <name>web</name>\n  <devices>\n    <disk type='fiile'/>\n    <disk type='file'/>\n  </devices>\n</domain>\n";

    #[test]
    fn the_tag_that_breaks_a_document_is_found() {
        let text = "<domain>\n  <name>web</domain>\n";
        let spot = malformed(text).expect("it is malformed");
        assert_eq!(&text[spot.bytes], "</domain>");
        assert_eq!(malformed(TEXT), None);
    }

    #[test]
    fn the_attribute_without_which_a_schema_takes_the_text_is_found() {
        let spot = against_schema(TEXT, "Extra element devices in interleave", |text| {
            text.contains("fiile")
        });
        let spot = spot.expect("it can be found");
        assert_eq!(&TEXT[spot.bytes], " type='fiile'".trim_start());
        assert_eq!(spot.element.as_deref(), Some("domain/devices/disk"));
    }

    #[test]
    fn what_a_schema_names_is_taken_where_trying_does_not_help() {
        let words =
            "Extra element devices in interleave\nElement domain failed to validate content";
        let spot = against_schema(TEXT, words, |_| true).expect("it is named");
        assert_eq!(&TEXT[spot.bytes], "<devices>");
    }

    #[test]
    fn the_value_that_libvirt_quotes_is_found() {
        let words = "XML error: Invalid value for attribute 'type' in element 'disk': 'fiile'.";
        let spot = named(TEXT, words).expect("it is named");
        assert_eq!(&TEXT[spot.bytes], "type='fiile'");
    }
}
