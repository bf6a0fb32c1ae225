//! Runs an input on the worker and shows the result.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rhai::Position;
use virhai::Imports;

use super::worker::{Answer, View};
use super::{Prompt, pager, runbook};
use crate::diagnostic::Diagnostic;
use crate::run;
use crate::{exit_status, output};

/// The ways in which an input ends.
pub(super) enum Ended {
    /// It succeeded, with a value other than `()` or without one.
    Well { has_value: bool },
    /// It failed at that position.
    Badly(Position),
    /// It ended the session.
    Session(u8),
}

impl Prompt {
    /// Runs an input of the user's; a status means the end of the session.
    pub(super) fn evaluate(&mut self, text: &str) -> Option<u8> {
        self.evaluate_as(text, View::Human)
    }

    /// Runs the code of a command; a failure in it is reported without that code.
    pub(super) fn evaluate_command(&mut self, code: &str) -> Option<u8> {
        self.worker.hide_code(true);
        let status = self.evaluate(code);
        self.worker.hide_code(false);
        status
    }

    /// Runs an input and shows its value in another way.
    pub(super) fn evaluate_as(&mut self, text: &str, view: View) -> Option<u8> {
        let number = self.worker.next_input();
        let variables = self.worker.scope().len();
        match self.attempt(text, view) {
            Ended::Well { has_value } => self.transcript.ran(number, text, has_value),
            Ended::Badly(at) => {
                self.failed = true;
                let left_something = self.worker.scope().len() > variables;
                let ran = match left_something {
                    true => runbook::ran_before(text, at),
                    false => 0,
                };
                self.transcript.failed(number, text, ran);
            }
            Ended::Session(status) => return Some(status),
        }
        self.follow();
        None
    }

    /// Shows the last value in another way; this does not count as an input.
    pub(super) fn look_at_last(&mut self, view: View) {
        let before = self.worker.counted();
        self.attempt("ans", view);
        self.worker.count_again(before);
    }

    /// Runs an input and prints its duration.
    pub(super) fn evaluate_timed(&mut self, text: &str) -> Option<u8> {
        let began = Instant::now();
        let status = self.evaluate(text);
        eprintln!("took {}", virhai::show::duration(began.elapsed()));
        status
    }

    /// Runs `text` in the worker and shows the result.
    fn attempt(&mut self, text: &str, view: View) -> Ended {
        self.asked.begin();
        while self.left.try_recv().is_ok() {}
        let (answer, answers) = mpsc::channel();
        let ended = match self.worker.run(text.to_owned(), view, answer) {
            Ok(()) => self.wait_for(&answers),
            Err(error) => {
                eprintln!("error: cannot start a thread: {error}");
                Ended::Badly(Position::NONE)
            }
        };
        self.asked.end();
        // The signal that stopped the input tells the whole program to end.
        match self.asked.ending() {
            Some(signal) => Ended::Session(exit_status::killed_by(signal)),
            None => ended,
        }
    }

    fn wait_for(&mut self, answers: &Receiver<Answer>) -> Ended {
        loop {
            match answers.recv_timeout(Duration::from_millis(50)) {
                Ok(answer) => return self.came(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    let defect = Diagnostic::of_defect("");
                    eprintln!("{}", defect.render(&Imports::default(), false));
                    return Ended::Badly(Position::NONE);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.left.try_recv().is_ok() || self.is_overdue() {
                        eprintln!("the input was abandoned; its outcome is unknown");
                        return Ended::Badly(Position::NONE);
                    }
                }
            }
        }
    }

    /// Keeps the variables and functions of an input, and shows its result.
    pub(super) fn came(&mut self, answer: Answer) -> Ended {
        match answer {
            Answer::Shown {
                text,
                has_value,
                state,
            } => {
                self.worker.keep(state);
                if let Some(text) = text {
                    self.asked.end();
                    self.show(&text);
                }
                Ended::Well { has_value }
            }
            Answer::Failed { text, at, state } => {
                self.worker.keep(state);
                eprintln!("{text}");
                Ended::Badly(at)
            }
            Answer::Exit(status) => Ended::Session(status),
        }
    }

    /// Returns true once the prompt stops waiting for the input: undoing timed out, or a signal told
    /// the whole program to end. After Ctrl-C alone, the prompt keeps waiting.
    pub(super) fn is_overdue(&self) -> bool {
        let interrupt = self.worker.interrupt();
        let must_end = interrupt.is_undo_overdue() || self.asked.ending().is_some();
        must_end
            && interrupt
                .leave_at(run::GRACE)
                .is_some_and(|moment| moment <= Instant::now())
    }

    /// Shows a text, through the pager if it is long.
    pub(super) fn show(&self, text: &str) {
        if !(self.pages && pager::shows(text)) {
            output::print_line(text);
        }
    }
}
