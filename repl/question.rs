//! Questions on the terminal of this process.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{FlushArg, tcflush};
use parking_lot::Mutex;
use virhai::person::Answer;

use crate::{outlet, terminal, waits};

/// The interval in milliseconds after which a question checks whether the script was stopped.
const LOOK: u8 = 100;

/// One question at a time, from whichever thread.
static ONE: Mutex<()> = Mutex::new(());

/// True if there is a terminal to ask on: for input and for messages.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Shows `rows`, and waits for a line behind the last of them, until `is_stopped`.
pub(crate) fn ask(rows: &[&str], is_stopped: impl Fn() -> bool) -> Answer {
    if !is_possible() {
        return Answer::Nobody;
    }
    let _one = ONE.lock();
    waits::hold_back(true);
    // The output so far comes first.
    outlet::drain();
    // Keys that were pressed before the question do not answer it.
    let _ = tcflush(std::io::stdin(), FlushArg::TCIFLUSH);
    let answer = match show(rows) {
        Ok(()) => line(is_stopped),
        Err(_) => Answer::Nobody,
    };
    waits::hold_back(false);
    answer
}

fn show(rows: &[&str]) -> std::io::Result<()> {
    let rows: Vec<_> = rows.iter().map(|row| terminal::visible_line(row)).collect();
    let mut shown = std::io::stderr();
    shown.write_all(rows.join("\n").as_bytes())?;
    shown.flush()
}

/// Reads a line of standard input byte by byte, so that the rest is left for the next reader.
fn line(is_stopped: impl Fn() -> bool) -> Answer {
    let mut line = Vec::new();
    let input = std::io::stdin();
    loop {
        if is_stopped() {
            return Answer::Stopped;
        }
        let mut ready = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(LOOK)) {
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => return Answer::Nobody,
        }
        let mut byte = [0];
        match nix::unistd::read(&input, &mut byte) {
            Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => return Answer::Nobody,
            Ok(_) if byte[0] == b'\n' => {
                return Answer::Line(String::from_utf8_lossy(&line).into_owned());
            }
            Ok(_) => line.push(byte[0]),
        }
    }
}
