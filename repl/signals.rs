//! Ctrl-C and other signals: the first stops the script, the second ends virhai at once.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::outlet;

/// The signals that stop a script.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// The number of requests to stop the running work.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<SignalState>);

#[derive(Default)]
struct SignalState {
    count: AtomicUsize,
    idle: AtomicBool,
    /// True from a Ctrl-C until `take_press` clears it. The signal handler itself sets it, so it is set before the
    /// prompt can read the next line.
    pressed: Arc<AtomicBool>,
    /// The signal that told the program to end, 0 before one did.
    ending: AtomicI32,
    /// Ends the program if there is nothing to stop.
    leave: OnceLock<Box<dyn Fn(i32) + Send + Sync>>,
}

impl Asked {
    /// Begins a new script.
    pub(crate) fn begin(&self) {
        outlet::take_time();
        self.0.count.store(0, Ordering::SeqCst);
        if self.0.idle.swap(false, Ordering::SeqCst) {
            // It was pressed before the script: the thread below may hear of it only now.
            self.take_press();
        }
    }

    /// Sets `leave` to end the program, with the signal's number, on a request to end while nothing runs.
    pub(crate) fn when_idle(&self, leave: impl Fn(i32) + Send + Sync + 'static) {
        let _ = self.0.leave.set(Box::new(leave));
    }

    /// The signal that told the program, and not only its script, to end.
    pub(crate) fn ending(&self) -> Option<i32> {
        let signal = self.0.ending.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
    }

    /// Returns true if Ctrl-C was pressed since the last call.
    pub(crate) fn take_press(&self) -> bool {
        self.0.pressed.swap(false, Ordering::SeqCst)
    }

    /// Ends it: until the next, Ctrl-C is for others, such as a pager.
    pub(crate) fn end(&self) {
        self.0.idle.store(true, Ordering::SeqCst);
    }
}

/// The message of a program that runs a script and stops it.
pub(crate) fn told(quiet: bool) -> Option<&'static str> {
    (!quiet).then_some("stopping; interrupt again to exit at once")
}

/// True while a signal ends the program, once [`stops`] has changed the handling of signals.
static ENDS: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Calls `stop` at a signal that arrives during `work`. The signal then ends the program, after `work`. Before
/// [`watch`], a signal ends the program at once at all other times.
pub(crate) fn stops<T>(stop: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    let Ok(mut signals) = Signals::new(SIGNALS) else {
        return work();
    };
    let ends = ENDS.get_or_init(|| {
        let ends = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS {
            // Without it, the signal has no effect.
            let _ = flag::register_conditional_default(signal, Arc::clone(&ends));
        }
        ends
    });
    ends.store(false, Ordering::SeqCst);
    let handle = signals.handle();
    let (result, arrived) = std::thread::scope(|scope| {
        let arrived = scope.spawn(move || {
            let arrived = signals.forever().next();
            if arrived.is_some() {
                stop();
            }
            arrived
        });
        let result = work();
        handle.close();
        (result, arrived.join().ok().flatten())
    });
    ends.store(true, Ordering::SeqCst);
    if let Some(signal) = arrived {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    result
}

/// Calls `stop` at the first signal and prints `told`, and calls `again` at each further signal.
pub(crate) fn watch(
    stop: impl Fn() + Send + 'static,
    told: Option<&'static str>,
    again: impl Fn() + Send + 'static,
) -> std::io::Result<Asked> {
    let asked = Asked::default();
    let count = asked.clone();
    flag::register(SIGINT, Arc::clone(&asked.0.pressed))?;
    let mut signals = Signals::new(SIGNALS)?;
    if let Some(ends) = ENDS.get() {
        ends.store(false, Ordering::SeqCst);
    }
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if signal != SIGINT {
                    count.0.ending.store(signal, Ordering::SeqCst);
                }
                if count.0.idle.load(Ordering::SeqCst) {
                    if let Some(leave) = count.0.leave.get().filter(|_| signal != SIGINT) {
                        leave(signal);
                    }
                    continue;
                }
                let first = count.0.count.load(Ordering::SeqCst) == 0;
                if first && signal == SIGINT && !count.take_press() {
                    continue;
                }
                if count.0.count.fetch_add(1, Ordering::SeqCst) > 0 {
                    again();
                    continue;
                }
                if let Some(told) = told {
                    outlet::stderr().line_now(&format!("\n{told}"));
                }
                stop();
                outlet::hurry();
            }
        })?;
    Ok(asked)
}
