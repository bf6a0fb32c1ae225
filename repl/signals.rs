//! Ctrl-C and its like: the first stops the script, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use virhai::Interrupt;
use virhai::interrupt::Stop;

/// How often the user has asked to stop what runs now.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<State>);

#[derive(Default)]
struct State {
    count: AtomicUsize,
    idle: AtomicBool,
}

impl Asked {
    /// Begins a new script.
    pub(crate) fn begin(&self) {
        self.0.count.store(0, Ordering::SeqCst);
        self.0.idle.store(false, Ordering::SeqCst);
    }

    /// Ends it: until the next, signals are for others, such as a pager.
    pub(crate) fn end(&self) {
        self.0.idle.store(true, Ordering::SeqCst);
    }
}

/// Stops through `interrupt` at the first signal, and calls `again` at each further one.
pub(crate) fn watch(
    interrupt: Interrupt,
    quiet: bool,
    again: impl Fn() + Send + 'static,
) -> std::io::Result<Asked> {
    let asked = Asked::default();
    let count = asked.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if signal == SIGINT && count.0.idle.load(Ordering::SeqCst) {
                    continue;
                }
                if count.0.count.fetch_add(1, Ordering::SeqCst) > 0 {
                    again();
                    continue;
                }
                if !quiet {
                    eprintln!("\nstopping; once more to leave at once");
                }
                interrupt.stop(Stop::Interrupted);
            }
        })?;
    Ok(asked)
}
