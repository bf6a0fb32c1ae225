//! Elements of XML whose text is a secret.

use std::ops::Range;

/// Elements whose text is a secret besides those with such a name.
const ELEMENTS: [&str; 1] = ["cookie"];

/// True if the text of the element `name` is a secret although its name does not say so.
pub(super) fn has_secret(name: &str) -> bool {
    ELEMENTS.contains(&name)
}

/// The content of the element `name` whose name ends at `at` in its first tag; returns its end.
pub(super) fn content(
    text: &str,
    name: &str,
    at: usize,
    found: &mut Vec<Range<usize>>,
) -> Option<usize> {
    let mut quote = None;
    let end = text[at..].char_indices().find(|(_, letter)| {
        match quote {
            Some(open) if *letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(*letter),
            None => return matches!(letter, '<' | '>'),
        }
        false
    });
    let Some((end, '>')) = end else {
        return None;
    };
    if text[at..at + end].ends_with('/') {
        return None;
    }
    let begin = at + end + 1;
    let content = &text[begin..];
    // The description of a secret has elements, and none of them is its value.
    let child = content.trim_start().strip_prefix('<');
    if name == "secret" && child.is_some_and(|child| !child.starts_with('!')) {
        return None;
    }
    let end = begin + length_of_content(content, name);
    if !text[begin..end].trim().is_empty() {
        found.push(begin..end);
    }
    Some(end)
}

/// The length of `content` up to the tag that closes the element `name`.
fn length_of_content(content: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(next) = content[at..].find('<') {
        at += next;
        let rest = &content[at..];
        let tag = rest.strip_prefix("</").map(|tag| {
            let tag = tag.split('>').next().unwrap_or_default().trim_end();
            tag.rsplit(':').next().unwrap_or_default()
        });
        if tag == Some(name) {
            return at;
        }
        let skipped = [("<![CDATA[", "]]>"), ("<!--", "-->")]
            .iter()
            .find(|(open, _)| rest.starts_with(open))
            .map(|(_, close)| rest.find(close).unwrap_or(rest.len()));
        at += skipped.unwrap_or(1);
    }
    content.len()
}
