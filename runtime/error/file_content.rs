//! Failures about a file that libvirt has read: they name the line, and never quote its content.
//!
//! libvirt quotes the line that it cannot parse, and names words of it. The file may be one that
//! the script could not read otherwise, such as a file of passwords taken for XML.

use virt_sys as sys;

use crate::libvirt::Failure;

/// The failure to use the save image `file`, without a parser's message, which can quote the file.
pub(crate) fn of_image(failure: Failure, file: &str) -> Failure {
    let codes = [
        sys::VIR_ERR_XML_ERROR,
        sys::VIR_ERR_XML_DETAIL,
        sys::VIR_ERR_XML_INVALID_SCHEMA,
    ];
    match codes.map(i64::from).contains(&failure.code) {
        true => without_content(failure, file, "libvirt does not accept its XML"),
        false => failure,
    }
}

/// The failure to open the host that `file` describes; only a system error about the file itself is
/// kept.
pub(crate) fn of_test_host(failure: Failure, file: &str) -> Failure {
    match failure.code == i64::from(sys::VIR_ERR_SYSTEM_ERROR) {
        true => failure,
        false => without_content(failure, file, "it does not describe a test host"),
    }
}

fn without_content(failure: Failure, file: &str, otherwise: &str) -> Failure {
    let message = match line(&failure.message) {
        Some(line) => {
            let reason =
                reason(&failure.message).map_or_else(String::new, |why| format!(": {why}"));
            format!("line {line} of {file} is not valid XML{reason}")
        }
        None => format!("cannot use {file}: {otherwise}"),
    };
    Failure { message, ..failure }
}

/// The parser's reasons, without the names and the text that can follow them.
const REASONS: [&str; 13] = [
    "Document is empty",
    "Start tag expected, '<' not found",
    "StartTag: invalid element name",
    "Couldn't find end of Start Tag",
    "Opening and ending tag mismatch",
    "Premature end of data",
    "EndTag: '</' not found",
    "expected '>'",
    "error parsing attribute name",
    "Specification mandates value for attribute",
    "AttValue: \" or ' expected",
    "Extra content at the end of the document",
    "Input is not proper UTF-8",
];

/// The reason in the parser's `message`. It never comes from the message itself, which can quote the file.
fn reason(message: &str) -> Option<&'static str> {
    let first = message.lines().next()?;
    REASONS.into_iter().find(|reason| first.contains(reason))
}

/// The number of the line that libvirt names, as `FILE:3: words` or, before 10.0, `at line 3:`.
fn line(message: &str) -> Option<u32> {
    let first = message.lines().next()?;
    let number = |text: &str| text.trim().parse().ok();
    if let Some((_, rest)) = first.split_once("at line ") {
        return number(rest.split(':').next()?);
    }
    first.split(':').skip(1).find_map(number)
}

#[cfg(test)]
mod tests {
    use super::{of_image, of_test_host};
    use crate::libvirt::Failure;

    #[test]
    fn a_failure_about_a_file_keeps_the_place_and_no_content() {
        let failure = |code, message: &str| Failure::new(code, message);
        let told = of_test_host(
            failure(
                virt_sys::VIR_ERR_XML_DETAIL,
                "/etc/shadow:1: Start tag expected, '<' not found\nroot:x:\n^",
            ),
            "/etc/shadow",
        );
        assert_eq!(
            told.message,
            "line 1 of /etc/shadow is not valid XML: Start tag expected, '<' not found"
        );
        let told = of_image(
            failure(
                virt_sys::VIR_ERR_XML_DETAIL,
                "at line 7: Opening and ending tag mismatch: root line 7",
            ),
            "/tmp/x",
        );
        assert_eq!(
            told.message,
            "line 7 of /tmp/x is not valid XML: Opening and ending tag mismatch"
        );
        let told = of_test_host(
            failure(
                virt_sys::VIR_ERR_XML_ERROR,
                "unexpected root element <secret>, expecting <node>",
            ),
            "/tmp/x",
        );
        assert_eq!(
            told.message,
            "cannot use /tmp/x: it does not describe a test host"
        );
        let missing = failure(
            virt_sys::VIR_ERR_SYSTEM_ERROR,
            "failed to open: No such file",
        );
        assert_eq!(
            of_test_host(missing, "/x").message,
            "failed to open: No such file"
        );
    }
}
