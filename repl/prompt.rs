//! The prompt: inputs run on a worker, so that Ctrl-C can always return to the prompt.

mod commands;
mod confirm;
mod evaluate;
mod first_words;
mod history;
mod hosts;
mod input;
mod news;
mod opening;
mod pager;
mod prompt_string;
mod runbook;
mod several;
mod shell_syntax;
mod transcript;
mod worker;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};
use rustyline::Editor;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;

use virhai::interrupt::Stop;

use crate::args::{Args, Options};
use crate::columns;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{FAILED, WRONG_USAGE};
use crate::outlet;
use crate::project::Project;
use crate::signals;
use crate::waits;
use crate::{exit_status, session};
pub(crate) use commands::description;
use first_words::FirstWords;
use input::Input;
use news::EventPrinter;
use transcript::Transcript;
use worker::Worker;

/// The message at the first Ctrl-C.
const STOPPING: &str = "stopping; interrupt again to abandon the input";

/// Runs the prompt until its end and returns the exit status.
pub(crate) fn start(args: &Args) -> u8 {
    let mut options = args.options.clone();
    match Project::load(&options, Path::new(".")) {
        Ok(project) => options.project = project,
        Err(wrong) => {
            wrong.report_plain(&options);
            return WRONG_USAGE;
        }
    }
    match Prompt::new(&options) {
        Ok(mut prompt) => prompt.run(options.quiet),
        Err(message) => {
            Diagnostic::plain(message).report_plain(&options);
            FAILED
        }
    }
}

/// Prints an error, with line breaks between its words.
fn report(message: &str) {
    let text = columns::wrapped(&format!("error: {message}"), columns::columns());
    eprintln!("{text}");
}

/// A session at the terminal.
struct Prompt {
    editor: Editor<Input, FileHistory>,
    worker: Worker,
    transcript: Transcript,
    news: EventPrinter,
    /// True if the session began with a connection; its saved runbook then does too.
    connects: bool,
    /// Whether to ask before calls that destroy an object.
    confirms: bool,
    /// True if the last input failed or was not run.
    failed: bool,
    /// True if output longer than the screen goes through a pager.
    pages: bool,
    /// Receives the user's wish to return to the prompt, even if an input is still running.
    left: Receiver<()>,
    /// The answer of the host that the session connects to, if it has not come yet.
    opening: Option<Receiver<worker::Answer>>,
    asked: signals::Asked,
}

impl Prompt {
    fn new(options: &Options) -> Result<Self, String> {
        let mut editor =
            input::editor(options).map_err(|error| format!("cannot use the terminal: {error}"))?;
        history::load(&mut editor);
        let session = session::session(options);
        let (leave, left) = mpsc::channel();
        let interrupt = session.interrupt().clone();
        let stop = move || interrupt.stop(Stop::Interrupted);
        let asked = signals::watch(stop, Some(STOPPING), move || {
            let _ = leave.send(());
        })
        .map_err(|error| format!("cannot watch for signals: {error}"))?;
        // Otherwise the next program would find the terminal in the editor's mode.
        let terminal = tcgetattr(std::io::stdin())
            .ok()
            .map(nix::libc::termios::from);
        asked.when_idle(move |signal| {
            if let Some(terminal) = terminal {
                // Not after pending output: Ctrl-S may have stopped the terminal.
                let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &terminal.into());
            }
            outlet::hurry();
            crate::leave(exit_status::killed_by(signal));
        });
        let news = EventPrinter::new(editor.create_external_printer().ok(), options);
        Ok(Self {
            editor,
            worker: Worker::new(options.clone(), session),
            transcript: Transcript::default(),
            news,
            connects: false,
            confirms: true,
            failed: false,
            pages: true,
            left,
            opening: None,
            asked,
        })
    }

    fn run(&mut self, quiet: bool) -> u8 {
        if !quiet {
            let versions = virhai::versions();
            eprintln!(
                "virhai {} with libvirt {}; :help lists commands, Ctrl-D quits",
                versions.virhai, versions.libvirt_running
            );
        }
        self.open();
        if let Some(signal) = self.asked.ending() {
            return exit_status::killed_by(signal);
        }
        loop {
            self.take_opened();
            self.worker.tell(&mut self.editor);
            let prompt = prompt_string::build(self.worker.scope());
            outlet::drain();
            self.news.allow(true);
            waits::hold_back(true);
            let read = input::read(&mut self.editor, &prompt, &self.asked);
            self.news.allow(false);
            waits::hold_back(false);
            let text = match read {
                Ok(text) => text,
                // Ctrl-C at the prompt only drops the line.
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return exit_status::DONE,
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    eprintln!("error: the input is not UTF-8 text and was discarded");
                    continue;
                }
                Err(error) => {
                    eprintln!("error: cannot read from the terminal: {error}");
                    return FAILED;
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            history::add(&mut self.editor, &text);
            self.take_opened();
            if let Some(status) = self.take(&text) {
                return status;
            }
        }
    }

    /// Runs the input, or the inputs that it consists of; a status means the end.
    fn take(&mut self, text: &str) -> Option<u8> {
        match self.inputs_of(text) {
            Some(inputs) => self.take_each(&inputs),
            None => self.take_one(text),
        }
    }

    fn take_one(&mut self, text: &str) -> Option<u8> {
        if commands::is_command(text) {
            return self.command(text);
        }
        if let Some(words) = self.first_words(text) {
            return self.follow_first_words(words);
        }
        if !self.confirmed(text) {
            self.failed = true;
            return None;
        }
        self.evaluate(text)
    }

    /// The command of another program that `text` is, such as virsh or a shell.
    fn first_words(&self, text: &str) -> Option<FirstWords> {
        // Most inputs are not such a command; the catalogue is not read for them.
        if !first_words::may_be(text, self.worker.scope()) {
            return None;
        }
        let catalog = self.editor.helper().map(Input::catalog)?;
        first_words::find(text, self.worker.scope(), catalog)
    }

    fn follow_first_words(&mut self, words: FirstWords) -> Option<u8> {
        match words {
            FirstWords::Command(command) => self.command(&command),
            FirstWords::Run(code) => {
                eprintln!("{code}");
                self.evaluate(&code)
            }
            FirstWords::Tell { message, code } => {
                report(&message);
                // A command with code is only not run yet.
                self.failed = code.is_none();
                if let Some(code) = code {
                    let _ = self.editor.add_history_entry(code);
                }
                None
            }
            FirstWords::Clear => {
                outlet::drain();
                let _ = self.editor.clear_screen();
                None
            }
        }
    }
}
