//! The start tag of an element and its attributes, as written.

use std::borrow::Cow;
use std::collections::HashSet;

use quick_xml::events::attributes::{AttrError, Attributes};

use super::text;

/// An attribute as it stands in a tag.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub name: &'a str,
    /// The text between the quotes.
    raw: &'a str,
    /// The beginning of the name in the tag.
    start: usize,
}

impl<'a> Attribute<'a> {
    /// The value, with references resolved.
    pub fn value(&self) -> Cow<'a, str> {
        text::attribute_value(self.raw)
    }

    /// The range of the name, the value and its quotes in `tag`.
    pub fn whole(&self, tag: &str) -> std::ops::Range<usize> {
        self.start..self.value_at(tag).end + 1
    }

    /// The range of the value in `tag`, without its quotes.
    fn value_at(&self, tag: &str) -> std::ops::Range<usize> {
        let start = offset(tag, self.raw);
        start..start + self.raw.len()
    }
}

/// The offset of `part`, a slice of `tag`, in it.
fn offset(tag: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(tag.as_ptr() as usize)
}

/// The name of the element that `tag` begins.
pub(super) fn name(tag: &str) -> &str {
    let bytes = tag.as_bytes();
    let end = (1..bytes.len())
        .find(|at| text::is_space_byte(bytes[*at]) || matches!(bytes[*at], b'/' | b'>'))
        .unwrap_or(bytes.len());
    tag.get(1..end).unwrap_or_default()
}

/// `tag` without its closing `>` or `/>`.
fn content(tag: &str) -> &str {
    tag.strip_suffix("/>")
        .or_else(|| tag.strip_suffix('>'))
        .unwrap_or(tag)
}

/// The attributes in `tag`, which was checked.
pub(super) fn attributes(tag: &str) -> impl Iterator<Item = Attribute<'_>> {
    let mut found = Attributes::new(content(tag), 1 + name(tag).len());
    found.with_checks(false);
    found.map_while(|found| {
        let found = found.ok()?;
        let Cow::Borrowed(raw) = found.value else {
            return None;
        };
        let name = found.key.0;
        let start = offset(tag, name);
        Some(Attribute { name, raw, start })
    })
}

/// The fault of `tag`, and its byte.
pub(super) fn wrong(tag: &str) -> Option<(usize, String)> {
    let inside = content(tag);
    let name_end = inside
        .bytes()
        .position(text::is_space_byte)
        .unwrap_or(inside.len());
    let element = &inside[1..name_end];
    if element.is_empty() {
        return Some((
            0,
            "an element's name is missing after `<`; a `<` in text is written `&lt;`".into(),
        ));
    }
    if !text::is_name(element) {
        return Some((1, format!("`{element}` is not a name for an element")));
    }
    let mut end = name_end;
    let mut found = Attributes::new(inside, name_end);
    // Its own check takes time with the square of the number of attributes.
    found.with_checks(false);
    let mut names = HashSet::new();
    for found in found {
        let (name, raw) = match found {
            Ok(found) => match found.value {
                Cow::Borrowed(raw) => (found.key.0, raw),
                Cow::Owned(_) => continue,
            },
            Err(error) => return Some(wrong_attribute(inside, &error)),
        };
        let at = offset(inside, name);
        if !names.insert(name) {
            return Some((at, format!("the attribute `{name}` appears twice")));
        }
        if !text::is_name(name) {
            return Some((at, format!("`{name}` is not a name for an attribute")));
        }
        if at == end {
            return Some((
                at,
                format!("there is no space before the attribute `{name}`"),
            ));
        }
        let value_at = offset(inside, raw);
        end = value_at + raw.len() + 1;
        if let Some(bracket) = memchr::memchr(b'<', raw.as_bytes()) {
            let wrong = "a `<` in an attribute must be written `&lt;`";
            return Some((value_at + bracket, wrong.into()));
        }
        if memchr::memchr(b'&', raw.as_bytes()).is_some()
            && let Some((at, wrong)) = text::wrong_references(raw)
        {
            return Some((value_at + at, wrong));
        }
    }
    None
}

fn wrong_attribute(tag: &str, error: &AttrError) -> (usize, String) {
    match *error {
        AttrError::ExpectedEq(at) => {
            let before = tag.get(..at).unwrap_or(tag).trim_end();
            let name = before.rsplit(|letter: char| letter.is_whitespace()).next();
            let name = name.unwrap_or_default();
            let at = before.len() - name.len();
            (at, format!("the attribute `{name}` has no value"))
        }
        AttrError::ExpectedValue(at) => (at, "an attribute's value is missing after `=`".into()),
        AttrError::UnquotedValue(at) => (at, "the value of an attribute must be quoted".into()),
        AttrError::ExpectedQuote(at, quote) => (
            at,
            format!(
                "an attribute's value is not closed with {}",
                char::from(quote)
            ),
        ),
        AttrError::Duplicated(at, _) => {
            let rest = tag.get(at..).unwrap_or_default();
            let name = rest
                .split(|letter: char| letter == '=' || letter.is_whitespace())
                .next();
            let name = name.unwrap_or_default();
            (at, format!("the attribute `{name}` appears twice"))
        }
    }
}

