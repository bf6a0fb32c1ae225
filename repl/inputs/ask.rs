//! Questions on the terminal for inputs that are missing.

use std::io::{BufRead, IsTerminal, Write};

use rhai::{Dynamic, Map};
use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::Key;

use crate::diagnostic::Diagnostic;
use crate::terminal;

/// How often a question is asked before virhai gives up.
const MOST: usize = 5;

/// Whether questions are possible: input and messages use a terminal.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for the value of `key` until the answer is valid. The terminal does not show a secret.
///
/// # Errors
///
/// The input ended, or all answers were wrong.
pub(super) fn value(declared: &Inputs, key: &Key) -> Result<Dynamic, Box<Diagnostic>> {
    let question = question(key);
    for _ in 0..MOST {
        let answer = match inputs::is_secret(key) {
            true => rpassword::prompt_password(&question).map(Some),
            false => line(&question),
        };
        let text = match answer {
            Ok(Some(text)) => text,
            Ok(None) => return Err(no_answer(key)),
            Err(error) => {
                let why = format!("cannot read the answer: {error}");
                return Err(Diagnostic::wrong_usage(why).into());
            }
        };
        let value = match inputs::is_list(key) {
            true => inputs::list(key, text.split(',').map(str::trim)),
            false => inputs::value(key, text.trim()),
        };
        let given = Map::from_iter([(key.name.as_str().into(), value.clone())]);
        let faults = declared.faults(&given);
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

fn no_answer(key: &Key) -> Box<Diagnostic> {
    Diagnostic::wrong_usage(super::options::missing(key)).into()
}

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

/// The next line of standard input; `None` at its end.
fn line(question: &str) -> std::io::Result<Option<String>> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut text = String::new();
    let count = std::io::stdin().lock().read_line(&mut text)?;
    Ok((count > 0).then_some(text))
}
