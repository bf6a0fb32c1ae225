//! Stopping a script from outside: Ctrl-C, a signal, or the end of its time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a script is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user asked for it.
    Interrupted,
    /// Its time is up.
    TimedOut,
    /// It holds more memory than it may.
    OutOfMemory,
    /// Its calls, imports or `eval`s nest so deeply that the thread's stack would overflow.
    TooDeep,
    /// It took more operations than it may.
    TooManyOperations,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Stop::Interrupted => "interrupted",
            Stop::TimedOut => "the script's time is up",
            Stop::OutOfMemory => "the script holds more memory than it may",
            Stop::TooDeep => "the script nests calls, imports or `eval` too deeply",
            Stop::TooManyOperations => "the script took more operations than it may",
        })
    }
}

type Action = Arc<dyn Fn() + Send + Sync>;

/// The switch that stops what runs; one for each session, shared by its threads.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    stop: AtomicU8,
    run: AtomicU64,
    next: AtomicU64,
    operations: AtomicU64,
    actions: Mutex<BTreeMap<u64, Action>>,
    shields: AtomicUsize,
}

thread_local! {
    /// Whether this thread must not be stopped, since it takes back what a stopped script did.
    static SHIELDED: Cell<bool> = const { Cell::new(false) };

    /// The run that this thread works on; 0 for threads that did not begin one.
    static RUN: Cell<u64> = const { Cell::new(0) };
}

impl Interrupt {
    /// Begins a run on this thread; a thread that was left behind with an earlier one stops as
    /// soon as it comes back to its script.
    pub fn begin(&self) {
        let run = self.0.run.fetch_add(1, Ordering::SeqCst) + 1;
        RUN.set(run);
        self.0.operations.store(0, Ordering::SeqCst);
        self.0.stop.store(0, Ordering::SeqCst);
    }

    /// Stops the script: aborts the libvirt jobs and ends the waits that are under way.
    ///
    /// The first reason stands. Each action runs on a thread of its own: one that blocks, such as
    /// an abort that a frozen daemon does not answer, holds up neither the others nor the caller.
    pub fn stop(&self, why: Stop) {
        let first =
            self.0
                .stop
                .compare_exchange(0, why as u8 + 1, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err() {
            return;
        }
        let actions: Vec<Action> = self.actions().values().cloned().collect();
        actions.into_iter().for_each(launch);
    }

    /// Why the script is being stopped, if it is.
    pub fn stopping(&self) -> Option<Stop> {
        if SHIELDED.get() {
            return None;
        }
        let run = RUN.get();
        if run != 0 && run != self.0.run.load(Ordering::Relaxed) {
            return Some(Stop::Interrupted);
        }
        match self.0.stop.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Stop::Interrupted),
            2 => Some(Stop::TimedOut),
            3 => Some(Stop::OutOfMemory),
            4 => Some(Stop::TooDeep),
            _ => Some(Stop::TooManyOperations),
        }
    }

    /// Counts an operation of the run, of whichever thread, and answers how many there were.
    ///
    /// Rhai's own count does not keep those of closures that a native function calls.
    pub(crate) fn count_operation(&self) -> u64 {
        self.0.operations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Has `action` run at a stop, for as long as the guard lives; at once if that was before.
    pub fn on_stop(&self, action: impl Fn() + Send + Sync + 'static) -> Guard {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let action: Action = Arc::new(action);
        if !SHIELDED.get() {
            self.actions().insert(id, Arc::clone(&action));
        }
        if self.stopping().is_some() {
            launch(action);
        }
        Guard {
            state: Arc::clone(&self.0),
            id,
        }
    }

    /// Keeps this thread from being stopped for as long as the shield lives.
    pub(crate) fn shield(&self) -> Shield {
        self.0.shields.fetch_add(1, Ordering::SeqCst);
        Shield {
            state: Arc::clone(&self.0),
            before: SHIELDED.replace(true),
        }
    }

    /// Whether a script is taking back what it did, which is worth waiting for.
    pub fn is_undoing(&self) -> bool {
        self.0.shields.load(Ordering::SeqCst) > 0
    }

    fn actions(&self) -> MutexGuard<'_, BTreeMap<u64, Action>> {
        self.0
            .actions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this thread must not be stopped from outside, since it takes back what was done.
pub(crate) fn shielded() -> bool {
    SHIELDED.get()
}

/// How a thread stands to stops, for the threads that work for it.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    shielded: bool,
    run: u64,
}

impl Standing {
    /// That of this thread.
    pub(crate) fn of_this_thread() -> Self {
        Self {
            shielded: SHIELDED.get(),
            run: RUN.get(),
        }
    }

    /// Gives it to this thread, which has none of its own yet.
    pub(crate) fn take(self) {
        SHIELDED.set(self.shielded);
        RUN.set(self.run);
    }
}

fn launch(action: Action) {
    // Without the thread, the second request to stop still leaves the call behind.
    let _ = std::thread::Builder::new()
        .name("stop".into())
        .spawn(move || action());
}

/// Keeps a thread from being stopped; see [`Interrupt::shield`].
pub(crate) struct Shield {
    state: Arc<State>,
    before: bool,
}

impl Drop for Shield {
    fn drop(&mut self) {
        SHIELDED.set(self.before);
        self.state.shields.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Keeps an action of [`Interrupt::on_stop`] in place.
pub struct Guard {
    state: Arc<State>,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.state
            .actions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}
