//! Waits for the end of a connection to a daemon.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::run::interrupt::Interrupt;

/// The end of a connection, once the daemon or libvirt has ended it.
#[derive(Default)]
pub(super) struct End {
    /// A `virConnectCloseReason`.
    reason: Mutex<Option<i64>>,
    changed: Condvar,
}

/// How a wait for the end ended.
pub(super) enum Outcome {
    /// The connection ended, for that `virConnectCloseReason`.
    Closed(i64),
    /// The script is being stopped.
    Stopped,
    /// The connection is still open.
    TimedOut,
}

impl End {
    fn lock(&self) -> MutexGuard<'_, Option<i64>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the reason; only the first one counts.
    pub(super) fn tell(&self, reason: i64) {
        self.lock().get_or_insert(reason);
        self.changed.notify_all();
    }

    /// Waits for the end.
    pub(super) fn wait(self: &Arc<Self>, timeout: Duration, interrupt: &Interrupt) -> Outcome {
        let end = Arc::clone(self);
        let _guard = interrupt.on_stop(move || {
            // A waiting thread that holds the lock is not yet asleep and would miss the call.
            drop(end.lock());
            end.changed.notify_all();
        });
        let deadline = Instant::now().checked_add(timeout);
        let mut reason = self.lock();
        loop {
            if let Some(reason) = *reason {
                return Outcome::Closed(reason);
            }
            if interrupt.stopping().is_some() {
                return Outcome::Stopped;
            }
            reason = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Outcome::TimedOut,
                Some(left) => {
                    let waited = self.changed.wait_timeout(reason, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(reason);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}
