//! Lines that begin with `:` while they are typed.

use virhai::completion::{Candidate, CandidateKind, Surroundings};

use super::Input;
use crate::prompt::commands::{COMMANDS, Command};

/// A line that begins with the name of a command.
pub(super) struct CommandLine<'a> {
    /// The name so far, with its colon.
    pub(super) name: &'a str,
    /// Where what follows the name begins.
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

    pub(super) fn command(&self) -> Option<&'static Command> {
        let name = self.name.trim_end_matches('!');
        COMMANDS.iter().find(|command| command.name == name)
    }

    /// Where the Rhai begins in the line, for a command that takes some.
    pub(super) fn code(&self) -> Option<usize> {
        let command = self.command()?;
        self.rest.filter(|_| command.arguments.contains("EXPR"))
    }
}

impl Input {
    /// What can stand at the end of `text`, which begins with `:`, and from where.
    pub(super) fn complete_command(&self, text: &str) -> (usize, Vec<Candidate>) {
        let Some(line) = CommandLine::of(text) else {
            return (text.len(), Vec::new());
        };
        let Some(rest) = line.rest else {
            let fitting = COMMANDS
                .iter()
                .filter(|command| command.name.starts_with(line.name));
            return (0, fitting.map(candidate).collect());
        };
        let written = &text[rest..];
        let Some(command) = line.command() else {
            return (text.len(), Vec::new());
        };
        match (command.name, command.arguments.trim_matches(['[', ']'])) {
            (":switch" | ":disconnect", _) => {
                let variables = self.known.variables().into_iter();
                let connections = variables
                    .filter(|variable| variable.kind.as_deref() == Some("Connection"))
                    .map(|variable| variable.name);
                (rest, words(connections, written))
            }
            (_, "NAME") => {
                let functions = self.known.catalog().functions().iter();
                let own = functions.filter(|function| !function.standard);
                let mut names: Vec<String> = own.map(|function| function.name.clone()).collect();
                names.sort();
                names.dedup();
                (rest, words(names.into_iter(), written))
            }
            (_, "EXPR") => self.complete_after("", rest, written),
            (_, "FILE") => {
                let before = match written.starts_with('/') {
                    true => "restore(\"",
                    false => "restore(\"./",
                };
                let (start, mut candidates) = self.complete_after(before, rest, written);
                candidates.iter_mut().for_each(unquote);
                (start, candidates)
            }
            (_, arguments) if arguments.starts_with("URI") => {
                let (start, mut candidates) = self.complete_after("connect(\"", rest, written);
                candidates.iter_mut().for_each(unquote);
                (start, candidates)
            }
            (_, choice) if choice.contains('|') => {
                (rest, words(choice.split('|').map(str::to_owned), written))
            }
            _ => (text.len(), Vec::new()),
        }
    }

    /// What can stand at the end of the Rhai `written`, which begins at `rest`, as if `before`
    /// stood in front of it.
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

fn candidate(command: &Command) -> Candidate {
    let arguments = match command.arguments {
        "" => String::new(),
        arguments => format!(" {arguments}"),
    };
    let space = if arguments.is_empty() { "" } else { " " };
    Candidate {
        label: format!("{}{arguments}", command.name),
        insert: format!("{}{space}", command.name),
        kind: CandidateKind::Word,
        docs: command.about.to_owned(),
    }
}

fn words(words: impl Iterator<Item = String>, written: &str) -> Vec<Candidate> {
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

/// Takes the quote away that closes a text.
fn unquote(candidate: &mut Candidate) {
    if let Some(bare) = candidate.insert.strip_suffix('"') {
        candidate.insert = bare.to_owned();
    }
}
