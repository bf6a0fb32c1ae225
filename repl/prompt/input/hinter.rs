//! Hints behind the cursor: the rest of an earlier input, and the signature of the call that is being written.

use rustyline::Context;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;
use virhai::catalog::{Signature, first_sentence};
use virhai::syntax::brackets::last_open;
use virhai::syntax::text::Text;

use super::Input;
use super::command_line::CommandLine;
use crate::columns::{column_after, columns, fitted};
use crate::terminal;

/// A hint behind the input and a line below it.
pub(in crate::prompt) struct Suggestion {
    /// The rest of an earlier input.
    rest: Option<String>,
    shown: String,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.rest.as_deref()
    }
}

impl Hinter for Input {
    type Hint = Suggestion;

    fn hint(&self, line: &str, cursor: usize, context: &Context) -> Option<Suggestion> {
        let at_end = cursor == line.len();
        let recalled = recalled(line, context);
        self.keys.recalled(at_end && recalled);
        if line.trim().is_empty() {
            return None;
        }
        let columns = columns();
        let column = column_after(&format!("{}{line}", self.prompt), columns);
        // The last column stays free: a full row would begin another.
        let room = columns.saturating_sub(column + 1);
        // Without colours it would look like typed text.
        let rest = (at_end && !recalled && self.colors && room > 1)
            .then(|| earlier(line, context))
            .flatten();
        let signature = match CommandLine::of(line) {
            Some(command) => self.command(&command),
            None => self.signature(&line[..cursor]),
        };
        let signature = signature.or_else(|| way_out(line));
        if rest.is_none() && signature.is_none() {
            return None;
        }
        let mut shown = rest
            .as_deref()
            .map_or_else(String::new, |rest| fitted(&terminal::visible(rest), room));
        if let Some(signature) = signature {
            // Behind a full row, the editor takes the cursor for being in the next one already, where the
            // terminal moves it with the next letter only: the blank.
            shown.push_str(" \n");
            shown.push_str(&signature);
        }
        Some(Suggestion { rest, shown })
    }
}

impl Input {
    /// The signature of the function whose name or arguments `text` ends in, in one line.
    fn signature(&self, text: &str) -> Option<String> {
        // The catalogue is read in the background; typing does not wait for it.
        let catalog = self.known.catalog_so_far()?;
        let (ways, argument) = self.completer.signatures(catalog, &self.known, text)?;
        let fits = |way: &&Signature| argument.is_none_or(|number| way.parameters.len() > number);
        let way = ways.iter().find(fits).or(ways.last())?;
        let others = match ways.len() {
            1 => String::new(),
            count => format!(" (1 of {count})"),
        };
        let summary = first_sentence(&way.docs);
        Some(self.row(format!("{way}{others}  {summary}").trim_end()))
    }

    /// The description of a command of the prompt.
    fn command(&self, line: &CommandLine) -> Option<String> {
        let usage = line.command()?.usage();
        Some(self.row(&format!("{}  {}", usage.synopsis(), usage.about)))
    }

    /// A line as far as it fits into one row.
    fn row(&self, line: &str) -> String {
        // One line is one row, whatever is typed: the rows above it must not move.
        fitted(&terminal::visible_line(line), columns().saturating_sub(1))
    }
}

/// The hint how to leave an unfinished input, after an empty line.
fn way_out(line: &str) -> Option<String> {
    if !line.ends_with("\n\n") {
        return None;
    }
    let (bracket, begin) = last_open(line)?;
    let number = Text::from(line).line_of(begin);
    Some(format!(
        "`{bracket}` of line {number} is not closed; Ctrl-C clears the input"
    ))
}

/// True if `line` is the selected input of the history.
fn recalled(line: &str, context: &Context) -> bool {
    let history = context.history();
    let index = context.history_index();
    let entry = history.get(index, SearchDirection::Forward).ok().flatten();
    index < history.len() && entry.is_some_and(|entry| entry.entry == line)
}

/// The rest of the last input that begins with `line`.
fn earlier(line: &str, context: &Context) -> Option<String> {
    let history = context.history();
    let last = history.len().checked_sub(1)?;
    let found = history
        .starts_with(line, last, SearchDirection::Reverse)
        .ok()??;
    let rest = found.entry.get(line.len()..)?;
    (!rest.is_empty() && !rest.contains('\n')).then(|| rest.to_owned())
}
