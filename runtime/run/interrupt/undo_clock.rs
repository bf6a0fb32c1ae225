//! The time limit for undoing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::Action;

/// The time limit for undoing changes, of one thread and the threads that work for it.
pub(super) struct UndoClock {
    run: u64,
    /// `None` for a time that no clock can measure.
    until: Option<Instant>,
    expired: AtomicBool,
    ended: Mutex<bool>,
    changed: Condvar,
    actions: Mutex<BTreeMap<u64, Action>>,
}

impl UndoClock {
    /// True if the time has passed.
    pub(super) fn has_expired(&self) -> bool {
        self.expired.load(Ordering::SeqCst)
    }

    /// The actions that run when the time has passed.
    pub(super) fn actions(&self) -> MutexGuard<'_, BTreeMap<u64, Action>> {
        self.actions.lock()
    }

    /// Waits for the end of the undoing or of its time; returns whether the time came first.
    pub(super) fn runs_out(&self) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        let mut ended = self.ended.lock();
        let left = until.saturating_duration_since(Instant::now());
        self.changed
            .wait_while_for(&mut ended, |ended| !*ended, left);
        !*ended
    }

    /// Ends the time, and returns the actions to run then.
    pub(super) fn expire(&self) -> Vec<Action> {
        self.expired.store(true, Ordering::SeqCst);
        self.actions().values().cloned().collect()
    }

    /// Records the end of the undo.
    pub(super) fn end(&self) {
        *self.ended.lock() = true;
        self.changed.notify_all();
    }
}

/// The running clocks, and the times of a stop.
#[derive(Default)]
pub(super) struct Clocks {
    running: Vec<Arc<UndoClock>>,
    stopped: Option<Instant>,
    /// The common time limit of all undoing after the stop.
    stop_until: Option<Instant>,
    /// The time when the last undo ended.
    last_end: Option<Instant>,
}

impl Clocks {
    /// Begins a run: earlier stops do not count.
    pub(super) fn begin(&mut self) {
        (self.stopped, self.stop_until, self.last_end) = (None, None, None);
    }

    /// Records a stop.
    pub(super) fn stop(&mut self) {
        self.stopped = Some(Instant::now());
        self.stop_until = self.running.iter().filter_map(|clock| clock.until).max();
    }

    /// Starts the clock of a thread that begins to undo.
    pub(super) fn start(&mut self, time: Duration, run: u64) -> Arc<UndoClock> {
        let until = Instant::now().checked_add(time);
        let until = match (self.stopped, self.stop_until) {
            (Some(_), Some(shared)) => Some(shared),
            (Some(_), None) => {
                self.stop_until = until;
                until
            }
            (None, _) => until,
        };
        let clock = Arc::new(UndoClock {
            run,
            until,
            expired: AtomicBool::new(until.is_some_and(|until| until <= Instant::now())),
            ended: Mutex::default(),
            changed: Condvar::new(),
            actions: Mutex::default(),
        });
        self.running.push(Arc::clone(&clock));
        clock
    }

    /// Forgets a clock whose undoing ended.
    pub(super) fn end(&mut self, clock: &Arc<UndoClock>) {
        self.running.retain(|other| !Arc::ptr_eq(other, clock));
        self.last_end = Some(Instant::now());
    }

    /// The latest time limit of the undoing in `run`, if any is under way.
    pub(super) fn undoing_until(&self, run: u64) -> Option<Instant> {
        let of_run = self.running.iter().filter(|clock| clock.run == run);
        let far = || Instant::now() + Duration::from_secs(365 * 24 * 3600);
        of_run.map(|clock| clock.until.unwrap_or_else(far)).max()
    }

    /// The time by which the script must end: when its undo has ended or timed out, or at the stop. `None` if it need
    /// not end.
    pub(super) fn over_at(&self, run: u64) -> Option<Instant> {
        self.undoing_until(run).or_else(|| {
            self.stopped
                .map(|stopped| self.last_end.map_or(stopped, |end| end.max(stopped)))
        })
    }
}
