//! What a connection owns: its libvirt handles, and the right to call through them.
//!
//! Handles live here and not in the values that scripts hold, so that `close` really ends the
//! connection: libvirt keeps it open as long as one object of it is referenced.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use slab::Slab;
use virt::connect::Connect;
use virt::domain::Domain;

use crate::interrupt::Interrupt;
use crate::libvirt::Failure;

/// The handles of one connection.
pub(super) struct Handles(RwLock<Table>);

struct Table {
    connect: Option<Arc<Connect>>,
    domains: Slab<Arc<Domain>>,
}

impl Handles {
    pub(super) fn new(connect: Connect) -> Self {
        Self(RwLock::new(Table {
            connect: Some(Arc::new(connect)),
            domains: Slab::new(),
        }))
    }

    pub(super) fn connect(&self) -> Option<Arc<Connect>> {
        self.read().connect.clone()
    }

    /// Keeps `domain` and answers the key to it; a closed connection keeps nothing.
    pub(super) fn keep(&self, domain: Domain) -> usize {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match table.connect {
            Some(_) => table.domains.insert(Arc::new(domain)),
            None => usize::MAX,
        }
    }

    pub(super) fn domain(&self, key: usize) -> Option<Arc<Domain>> {
        self.read().domains.get(key).cloned()
    }

    /// Puts another handle in the place of the one under `key`.
    pub(super) fn replace(&self, key: usize, domain: Domain) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = table.domains.get_mut(key) {
            *slot = Arc::new(domain);
        }
    }

    pub(super) fn drop_domain(&self, key: usize) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = table.domains.try_remove(key);
        drop(table);
        drop(dropped);
    }

    pub(super) fn close(&self) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let connect = table.connect.take();
        let domains = std::mem::take(&mut table.domains);
        drop(table);
        drop(domains);
        drop(connect);
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

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
