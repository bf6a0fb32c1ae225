//! Secrets that are recognised by a name: values of keys and attributes, and arguments of calls.

use std::ops::Range;

use super::{element, literal, names_a_secret};

/// Calls that take secrets, and the number of their first arguments that are not secret.
const CALLS: [(&str, usize); 3] = [
    ("connect_auth", 2),
    ("set_user_password", 1),
    ("set_value", 0),
];

/// True if `text` calls a function that takes secrets.
pub(super) fn is_call_with_secret(text: &str) -> bool {
    let called = |name: &str| {
        text.match_indices(name)
            .any(|(at, _)| arguments_at(text, at + name.len()).is_some())
    };
    CALLS.iter().any(|(name, _)| called(name))
}

/// The values of names such as `password`: in attributes, elements, maps, JSON, parameters and assignments, and the
/// arguments of calls that take secrets.
pub(super) fn values(text: &str, found: &mut Vec<Range<usize>>) {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let bytes = text.as_bytes();
    // The ends of the element and the expression that were scanned last.
    let (mut element_end, mut expression_end) = (0, 0);
    let mut at = 0;
    while at < bytes.len() {
        if !is_name(bytes[at]) {
            at += 1;
            continue;
        }
        let begin = at;
        while at < bytes.len() && is_name(bytes[at]) {
            at += 1;
        }
        let name = &text[begin..at];
        let method = name.rsplit('.').next();
        if let Some((call, open)) = CALLS.iter().find(|(call, _)| Some(*call) == method)
            && let Some(arguments) = arguments_at(text, at)
        {
            // `uri.connect_auth(user, password)` has its first argument before the name.
            let before = usize::from(*call == "connect_auth" && name.contains('.'));
            in_arguments(text, arguments, open.saturating_sub(before), found);
        }
        let element = begin > 0 && matches!(bytes[begin - 1], b'<' | b':');
        if element && at >= element_end && (element::has_secret(name) || names_a_secret(name)) {
            element_end = element::content(text, name, at, found).unwrap_or(element_end);
        }
        if names_a_secret(name) {
            if name.starts_with("--") {
                after_option(text, at, found);
            }
            let start = value(text, begin, at, found);
            if let Some(start) = start.filter(|start| *start >= expression_end) {
                expression_end = literal::in_expression(text, start, found);
            }
        }
    }
}

/// The start of the arguments of a call whose name ends at `at`.
fn arguments_at(text: &str, at: usize) -> Option<usize> {
    let mut rest = text[at..].trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.split_once("*/")?.1.trim_start();
    }
    rest.strip_prefix('(').map(|rest| text.len() - rest.len())
}

/// Returns the start of the value of the name from `begin` to `at`, and finds its first text or word.
fn value(text: &str, begin: usize, at: usize, found: &mut Vec<Range<usize>>) -> Option<usize> {
    // JSON quotes the name, also within a text: `\"password\":`.
    let rest = text[at..].trim_start_matches('\\');
    let after = rest.strip_prefix(['"', '\'', '`']).unwrap_or(rest);
    let in_quotes = after.len() < rest.len();
    // `map["password"] = ...`
    let after = match after.trim_start().strip_prefix(']') {
        Some(indexed) if in_quotes => indexed,
        _ => after,
    };
    let spaced = after.trim_start();
    // `map.set("password", ...)`
    let is_set = in_quotes
        && text[..begin]
            .trim_end_matches(['"', '`'])
            .trim_end()
            .ends_with("set(");
    let assigned = ["+=", "!=", "??="]
        .iter()
        .find_map(|sign| spaced.strip_prefix(sign))
        .or_else(|| spaced.strip_prefix(['=', ':']))
        .or_else(|| spaced.strip_prefix(',').filter(|_| is_set));
    let value = assigned?;
    // `guest::password` is a path.
    if value.starts_with(':') {
        return None;
    }
    let value = value.strip_prefix('=').unwrap_or(value);
    let trimmed = value.trim_start();
    let start = text.len() - trimmed.len();
    // A value without quotes counts only as in `passwd=x`; the text after `password = ` is code.
    let tight = after.starts_with('=') && trimmed.len() == value.len();
    if let Some(literal) = literal::at(text, start) {
        // `"passwd=" + ...`: the quote ends a text that began before.
        let line = text[..begin].rfind('\n').map_or(0, |end| end + 1);
        let quotes = text[line..begin].matches('"').count();
        found.push(literal.inner);
        if tight && !in_quotes && trimmed.starts_with('"') && quotes % 2 == 1 {
            return Some(start + 1);
        }
    } else if tight {
        let ends = |letter: char| letter.is_whitespace() || "&;#,\"'`<>()[]{}".contains(letter);
        let end = start + trimmed.find(ends).unwrap_or(trimmed.len());
        let called = text[end..].starts_with(['(', '[', '{']);
        if !called {
            found.push(start..end);
        }
        if !called && !text[..end].ends_with('+') {
            return None;
        }
    }
    Some(start)
}

/// The argument after an option such as `--password` that ends at `at`.
fn after_option(text: &str, at: usize, found: &mut Vec<Range<usize>>) {
    let rest = text[at..].trim_start_matches('\\');
    let after = rest.strip_prefix(['"', '\'', '`']).unwrap_or(rest);
    if after.len() < rest.len() {
        // `["--password", "x"]`
        if let Some(next) = after.trim_start().strip_prefix(',') {
            literal::in_expression(text, text.len() - next.len(), found);
        }
        return;
    }
    let word = after.trim_start();
    if word.len() == after.len() {
        return;
    }
    let start = text.len() - word.len();
    match literal::at(text, start) {
        Some(literal) => found.push(literal.inner),
        None => {
            let ends = |letter: char| letter.is_whitespace() || "\"'`".contains(letter);
            found.push(start..start + word.find(ends).unwrap_or(word.len()));
        }
    }
}

/// The texts among the arguments that begin at `at`, except the first `open` arguments.
fn in_arguments(text: &str, mut at: usize, open: usize, found: &mut Vec<Range<usize>>) {
    let (mut depth, mut number) = (0_usize, 0);
    while let Some(letter) = text[at..].chars().next() {
        if let Some(literal) = literal::at(text, at) {
            if number >= open {
                found.push(literal.inner);
            }
            at = literal.end;
            continue;
        }
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ';' if depth == 0 => return,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => number += 1,
            _ => {}
        }
        at += letter.len_utf8();
    }
}
