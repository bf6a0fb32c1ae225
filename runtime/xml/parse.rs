//! Parses text to a tree. quick-xml finds the tokens; this file checks that they are well-formed XML.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use super::document::MAX_DEPTH;
use super::effort;
use super::fault::{Fault, Result, place};
use super::nodes::{Node, NodeId, NodeKind, Nodes, Span};
use super::{tag, text};

/// The fault, and its byte.
type Wrong = (usize, String);

/// The byte order mark, which some editors put before the text.
const MARK: &str = "\u{FEFF}";

/// The tree of the document `source`.
pub(super) fn document(source: &str) -> Result<Nodes> {
    // Most elements are two tags, and have space before them.
    let tags = memchr::memchr_iter(b'<', source.as_bytes()).count();
    let mut nodes = Nodes::with_capacity(tags + tags / 2 + 2);
    part(&mut nodes, source, 0, 0)?;
    Ok(nodes)
}

/// Adds the tree of `source`, which stands `base` bytes into its document and `depth` levels deep,
/// and returns the node that holds it all.
pub(super) fn part(nodes: &mut Nodes, source: &str, base: usize, depth: usize) -> Result<NodeId> {
    if let Some((at, letter)) = text::forbidden_character(source) {
        let message = format!("{} is not allowed in XML", text::shown(letter));
        return Err(Fault::malformed(source, at, message));
    }
    let mut whole = Node::new(NodeKind::Document, Span::new(0..0, base));
    whole.close = Span::new(source.len()..source.len(), base);
    let holder = nodes.push(whole);
    let mut parser = Parser {
        source,
        base,
        depth,
        nodes,
        open: vec![holder],
        starts: Vec::new(),
        root: false,
        doctype: false,
    };
    parser.run()?;
    Ok(holder)
}

/// Adds hints for the most common mistakes.
fn with_hint(fault: Fault) -> Fault {
    let hint = if fault.message.contains("entity") {
        "XML's own entities are `&lt;`, `&gt;`, `&amp;`, `&quot;` and `&apos;`; any character can be given by its number, such as `&#233;`"
    } else if fault.message.contains("deeper than") {
        "libvirt accepts at most 256 levels"
    } else if fault.message.contains("very beginning") {
        "remove everything before `<?xml`, including spaces and empty lines"
    } else {
        return fault;
    };
    fault.with_hint(hint)
}

