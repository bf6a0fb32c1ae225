//! The right to make a call, of which a connection gives few at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::interrupt::Interrupt;
use crate::libvirt::Failure;

/// A daemon answers five requests of a client at a time: frozen ones must not use them all up.
const CALLS_AT_A_TIME: usize = 4;

/// The calls that are under way on one connection.
#[derive(Default)]
pub(super) struct Permits {
    taken: AtomicUsize,
    waiting: Mutex<()>,
    given_back: Condvar,
}

/// The right to make one call, given back when dropped.
pub(crate) struct Permit<'a>(&'a Permits);

impl Permits {
    /// Waits for the right to make a call, or for the script's end.
    pub(super) fn take(&self, interrupt: &Interrupt) -> Result<Permit<'_>, Failure> {
        if self.try_take() {
            return Ok(Permit(self));
        }
        let mut turn = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.try_take() {
            if interrupt.stopping().is_some() {
                return Err(Failure::new(
                    virt_sys::VIR_ERR_OPERATION_ABORTED,
                    "the script was stopped while it waited for another call to end",
                ));
            }
            // A permit that comes back in this very moment wakes nobody: look again soon.
            let waited = self
                .given_back
                .wait_timeout(turn, Duration::from_millis(200));
            turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Permit(self))
    }

    /// The rights to make a call on this connection and on `other`, which may be the same.
    ///
    /// Always in one order, so that two that cross do not wait for each other.
    pub(super) fn take_with<'a>(
        &'a self,
        other: &'a Permits,
        interrupt: &Interrupt,
    ) -> Result<(Permit<'a>, Option<Permit<'a>>), Failure> {
        let (first, last) = match std::ptr::from_ref(self) < std::ptr::from_ref(other) {
            true => (self, other),
            false => (other, self),
        };
        let permit = first.take(interrupt)?;
        let another = !std::ptr::eq(first, last);
        Ok((permit, another.then(|| last.take(interrupt)).transpose()?))
    }

    /// The right to make a call, without waiting for it.
    pub(super) fn take_now(&self) -> Option<Permit<'_>> {
        self.try_take().then_some(Permit(self))
    }

    fn try_take(&self) -> bool {
        let more = |taken| (taken < CALLS_AT_A_TIME).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .is_ok()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Nobody waits unless all permits were taken, and waking is a system call.
        if self.0.taken.fetch_sub(1, Ordering::AcqRel) == CALLS_AT_A_TIME {
            self.0.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn calls_that_cross_do_not_wait_for_each_other() {
        let (sender, done) = mpsc::channel();
        thread::spawn(move || {
            let (here, there) = (Permits::default(), Permits::default());
            let cross = |from: &Permits, to: &Permits| {
                for _ in 0..2000 {
                    let permits = from.take_with(to, &Interrupt::default());
                    thread::yield_now();
                    drop(permits);
                }
            };
            thread::scope(|scope| {
                for _ in 0..CALLS_AT_A_TIME {
                    scope.spawn(|| cross(&here, &there));
                    scope.spawn(|| cross(&there, &here));
                }
            });
            let _ = sender.send([here, there].map(|side| side.taken.into_inner()));
        });
        assert_eq!(done.recv_timeout(Duration::from_secs(60)), Ok([0, 0]));
    }

    #[test]
    fn a_call_to_the_connection_that_it_comes_from_takes_one_right() {
        let permits = Permits::default();
        let taken = permits.take_with(&permits, &Interrupt::default());
        assert_eq!(permits.taken.load(Ordering::Relaxed), 1);
        drop(taken);
        assert_eq!(permits.taken.into_inner(), 0);
    }
}
