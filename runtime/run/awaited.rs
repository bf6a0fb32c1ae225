//! A value that threads can wait for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::interrupt::Interrupt;

/// A value, and the threads that wait for a change of it.
#[derive(Default)]
pub(crate) struct Awaited<T> {
    value: Mutex<T>,
    changed: Condvar,
}

/// The result of a wait.
pub(crate) enum Waited<R> {
    /// The awaited result.
    Found(R),
    /// It timed out.
    TimedOut,
    /// The script is being stopped.
    Stopped,
}

impl<T: Send + 'static> Awaited<T> {
    /// The value; call [`Self::wake`] after a change.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock()
    }

    /// Wakes all waiting threads.
    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Changes the value, and wakes all waiting threads.
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.wake();
    }

    /// Waits until `look` finds something, until `deadline`, or until the script is stopped.
    pub(crate) fn wait<R>(
        self: &Arc<Self>,
        deadline: Option<Instant>,
        interrupt: &Interrupt,
        look: impl FnMut(&mut T) -> Option<R>,
    ) -> Waited<R> {
        let own = Arc::clone(self);
        let _guard = interrupt.on_stop(move || {
            // A waiting thread that holds the lock is not yet asleep and would miss the call.
            drop(own.lock());
            own.wake();
        });
        self.wait_unless(|| interrupt.stopping().is_some(), deadline, look)
    }

    /// Waits until `look` finds something, or until `deadline`, also while the script is stopped.
    pub(crate) fn wait_through_stops<R>(
        &self,
        deadline: Instant,
        look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        match self.wait_unless(|| false, Some(deadline), look) {
            Waited::Found(found) => Some(found),
            Waited::TimedOut | Waited::Stopped => None,
        }
    }

    fn wait_unless<R>(
        &self,
        stops: impl Fn() -> bool,
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Waited<R> {
        let mut value = self.lock();
        loop {
            if let Some(found) = look(&mut value) {
                return Waited::Found(found);
            }
            if stops() {
                return Waited::Stopped;
            }
            match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Waited::TimedOut,
                Some(left) => {
                    self.changed.wait_for(&mut value, left);
                }
                None => self.changed.wait(&mut value),
            }
        }
    }
}
