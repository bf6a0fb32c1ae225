//! XML in colours.

use crate::terminal;

const NAME: &str = "\x1b[36m";
const ATTRIBUTE: &str = "\x1b[33m";
const VALUE: &str = "\x1b[32m";
const ASIDE: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// True if `text` looks like an XML document.
pub(crate) fn is_xml(text: &str) -> bool {
    let text = text.trim();
    text.strip_prefix('<').is_some_and(|rest| {
        rest.starts_with(|letter: char| letter.is_alphabetic() || "!?".contains(letter))
    }) && text.ends_with('>')
}

/// Colours the names, attributes, values and comments in the XML `text`; parts that are not XML
/// stay unchanged.
pub(crate) fn colored(text: &str) -> String {
    let text = &*terminal::visible(text);
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let aside = [
            ("<!--", "-->"),
            ("<![CDATA[", "]]>"),
            ("<?", "?>"),
            ("<!", ">"),
        ]
        .into_iter()
        .find(|(begin, _)| rest.starts_with(begin));
        let end = match aside {
            Some((begin, end)) => rest[begin.len()..]
                .find(end)
                .map(|at| begin.len() + at + end.len()),
            None => end_of_tag(rest),
        };
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        match aside {
            Some(_) => lines(&mut out, ASIDE, piece),
            None => tag(&mut out, piece),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The end of the tag at the beginning of `text`; a `>` in a value does not end it.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, '>') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn tag(out: &mut String, tag: &str) {
    let name = tag
        .find(|letter: char| letter.is_whitespace())
        .unwrap_or(tag.len());
    let close = match (tag.ends_with("/>"), tag.ends_with('>')) {
        (true, _) => tag.len() - 2,
        (_, true) => tag.len() - 1,
        _ => tag.len(),
    };
    let name = name.min(close.max(1));
    push(out, NAME, &tag[..name]);
    let mut rest = &tag[name..close.max(name)];
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = rest[at..].chars().next().unwrap_or('"');
        let length = rest[at + 1..]
            .find(quote)
            .map_or(rest.len() - at, |end| end + 2);
        push(out, ATTRIBUTE, &rest[..at]);
        lines(out, VALUE, &rest[at..at + length]);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    push(out, NAME, &tag[close.max(name)..]);
}

fn push(out: &mut String, color: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(color);
        out.push_str(text);
        out.push_str(PLAIN);
    }
}

/// The same over several lines: a pager shows each line by itself.
fn lines(out: &mut String, color: &str, text: &str) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        push(out, color, line);
    }
}

#[cfg(test)]
mod tests {
    use super::{colored, is_xml};

    /// The colours taken out again.
    fn bare(text: &str) -> String {
        let mut pieces = text.split("\x1b[");
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| {
            text + piece.split_once('m').map_or("", |(_, rest)| rest)
        })
    }

    #[test]
    fn colours_change_no_letter() {
        for xml in [
            "<a/>",
            "<a b='1' c=\"x>y\"><!-- <d> \n --><e>text</e></a>",
            "<?xml version='1.0'?>\n<a><![CDATA[<x>]]></a>",
            "<a b='open",
            "<>",
            "a < b",
        ] {
            assert_eq!(bare(&colored(xml)), xml);
        }
    }

    #[test]
    fn names_attributes_and_values_have_colours_of_their_own() {
        assert_eq!(
            colored("<a b='1'/>"),
            "\x1b[36m<a\x1b[0m\x1b[33m b=\x1b[0m\x1b[32m'1'\x1b[0m\x1b[36m/>\x1b[0m"
        );
    }

    #[test]
    fn text_that_begins_with_a_sign_is_not_taken_for_xml() {
        assert!(is_xml("<domain type='kvm'>\n</domain>\n"));
        assert!(!is_xml("< 5"));
        assert!(!is_xml("a <b>"));
    }
}
