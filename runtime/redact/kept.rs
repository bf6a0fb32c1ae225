//! Hides the secrets that the program was given, in all output.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use parking_lot::RwLock;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::HIDDEN;
use crate::markup;

/// The shortest text that is hidden, in bytes: letters alone would be hidden in every word.
pub const SHORTEST: usize = 3;

/// The shortest part of digits in base64 or hexadecimal that is hidden.
const SHORTEST_ENCODED: usize = 6;

/// The texts to hide, the longest first.
static KEPT: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Hides `secret` from now on in all output of virhai and its scripts: as it is, line by line, as a terminal shows it,
/// and in the forms of XML, JSON, values of scripts, URIs, base64 and hexadecimal digits, also where JSON quotes such a form. A secret of
/// fewer than three bytes is not hidden.
pub fn keep(secret: &str) {
    let lines = secret.lines().chain([secret]).map(str::trim);
    let encoded_forms: Vec<String> = encoded(secret);
    let forms = lines.flat_map(|text| {
        [
            text.to_owned(),
            quick_xml::escape::escape(text).into_owned(),
            quick_xml::escape::partial_escape(text).into_owned(),
            in_json(text),
            text.escape_debug().to_string(),
            markup::visible(text).into_owned(),
            markup::visible_line(text).into_owned(),
            without_quotes(&format!("{text:?}")),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            STANDARD.encode(text),
        ]
    });
    let forms = forms.flat_map(|form| [in_json(&form), form]);
    let forms = forms.chain(encoded_forms);
    let mut kept = KEPT.write();
    for form in forms.filter(|form| form.len() >= SHORTEST) {
        if !kept.contains(&form) {
            kept.push(form);
        }
    }
    kept.sort_by_key(|form| std::cmp::Reverse(form.len()));
}

/// `text` as a string of JSON has it between its quotes.
fn in_json(text: &str) -> String {
    without_quotes(&serde_json::to_string(text).unwrap_or_default())
}

fn without_quotes(quoted: &str) -> String {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Adds the positions of the kept secrets in `text`.
pub(super) fn found(text: &str, found: &mut Vec<Range<usize>>) {
    let kept = KEPT.read();
    for secret in kept.iter() {
        let matches = text.match_indices(secret.as_str());
        found.extend(matches.map(|(at, secret)| at..at + secret.len()));
    }
}

/// `text` with `***` in place of each secret that was kept.
pub fn without_kept(text: &str) -> Cow<'_, str> {
    let kept = KEPT.read();
    let mut hidden = Cow::Borrowed(text);
    for secret in kept.iter() {
        if hidden.contains(secret.as_str()) {
            hidden = Cow::Owned(hidden.replace(secret.as_str(), HIDDEN));
        }
    }
    hidden
}

/// True if `text` has a secret that was kept.
pub fn is_kept(text: &str) -> bool {
    KEPT.read().iter().any(|secret| text.contains(secret))
}

/// The digits in base64 that `text` has within longer bytes, wherever it begins there, and its hexadecimal digits.
fn encoded(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let bytes = [&vec![0; before], text.as_bytes()].concat();
        let digits = STANDARD_NO_PAD.encode(&bytes);
        // The first and the last digits depend on the bytes beside the secret.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        forms.push(digits.get(from..to).unwrap_or_default().to_owned());
    }
    let in_uris = forms.clone();
    let in_uris = in_uris
        .iter()
        .map(|form| form.replace('+', "-").replace('/', "_"));
    forms.extend(in_uris);
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.extend([hexadecimal.to_uppercase(), hexadecimal]);
    forms.retain(|form| form.len() >= SHORTEST_ENCODED);
    forms
}

#[cfg(test)]
mod tests {
    use super::{keep, without_kept};
    use crate::redact::{has_secret, mask};

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        keep("s3cr&t \"x\"");
        for shown in [
            "a s3cr&t \"x\" b",
            "<p>s3cr&amp;t &quot;x&quot;</p>",
            r#"{"p":"s3cr&t \"x\""}"#,
            "qemu://u:s3cr%26t%20%22x%22@h",
            "czNjciZ0ICJ4Ig==",
            "cm9vdDpzM2NyJnQgIngiCg==",
            "eyAieCI6ICJzM2NyJnQgIngiIn0=",
            "YXMzY3ImdCAieCJiYw==",
            "7a733363722674202278220a",
        ] {
            let hidden = without_kept(shown);
            assert!(hidden.contains("***"), "{hidden}");
            assert!(
                ["s3cr", "czNj", "ImdC", "NyJn", "Z0IC", "6372"]
                    .iter()
                    .all(|part| !hidden.contains(part)),
                "{hidden}"
            );
        }
        let json = r#"{"p":"s3cr&t \"x\""}"#;
        assert_eq!(without_kept(json), r#"{"p":"***"}"#);
        keep("ab");
        assert_eq!(without_kept("abc"), "abc");
    }

    #[test]
    fn a_secret_with_control_characters_is_hidden_in_every_form() {
        let secret = "k3pt\t\u{1b}[31m\u{202e}\"\\é";
        keep(secret);
        let json = serde_json::to_string(secret).expect("a string");
        let within_json = serde_json::to_string(&json).expect("a string");
        for shown in [
            format!("{secret:?}"),
            crate::markup::visible_line(secret).into_owned(),
            secret.escape_debug().to_string(),
            json,
            within_json,
        ] {
            assert!(!without_kept(&shown).contains("k3pt"), "{shown}");
        }
    }

    #[test]
    fn a_mask_hides_a_kept_secret_and_has_as_many_characters() {
        keep("m\tsk-é");
        let text = "<a>m\tsk-é</a> password='m\tsk-é'";
        assert_eq!(mask(text), "<a>******</a> password='******'");
        assert!(has_secret("print(\"m\tsk-é\")"));
    }
}
