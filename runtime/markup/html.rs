//! HTML documents in one file, without links to other files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulldown_cmark_escape::escape_html;
use sha2::{Digest, Sha256};

use super::visible;

/// `text` as HTML that shows it: markup is escaped, control characters are visible.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let _ = escape_html(&mut escaped, &visible(text));
    escaped
}

/// The document with that title, style sheet and HTML body, and with that script, if there is one. A browser loads no other
/// files and runs no other script.
pub(crate) fn document(title: &str, style: &str, body: &str, script: Option<&str>) -> String {
    let (policy, script) = match script {
        Some(script) => (
            // A browser runs only the script with this digest.
            format!(
                "; script-src 'sha256-{}'",
                STANDARD.encode(Sha256::digest(script))
            ),
            format!("<script>{script}</script>"),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:{policy}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title>\
         <style>{style}</style></head><body>{body}{script}</body></html>\n",
        escaped(title)
    )
}
