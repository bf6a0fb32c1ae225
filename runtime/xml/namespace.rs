//! Namespaces: each prefix must be declared, and a part that is taken out of a document keeps the
//! declarations that apply to it.

use super::document::Document;
use super::effort;
use super::fault::{Fault, Result};
use super::nodes::NodeId;
use super::tag;

/// The namespace of the prefix `xml`, and of no other.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace of declarations.
const DECLARATIONS: &str = "http://www.w3.org/2000/xmlns/";

/// The prefixes in libvirt's documentation, with their namespaces.
const OF_LIBVIRT: [(&str, &str); 8] = [
    ("qemu", "http://libvirt.org/schemas/domain/qemu/1.0"),
    ("lxc", "http://libvirt.org/schemas/domain/lxc/1.0"),
    ("xen", "http://libvirt.org/schemas/domain/xen/1.0"),
    ("bhyve", "http://libvirt.org/schemas/domain/bhyve/1.0"),
    ("test", "http://libvirt.org/schemas/domain/test/1.0"),
    ("dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0"),
    ("fs", "http://libvirt.org/schemas/storagepool/fs/1.0"),
    ("rbd", "http://libvirt.org/schemas/storagepool/rbd/1.0"),
];

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

/// The XML of `node` for a place with the namespaces `known`; its start tag declares the others
/// that it needs.
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

/// A fault in the namespaces of a tag.
pub(super) struct Wrong {
    /// The element, and the byte of its tag.
    pub at: (NodeId, usize),
    message: String,
    hint: Option<String>,
}

impl Wrong {
    /// The fault of the text that `document` was made of.
    pub fn malformed(self, document: &Document) -> Fault {
        let (node, at) = self.at;
        let fault = document.fault_at(node, at, &self.message);
        with_hint(fault, self.hint)
    }

    /// The fault of an edit.
    pub fn fault(self) -> Fault {
        with_hint(Fault::new(self.message), self.hint)
    }
}

fn with_hint(fault: Fault, hint: Option<String>) -> Fault {
    match hint {
        Some(hint) => fault.with_hint(hint),
        None => fault,
    }
}

/// Prefixes and their namespaces, the nearest last.
struct Declared(Vec<(String, String)>);

/// The first tag in `top` with a prefix that nothing declares, or that is declared wrongly; `scope`
/// holds around `top`.
pub(super) fn wrong(document: &Document, top: NodeId, scope: &Scope) -> Result<Option<Wrong>> {
    let prefixes = scope.iter().rev().filter_map(|(name, value)| {
        let prefix = name.strip_prefix("xmlns:")?;
        Some((prefix.to_owned(), value.clone()))
    });
    let mut declared = Declared(prefixes.collect());
    // The elements that the walk is in, each with how much was declared before it.
    let mut open: Vec<(NodeId, usize)> = Vec::new();
    for node in document.walk(top).filter(|node| document.is_element(*node)) {
        while let Some(&(element, before)) = open.last()
            && document.parent(node) != Some(element)
        {
            declared.0.truncate(before);
            open.pop();
        }
        open.push((node, declared.0.len()));
        let tag = document.open(node);
        effort::take(1 + tag.len() / 64)?;
        if memchr::memchr(b':', tag.as_bytes()).is_none() {
            continue;
        }
        if let Some((name, message, hint)) = declared.take(tag) {
            let at = (name.as_ptr() as usize).saturating_sub(tag.as_ptr() as usize);
            return Ok(Some(Wrong {
                at: (node, at),
                message,
                hint,
            }));
        }
    }
    Ok(None)
}

/// A name in a tag, its fault, and a hint.
type WrongName<'a> = (&'a str, String, Option<String>);

impl Declared {
    /// Reads the declarations of `tag`, and returns the fault of its prefixes, if any.
    fn take<'a>(&mut self, tag: &'a str) -> Option<WrongName<'a>> {
        for attribute in tag::attributes(tag) {
            let prefix = match attribute.name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => &rest[1..],
                _ => continue,
            };
            let value = attribute.value();
            if let Some(wrong) = wrong_declaration(prefix, &value) {
                return Some((attribute.name, wrong, None));
            }
            if !prefix.is_empty() {
                self.0.push((prefix.to_owned(), value.into_owned()));
            }
        }
        let name = tag::name(tag);
        if let Err((wrong, hint)) = self.namespace(name) {
            return Some((name, wrong, Some(hint)));
        }
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for attribute in tag::attributes(tag) {
            let name = attribute.name;
            if name.starts_with("xmlns:") {
                continue;
            }
            match self.namespace(name) {
                Err((wrong, hint)) => return Some((name, wrong, Some(hint))),
                Ok(None) => {}
                Ok(Some(known)) if seen.contains(&known) => {
                    let wrong = format!(
                        "the attribute `{name}` appears twice, under two prefixes of the same namespace"
                    );
                    return Some((name, wrong, None));
                }
                Ok(Some(known)) => seen.push(known),
            }
        }
        None
    }

    /// The namespace of a name that has a prefix, and the name in it.
    fn namespace<'a>(
        &'a self,
        name: &'a str,
    ) -> std::result::Result<Option<(&'a str, &'a str)>, (String, String)> {
        let Some((prefix, local)) = name.split_once(':') else {
            return Ok(None);
        };
        if prefix == "xml" {
            return Ok(Some((XML, local)));
        }
        let known = self.0.iter().rev().find(|(known, _)| known == prefix);
        match known {
            Some((_, namespace)) => Ok(Some((namespace, local))),
            None => {
                let wrong = format!("the prefix `{prefix}` of `{name}` is not declared");
                let of_libvirt = OF_LIBVIRT.iter().find(|(known, _)| *known == prefix);
                let namespace = of_libvirt.map_or("URI", |(_, namespace)| namespace);
                let hint = format!(
                    "declare it on this element or on one around it: xmlns:{prefix}='{namespace}'"
                );
                Err((wrong, hint))
            }
        }
    }
}

fn wrong_declaration(prefix: &str, namespace: &str) -> Option<String> {
    if prefix == "xmlns" {
        return Some("the prefix `xmlns` cannot be declared".into());
    }
    if prefix == "xml" {
        return (namespace != XML).then(|| format!("the prefix `xml` can only stand for {XML}"));
    }
    if namespace == XML || namespace == DECLARATIONS {
        return Some(format!("the namespace {namespace} is reserved"));
    }
    (!prefix.is_empty() && namespace.is_empty())
        .then(|| format!("the prefix `{prefix}` is declared without a namespace"))
}
