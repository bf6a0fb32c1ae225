//! Stopping a script from outside: Ctrl-C, a signal, or the end of its time.

mod undo_clock;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use undo_clock::{Clocks, UndoClock};

use crate::run::resources::memory;

/// The reasons to stop a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user asked for it.
    Interrupted,
    /// It ran longer than `--timeout`.
    TimedOut,
    /// It exceeded its memory limit.
    OutOfMemory,
    /// Its calls, imports or `eval`s nest so deeply that the thread's stack would overflow.
    TooDeep,
    /// Undoing took longer than `--undo-timeout`.
    UndoTimedOut,
    /// A value nests so deeply that copying or dropping it could overflow the stack.
    NestsTooDeep,
    /// It exceeded its operation limit.
    TooManyOperations,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Stop::Interrupted => "interrupted",
            Stop::TimedOut => "the script timed out",
            Stop::OutOfMemory => "memory limit exceeded",
            Stop::TooDeep => "the script nests calls, imports or `eval` too deeply",
            Stop::UndoTimedOut => "undoing timed out",
            Stop::NestsTooDeep => "a value of the script nests too deeply",
            Stop::TooManyOperations => "operation limit exceeded",
        })
    }
}

type Action = Arc<dyn Fn() + Send + Sync>;

/// The default time limit for undoing.
pub const UNDO_TIME: Duration = Duration::from_secs(5 * 60);

/// The switch that stops the running script; one for each session, shared by its threads.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<InterruptState>);

struct InterruptState {
    stop: AtomicU8,
    run: AtomicU64,
    next: AtomicU64,
    operations: AtomicU64,
    actions: Mutex<BTreeMap<u64, Action>>,
    undo_time: Duration,
    clocks: Mutex<Clocks>,
    observers: Mutex<Vec<Action>>,
    calls: AtomicUsize,
}

impl Default for InterruptState {
    fn default() -> Self {
        Self {
            stop: AtomicU8::default(),
            run: AtomicU64::default(),
            next: AtomicU64::default(),
            operations: AtomicU64::default(),
            actions: Mutex::default(),
            undo_time: UNDO_TIME,
            clocks: Mutex::default(),
            observers: Mutex::default(),
            calls: AtomicUsize::default(),
        }
    }
}

/// The number of operations after which a thread adds its count to that of the run, which all threads share.
const BATCH: u64 = 256;

thread_local! {
    /// The time that this thread has left for undoing, if it undoes: stops do not reach it then.
    static CLOCK: RefCell<Option<Arc<UndoClock>>> = const { RefCell::new(None) };

    /// True while `CLOCK` is set. Every operation of a script reads it, and reading `CLOCK` takes
    /// several times as long.
    static SHIELDED: Cell<bool> = const { Cell::new(false) };

    /// Operations of this thread that the run has not counted yet.
    static UNCOUNTED: Cell<u64> = const { Cell::new(0) };

    /// The number of libvirt calls of this thread.
    static CALLS: Cell<u64> = const { Cell::new(0) };

    /// The run that this thread works on; 0 for threads that did not begin one.
    static RUN: Cell<u64> = const { Cell::new(0) };

    /// The switch whose stops [reach](Interrupt::reach_this_thread) this thread.
    static SWITCH: RefCell<Weak<InterruptState>> = const { RefCell::new(Weak::new()) };
}

impl Interrupt {
    /// A switch whose scripts have `undo_time` to undo their changes.
    pub fn with_undo_time(undo_time: Duration) -> Self {
        Self(Arc::new(InterruptState {
            undo_time,
            ..InterruptState::default()
        }))
    }

    /// Time limit for undoing.
    pub fn undo_time(&self) -> Duration {
        self.0.undo_time
    }

    /// Begins a run on this thread; an abandoned thread of an earlier run stops as soon as it
    /// returns to its script.
    pub fn begin(&self) {
        let run = self.0.run.fetch_add(1, Ordering::SeqCst) + 1;
        RUN.set(run);
        self.reach_this_thread();
        self.0.operations.store(0, Ordering::SeqCst);
        UNCOUNTED.set(0);
        self.0.stop.store(0, Ordering::SeqCst);
        self.clocks().begin();
    }

    /// Makes its stops also end long work on this thread by code that has no session.
    pub fn reach_this_thread(&self) {
        SWITCH.set(Arc::downgrade(&self.0));
    }

    /// Forgets a stop of the script before, for work that is done before the next script
    /// [begins](Self::begin).
    pub fn clear(&self) {
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
        self.clocks().stop();
        let actions: Vec<Action> = self.actions().values().cloned().collect();
        actions.into_iter().for_each(launch);
        self.tell_observers();
    }

