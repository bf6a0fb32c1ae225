//! Questions on the terminal for permissions that a script needs and does not have.

use virhai::person::{Answer, is_yes};
use virhai::{Asker, Consent, Interrupt, Wish};

use crate::args::Options;
use crate::{question, terminal};

/// The number of times that a question is asked; then a missing answer means no.
const MOST: usize = 3;

/// Asks on the terminal, if there is one and the user did not forbid questions.
pub(crate) struct OnTerminal {
    may_ask: bool,
}

impl OnTerminal {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            may_ask: may_ask(options),
        }
    }
}

/// True if there is a terminal, and the user did not forbid questions.
pub(crate) fn may_ask(options: &Options) -> bool {
    !options.no_ask && question::is_possible()
}

impl Asker for OnTerminal {
    fn ask(&self, wish: &Wish, interrupt: &Interrupt) -> Consent {
        if !self.may_ask {
            return Consent::No;
        }
        let rows = [
            format!("the script asks to {wish}"),
            "allow it? y: yes, this time; a: yes, until the script ends; n: no".into(),
        ];
        let answer = ask(&rows, || interrupt.stopping().is_some());
        if answer == Consent::Always {
            let option = terminal::visible_line(&wish.option()).into_owned();
            eprintln!("allowed until the script ends; next time: {option}");
        }
        answer
    }
}

/// Shows `rows`, the last of which names the possible answers; returns the user's answer.
pub(crate) fn ask(rows: &[String], is_stopped: impl Fn() -> bool) -> Consent {
    // The answer is typed on a separate row.
    let rows: Vec<&str> = rows.iter().map(String::as_str).chain([""]).collect();
    for _ in 0..MOST {
        let Answer::Line(answer) = question::ask(&rows, &is_stopped) else {
            return Consent::No;
        };
        match answer.trim().to_lowercase().as_str() {
            yes if is_yes(yes) => return Consent::Once,
            "a" | "always" => return Consent::Always,
            "n" | "no" => return Consent::No,
            _ => {}
        }
    }
    Consent::No
}
