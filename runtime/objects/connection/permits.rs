//! Permits for calls: a connection gives only a few at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::libvirt::Failure;
use crate::objects::call_class::CallClass;
use crate::run::interrupt::{CallUnderWay, Interrupt};

/// A daemon handles five requests of a client at a time. With five pending, it reads nothing more
/// from that client, not even replies to its keepalive messages.
const CALLS_AT_A_TIME: usize = 4;

/// The permits reserved for quick reads: calls that hang with a guest must not take all permits.
const KEPT_FOR_READS: usize = 1;

/// The calls that are under way on one connection.
#[derive(Clone, Default)]
pub(super) struct Permits(Arc<Places>);

#[derive(Default)]
struct Places {
    taken: Mutex<Taken>,
    given_back: Condvar,
}

#[derive(Default)]
struct Taken {
    /// The number of all calls.
    all: usize,
    /// Those without a time limit that a thread waits for: others can wait for them too.
    long: usize,
    waiting: usize,
}

/// The right to make one call.
pub(crate) struct Permit {
    /// Goes with the call until libvirt returns, also when the call is abandoned: the daemon's
    /// place is taken until then.
    pub(super) place: Place,
    /// Stays with the thread that waits for the call.
    pub(super) awaited: Awaited,
}

/// A place on a connection, given back when dropped.
pub(super) struct Place(Arc<Places>);

/// A call that a thread waits for, until dropped.
pub(super) struct Awaited {
    places: Arc<Places>,
    long: bool,
    _under_way: CallUnderWay,
}

impl Permits {
    /// Waits for the right to make a call of `class`, at most for `limit` and until the script is
    /// stopped.
    pub(super) fn take(
        &self,
        class: CallClass,
        limit: Option<Duration>,
        interrupt: &Interrupt,
    ) -> Result<Permit, Failure> {
        let mut taken = self.0.lock();
        if !taken.has_room_for(class) {
            taken = self.wait(taken, class, limit, interrupt)?;
        }
        Ok(self.enter(taken, class, interrupt))
    }

    fn wait<'a>(
        &'a self,
        mut taken: MutexGuard<'a, Taken>,
        class: CallClass,
        limit: Option<Duration>,
        interrupt: &Interrupt,
    ) -> Result<MutexGuard<'a, Taken>, Failure> {
        drop(taken);
        let bell = Arc::clone(&self.0);
        let _guard = interrupt.on_stop(move || {
            // A waiting thread that holds the lock is not yet asleep and would miss the call.
            drop(bell.lock());
            bell.given_back.notify_all();
        });
        let mut until = limit.and_then(|limit| Instant::now().checked_add(limit));
        taken = self.0.lock();
        taken.waiting += 1;
        let result = loop {
            if taken.has_room_for(class) {
                break Ok(());
            }
            if interrupt.stopping().is_some() {
                break Err(Failure::new(
                    virt_sys::VIR_ERR_OPERATION_ABORTED,
                    "the script was stopped while the call waited for other calls on this connection to end",
                ));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match left {
                // Calls that may take long are waited for as long as they take.
                Some(left) if left.is_zero() && taken.long > 0 => {
                    until = limit.and_then(|limit| Instant::now().checked_add(limit));
                }
                Some(left) if left.is_zero() => {
                    let waited =
                        crate::run::duration_text::plain_duration(limit.unwrap_or_default());
                    break Err(Failure::new(
                        virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                        format!(
                            "the call was not made: {} other calls on this connection have not returned within {waited}",
                            taken.all
                        ),
                    )
                    .advise("a guest or libvirt may be hung: find the calls that do not return"));
                }
                Some(left) => {
                    self.0.given_back.wait_for(&mut taken, left);
                }
                None => self.0.given_back.wait(&mut taken),
            }
        };
        taken.waiting -= 1;
        result.map(|()| taken)
    }

    fn enter(
        &self,
        mut taken: MutexGuard<'_, Taken>,
        class: CallClass,
        interrupt: &Interrupt,
    ) -> Permit {
        let long = class == CallClass::Long;
        taken.all += 1;
        taken.long += usize::from(long);
        Permit {
            place: Place(Arc::clone(&self.0)),
            awaited: Awaited {
                places: Arc::clone(&self.0),
                long,
                _under_way: interrupt.call_begins(),
            },
        }
    }

    /// The rights to make a long call on this connection and on `other`, which may be the same.
    ///
    /// Always in one order, so that two that cross do not wait for each other.
    pub(super) fn take_with(
        &self,
        other: &Self,
        interrupt: &Interrupt,
    ) -> Result<(Permit, Option<Permit>), Failure> {
        let (first, last) = match Arc::as_ptr(&self.0) < Arc::as_ptr(&other.0) {
            true => (self, other),
            false => (other, self),
        };
        let permit = first.take(CallClass::Long, None, interrupt)?;
        let another = !Arc::ptr_eq(&first.0, &last.0);
        let other = another.then(|| last.take(CallClass::Long, None, interrupt));
        Ok((permit, other.transpose()?))
    }

    /// The right to make a quick read, without waiting for it.
    pub(super) fn take_now(&self, interrupt: &Interrupt) -> Option<Permit> {
        let taken = self.0.lock();
        taken
            .has_room_for(CallClass::Read)
            .then(|| self.enter(taken, CallClass::Read, interrupt))
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock()
    }
}

