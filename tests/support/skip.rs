//! Tests, or parts of them, that this machine cannot run.

use std::fmt::Display;
use std::io::Write;

/// The list of skipped tests, which `make test` shows at its end: the output of a test is visible
/// only if it fails.
const LIST: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/skipped");

/// Prints that this test, or the part of it that `reason` names, is skipped.
pub fn skip(reason: impl Display) {
    let thread = std::thread::current();
    let line = format!("{}: {reason}\n", thread.name().unwrap_or("a test"));
    eprint!("skipped: {line}");
    let list = std::fs::File::options()
        .append(true)
        .create(true)
        .open(LIST);
    // One write for each line, since tests run at the same time.
    list.and_then(|mut list| list.write_all(line.as_bytes()))
        .expect("the build's own folder can be written");
}
