//! Questions on the terminal for inputs that are missing.

use std::borrow::Cow;

use rhai::Dynamic;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Behavior, Config, Editor, Helper};
use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::Key;

use crate::diagnostic::Diagnostic;
use crate::exit_status::{INTERRUPTED, WRONG_USAGE};
use crate::terminal;

/// The number of times that a question is asked before virhai gives up.
const MOST: usize = 5;

/// The reason for a missing answer.
pub(super) struct Unanswered {
    pub status: u8,
    /// Ctrl-C needs no reason.
    pub why: Option<Diagnostic>,
}

impl Unanswered {
    fn because(why: impl Into<String>) -> Box<Self> {
        let why = Some(Diagnostic::wrong_usage(why.into()));
        Box::new(Self {
            status: WRONG_USAGE,
            why,
        })
    }
}

/// Asks for the value of `key` until the answer is valid. The terminal shows stars for a secret.
///
/// # Errors
///
/// The input ended, all answers were wrong, or Ctrl-C was pressed.
pub(super) fn value(key: &Key) -> Result<Dynamic, Box<Unanswered>> {
    let failed =
        |error: ReadlineError| Unanswered::because(format!("cannot read the answer: {error}"));
    let question = question(key);
    let config = Config::builder().behavior(Behavior::PreferTerm).build();
    let mut editor = Editor::<Shown, DefaultHistory>::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Shown {
        secret: inputs::is_secret(key),
    }));
    for _ in 0..MOST {
        let text = match editor.readline(&question) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => {
                return Err(Box::new(Unanswered {
                    status: INTERRUPTED,
                    why: None,
                }));
            }
            Err(ReadlineError::Eof) => return Err(no_answer(key)),
            Err(error) => return Err(failed(error)),
        };
        let value = inputs::line(key, text.trim());
        let faults = Inputs::faults_of_answer(key, &value);
        match faults.first() {
            _ if text.trim().is_empty() => eprintln!("  `{}` must be given", key.name),
            Some(fault) => {
                let hint = fault.hint.iter().map(|hint| format!("; {hint}"));
                let message = format!("  {}{}", fault.message, hint.collect::<String>());
                eprintln!("{}", terminal::visible(&message));
            }
            None => return Ok(value),
        }
    }
    Err(no_answer(key))
}

fn no_answer(key: &Key) -> Box<Unanswered> {
    let (name, given) = (&key.name, super::options::sources(key));
    Unanswered::because(format!(
        "no answer for the input `{name}`: give it with {given}"
    ))
}

/// Hides or shows an answer while it is typed.
struct Shown {
    secret: bool,
}

impl Highlighter for Shown {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        match self.secret {
            true => Cow::Owned("*".repeat(line.chars().count())),
            false => Cow::Borrowed(line),
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, _kind: CmdKind) -> bool {
        self.secret
    }
}

impl Completer for Shown {
    type Candidate = String;
}

impl Hinter for Shown {
    type Hint = String;
}

impl Validator for Shown {}

impl Helper for Shown {}

/// The question: name, help, type and limits of the input.
fn question(key: &Key) -> String {
    let mut about = key.ty.to_string();
    if let Some(limits) = key.limits() {
        about.push_str(&format!(", {limits}"));
    }
    if inputs::is_list(key) {
        about.push_str(", separated by commas");
    }
    let help = match key.help.is_empty() {
        true => key.name.clone(),
        false => format!("{}: {}", key.name, key.help),
    };
    terminal::visible_line(&format!("{help} ({about}): ")).into_owned()
}
