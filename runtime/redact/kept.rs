//! Secrets that were given to the program, hidden wherever they are shown.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::RwLock;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::HIDDEN;

/// The shortest text that is hidden, in bytes: letters alone would be hidden in every word.
const SHORTEST: usize = 3;

/// The texts to hide, the longest first.
static KEPT: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Hides `secret` from now on in all output of virhai and its scripts: as it is, line by line, and in the forms of XML,
/// JSON, URIs and base64. A secret of fewer than three bytes is not hidden.
pub fn keep(secret: &str) {
    let lines = secret.lines().chain([secret]).map(str::trim);
    let forms = lines.flat_map(|text| {
        let json = serde_json::to_string(text).unwrap_or_default();
        let json = json
            .strip_prefix('"')
            .and_then(|json| json.strip_suffix('"'));
        [
            text.to_owned(),
            quick_xml::escape::escape(text).into_owned(),
            quick_xml::escape::partial_escape(text).into_owned(),
            json.unwrap_or_default().to_owned(),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            STANDARD.encode(text),
        ]
    });
    let mut kept = KEPT.write();
    for form in forms.filter(|form| form.len() >= SHORTEST) {
        if !kept.contains(&form) {
            kept.push(form);
        }
    }
    kept.sort_by_key(|form| std::cmp::Reverse(form.len()));
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

#[cfg(test)]
mod tests {
    use super::{keep, without_kept};

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        keep("s3cr&t \"x\"");
        for shown in [
            "a s3cr&t \"x\" b",
            "<p>s3cr&amp;t &quot;x&quot;</p>",
            r#"{"p":"s3cr&t \"x\""}"#,
            "qemu://u:s3cr%26t%20%22x%22@h",
            "czNjciZ0ICJ4Ig==",
        ] {
            let hidden = without_kept(shown);
            assert!(hidden.contains("***"), "{hidden}");
            assert!(
                !hidden.contains("s3cr") && !hidden.contains("czNj"),
                "{hidden}"
            );
        }
        let json = r#"{"p":"s3cr&t \"x\""}"#;
        assert_eq!(without_kept(json), r#"{"p":"***"}"#);
        keep("ab");
        assert_eq!(without_kept("abc"), "abc");
    }
}
