//! The first connection of a session. A silent host does not prevent typing.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use virhai::{Connection, redact};

use super::evaluate::Ended;
use super::worker::{Answer, View};
use super::{Prompt, hosts};
use crate::{outlet, terminal, waits};

/// Time that the prompt waits for a host before it continues without it.
const PATIENCE: Duration = Duration::from_secs(4);

/// Interval at which a wait checks whether the user stopped it.
const LOOK: Duration = Duration::from_millis(50);

impl Prompt {
    /// Connects as the command line says; a failure does not end the session.
    pub(super) fn open(&mut self) {
        let view = match self.worker.is_quiet() {
            true => View::Nothing,
            false => View::Human,
        };
        self.asked.begin();
        while self.left.try_recv().is_ok() {}
        let (answer, answers) = mpsc::channel();
        match self.worker.connect(view, answer) {
            Ok(()) => self.wait_for_host(answers),
            Err(error) => eprintln!("error: cannot start a thread: {error}"),
        }
        self.asked.end();
    }

    fn wait_for_host(&mut self, answers: Receiver<Answer>) {
        let uri = self.worker.uri();
        // An `ssh` that asks for a password needs the terminal.
        let until = Instant::now() + PATIENCE;
        let patient = uri.as_deref().is_none_or(may_ask);
        loop {
            match answers.recv_timeout(LOOK) {
                Ok(answer) => {
                    if let Ended::Well { .. } = self.came(answer) {
                        self.connects = true;
                        self.follow();
                    }
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if self.left.try_recv().is_ok() => return,
                Err(RecvTimeoutError::Timeout) if self.is_overdue() => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let stops = self.worker.interrupt().stopping().is_some();
            if let Some(uri) = uri.as_deref().filter(|_| !patient && !stops)
                && until <= Instant::now()
            {
                let uri = terminal::visible_line(&redact::hide_uri(uri)).into_owned();
                waits::hold_back(true);
                outlet::stderr().line(&format!(
                    "waiting for {uri}\n`conn` will be its connection; `:connect URI` opens another host"
                ));
                self.answer_later(answers, uri);
                return;
            }
        }
    }

    /// Prints the host's answer above the input when it comes.
    fn answer_later(&mut self, answers: Receiver<Answer>, uri: String) {
        let (arrived, opening) = mpsc::channel();
        self.opening = Some(opening);
        let line = self.news.line();
        let wait = move || {
            let Ok(answer) = answers.recv() else { return };
            let text = match &answer {
                Answer::Shown { .. } => format!("connected to {uri}; `conn` is the connection"),
                Answer::Failed { text, .. } => text.clone(),
                Answer::Exit(_) => return,
            };
            let _ = arrived.send(answer);
            line(text);
        };
        let _ = std::thread::Builder::new()
            .name("opening".into())
            .spawn(wait);
    }

    /// Makes the connection `conn`, if the host has answered by now.
    pub(super) fn take_opened(&mut self) {
        let Some(answer) = self
            .opening
            .as_ref()
            .and_then(|opening| opening.try_recv().ok())
        else {
            return;
        };
        self.opening = None;
        let Answer::Shown { state, .. } = answer else {
            return;
        };
        let Some(connection) = state.scope.get_value::<Connection>("conn") else {
            return;
        };
        // The user may have opened another host meanwhile.
        let name = match hosts::current(self.worker.scope()) {
            None => {
                self.connects = true;
                "conn".to_owned()
            }
            Some(_) => {
                let free = hosts::free_names(self.worker.scope()).next();
                free.unwrap_or_default()
            }
        };
        self.worker.set(&name, rhai::Dynamic::from(connection));
        self.follow();
    }
}

/// True if a program that connects to `uri` may ask the user a question. An alias can stand for any URI.
fn may_ask(uri: &str) -> bool {
    uri.split_once("://").is_none_or(|(scheme, _)| {
        let transport = scheme.split_once('+').map(|(_, transport)| transport);
        matches!(transport, Some("ssh" | "ext"))
    })
}

#[cfg(test)]
mod tests {
    use super::may_ask;

    #[test]
    fn only_ssh_may_ask_on_the_terminal() {
        for uri in ["qemu+ssh://kvm1/system", "prod", "qemu+ext://kvm1/system"] {
            assert!(may_ask(uri), "{uri}");
        }
        for uri in [
            "qemu+tcp://kvm1/system",
            "qemu:///system",
            "qemu+libssh2://kvm1/system",
        ] {
            assert!(!may_ask(uri), "{uri}");
        }
    }
}
