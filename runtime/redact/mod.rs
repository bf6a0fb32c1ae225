//! Hides secrets in virhai's own messages: errors, diagnostics, reports, notes, saved sessions.
//!
//! The output of a script is not changed, except for secrets that were given as inputs.

mod element;
mod kept;
mod literal;
mod names;
mod qemu;
mod uri;

pub use kept::{SHORTEST, is_kept, keep, without_kept};

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The replacement of a secret.
pub const HIDDEN: &str = "***";

/// The last words of names whose values are secrets.
const NAMES: [&str; 16] = [
    "apikey",
    "credential",
    "credentials",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pin",
    "pw",
    "pwd",
    "rootpw",
    "secret",
    "secretkey",
    "token",
];

/// `text` with `***` in place of each secret: passwords in URIs, in attributes and elements of XML, in maps, JSON
/// and parameters, the arguments of calls that take passwords, and the secrets that were given to the program.
pub fn hide(text: &str) -> Cow<'_, str> {
    replaced(text, |_, out| out.push_str(HIDDEN))
}

/// The same as [`hide`] with a `*` for each character, so that columns stay as they are.
pub fn mask(text: &str) -> Cow<'_, str> {
    replaced(text, |secret, out| {
        out.extend(secret.chars().map(|letter| match letter {
            '\n' => '\n',
            _ => '*',
        }));
    })
}

/// True if `text` has a secret, or a call that takes one.
pub fn has_secret(text: &str) -> bool {
    names::is_call_with_secret(text) || !secrets(text).is_empty()
}

/// `uri` without its secrets.
pub fn hide_uri(uri: &str) -> String {
    hide_of(uri, uri)
}

/// [`hide`] for `text` about the host `uri`: its secrets are hidden wherever they stand.
pub(crate) fn hide_of(text: &str, uri: &str) -> String {
    let mut parts = uri::parts_of_password(uri);
    parts.extend(secrets(uri).into_iter().map(|secret| &uri[secret]));
    let mut parts: Vec<String> = parts
        .into_iter()
        .flat_map(|part| {
            let decoded = percent_decode_str(part).decode_utf8_lossy().into_owned();
            [part.to_owned(), decoded]
        })
        .filter(|part| part.len() > 2 && part != HIDDEN)
        .collect();
    // A part can be in a longer one.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut text = text.to_owned();
    for part in parts {
        text = text.replace(&part, HIDDEN);
    }
    hide(&text).into_owned()
}

/// Hides the secrets in all texts of `value`, and all values of keys that name a secret.
pub fn hide_in_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(hidden) = hide(text) {
                *text = hidden;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_in_json),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    Value::Null | Value::Bool(_) => {}
                    value if names_a_secret(key) => *value = HIDDEN.into(),
                    value => hide_in_json(value),
                }
            }
        }
        _ => {}
    }
}

/// Hides the secrets that were given to the program in all texts and keys of `value`. Its form stays the same.
pub(crate) fn hide_kept_in_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(hidden) = without_kept(text) {
                *text = hidden;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_kept_in_json),
        Value::Object(fields) => {
            let hidden = std::mem::take(fields).into_iter().map(|(key, mut value)| {
                hide_kept_in_json(&mut value);
                (without_kept(&key).into_owned(), value)
            });
            *fields = hidden.collect();
        }
        _ => {}
    }
}

fn replaced(text: &str, hide: impl Fn(&str, &mut String)) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets {
        out.push_str(&text[done..secret.start]);
        hide(&text[secret.clone()], &mut out);
        done = secret.end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The positions of the secrets in `text`, sorted and without overlap.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    kept::found(text, &mut found);
    uri::passwords(text, &mut found);
    names::values(text, &mut found);
    qemu::passwords(text, &mut found);
    qemu::secret_objects(text, &mut found);
    in_private_keys(text, &mut found);
    // A secret that is already hidden needs no second replacement.
    found.retain(|range| !text[range.clone()].bytes().all(|byte| byte == b'*'));
    found.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// True if the value of something called `name` is a secret.
fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    NAMES.contains(&last)
        || ["password", "passwd", "passphrase"]
            .iter()
            .any(|end| last.ends_with(end))
        || ["api_key", "private_key", "secret_key"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Private keys in PEM.
fn in_private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, sign) in text.match_indices("PRIVATE KEY-----") {
        let begin = at + sign.len();
        let end = text[begin..]
            .find("-----END")
            .map_or(text.len(), |end| begin + end);
        let kind = |letter: char| letter.is_ascii_uppercase() || letter == ' ';
        if text[..at]
            .rsplit("-----BEGIN ")
            .next()
            .is_some_and(|words| words.chars().all(kind))
        {
            found.push(begin..end);
        }
    }
}

#[cfg(test)]
mod tests;
