//! The prompt: what is typed runs on a worker, so that Ctrl-C can always come back here.

mod history;
mod input;
mod worker;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustyline::error::ReadlineError;
use virhai::Imports;

use crate::args::Args;
use crate::diagnostic::Diagnostic;
use crate::run::{self, FAILED};
use crate::signals;
use worker::{Answer, Worker};

/// Runs the prompt until its end and answers the exit status.
pub(crate) fn start(args: &Args) -> u8 {
    let mut editor = match input::editor(&args.options) {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("error: cannot use the terminal: {error}");
            return FAILED;
        }
    };
    history::load(&mut editor);
    let session = run::session(&args.options);
    let (leave, left) = mpsc::channel();
    let asked = match signals::watch(session.interrupt().clone(), false, move || {
        let _ = leave.send(());
    }) {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("error: cannot watch for signals: {error}");
            return FAILED;
        }
    };
    let prompt = Prompt { left, asked };
    let mut worker = Worker::new(args.options.clone(), session);
    if !args.options.quiet {
        let versions = virhai::versions();
        eprintln!(
            "virhai {} with libvirt {}; Ctrl-D leaves",
            versions.virhai, versions.libvirt_running
        );
    }
    prompt.evaluate(&mut worker, "let conn = connect(); conn");
    worker.tell(&mut editor);
    loop {
        let text = match input::read(&mut editor, "virhai> ") {
            Ok(text) => text,
            // Ctrl-C at the prompt drops the line and nothing else.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => {
                eprintln!("error: cannot read from the terminal: {error}");
                return FAILED;
            }
        };
        if text.trim().is_empty() {
            continue;
        }
        history::add(&mut editor, &text);
        if let Some(status) = prompt.evaluate(&mut worker, &text) {
            return status;
        }
        worker.tell(&mut editor);
    }
    run::DONE
}

struct Prompt {
    /// Tells that the user wants the prompt back, whatever still runs.
    left: Receiver<()>,
    asked: signals::Asked,
}

impl Prompt {
    /// Has the worker run `text`, and shows what came of it; a status means the end.
    fn evaluate(&self, worker: &mut Worker, text: &str) -> Option<u8> {
        self.asked.reset();
        while self.left.try_recv().is_ok() {}
        let (answer, answers): (Sender<Answer>, _) = mpsc::channel();
        if let Err(error) = worker.run(text.to_owned(), answer) {
            eprintln!("error: cannot start a thread: {error}");
            return None;
        }
        loop {
            match answers.recv_timeout(Duration::from_millis(50)) {
                Ok(Answer::Shown { text, state }) => {
                    worker.keep(state);
                    if let Some(text) = text {
                        run::print_line(&text);
                    }
                    return None;
                }
                Ok(Answer::Failed { text, state }) => {
                    worker.keep(state);
                    eprintln!("{text}");
                    return None;
                }
                Ok(Answer::Exit(status)) => return Some(status),
                Err(RecvTimeoutError::Disconnected) => {
                    let defect = Diagnostic::of_defect("");
                    eprintln!("{}", defect.render(&Imports::default(), false));
                    return None;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.left.try_recv().is_ok() {
                        eprintln!("left behind: its outcome is unknown");
                        return None;
                    }
                }
            }
        }
    }
}
