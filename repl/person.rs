//! The person at the terminal, as scripts ask.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{Uid, User};
use virhai::person::{Answer, Person};

use crate::{terminal, waits};

/// How often a question checks whether the script is stopped, in milliseconds.
const LOOK: u16 = 100;

/// Asks at the terminal of this process.
pub(crate) struct AtTerminal {
    agreed: bool,
    is_stopped: Box<dyn Fn() -> bool + Send + Sync>,
    /// One question at a time.
    one: Mutex<()>,
}

impl AtTerminal {
    /// The person of a session that `is_stopped` tells of. With `agreed`, every question to confirm is answered.
    pub(crate) fn new(agreed: bool, is_stopped: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            agreed,
            is_stopped: Box::new(is_stopped),
            one: Mutex::default(),
        }
    }

    /// A line of standard input, byte by byte: what follows the line is for the next question.
    fn line(&self) -> Answer {
        let mut line = Vec::new();
        let input = std::io::stdin();
        loop {
            if (self.is_stopped)() {
                return Answer::Stopped;
            }
            let mut ready = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
            if !matches!(poll(&mut ready, PollTimeout::from(LOOK)), Ok(count) if count > 0) {
                continue;
            }
            let mut byte = [0];
            match nix::unistd::read(&input, &mut byte) {
                Ok(0) | Err(_) => return Answer::Nobody,
                Ok(_) if byte[0] == b'\n' => {
                    return Answer::Line(String::from_utf8_lossy(&line).into_owned());
                }
                Ok(_) => line.push(byte[0]),
            }
        }
    }
}

impl Person for AtTerminal {
    fn ask(&self, question: &str) -> Answer {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Answer::Nobody;
        }
        let _one = self.one.lock();
        waits::hold_back(true);
        let question = terminal::visible_line(question);
        let mut shown = std::io::stderr();
        let asked = write!(shown, "{question}").and_then(|()| shown.flush());
        let answer = match asked {
            Ok(()) => self.line(),
            Err(_) => Answer::Nobody,
        };
        waits::hold_back(false);
        answer
    }

    fn has_agreed(&self) -> bool {
        self.agreed
    }

    fn name(&self) -> String {
        user_name()
    }
}

/// The name of the user who runs virhai, or the number if there is no name.
pub(crate) fn user_name() -> String {
    let own = Uid::current();
    match User::from_uid(own) {
        Ok(Some(user)) => user.name,
        _ => own.to_string(),
    }
}