    /// The reason why the script is being stopped, if it is.
    pub fn stopping(&self) -> Option<Stop> {
        if SHIELDED.get()
            && let Some(clock) = CLOCK.with_borrow(Clone::clone)
        {
            return clock.has_expired().then_some(Stop::UndoTimedOut);
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
            5 => Some(Stop::UndoTimedOut),
            6 => Some(Stop::NestsTooDeep),
            _ => Some(Stop::TooManyOperations),
        }
    }

    /// Counts an operation of the run and returns the number so far; of other threads that run at
    /// this moment, up to [`BATCH`] operations each are missing.
    ///
    /// Rhai's own count omits the operations of closures that a native function calls.
    pub(crate) fn count_operation(&self) -> u64 {
        let own = UNCOUNTED.get() + 1;
        if own < BATCH {
            UNCOUNTED.set(own);
            return self.0.operations.load(Ordering::Relaxed) + own;
        }
        UNCOUNTED.set(0);
        self.0.operations.fetch_add(own, Ordering::Relaxed) + own
    }

    /// Adds the last operations of a thread that ends to those of the run.
    pub(crate) fn count_rest(&self) {
        let own = UNCOUNTED.replace(0);
        self.0.operations.fetch_add(own, Ordering::Relaxed);
    }

    /// Runs `action` at a stop, as long as the guard lives; at once if the stop came before.
    ///
    /// For a thread that undoes, the end of its time limit is the stop.
    pub fn on_stop(&self, action: impl Fn() + Send + Sync + 'static) -> Guard {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let action: Action = Arc::new(action);
        let clock = CLOCK.with_borrow(Clone::clone);
        match &clock {
            Some(clock) => clock.actions().insert(id, Arc::clone(&action)),
            None => self.actions().insert(id, Arc::clone(&action)),
        };
        if self.stopping().is_some() {
            launch(action);
        }
        Guard {
            state: Arc::clone(&self.0),
            clock,
            id,
        }
    }

    /// Runs `action` whenever [`Self::leave_at`] may have changed: at a stop, and when an undo begins, ends or times
    /// out. It must not block.
    pub fn on_change(&self, action: impl Fn() + Send + Sync + 'static) {
        self.observers().push(Arc::new(action));
    }

    /// Keeps this thread from being stopped for as long as the shield lives, or until the time
    /// for undoing is over.
    pub(crate) fn shield(&self) -> Shield {
        memory::release();
        let nested = CLOCK.with_borrow(Option::is_some);
        let clock = (!nested).then(|| {
            let run = self.0.run.load(Ordering::SeqCst);
            let clock = self.clocks().start(self.0.undo_time, run);
            let (watched, interrupt) = (Arc::clone(&clock), self.clone());
            // Without the thread, the code that waits for the script still gives up at `leave_at`.
            let _ = std::thread::Builder::new()
                .name("undo time".into())
                .spawn(move || {
                    if watched.runs_out() {
                        watched.expire().into_iter().for_each(launch);
                        interrupt.tell_observers();
                    }
                });
            set_clock(Some(Arc::clone(&clock)));
            clock
        });
        self.tell_observers();
        Shield {
            interrupt: self.clone(),
            clock,
        }
    }

    /// True if a script is undoing its changes.
    pub fn is_undoing(&self) -> bool {
        let run = self.0.run.load(Ordering::SeqCst);
        self.clocks().undoing_until(run).is_some()
    }

    /// True if the time for undoing is over and a thread that undoes has not ended.
    pub fn is_undo_overdue(&self) -> bool {
        let run = self.0.run.load(Ordering::SeqCst);
        let until = self.clocks().undoing_until(run);
        until.is_some_and(|until| until <= Instant::now())
    }

    /// The time at which to give up a script that does not end: `grace` after the stop, or after the time limit for
    /// undoing. `None` while it may continue.
    pub fn leave_at(&self, grace: Duration) -> Option<Instant> {
        let run = self.0.run.load(Ordering::SeqCst);
        self.clocks().over_at(run)?.checked_add(grace)
    }

    /// Counts a libvirt call as under way for as long as the guard lives.
    pub(crate) fn call_begins(&self) -> CallUnderWay {
        CALLS.set(CALLS.get().wrapping_add(1));
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        CallUnderWay(Arc::clone(&self.0))
    }

    /// True if a thread of the script is inside a libvirt call.
    pub fn is_in_call(&self) -> bool {
        self.0.calls.load(Ordering::Relaxed) > 0
    }

