//! Reads from a terminal that cannot move its cursor.

use std::io::{BufRead, Write};

use rustyline::error::ReadlineError;

/// True if the terminal can only print line after line. An unknown terminal counts as such.
pub(super) fn is_needed() -> bool {
    match std::env::var("TERM") {
        Ok(term) => matches!(term.as_str(), "" | "dumb" | "cons25" | "emacs"),
        Err(_) => true,
    }
}

/// Reads lines until `is_complete` returns true for them. Ctrl-C, which `is_dropped` reports,
/// discards the earlier lines; so does Ctrl-D in the middle of an input.
pub(super) fn read(
    prompt: &str,
    is_complete: impl Fn(&str) -> bool,
    is_dropped: impl Fn() -> bool,
) -> rustyline::Result<String> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout();
    let mut text = String::new();
    write!(output, "{prompt}")?;
    loop {
        output.flush()?;
        let before = text.len();
        if input.read_line(&mut text)? == 0 {
            return Err(match text.is_empty() {
                true => ReadlineError::Eof,
                false => {
                    writeln!(output)?;
                    ReadlineError::Interrupted
                }
            });
        }
        // The terminal itself has dropped the line that Ctrl-C came in.
        if is_dropped() {
            text.drain(..before);
        }
        let line = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(line);
        if is_complete(&text) {
            return Ok(text);
        }
        text.push('\n');
        write!(output, "{:>width$}", "... ", width = prompt.chars().count())?;
    }
}
