//! Hides secrets in virhai's own messages: errors, diagnostics, reports, notes, saved sessions.
//!
//! The output of a script is not changed.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What stands for a secret.
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

/// Elements whose text is a secret besides those with such a name.
const ELEMENTS: [&str; 1] = ["cookie"];

/// Calls that take secrets, and how many of their first arguments are none.
const CALLS: [(&str, usize); 3] = [
    ("connect_auth", 2),
    ("set_user_password", 1),
    ("set_value", 0),
];

/// `text` with `***` in place of each secret: passwords in URIs, in attributes and elements of XML, in maps, JSON
/// and parameters, and the arguments of calls that take passwords.
pub fn hide(text: &str) -> Cow<'_, str> {
    replaced(text, |_, out| out.push_str(HIDDEN))
}

/// The same with a `*` for each character, so that columns stay as they are.
pub fn mask(text: &str) -> Cow<'_, str> {
    replaced(text, |secret, out| {
        out.extend(secret.chars().map(|letter| match letter {
            '\n' => '\n',
            _ => '*',
        }));
    })
}

/// Whether `text` has a secret.
pub fn has_secret(text: &str) -> bool {
    !secrets(text).is_empty()
        || CALLS
            .iter()
            .any(|(name, _)| text.contains(&format!("{name}(")))
}

/// [`hide`] for `text` about the host `uri`: its secrets are hidden wherever they stand.
pub(crate) fn hide_of(text: &str, uri: &str) -> String {
    let mut text = hide(text).into_owned();
    for secret in secrets(uri).into_iter().map(|secret| &uri[secret]) {
        let decoded = percent_decode_str(secret).decode_utf8_lossy();
        for secret in [secret, &*decoded]
            .into_iter()
            .filter(|secret| secret.len() > 2)
        {
            text = text.replace(secret, HIDDEN);
        }
    }
    text
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
                    Value::String(text) if names_a_secret(key) => HIDDEN.clone_into(text),
                    value => hide_in_json(value),
                }
            }
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

/// Where the secrets of `text` are, in its order and apart from each other.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    in_uris(text, &mut found);
    in_keys(text, &mut found);
    in_secret_objects(text, &mut found);
    in_private_keys(text, &mut found);
    // What is hidden already stays hidden.
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

/// The passwords in `scheme://user:password@host`.
fn in_uris(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, sign) in text.match_indices("://") {
        let begin = at + sign.len();
        let ends = |letter: char| letter.is_whitespace() || "?#\"'`<>|\\".contains(letter);
        let rest = &text[begin..];
        let rest = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let Some(user) = rest.rfind('@').map(|end| &rest[..end]) else {
            continue;
        };
        let Some(colon) = user.find(':') else {
            continue;
        };
        let password = &user[colon + 1..];
        let port = password.split('/').next().unwrap_or_default();
        // `host:22/a@b` has a port and a path.
        let is_port = password.contains('/') && port.bytes().all(|byte| byte.is_ascii_digit());
        if !is_port {
            found.push(begin + colon + 1..begin + user.len());
        }
    }
}

/// The values of names such as `password`: in attributes, elements, maps, JSON, parameters and assignments, and the
/// arguments of calls that take secrets.
fn in_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let bytes = text.as_bytes();
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
        let rest = &text[at..];
        let method = name.rsplit('.').next();
        if let Some((_, open)) = CALLS.iter().find(|(call, _)| Some(*call) == method)
            && let Some(arguments) = rest.strip_prefix('(')
        {
            in_arguments(arguments, at + 1, *open, found);
        }
        let element = begin > 0 && matches!(bytes[begin - 1], b'<' | b':');
        if element && (ELEMENTS.contains(&name) || names_a_secret(name)) {
            in_element(rest, at, found);
        }
        if names_a_secret(name) {
            found.extend(value(rest, at));
        }
    }
}

/// Whether the value of something called `name` is a secret.
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

/// The value behind a name that ends at `at`, before `rest`.
fn value(rest: &str, at: usize) -> Option<Range<usize>> {
    // JSON quotes the name, also within a text: `\"password\":`.
    let after = rest.trim_start_matches('\\');
    let after = after.strip_prefix(['"', '\'']).unwrap_or(after);
    let spaced = after.trim_start();
    let value = spaced.strip_prefix(['=', ':'])?;
    // `guest::password` is a path, and `==` a comparison.
    if value.starts_with(':') {
        return None;
    }
    let value = value.strip_prefix('=').unwrap_or(value);
    let trimmed = value.trim_start();
    let unescaped = trimmed.trim_start_matches('\\');
    let begin = at + rest.len() - unescaped.len();
    if let Some(quote) = unescaped
        .chars()
        .next()
        .filter(|letter| "\"'`".contains(*letter))
    {
        let end = closing(&unescaped[1..], quote);
        return Some(begin + 1..begin + 1 + end);
    }
    // Without quotes only as in `passwd=x`: what follows `password = ` is code.
    let tight = after.starts_with('=') && trimmed.len() == value.len();
    let ends = |letter: char| letter.is_whitespace() || "&;#,\"'`<>()[]{}".contains(letter);
    let end = trimmed.find(ends).unwrap_or(trimmed.len());
    let called = trimmed[end..].starts_with(['(', '[']);
    (tight && !called).then(|| begin..begin + end)
}