/// The mark that the first attribute of `tag` stands in.
pub(super) fn quote(tag: &str) -> Option<char> {
    let first = attributes(tag).next()?;
    tag[..first.value_at(tag).start].chars().next_back()
}

/// `tag` with the attribute `name` set to `value`; nothing if it has that value already.
pub(super) fn with(tag: &str, name: &str, value: &str, quote: char) -> Option<String> {
    let written = text::escaped_attribute(value);
    let mut end = 1 + self::name(tag).len();
    for attribute in attributes(tag) {
        let at = attribute.value_at(tag);
        if attribute.name == name {
            let differs = attribute.value() != value;
            return differs.then(|| format!("{}{written}{}", &tag[..at.start], &tag[at.end..]));
        }
        end = at.end + 1;
    }
    let (before, after) = tag.split_at(end);
    Some(format!("{before} {name}={quote}{written}{quote}{after}"))
}

/// `tag` without the attribute `name`, if it has it.
pub(super) fn without(tag: &str, name: &str) -> Option<String> {
    let attribute = attributes(tag).find(|attribute| attribute.name == name)?;
    let before = tag[..attribute.start].trim_end();
    let after = &tag[attribute.value_at(tag).end + 1..];
    Some(format!("{before}{after}"))
}

/// `tag` as a start tag that an end tag follows, if it ends its element itself.
pub(super) fn opened(tag: &str) -> Option<String> {
    let inside = tag.strip_suffix("/>")?;
    Some(format!("{}>", inside.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_stand() {
        let tag = "<a:b c='1'\n  d = \"2&amp;3\" e=''/>";
        assert_eq!(name(tag), "a:b");
        let all: Vec<_> = attributes(tag).map(|a| (a.name, a.value())).collect();
        assert_eq!(
            all,
            [("c", "1".into()), ("d", "2&3".into()), ("e", "".into())]
        );
        assert_eq!(quote(tag), Some('\''));
        assert_eq!(quote("<a/>"), None);
    }

    #[test]
    fn only_the_attribute_in_question_changes() {
        let tag = "<a b='1'  c = \"2\" />";
        assert_eq!(
            with(tag, "c", "\"3\"", '\'').as_deref(),
            Some("<a b='1'  c = \"&quot;3&quot;\" />")
        );
        assert_eq!(
            with(tag, "d", "4", '"').as_deref(),
            Some("<a b='1'  c = \"2\" d=\"4\" />")
        );
        assert_eq!(with(tag, "b", "1", '"'), None);
        assert_eq!(with("<a>", "b", "1", '\'').as_deref(), Some("<a b='1'>"));
        assert_eq!(with("<a/>", "b", "1", '\'').as_deref(), Some("<a b='1'/>"));
        assert_eq!(without(tag, "b").as_deref(), Some("<a  c = \"2\" />"));
        assert_eq!(without(tag, "c").as_deref(), Some("<a b='1' />"));
        assert_eq!(without(tag, "d"), None);
        assert_eq!(opened("<a b='1' />").as_deref(), Some("<a b='1'>"));
        assert_eq!(opened("<a>"), None);
    }

    #[test]
    fn what_is_wrong_with_a_tag_is_found_where_it_stands() {
        let cases = [
            ("<>", 0),
            ("< a>", 0),
            ("<1a>", 1),
            ("<a/b>", 1),
            ("<a b>", 3),
            ("<a b />", 3),
            ("<a b=>", 5),
            ("<a b=c>", 5),
            ("<a b='1' c = '2' b='3'>", 17),
            ("<a b='1'c='2'>", 8),
            ("<a b='<'>", 6),
            ("<a b='x&y'>", 7),
            ("<a 1='x'>", 3),
            ("<a b='1' <c='2'>", 9),
        ];
        for (tag, at) in cases {
            assert_eq!(
                wrong(tag).map(|(at, _)| at),
                Some(at),
                "{tag}: {:?}",
                wrong(tag)
            );
        }
        for right in [
            "<a>",
            "<a/>",
            "<a />",
            "<a b=''/>",
            "<a\tb = '&lt;>'\n>",
            "<é ü='ß'>",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
    }
}
