//! Reopens a lost connection, for a thread that undoes the changes of a script, and for subscriptions with `reconnect`.
//!
//! A script gets an error when its connection is lost, and decides itself. While undoing, no script
//! can decide, so the connection is reopened if the host comes back in time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use virt::connect::Connect;

use super::{Connection, Shared, Target, open};
use crate::libvirt::Failure;
use crate::objects::watch::Reopen;
use crate::run::interrupt::{self, Interrupt};

/// The attempts to get a connection back.
#[derive(Default)]
pub(super) struct Reopening {
    /// One thread at a time opens the connection.
    turn: Mutex<()>,
    /// True if the host did not come back within the time for connecting.
    given_up: AtomicBool,
}

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Time for an answer of a host that was given up: each step of an undo asks it once more.
const ONE_MORE: Duration = Duration::from_secs(2);

impl Connection {
    /// `connect`, or a new connection in its place where it was lost and this thread undoes.
    pub(super) fn revived(&self, connect: Arc<Connect>) -> Result<Arc<Connect>, Failure> {
        if !interrupt::shielded() || self.0.in_process || is_alive(&connect) {
            return Ok(connect);
        }
        let reopening = &self.0.reopening;
        let _turn = reopening.turn.lock();
        let current = self.0.handles.connect().ok_or_else(|| self.closed())?;
        if is_alive(&current) {
            return Ok(current);
        }
        let opened = self.open_again();
        reopening.given_up.store(opened.is_err(), Ordering::Relaxed);
        self.0.handles.renew(opened?);
        self.0.handles.connect().ok_or_else(|| self.closed())
    }

    /// True if this thread undoes on a connection that was lost and opened again.
    pub(crate) fn undoes_after_a_loss(&self) -> bool {
        interrupt::shielded() && self.0.handles.was_renewed()
    }

    /// Tries to open the connection until the time for connecting or for undoing is over.
    fn open_again(&self) -> Result<Connect, Failure> {
        let mut target = self.0.target.again(self.uri());
        let given_up = self.0.reopening.given_up.load(Ordering::Relaxed);
        if given_up {
            target.timeout = target.timeout.min(ONE_MORE);
        }
        let interrupt = self.0.session.interrupt();
        let _waiting = open::waiting_for(&self.0.session, &target);
        let until = Instant::now().checked_add(target.timeout);
        loop {
            let failure = match open::open(&target, interrupt) {
                Ok(connect) => return Ok(connect),
                Err(failure) => failure,
            };
            let over = until.is_some_and(|until| until <= Instant::now());
            if given_up || over || interrupt.stopping().is_some() {
                return Err(Failure {
                    message: format!(
                        "the connection was lost and could not be opened again: {}",
                        failure.message
                    ),
                    ..failure
                });
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Reopens the connections of a subscription with `reconnect`.
struct Reopener {
    target: Target,
    connection: Weak<Shared>,
}

impl Connection {
    /// Reopens this connection if it was lost and has a subscription with `reconnect`. The watch has another connection,
    /// which may still be alive and then reports no loss.
    pub(super) fn tell_of_loss(&self) {
        let watch = self.0.watch.lock().clone();
        let current = self.0.handles.connect();
        if let (Some(watch), Some(current)) = (watch, current)
            && !self.0.in_process
            && !is_alive(&current)
        {
            watch.renew();
        }
    }

    /// Reopens this connection and the connection of its watch.
    pub(super) fn reopener(&self) -> Arc<dyn Reopen> {
        Arc::new(Reopener {
            target: self.0.target.again(self.uri()),
            connection: Arc::downgrade(&self.0),
        })
    }
}

impl Reopen for Reopener {
    fn open(&self) -> Result<Connect, Failure> {
        // A stop of the script ends the subscription, without a wait.
        open::open(&self.target, &Interrupt::default())
    }

    fn renew(&self) -> Result<(), Failure> {
        let Some(connection) = self.connection.upgrade() else {
            return Ok(());
        };
        let _turn = connection.reopening.turn.lock();
        let current = connection.handles.connect();
        if current.is_some_and(|current| !is_alive(&current)) {
            connection.handles.renew(self.open()?);
        }
        Ok(())
    }
}

fn is_alive(connect: &Connect) -> bool {
    connect.is_alive().unwrap_or(false)
}