impl Taken {
    fn has_room_for(&self, class: CallClass) -> bool {
        match class {
            CallClass::Local => true,
            CallClass::Read => self.all < CALLS_AT_A_TIME,
            CallClass::Query | CallClass::Change | CallClass::Long => {
                self.all < CALLS_AT_A_TIME - KEPT_FOR_READS
            }
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if self.long {
            self.places.lock().long -= 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.lock();
        taken.all -= 1;
        let waiting = taken.waiting > 0;
        drop(taken);
        if waiting {
            // Those that wait do not all wait for the same.
            self.0.given_back.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::run::interrupt::Stop;

    const SHORT: Duration = Duration::from_millis(50);

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
            let _ = sender.send([here, there].map(|side| side.0.lock().all));
        });
        assert_eq!(done.recv_timeout(Duration::from_secs(60)), Ok([0, 0]));
    }

    #[test]
    fn a_call_to_the_connection_that_it_comes_from_takes_one_right() {
        let permits = Permits::default();
        let taken = permits.take_with(&permits, &Interrupt::default());
        assert_eq!(permits.0.lock().all, 1);
        drop(taken);
        assert_eq!(permits.0.lock().all, 0);
    }

    #[test]
    fn one_place_is_kept_for_quick_reads() {
        let (permits, interrupt) = (Permits::default(), Interrupt::default());
        let quick = || permits.take(CallClass::Change, Some(SHORT), &interrupt);
        let stuck: Vec<_> = (0..CALLS_AT_A_TIME - 1).map(|_| quick()).collect();
        assert!(stuck.iter().all(Result::is_ok));
        let refused = quick().err().map(|failure| failure.code);
        assert_eq!(
            refused,
            Some(i64::from(virt_sys::VIR_ERR_OPERATION_TIMEOUT))
        );
        assert!(
            permits
                .take(CallClass::Read, Some(SHORT), &interrupt)
                .is_ok()
        );
        drop(stuck);
        assert!(quick().is_ok());
    }

    #[test]
    fn calls_that_may_take_long_are_waited_for_until_they_are_abandoned() {
        let (permits, interrupt) = (Permits::default(), Interrupt::default());
        let (awaited, _places): (Vec<_>, Vec<_>) = (0..CALLS_AT_A_TIME - 1)
            .filter_map(|_| permits.take(CallClass::Long, None, &interrupt).ok())
            .map(|permit| (permit.awaited, permit.place))
            .unzip();
        let (sender, done) = mpsc::channel();
        let (own, stop) = (permits.clone(), interrupt.clone());
        let waiter = thread::spawn(move || {
            let result = own.take(CallClass::Change, Some(SHORT), &stop);
            let _ = sender.send(result.is_ok());
        });
        assert!(done.recv_timeout(SHORT * 4).is_err());
        drop(awaited);
        assert_eq!(done.recv_timeout(Duration::from_secs(60)), Ok(false));
        waiter.join().expect("the waiter does not panic");
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_place() {
        let (permits, interrupt) = (Permits::default(), Interrupt::default());
        let _long: Vec<_> = (0..CALLS_AT_A_TIME - 1)
            .map(|_| permits.take(CallClass::Long, None, &interrupt))
            .collect();
        let stopper = interrupt.clone();
        let stop = thread::spawn(move || {
            thread::sleep(SHORT);
            stopper.stop(Stop::Interrupted);
        });
        let refused = permits.take(CallClass::Change, None, &interrupt);
        assert_eq!(
            refused.err().map(|failure| failure.code),
            Some(i64::from(virt_sys::VIR_ERR_OPERATION_ABORTED))
        );
        stop.join().expect("the stop does not panic");
    }
}