/// The length of the text up to the `quote` that ends it.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if letter == quote => return at - usize::from(escaped),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The text of an element whose name ends at `at`, before `rest`.
fn in_element(rest: &str, at: usize, found: &mut Vec<Range<usize>>) {
    let Some(end) = rest.find('>') else { return };
    if rest[..end].ends_with('/') || rest[..end].contains('<') {
        return;
    }
    let content = &rest[end + 1..];
    let length = content.find('<').unwrap_or(content.len());
    if !content[..length].trim().is_empty() {
        found.push(at + end + 1..at + end + 1 + length);
    }
}

/// The texts among `arguments`, which begin at `at`, but for the first `open`.
fn in_arguments(arguments: &str, at: usize, open: usize, found: &mut Vec<Range<usize>>) {
    let (mut depth, mut number) = (0_usize, 0);
    let mut letters = arguments.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => number += 1,
            '"' | '`' => {
                let mut escaped = false;
                let end = letters
                    .by_ref()
                    .find(|(_, next)| {
                        let ends = *next == letter && !escaped;
                        escaped = *next == '\\' && !escaped;
                        ends
                    })
                    .map_or(arguments.len(), |(end, _)| end);
                if number >= open && depth == 0 {
                    found.push(at + place + 1..at + end);
                }
            }
            ';' if depth == 0 => return,
            _ => {}
        }
    }
}

/// The data of QEMU's `secret,id=...,data=...`.
fn in_secret_objects(text: &str, found: &mut Vec<Range<usize>>) {
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
mod tests {
    use serde_json::json;

    use super::{has_secret, hide, hide_in_json, hide_of, mask};

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        for (text, hidden) in [
            (
                "qemu+ssh://root:hunter2@kvm1:22/system",
                "qemu+ssh://root:***@kvm1:22/system",
            ),
            (
                "qemu+ssh://root:a@b/c@kvm1/system",
                "qemu+ssh://root:***@kvm1/system",
            ),
            (
                "esx://a:b@h/?password=x&no_verify=1",
                "esx://a:***@h/?password=***&no_verify=1",
            ),
            (
                "<graphics type='vnc' passwd='geheim' port='-1'/>",
                "<graphics type='vnc' passwd='***' port='-1'/>",
            ),
            (
                "<graphics passwd = \"a&quot;b\"/>",
                "<graphics passwd = \"***\"/>",
            ),
            (
                "<cookie name='a'>geheim</cookie>",
                "<cookie name='a'>***</cookie>",
            ),
            (
                "<x:password>geheim</x:password>",
                "<x:password>***</x:password>",
            ),
            (
                "{\"username\":\"root\",\"password\":\"Z2Vo\"}",
                "{\"username\":\"root\",\"password\":\"***\"}",
            ),
            (
                "\"{\\\"password\\\":\\\"Z2Vo\\\"}\"",
                "\"{\\\"password\\\":\\\"***\\\"}\"",
            ),
            (
                "let db_password = \"geheim\";",
                "let db_password = \"***\";",
            ),
            (
                "#{ username: \"a\", password: `ge\\`heim` }",
                "#{ username: \"a\", password: `***\\`heim` }",
            ),
            (
                "connect_auth(\"test:///default\", \"root\", \"geheim\")",
                "connect_auth(\"test:///default\", \"root\", \"***\")",
            ),
            (
                "dom.set_user_password(\"root\", \"ge)heim\", 1)",
                "dom.set_user_password(\"root\", \"***\", 1)",
            ),
            (
                "dom.set_user_password(user(\"x\"), \"geheim\")",
                "dom.set_user_password(user(\"x\"), \"***\")",
            ),
            (
                "secret,id=sec0,data=geheim,format=raw",
                "secret,id=sec0,data=***,format=raw",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
            ),
            ("Passwd=geheim", "Passwd=***"),
        ] {
            assert_eq!(hide(text), hidden, "{text}");
            assert!(has_secret(text), "{text}");
            assert_eq!(mask(text).chars().count(), text.chars().count(), "{text}");
            assert_eq!(
                hide(&hide(text)),
                hidden,
                "hiding twice changes nothing: {text}"
            );
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "qemu+ssh://root@kvm1:22/system",
            "qemu+ssh://kvm1:22/a@b",
            "qemu:///system?socket=/run/x",
            "<secret type='passphrase' uuid='1'/>",
            "<auth username='a'><secret type='ceph' usage='b'/></auth>",
            "the password is wrong: try again",
            "password: #{ type: \"string\" }",
            "let password = read_password();",
            "guest::password(x)",
            "ssh-ed25519 AAAAC3Nza root@host",
            "a token: of trust",
            "https://example.org/a:b",
        ] {
            assert_eq!(hide(text), text);
        }
    }

    #[test]
    fn the_secrets_of_a_uri_are_hidden_without_it_too() {
        let uri = "qemu+ssh://root:hunt%65r2@kvm1/system";
        let text = "cannot resolve root:hunter2@kvm1";
        assert_eq!(hide_of(text, uri), "cannot resolve root:***@kvm1");
    }

    #[test]
    fn json_hides_by_key_and_within_texts() {
        let mut value = json!({
            "thrown": { "password": "geheim", "uri": "esx://a:b@c/" }, "list": ["passwd=x"], "pin": 4,
        });
        hide_in_json(&mut value);
        let hidden = json!({
            "thrown": { "password": "***", "uri": "esx://a:***@c/" }, "list": ["passwd=***"], "pin": 4,
        });
        assert_eq!(value, hidden);
    }
}
