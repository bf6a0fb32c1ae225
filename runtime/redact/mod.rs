//! Hides secrets in virhai's own messages: errors, diagnostics, reports, notes, saved sessions.
//!
//! The output of a script is not changed.

mod literal;
mod uri;

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

/// Whether `text` has a secret, or a call that takes one.
pub fn has_secret(text: &str) -> bool {
    let called = |name: &str| {
        text.match_indices(name)
            .any(|(at, _)| arguments_at(text, at + name.len()).is_some())
    };
    !secrets(text).is_empty() || CALLS.iter().any(|(name, _)| called(name))
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
    uri::passwords(text, &mut found);
    in_keys(text, &mut found);
    in_monitor_commands(text, &mut found);
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

/// The values of names such as `password`: in attributes, elements, maps, JSON, parameters and assignments, and the
/// arguments of calls that take secrets.
fn in_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let bytes = text.as_bytes();
    // What is scanned already: it is hidden once.
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
        if element && at >= element_end && (ELEMENTS.contains(&name) || names_a_secret(name)) {
            element_end = in_element(text, name, at, found).unwrap_or(element_end);
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

/// Where the arguments of a call begin whose name ends at `at`.
fn arguments_at(text: &str, at: usize) -> Option<usize> {
    let mut rest = text[at..].trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.split_once("*/")?.1.trim_start();
    }
    rest.strip_prefix('(').map(|rest| text.len() - rest.len())
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

/// Where the expression begins that is the value of the name from `begin` to `at`. Finds its first text or word.
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
    // Without quotes only as in `passwd=x`: what follows `password = ` is code.
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

/// The content of the element `name` whose name ends at `at` in its first tag; returns its end.
fn in_element(text: &str, name: &str, at: usize, found: &mut Vec<Range<usize>>) -> Option<usize> {
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

/// The texts among the arguments that begin at `at`, but for the first `open`.
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

/// The password of QEMU's monitor command `set_password PROTOCOL PASSWORD`.
fn in_monitor_commands(text: &str, found: &mut Vec<Range<usize>>) {
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

    use super::{has_secret, hide, hide_in_json, hide_of, hide_uri, mask};

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
                "#{ username: \"a\", password: `ge``heim\\` }",
                "#{ username: \"a\", password: `***` }",
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
            (
                "cannot parse qemu+tcp:bob:geheim@127.0.0.1:1/system",
                "cannot parse qemu+tcp:bob:***@127.0.0.1:1/system",
            ),
            (
                "connect(\"qemu+tcp://bob:ge heim@h/system\")",
                "connect(\"qemu+tcp://bob:***@h/system\")",
            ),
            ("password: #\"geheim\"#", "password: #\"***\"#"),
            ("password: ##\"ge\"#heim\"##", "password: ##\"***\"##"),
            ("password: (\"geheim\")", "password: (\"***\")"),
            ("password: \"ge\\\"heim\"", "password: \"***\""),
            ("password: `${`geheim`}`", "password: `***`"),
            ("password: \"ge\"\"heim\"", "password: \"***\""),
            ("password: \"ge\" + \"heim\"", "password: \"***\" + \"***\""),
            ("password: x + #\"heim\"#", "password: x + #\"***\"#"),
            (
                "password: if c { \"geheim\" } else { \"heim\" }, user: \"a\"",
                "password: if c { \"***\" } else { \"***\" }, user: \"a\"",
            ),
            ("password:\n  \"geheim\"", "password:\n  \"***\""),
            (
                "m[\"password\"] = \"geheim\"; print(\"x\")",
                "m[\"password\"] = \"***\"; print(\"x\")",
            ),
            (
                "m.set(\"password\", \"geheim\")",
                "m.set(\"password\", \"***\")",
            ),
            ("m.password += \"geheim\"", "m.password += \"***\""),
            (
                "let password = #\"geheim\"#; let a = \"b\"",
                "let password = #\"***\"#; let a = \"b\"",
            ),
            ("let pin = 4711", "let pin = ***"),
            (
                "#{\"password\": [\"geheim\", \"heim\"], \"user\": \"a\"}",
                "#{\"password\": [\"***\", \"***\"], \"user\": \"a\"}",
            ),
            (
                "#{ password: #{ value: \"geheim\" } }",
                "#{ password: #{ value: \"***\" } }",
            ),
            (
                "{\\\"password\\\":[\\\"geheim\\\"],\\\"a\\\":\\\"b\\\"}",
                "{\\\"password\\\":[\\\"***\\\"],\\\"a\\\":\\\"b\\\"}",
            ),
            (
                "<password type=\"x\"><![CDATA[geheim</password>]]></password><a>b</a>",
                "<password type=\"x\">***</password><a>b</a>",
            ),
            (
                "<x:password>x<!-- -->geheim</x:password >",
                "<x:password>***</x:password >",
            ),
            (
                "<password a='>'><b>geheim</b></password>",
                "<password a='>'>***</password>",
            ),
            (
                "set_user_password (d, \"root\", \"geheim\")",
                "set_user_password (d, \"***\", \"***\")",
            ),
            (
                "connect_auth /* a */\n(\"test:///default\", \"root\", (#\"ge\"heim\"#))",
                "connect_auth /* a */\n(\"test:///default\", \"root\", (#\"***\"#))",
            ),
            (
                "uri.connect_auth(\"root\", \"geheim\")",
                "uri.connect_auth(\"root\", \"***\")",
            ),
            (
                "d.qemu_monitor_command(\"set_password vnc geheim\", 1)",
                "d.qemu_monitor_command(\"set_password vnc ***\", 1)",
            ),
            (
                "d.qemu_monitor_command(\"set_password vnc \" + \"geheim\", 1)",
                "d.qemu_monitor_command(\"set_password vnc \" + \"***\", 1)",
            ),
            (
                "d.agent_exec([\"mysql\", \"--password\", \"geheim\", \"--user\", \"a\"])",
                "d.agent_exec([\"mysql\", \"--password\", \"***\", \"--user\", \"a\"])",
            ),
            (
                "d.agent_exec([\"sh\", \"-c\", \"mysql --db-passwd geheim x\"])",
                "d.agent_exec([\"sh\", \"-c\", \"mysql --db-passwd *** x\"])",
            ),
            ("\"passwd=\" + \"geheim\"", "\"passwd=\"***\"***\""),
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
            "password: read(x)",
            "<secret ephemeral='no'><usage type='volume'><volume>/a</volume></usage></secret>",
            "<graphics type='vnc' port='-1'/>",
            "#{ user: \"a\", host: \"b:c\" }",
            "script.rhai:3:5: no such user@host",
            "a:1:b@c is at 2:3",
            "'set_password': could not be run",
            "connect_auth fails",
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
    fn a_password_with_any_character_is_hidden() {
        for letter in (' '..='~').filter(|letter| *letter != '*') {
            for password in [
                format!("hun{letter}ter2geheim"),
                format!("{letter}ter2geheim"),
                format!("ter2geheim{letter}"),
            ] {
                for begin in ["qemu+tcp://", "qemu+tcp:", "qemu+tcp:/", "nonsense:///"] {
                    let uri = format!("{begin}bob:{password}@127.0.0.1:1/system");
                    let texts = [
                        format!("cannot connect to {uri}: Unable to parse URI {uri}"),
                        format!("Unable to parse `{uri}`, because bob:{password} has no port"),
                        format!("cannot resolve '{password}'"),
                    ];
                    for text in &texts {
                        let shown = hide_of(text, &uri);
                        assert!(!shown.contains("ter2"), "{shown} of {text}");
                    }
                    let shown = hide_uri(&uri);
                    assert!(!shown.contains("ter2"), "{shown} of {uri}");
                    assert!(shown.ends_with("@127.0.0.1:1/system"), "{shown} of {uri}");
                    // Without the URI at hand, the word ends at a space.
                    if letter != ' ' {
                        let shown = hide(&texts[0]);
                        assert!(!shown.contains("ter2"), "{shown} of {}", texts[0]);
                    }
                }
            }
        }
    }

    #[test]
    fn a_call_with_a_blank_before_its_arguments_has_a_secret() {
        for text in ["connect_auth (u, a, b)", "set_user_password\n(d, a, b)"] {
            assert!(has_secret(text), "{text}");
        }
        assert!(!has_secret(":help connect_auth"));
    }

    #[test]
    fn long_texts_take_little_time() {
        for part in [
            "a:",
            "password=(",
            "<password>",
            "set_password vnc ",
            "://a:",
        ] {
            let begun = std::time::Instant::now();
            hide(&part.repeat(100_000));
            let time = begun.elapsed();
            assert!(time.as_secs() < 5, "{part}: {time:?}");
        }
    }

    #[test]
    fn json_hides_by_key_and_within_texts() {
        let mut value = json!({
            "thrown": { "password": "geheim", "uri": "esx://a:b@c/" }, "list": ["passwd=x"], "pin": 4,
            "a": { "password": ["geheim"], "secret": { "value": "geheim" }, "token": null, "pass": true },
        });
        hide_in_json(&mut value);
        let hidden = json!({
            "thrown": { "password": "***", "uri": "esx://a:***@c/" }, "list": ["passwd=***"], "pin": "***",
            "a": { "password": "***", "secret": "***", "token": null, "pass": true },
        });
        assert_eq!(value, hidden);
    }
}
