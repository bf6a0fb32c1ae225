//! Secrets in commands of QEMU's monitor and in its command line.

use std::ops::Range;

use super::literal;

/// The password of QEMU's monitor command `set_password PROTOCOL PASSWORD`.
pub(super) fn passwords(text: &str, found: &mut Vec<Range<usize>>) {
    let mut done = 0;
    for (at, name) in text.match_indices("set_password") {
        if at < done {
            continue;
        }
        let rest = &text[at + name.len()..];
        let protocol = rest.trim_start();
        let words = protocol.find(char::is_whitespace);
        let Some(length) = words.filter(|_| protocol.len() < rest.len()) else {
            continue;
        };
        let password = protocol[length..].trim_start();
        let start = text.len() - password.len();
        let quote = text[..at].trim_end().chars().next_back();
        let opens = quote.filter(|quote| "\"'`".contains(*quote));
        let line = start + password.find('\n').unwrap_or(password.len());
        let Some(quote) = opens else {
            let ends = |letter: char| "\"'`".contains(letter);
            let end = text[start..line].find(ends).map_or(line, |end| start + end);
            found.push(start..end);
            done = end;
            continue;
        };
        let quote_at = text[..at].trim_end().len() - quote.len_utf8();
        let slashes = text[..quote_at].len() - text[..quote_at].trim_end_matches('\\').len();
        let mut inner = Vec::new();
        done = literal::in_expression(text, quote_at - slashes, &mut inner);
        found.extend(
            inner
                .into_iter()
                .filter(|range| range.end > start)
                .map(|range| range.start.max(start)..range.end),
        );
    }
}

/// The data of QEMU's `secret,id=...,data=...`.
pub(super) fn secret_objects(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, sign) in text.match_indices("secret,") {
        let begin = at + sign.len();
        let rest = &text[begin..];
        let ends = |letter: char| letter.is_whitespace() || "\"'<>".contains(letter);
        let object = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if let Some(data) = object.find("data=") {
            let data = data + "data=".len();
            let length = object[data..].find(',').unwrap_or(object.len() - data);
            found.push(begin + data..begin + data + length);
        }
    }
}