    fn clocks(&self) -> MutexGuard<'_, Clocks> {
        self.0.clocks.lock()
    }

    fn observers(&self) -> MutexGuard<'_, Vec<Action>> {
        self.0.observers.lock()
    }

    fn tell_observers(&self) {
        self.observers().iter().for_each(|action| action());
    }

    fn actions(&self) -> MutexGuard<'_, BTreeMap<u64, Action>> {
        self.0.actions.lock()
    }
}

/// The number of libvirt calls of this thread so far.
pub(crate) fn calls_made() -> u64 {
    CALLS.get()
}

/// True if this thread must not be stopped from outside, because it undoes changes.
pub(crate) fn shielded() -> bool {
    SHIELDED.get()
}

fn set_clock(clock: Option<Arc<UndoClock>>) {
    SHIELDED.set(clock.is_some());
    CLOCK.set(clock);
}

/// The reason why the script of this thread is being stopped, if it is; see [`Interrupt::reach_this_thread`].
pub fn stopping_here() -> Option<Stop> {
    let state = SWITCH.with_borrow(Weak::upgrade)?;
    Interrupt(state).stopping()
}

/// A libvirt call under way; see [`Interrupt::call_begins`].
pub(crate) struct CallUnderWay(Arc<InterruptState>);

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The reaction of a thread to stops, for the threads that work for it.
#[derive(Clone)]
pub(crate) struct ThreadStop {
    clock: Option<Arc<UndoClock>>,
    run: u64,
    switch: Weak<InterruptState>,
}

impl ThreadStop {
    /// The one of this thread.
    pub(crate) fn of_this_thread() -> Self {
        Self {
            clock: CLOCK.with_borrow(Clone::clone),
            run: RUN.get(),
            switch: SWITCH.with_borrow(Clone::clone),
        }
    }

    /// Sets it for this thread, which has none yet.
    pub(crate) fn take(self) {
        set_clock(self.clock);
        UNCOUNTED.set(0);
        RUN.set(self.run);
        SWITCH.set(self.switch);
    }
}

fn launch(action: Action) {
    // Without the thread, the second request to stop still abandons the call.
    let _ = std::thread::Builder::new()
        .name("stop".into())
        .spawn(move || action());
}

/// Keeps a thread from being stopped; see [`Interrupt::shield`].
pub(crate) struct Shield {
    interrupt: Interrupt,
    /// The clock that this shield started; none if an outer one did.
    clock: Option<Arc<UndoClock>>,
}

impl Drop for Shield {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            set_clock(None);
            clock.end();
            self.interrupt.clocks().end(clock);
            self.interrupt.tell_observers();
        }
        if !self.interrupt.is_undoing() {
            memory::hold_back();
        }
    }
}

/// Keeps an action of [`Interrupt::on_stop`] in place.
pub struct Guard {
    state: Arc<InterruptState>,
    clock: Option<Arc<UndoClock>>,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut actions = match &self.clock {
            Some(clock) => clock.actions(),
            None => self.state.actions.lock(),
        };
        actions.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_stop_does_not_reach_a_thread_that_undoes_until_its_time_is_over() {
        let interrupt = Interrupt::with_undo_time(Duration::from_millis(50));
        let (sender, told) = mpsc::channel();
        let shield = interrupt.shield();
        interrupt.stop(Stop::Interrupted);
        assert_eq!(interrupt.stopping(), None);
        let guard = interrupt.on_stop(move || sender.send(()).unwrap_or_default());
        assert_eq!(told.recv_timeout(LONG), Ok(()));
        assert_eq!(interrupt.stopping(), Some(Stop::UndoTimedOut));
        drop((guard, shield));
        assert_eq!(interrupt.stopping(), Some(Stop::Interrupted));
    }

    #[test]
    fn all_undoing_after_a_stop_shares_one_time() {
        let interrupt = Interrupt::with_undo_time(Duration::from_millis(50));
        interrupt.stop(Stop::TimedOut);
        drop(interrupt.shield());
        std::thread::sleep(Duration::from_millis(60));
        let (sender, told) = mpsc::channel();
        let _shield = interrupt.shield();
        let _guard = interrupt.on_stop(move || sender.send(()).unwrap_or_default());
        assert_eq!(told.recv_timeout(LONG), Ok(()));
        assert_eq!(interrupt.stopping(), Some(Stop::UndoTimedOut));
    }

    #[test]
    fn each_undoing_without_a_stop_has_its_own_time() {
        let interrupt = Interrupt::with_undo_time(LONG);
        assert_eq!(interrupt.leave_at(Duration::ZERO), None);
        let first = interrupt.shield();
        let until = interrupt.leave_at(Duration::ZERO);
        drop(first);
        assert_eq!(interrupt.leave_at(Duration::ZERO), None);
        let _second = interrupt.shield();
        assert!(interrupt.leave_at(Duration::ZERO) > until);
    }
}
