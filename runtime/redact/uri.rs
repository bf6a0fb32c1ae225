//! Finds the passwords in URIs.

use std::ops::Range;

use super::literal;

/// The passwords in `scheme://user:password@host`, and in `scheme:user:password@host`, which libvirt refuses.
pub(super) fn passwords(text: &str, found: &mut Vec<Range<usize>>) {
    // The end of the word that was searched last, whether it has an `@`, and the end of the last password.
    let (mut word_end, mut has_at, mut done) = (0, false, 0);
    for (colon, _) in text.match_indices(':') {
        if colon < done {
            continue;
        }
        let is_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let scheme = text[..colon].trim_end_matches(is_scheme).len();
        let slashes = text[colon + 1..].starts_with("//");
        if !slashes && !text[scheme..colon].starts_with(|letter: char| letter.is_ascii_alphabetic())
        {
            continue;
        }
        let begin = colon + 1 + if slashes { 2 } else { 0 };
        if word_end < begin {
            let word = &text[begin..];
            let length = word.find(char::is_whitespace).unwrap_or(word.len());
            has_at = word[..length].contains('@');
            word_end = begin + length;
        }
        let mut end = word_end;
        // In quotes, a URI can have a space.
        let quoted = text[..scheme].ends_with(['"', '`', '\'']);
        if quoted && let Some(literal) = literal::at(text, scheme - 1) {
            end = end.max(literal.inner.end);
        }
        if end == word_end && !has_at {
            continue;
        }
        let Some(password) = password(&text[begin..end]) else {
            continue;
        };
        let user = &text[begin..begin + password.start - 1];
        // A path in XML has slashes, as in `qemu:commandline/qemu:arg/@value`.
        let is_path = user.trim_start_matches('/').contains('/');
        let is_user = !user.is_empty()
            && !is_path
            && !user.bytes().all(|byte| byte.is_ascii_digit())
            && !user
                .contains(|letter: char| letter.is_whitespace() || "\"'`()[]{}".contains(letter));
        if slashes || is_user {
            done = begin + password.end;
            found.push(begin + password.start..done);
        }
    }
}

/// The password in the part of a URI behind its scheme.
fn password(rest: &str) -> Option<Range<usize>> {
    let end = rest.rfind('@')?;
    let before = &rest[..end];
    let user = &before[..before.find('/').unwrap_or(end)];
    let encoded = user.find("%3A").or_else(|| user.find("%3a"));
    let begin = match (before.find(':'), encoded) {
        (Some(colon), Some(encoded)) => (colon + 1).min(encoded + 3),
        (colon, encoded) => colon.map(|at| at + 1).or(encoded.map(|at| at + 3))?,
    };
    let password = &rest[begin..end];
    // `host:22/a@b` has a port and a path.
    let is_port = password.split_once('/').is_some_and(|(port, _)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    (!is_port).then_some(begin..end)
}

/// The password of `uri`, and each part of it that libvirt can take for a host, a port or a path.
pub(super) fn parts_of_password(uri: &str) -> Vec<&str> {
    let Some((_, rest)) = uri.split_once(':') else {
        return Vec::new();
    };
    let rest = rest.trim_start_matches('/');
    let Some(password) = password(rest).map(|range| &rest[range]) else {
        return Vec::new();
    };
    let mut parts = vec![password];
    parts.extend(password.match_indices('@').map(|(end, _)| &password[..end]));
    parts.extend(password.split(|letter: char| letter.is_whitespace() || "/?#".contains(letter)));
    parts
}
