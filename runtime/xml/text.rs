//! Characters, names and references of XML, and their meaning.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{escape, partial_escape, unescape};
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesCData, BytesRef, BytesText};
use quick_xml::name::QName;

/// The document's text `raw` with normalized line ends and resolved references.
pub(super) fn plain(raw: &str) -> Cow<'_, str> {
    let lines = if raw.contains('\r') {
        Cow::Owned(BytesText::from_escaped(raw).xml10_content().into_owned())
    } else {
        Cow::Borrowed(raw)
    };
    if !lines.contains('&') {
        return lines;
    }
    // The references were checked when the text was parsed.
    unescape(&lines).map_or_else(|_| lines.clone(), |plain| Cow::Owned(plain.into_owned()))
}

/// The text of a CDATA section.
pub(super) fn verbatim(section: &str) -> Cow<'_, str> {
    let raw = section
        .strip_prefix("<![CDATA[")
        .and_then(|rest| rest.strip_suffix("]]>"))
        .unwrap_or_default();
    if raw.contains('\r') {
        Cow::Owned(BytesCData::new(raw).xml10_content().into_owned())
    } else {
        Cow::Borrowed(raw)
    }
}

/// The value of an attribute that is written as `raw`.
pub(super) fn attribute_value(raw: &str) -> Cow<'_, str> {
    let attribute = Attribute {
        key: QName(""),
        value: Cow::Borrowed(raw),
    };
    attribute
        .normalized_value(XmlVersion::Implicit1_0)
        .unwrap_or(Cow::Borrowed(raw))
}

/// `text` as it is written between tags.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    partial_escape(text)
}

/// `value` as it is written in an attribute, within either kind of quotes.
pub(crate) fn escaped_attribute(value: &str) -> Cow<'_, str> {
    let escaped = escape(value);
    if escaped.contains(['\n', '\t']) {
        return Cow::Owned(escaped.replace('\n', "&#10;").replace('\t', "&#9;"));
    }
    escaped
}

pub(super) fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// True if all of `text` is white space in XML.
pub(super) fn is_space(text: &str) -> bool {
    text.bytes().all(is_space_byte)
}

/// The last place at or before `at` where a character of `text` begins, or its end.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first character of `text` that XML does not allow, and its place.
pub(super) fn forbidden_character(text: &str) -> Option<(usize, char)> {
    // Most text has none: whole blocks are looked at first, which is many times faster.
    const BLOCK: usize = 256;
    let suspicious = |byte: &u8| (*byte < b' ' && !is_space_byte(*byte)) || *byte == 0xEF;
    let mut start = 0;
    for block in text.as_bytes().chunks(BLOCK) {
        if block.iter().fold(false, |any, byte| any | suspicious(byte)) {
            let from = floor(text, start);
            let to = floor(text, start + block.len() + 3);
            let mut characters = text[from..to].char_indices();
            if let Some((at, letter)) = characters.find(|(_, letter)| !is_character(*letter)) {
                return Some((from + at, letter));
            }
        }
        start += block.len();
    }
    None
}

fn is_character(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// A character as messages show it.
pub(super) fn shown(letter: char) -> String {
    if letter.is_control() || !is_character(letter) {
        format!("the character U+{:04X}", u32::from(letter))
    } else {
        format!("`{letter}`")
    }
}

/// True if it is a name of elements and attributes: a name, or a prefix, `:` and a name.
pub(super) fn is_name(name: &str) -> bool {
    let mut parts = name.splitn(2, ':');
    parts.all(|part| {
        let mut letters = part.chars();
        letters.next().is_some_and(begins_name)
            && letters.all(|letter| letter != ':' && is_in_name(letter))
    })
}

fn begins_name(letter: char) -> bool {
    matches!(letter,
        'a'..='z' | 'A'..='Z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

pub(super) fn is_in_name(letter: char) -> bool {
    begins_name(letter)
        || matches!(letter, ':' | '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The fault of the reference between `&` and `;`.
pub(super) fn wrong_reference(name: &str) -> Option<String> {
    if name.starts_with('#') {
        return match BytesRef::new(name).resolve_char_ref() {
            Ok(Some(letter)) if is_character(letter) => None,
            _ => Some(format!("`&{name};` is not a character in XML")),
        };
    }
    if matches!(name, "lt" | "gt" | "amp" | "apos" | "quot") {
        return None;
    }
    Some(if is_name(name) {
        format!("there is no entity `&{name};`")
    } else {
        "this `&` does not begin an entity".into()
    })
}

/// The place of a wrong reference in `raw`, and its fault.
pub(super) fn wrong_references(raw: &str) -> Option<(usize, String)> {
    raw.match_indices('&').find_map(|(at, _)| {
        let rest = &raw[at + 1..];
        let wrong = match rest.split_once(';') {
            Some((name, _)) => wrong_reference(name),
            None => wrong_reference(""),
        };
        wrong.map(|wrong| (at, wrong))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_found_where_they_stand() {
        assert_eq!(forbidden_character("plain\ttext\r\n\u{E9}\u{FFFD}"), None);
        assert_eq!(forbidden_character("a\0b"), Some((1, '\0')));
        assert_eq!(
            forbidden_character("\u{1F600}\u{FFFE}"),
            Some((4, '\u{FFFE}'))
        );
        let late = format!("{}\u{B}", "\u{20AC}".repeat(1000));
        assert_eq!(forbidden_character(&late), Some((3000, '\u{B}')));
        let over_an_edge = format!("{}\u{FFFF}", "a".repeat(255));
        assert_eq!(forbidden_character(&over_an_edge), Some((255, '\u{FFFF}')));
    }

    #[test]
    fn what_was_escaped_reads_as_before() {
        let odd = "a<b>&'c\" \r\n\t]]>\u{E9}";
        assert_eq!(plain(&escaped(odd)), odd);
        assert_eq!(attribute_value(&escaped_attribute(odd)), odd);
    }

    #[test]
    fn line_ends_and_references_are_resolved() {
        assert_eq!(plain("a\r\nb&amp;&#x41;&#10;"), "a\nb&A\n");
        assert_eq!(verbatim("<![CDATA[a\r\n&amp;]]>"), "a\n&amp;");
        assert_eq!(attribute_value("a\r\nb&quot;&#10;"), "a b\"\n");
    }

    #[test]
    fn references_that_stand_for_nothing_are_found() {
        assert_eq!(wrong_references("a &lt; &#65; &quot;"), None);
        assert!(wrong_references("a &b; c").is_some_and(|(at, _)| at == 2));
        for wrong in [
            "&", "a & b", "&;", "&#0;", "&#x1;", "&#xFFFE;", "&#xD800;", "&#-1;", "&#;",
        ] {
            assert!(wrong_references(wrong).is_some(), "{wrong}");
        }
    }
}
