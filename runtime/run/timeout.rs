//! Waits for work that cannot be stopped, and abandons it.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::run::interrupt::Interrupt;

/// The reasons why there is no answer.
pub(crate) enum NoAnswer {
    /// The script was stopped meanwhile.
    Stopped,
    /// The time is up.
    TimedOut,
    /// No thread could be started for the work.
    NoThread(io::Error),
}

/// The result of `work` on a separate thread called `name`; the thread is abandoned if that takes longer than
/// `patience` or the script is stopped.
pub(crate) fn run_with_timeout<T: Send + 'static>(
    name: &str,
    patience: Duration,
    interrupt: &Interrupt,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoAnswer> {
    let (sender, receiver) = mpsc::channel();
    let stopped = sender.clone();
    let _guard = interrupt.on_stop(move || drop(stopped.send(Err(NoAnswer::Stopped))));
    thread::Builder::new()
        .name(name.into())
        .spawn(move || sender.send(Ok(work())))
        .map_err(NoAnswer::NoThread)?;
    receiver
        .recv_timeout(patience)
        .unwrap_or_else(|why| match why {
            RecvTimeoutError::Timeout => Err(NoAnswer::TimedOut),
            // A panic, which has been reported.
            RecvTimeoutError::Disconnected => Err(NoAnswer::Stopped),
        })
}
