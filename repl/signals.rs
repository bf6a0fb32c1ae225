//! Ctrl-C and its like: the first stops the script, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use virhai::Interrupt;
use virhai::interrupt::Stop;

/// How often the user has asked to stop what runs now.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<AtomicUsize>);

impl Asked {
    /// Begins a new script.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
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
            for _ in signals.forever() {
                if count.0.fetch_add(1, Ordering::SeqCst) > 0 {
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
