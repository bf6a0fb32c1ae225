//! Questions on the terminal for permissions that a script needs and was not given.

use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{FlushArg, tcflush};
use virhai::{Asker, Consent, Interrupt, Wish};

use crate::args::Options;
use crate::{outlet, terminal, waits};

/// How often a question looks whether the script was stopped, in milliseconds.
const LOOK: u8 = 100;

/// The longest answer, in bytes.
const LONGEST: usize = 64;

/// How often a question is asked before no answer counts as a no.
const MOST: usize = 3;

/// Asks on the terminal, if there is one and the user has not forbidden it.
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

/// Whether there is a terminal to ask on, and the user has not forbidden it.
pub(crate) fn may_ask(options: &Options) -> bool {
    !options.no_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

impl Asker for OnTerminal {
    fn ask(&self, wish: &Wish, interrupt: &Interrupt) -> Consent {
        if !self.may_ask {
            return Consent::No;
        }
        let answers = "allow it? y: yes, this time; a: yes, until the script ends; n: no";
        let answer = ask(&[format!("the script asks to {wish}")], answers, interrupt);
        let answer = answer.unwrap_or(Consent::No);
        if answer == Consent::Always {
            let option = terminal::visible_line(&wish.option()).into_owned();
            eprintln!("allowed until the script ends; next time: {option}");
        }
        answer
    }
}

/// Shows the lines of `question` and the possible `answers`; returns the user's answer, if there is one.
pub(crate) fn ask(question: &[String], answers: &str, interrupt: &Interrupt) -> Option<Consent> {
    waits::hold_back(true);
    let answer = answer(question, answers, interrupt);
    waits::hold_back(false);
    answer
}

fn answer(question: &[String], answers: &str, interrupt: &Interrupt) -> Option<Consent> {
    for _ in 0..MOST {
        // A key that was pressed before the question is no answer.
        let _ = tcflush(std::io::stdin(), FlushArg::TCIFLUSH);
        for row in question {
            eprintln!("{}", terminal::visible_line(row));
        }
        eprintln!("{answers}");
        outlet::drain();
        let answer = line(interrupt)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => return Some(Consent::Once),
            "a" | "always" => return Some(Consent::Always),
            "n" | "no" => return Some(Consent::No),
            _ => {}
        }
    }
    None
}

/// A line that the user types; nothing where the input ends or the script is stopped.
fn line(interrupt: &Interrupt) -> Option<String> {
    let mut stdin = std::io::stdin();
    let mut text = Vec::new();
    while interrupt.stopping().is_none() {
        let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(LOOK)) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut bytes = [0; LONGEST];
        // The terminal hands over whole lines.
        let count = stdin.read(&mut bytes).ok().filter(|count| *count > 0)?;
        text.extend_from_slice(&bytes[..count]);
        if text.ends_with(b"\n") || text.len() >= LONGEST {
            return String::from_utf8(text).ok();
        }
    }
    None
}
