//! Completion with Tab.

use rustyline::completion::{Candidate, Completer};
use rustyline::{Context, Result};

use super::Input;
use super::command_line::CommandLine;
use crate::columns;
use crate::terminal;

/// Fewer candidates than this are shown whole, one below the other.
const FEW: usize = 12;

/// A candidate, and its text in a list.
pub(in crate::prompt) struct Offer {
    shown: String,
    written: String,
}

impl Candidate for Offer {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.written
    }
}

impl Completer for Input {
    type Candidate = Offer;

    fn complete(&self, line: &str, cursor: usize, _: &Context) -> Result<(usize, Vec<Offer>)> {
        let (start, candidates) = match CommandLine::of(line) {
            Some(_) => self.complete_command(&line[..cursor]),
            None => self.complete_virsh(&line[..cursor]).unwrap_or_else(|| {
                let catalog = self.known.catalog();
                let found = self.completer.complete(catalog, &self.known, line, cursor);
                (found.replaced.start, found.candidates)
            }),
        };
        let side_by_side = match candidates.len() {
            0..FEW => 1,
            _ => 2,
        };
        // A list is written over the hint below the input, which must be removed here.
        let clear_row = "\x1b[K";
        // Two blanks stand between the columns of a list, and rustyline takes the code above for
        // two letters.
        let most = (columns::columns() / side_by_side)
            .saturating_sub(4)
            .max(20);
        let offers = candidates.into_iter().map(|candidate| Offer {
            shown: format!(
                "{}{}",
                clear_row,
                columns::fitted(&visible(candidate.label), most)
            ),
            written: visible(candidate.insert),
        });
        Ok((start, offers.collect()))
    }
}

/// Names that a host chose: the editor writes its line to the terminal as it is.
fn visible(text: String) -> String {
    terminal::visible_line(&text).into_owned()
}
