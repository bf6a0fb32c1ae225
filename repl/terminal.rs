//! Makes text safe to write to a terminal; all output to terminals goes through here. Pipes and files get every byte as
//! it is.

use std::borrow::Cow;
use std::io::IsTerminal;

pub(crate) use virhai::markup::{visible, visible_line, with_colors};

/// Returns `text` for standard output. virhai's own colours are kept.
pub(crate) fn for_stdout(text: &str) -> Cow<'_, str> {
    match std::io::stdout().is_terminal() {
        true => with_colors(text),
        false => Cow::Borrowed(text),
    }
}

/// Returns a script's `text` for standard output. No colours are kept.
pub(crate) fn script_text(text: &str) -> Cow<'_, str> {
    match std::io::stdout().is_terminal() {
        true => visible(text),
        false => Cow::Borrowed(text),
    }
}
