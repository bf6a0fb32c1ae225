//! Input lines that begin with `:`.

use virhai::completion::{Candidate, CandidateKind, Surroundings};

use super::Input;
use crate::prompt::commands::{Argument, Command};

/// A line that begins with the name of a command.
pub(super) struct CommandLine<'a> {
    /// The name so far, with its colon.
    pub(super) name: &'a str,
    /// The beginning of the text after the name.
    pub(super) rest: Option<usize>,
}

impl<'a> CommandLine<'a> {
    pub(super) fn of(line: &'a str) -> Option<Self> {
        if !line.starts_with(':') {
            return None;
        }
        let end = line.find(char::is_whitespace);
        Some(Self {
            name: &line[..end.unwrap_or(line.len())],
            rest: end.map(|end| end + 1),
        })
    }

    pub(super) fn command(&self) -> Option<Command> {
        Command::named(self.name.trim_end_matches('!'))
    }

    /// The beginning of the Rhai code in the line, for a command that accepts code.
    pub(super) fn code(&self) -> Option<usize> {
        let usage = self.command()?.usage();
        let mut arguments = usage.arguments();
        self.rest
            .filter(|_| arguments.next() == Some(Argument::Expression))
    }
}

impl Input {
    /// Completes `text`, which begins with `:`; returns the candidates and their beginning.
    pub(super) fn complete_command(&self, text: &str) -> (usize, Vec<Candidate>) {
        let Some(line) = CommandLine::of(text) else {
            return (text.len(), Vec::new());
        };
        let Some(rest) = line.rest else {
            let fitting = Command::ALL
                .into_iter()
                .filter(|command| command.name().starts_with(line.name));
            return (0, fitting.map(candidate).collect());
        };
        let Some(command) = line.command() else {
            return (text.len(), Vec::new());
        };
        let usage = command.usage();
        let mut arguments = usage.arguments();
        let mut argument = arguments.next();
        let mut start = rest;
        // Rhai and the names of files may have blanks in them, the other arguments end with one.
        while let Some(end) = text[start..].find(char::is_whitespace)
            && argument != Some(Argument::Expression)
        {
            start += end + 1;
            argument = arguments.next();
        }
        match argument {
            Some(argument) => self.complete_argument(argument, start, &text[start..]),
            None => (text.len(), Vec::new()),
        }
    }

    /// Completes an argument; `written` is its text so far, which begins at `start`.
    fn complete_argument(
        &self,
        argument: Argument,
        start: usize,
        written: &str,
    ) -> (usize, Vec<Candidate>) {
        match argument {
            Argument::Name => {
                let functions = self.known.catalog().functions().iter();
                let own = functions.filter(|function| !function.standard);
                let mut names: Vec<String> = own.map(|function| function.name.clone()).collect();
                names.sort();
                names.dedup();
                (start, words(names.into_iter(), written))
            }
            Argument::Expression => self.complete_after("", start, written),
            Argument::Uri => self.complete_text("connect(\"", start, written),
            Argument::ReadOnly => (start, words(["ro".to_owned()].into_iter(), written)),
            Argument::Connection => {
                let variables = self.known.variables().into_iter();
                let connections = variables
                    .filter(|variable| {
                        variable
                            .kind
                            .as_ref()
                            .is_some_and(|ty| ty.is_called("Connection"))
                    })
                    .map(|variable| variable.name);
                (start, words(connections, written))
            }
            Argument::File => match written.starts_with('/') {
                true => self.complete_text("restore(\"", start, written),
                false => self.complete_text("restore(\"./", start, written),
            },
            Argument::Hosts => {
                // These signs separate names.
                let last = written.rfind([':', ',', '&', '!']).map_or(0, |end| end + 1);
                let (start, written) = (start + last, &written[last..]);
                (start, words(self.fleet.iter().cloned(), written))
            }
            Argument::Inputs => (start, Vec::new()),
            Argument::Switch => {
                let choices = ["on", "off"].map(str::to_owned);
                (start, words(choices.into_iter(), written))
            }
        }
    }

    /// Completes `written` within a text that `before` opens.
    pub(super) fn complete_text(
        &self,
        before: &str,
        start: usize,
        written: &str,
    ) -> (usize, Vec<Candidate>) {
        let (start, mut candidates) = self.complete_after(before, start, written);
        candidates.iter_mut().for_each(unquote);
        (start, candidates)
    }

    /// Completes the Rhai code `written`, which begins at `rest`, as if `before` were in front of it.
    fn complete_after(&self, before: &str, rest: usize, written: &str) -> (usize, Vec<Candidate>) {
        let code = format!("{before}{written}");
        let catalog = self.known.catalog();
        let found = self
            .completer
            .complete(catalog, &self.known, &code, code.len());
        let start = rest + found.replaced.start.saturating_sub(before.len());
        (start, found.candidates)
    }
}

fn candidate(command: Command) -> Candidate {
    let usage = command.usage();
    let space = match usage.arguments().next() {
        Some(_) => " ",
        None => "",
    };
    Candidate {
        label: usage.synopsis(),
        insert: format!("{}{space}", usage.name),
        kind: CandidateKind::Word,
        docs: usage.about.to_owned(),
    }
}

/// Candidates for those of `words` that begin with `written`.
pub(super) fn words(words: impl Iterator<Item = String>, written: &str) -> Vec<Candidate> {
    words
        .filter(|word| word.starts_with(written))
        .map(|word| Candidate {
            label: word.clone(),
            insert: word,
            kind: CandidateKind::Word,
            docs: String::new(),
        })
        .collect()
}

/// Removes the quote that closes a text.
fn unquote(candidate: &mut Candidate) {
    if let Some(bare) = candidate.insert.strip_suffix('"') {
        candidate.insert = bare.to_owned();
    }
}
