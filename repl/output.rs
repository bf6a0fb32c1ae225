//! Output to standard output.

use rhai::Dynamic;
use virhai::KeyOrder;

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::{outlet, show};

/// Prints the value that a script ended with.
pub(crate) fn print_result(options: &Options, value: &Dynamic, order: KeyOrder) {
    if options.hide_result {
        return;
    }
    if options.json {
        print_line(&show::json(value).to_string());
    } else if !options.quiet
        && let Some(text) = show::text(value, order)
    {
        print_line(&text);
    }
}

/// Reports that standard output was lost, because of a full disk for example, and returns whether that is so. With
/// `--json`, the output `of_a_script` is on standard error. After a stop, only the stop is reported.
pub(crate) fn reports_loss(options: &Options, of_a_script: bool) -> bool {
    outlet::drain();
    let printed_elsewhere = of_a_script && options.json && outlet::stderr().has_lost();
    let is_lost = outlet::stdout().has_lost() || printed_elsewhere;
    if !is_lost || outlet::is_in_a_hurry() {
        return false;
    }
    Diagnostic::plain("some output could not be written")
        .with_hint("is the disk of standard output full?")
        .report_plain(options);
    true
}

/// Prints a line of the result. A closed pipe is not a failure.
pub(crate) fn print_line(line: &str) {
    outlet::stdout().line(line);
}