fn is_known_version(version: &str) -> bool {
    let minor = version.strip_prefix("1.").unwrap_or_default();
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_known_encoding(name: &str) -> bool {
    let known = ["utf-8", "utf8", "us-ascii", "ascii"];
    known.iter().any(|known| name.eq_ignore_ascii_case(known))
}

struct Parser<'a> {
    source: &'a str,
    base: usize,
    depth: usize,
    nodes: &'a mut Nodes,
    /// The holder, and the elements that are not closed yet.
    open: Vec<NodeId>,
    /// The beginnings of the elements in `open`.
    starts: Vec<(usize, &'a str)>,
    root: bool,
    doctype: bool,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<()> {
        let mark = if self.source.starts_with(MARK) {
            MARK.len()
        } else {
            0
        };
        if mark > 0 {
            self.leaf(NodeKind::Other, 0..mark);
        }
        let mut reader = Reader::from_str(&self.source[mark..]);
        let config = reader.config_mut();
        // Names of end tags are compared here, where the start tag is known.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.trim_markup_names_in_closing_tags = false;
        config.check_comments = true;

        let mut start = mark;
        loop {
            let event = reader.read_event();
            let end = mark + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Ok(Event::Eof) => return self.ended().map_err(|wrong| self.fault(wrong)),
                Ok(event) => {
                    effort::take(1 + (end - start) / 16)?;
                    let taken = self.take(&event, start, end);
                    taken.map_err(|wrong| self.fault(wrong))?;
                }
                Err(error) => {
                    let at = usize::try_from(reader.error_position()).unwrap_or_default();
                    return Err(self.fault(self.unreadable(&error, mark + at)));
                }
            }
            start = end;
        }
    }

    fn fault(&self, (at, message): Wrong) -> Fault {
        with_hint(Fault::malformed(self.source, at, message))
    }

    fn take(&mut self, event: &Event, start: usize, end: usize) -> std::result::Result<(), Wrong> {
        let raw = &self.source[start..end];
        match event {
            Event::Start(_) => self.start(raw, start, end),
            Event::Empty(_) => {
                self.tag(raw, start)?;
                self.leaf(NodeKind::Element, start..end);
                Ok(())
            }
            Event::End(name) => self.end(name.name().0, start, end),
            Event::Text(_) => self.text(raw, start, end),
            Event::GeneralRef(reference) => {
                if let Some(wrong) = text::wrong_reference(reference) {
                    return Err((start, wrong));
                }
                self.text(raw, start, end)
            }
            Event::CData(_) if self.starts.is_empty() => Err((start, self.outside("CDATA"))),
            Event::CData(_) => {
                self.leaf(NodeKind::CData, start..end);
                Ok(())
            }
            Event::Decl(_) => self.declaration(start, end),
            Event::DocType(_) => self.document_type(raw, start, end),
            Event::PI(instruction) => {
                let target = instruction.target();
                if !text::is_name(target) || target.eq_ignore_ascii_case("xml") {
                    let wrong = format!("`{target}` is not a name for a processing instruction");
                    return Err((start, wrong));
                }
                self.leaf(NodeKind::Other, start..end);
                Ok(())
            }
            Event::Comment(_) => {
                self.leaf(NodeKind::Other, start..end);
                Ok(())
            }
            Event::Eof => Ok(()),
        }
    }

    /// Adds a node without children.
    fn leaf(&mut self, kind: NodeKind, range: std::ops::Range<usize>) -> NodeId {
        let node = self
            .nodes
            .push(Node::new(kind, Span::new(range, self.base)));
        if let Some(parent) = self.open.last() {
            self.nodes.append(*parent, node);
        }
        node
    }

    /// Checks the tag of an element that begins here.
    fn tag(&mut self, raw: &str, start: usize) -> std::result::Result<(), Wrong> {
        if let Some((at, wrong)) = tag::wrong(raw) {
            return Err((start + at, wrong));
        }
        if self.starts.is_empty() && std::mem::replace(&mut self.root, true) {
            let name = tag::name(raw);
            let wrong = format!("`<{name}>` is after the root element, which must be the only one");
            return Err((start, wrong));
        }
        if self.depth + self.open.len() > MAX_DEPTH {
            return Err((
                start,
                format!("elements nest deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn start(&mut self, raw: &'a str, start: usize, end: usize) -> std::result::Result<(), Wrong> {
        self.tag(raw, start)?;
        let node = self.leaf(NodeKind::Element, start..end);
        self.open.push(node);
        self.starts.push((start, tag::name(raw)));
        Ok(())
    }

    fn end(&mut self, found: &str, start: usize, end: usize) -> std::result::Result<(), Wrong> {
        let found = found.trim_end();
        let Some((began, name)) = self.starts.pop() else {
            return Err((start, format!("`</{found}>` closes no element")));
        };
        if name != found {
            let (line, column) = place(self.source, began);
            let wrong = format!(
                "expected `</{name}>` for the `<{name}>` of line {line}, column {column}, found `</{found}>`"
            );
            return Err((start, wrong));
        }
        if let Some(node) = self.open.pop() {
            self.nodes[node].close = Span::new(start..end, self.base);
        }
        Ok(())
    }

    fn text(&mut self, raw: &str, start: usize, end: usize) -> std::result::Result<(), Wrong> {
        if raw.is_empty() {
            return Ok(());
        }
        if self.starts.is_empty() && !text::is_space(raw) {
            let blank = raw
                .bytes()
                .take_while(|byte| text::is_space_byte(*byte))
                .count();
            return Err((start + blank, self.outside("text")));
        }
        if let Some(at) = memchr::memmem::find(raw.as_bytes(), b"]]>") {
            let wrong = "`]]>` in text must be written `]]&gt;`";
            return Err((start + at, wrong.into()));
        }
        // quick-xml reports references separately; here they are ordinary text.
        let last = self.open.last().and_then(|parent| self.nodes[*parent].last);
        if let Some(last) = last
            && self.nodes[last].kind == NodeKind::Text
            && self.nodes[last]
                .open
                .extend(Span::new(start..end, self.base))
        {
            self.nodes[last].close = Span::new(end..end, self.base);
            return Ok(());
        }
        self.leaf(NodeKind::Text, start..end);
        Ok(())
    }

    fn outside(&self, what: &str) -> String {
        let place = if self.root { "after" } else { "before" };
        format!("{what} is {place} the root element")
    }

    fn declaration(&mut self, start: usize, end: usize) -> std::result::Result<(), Wrong> {
        if !matches!(&self.source[..start], "" | MARK) {
            return Err((start, "`<?xml` must be at the very beginning".into()));
        }
        let raw = &self.source[start..end];
        // Its attributes are written as those of an element.
        let tag = format!("<{}>", raw.trim_start_matches("<?").trim_end_matches("?>"));
        if let Some((at, wrong)) = tag::wrong(&tag) {
            return Err((start + 1 + at, wrong));
        }
        let attributes: Vec<_> = tag::attributes(&tag)
            .map(|attribute| (attribute.name, attribute.value()))
            .collect();
        let mut names = ["version", "encoding", "standalone"].into_iter();
        for (name, _) in &attributes {
            if !names.any(|known| known == *name) {
                return Err((
                    start,
                    format!("`{name}` is not allowed in the XML declaration"),
                ));
            }
        }
        for (name, value) in &attributes {
            let wrong = match *name {
                "version" if !is_known_version(value) => format!("unknown XML version {value}"),
                "encoding" if !is_known_encoding(value) => {
                    format!(
                        "the document declares the encoding {value}, but only UTF-8 is supported"
                    )
                }
                "standalone" if !matches!(value.as_ref(), "yes" | "no") => {
                    "`standalone` must be `yes` or `no`".into()
                }
                _ => continue,
            };
            return Err((start, wrong));
        }
        if attributes
            .first()
            .is_none_or(|(name, _)| *name != "version")
        {
            return Err((start, "the XML declaration has no version".into()));
        }
        self.leaf(NodeKind::Other, start..end);
        Ok(())
    }

    fn document_type(
        &mut self,
        raw: &str,
        start: usize,
        end: usize,
    ) -> std::result::Result<(), Wrong> {
        if !raw.starts_with("<!DOCTYPE") || self.root || std::mem::replace(&mut self.doctype, true)
        {
            return Err((
                start,
                "`<!DOCTYPE` may appear only once, before the root element".into(),
            ));
        }
        let rest = raw.strip_prefix("<!DOCTYPE").unwrap_or_default();
        let mut words = rest.split([' ', '\t', '\r', '\n', '[', '>']);
        let space = words.next().unwrap_or_default();
        let name = words.find(|word| !word.is_empty());
        if !space.is_empty() || !name.is_some_and(text::is_name) {
            return Err((start, "`<!DOCTYPE` has no root element".into()));
        }
        if let Some(at) = memchr::memmem::find(raw.as_bytes(), b"<!ENTITY") {
            let wrong =
                "the document declares an entity; only XML's predefined entities are supported";
            return Err((start + at, wrong.into()));
        }
        self.leaf(NodeKind::Other, start..end);
        Ok(())
    }

    /// The text ends here.
    fn ended(&mut self) -> std::result::Result<(), Wrong> {
        if let Some((start, name)) = self.starts.last() {
            let (line, column) = place(self.source, *start);
            let wrong = format!(
                "the text ends before the `<{name}>` of line {line}, column {column} is closed"
            );
            return Err((self.source.len(), wrong));
        }
        if !self.root {
            return Err((self.source.len(), "there is no element".into()));
        }
        Ok(())
    }

    /// The fault that quick-xml found.
    fn unreadable(&self, error: &Error, at: usize) -> Wrong {
        let wrong = match error {
            Error::Syntax(SyntaxError::UnclosedComment) => "this comment has no end `-->`".into(),
            Error::Syntax(SyntaxError::UnclosedCData) => {
                "this CDATA section has no end `]]>`".into()
            }
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                "this processing instruction has no end `?>`".into()
            }
            Error::Syntax(SyntaxError::UnclosedDoctype) => "this `<!DOCTYPE` has no end `>`".into(),
            Error::Syntax(SyntaxError::UnclosedTag) => "this tag has no end `>`".into(),
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => "an attribute's value in this tag is not closed".into(),
            Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                "`<!` begins neither a comment nor a CDATA section here".into()
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
                "`--` is not allowed in a comment".into()
            }
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                "this `&` does not begin an entity".into()
            }
            other => other.to_string(),
        };
        (at, wrong)
    }
}
