//! Results of tests, for people.

use std::time::Duration;

use super::Options;
use super::files::Tests;
use super::run::Ended;
use crate::output::print_line;
use crate::terminal;

/// Prints the result of a test as soon as it has ended.
pub(super) fn ended(options: &Options, result: &Ended) {
    if options.quiet && result.passed() {
        return;
    }
    let word = match result.passed() {
        true => colored(options, "32", "ok"),
        false => colored(options, "31", "FAILED"),
    };
    print_line(&format!(
        "{word}  {} ({:.2} s)",
        result.test,
        result.took.as_secs_f64()
    ));
}

/// Shows the output and the errors of failed tests.
pub(super) fn failures(options: &Options, results: &[Ended]) {
    for result in results.iter().filter(|result| !result.passed()) {
        let title = format!("\n--- {}", result.test);
        print_line(&colored(options, "1", &title));
        let stdout = terminal::script_text(result.stdout.trim_end());
        let parts = [&*stdout, result.stderr.trim_end()];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            print_line(part);
        }
        if parts.iter().all(|part| part.is_empty()) {
            print_line(&format!("it ended with status {}", result.status));
        }
    }
}

/// Prints the number of passed and failed tests.
pub(super) fn summary(options: &Options, tests: &Tests, results: &[Ended], took: Duration) {
    let failed = results.iter().filter(|result| !result.passed()).count();
    let left = tests.len() - results.len();
    let mut text = format!("{} passed", results.len() - failed);
    if failed > 0 {
        text += &format!(", {failed} failed");
    }
    if left > 0 {
        text += &format!(", {left} not run");
    }
    let color = if failed > 0 || left > 0 { "31" } else { "32" };
    let text = colored(options, color, &text);
    print_line(&format!("\n{text} in {:.2} s", took.as_secs_f64()));
}

fn colored(options: &Options, color: &str, text: &str) -> String {
    match options.colors() {
        true => format!("\u{1b}[{color}m{text}\u{1b}[0m"),
        false => text.to_owned(),
    }
}
