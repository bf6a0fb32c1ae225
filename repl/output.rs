//! Output to standard output.

use rhai::Dynamic;
use virhai::KeyOrder;

use crate::args::Options;
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

/// Prints a line of the result. A closed pipe is not a failure.
pub(crate) fn print_line(line: &str) {
    outlet::stdout().line(line);
}
