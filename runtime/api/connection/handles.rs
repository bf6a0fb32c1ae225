//! What a connection owns: its libvirt handles, and the right to call through them.
//!
//! Handles live here and not in the values that scripts hold, so that `close` really ends the
//! connection: libvirt keeps it open as long as one object of it is referenced.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use slab::Slab;
use virt::connect::Connect;

use crate::interrupt::Interrupt;
use crate::libvirt::Failure;

/// The handles of one connection.
pub(super) struct Handles(RwLock<Table>);

struct Table {
    connect: Option<Arc<Connect>>,
    objects: Slab<Arc<dyn Any + Send + Sync>>,
}

impl Handles {
    pub(super) fn new(connect: Connect) -> Self {
        Self(RwLock::new(Table {
            connect: Some(Arc::new(connect)),
            objects: Slab::new(),
        }))
    }

    pub(super) fn connect(&self) -> Option<Arc<Connect>> {
        self.read().connect.clone()
    }

    /// Keeps `object` and answers the key to it; a closed connection keeps nothing.
    pub(super) fn keep(&self, object: impl Any + Send + Sync) -> usize {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match table.connect {
            Some(_) => table.objects.insert(Arc::new(object)),
            None => usize::MAX,
        }
    }

    /// The object under `key`, which was kept as a `T`.
    pub(super) fn object<T: Any + Send + Sync>(&self, key: usize) -> Option<Arc<T>> {
        let object = self.read().objects.get(key).cloned()?;
        object.downcast().ok()
    }

    /// Puts another handle in the place of the one under `key`.
    pub(super) fn replace(&self, key: usize, object: impl Any + Send + Sync) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = table.objects.get_mut(key) {
            *slot = Arc::new(object);
        }
    }

    pub(super) fn forget(&self, key: usize) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = table.objects.try_remove(key);
        drop(table);
        drop(dropped);
    }

    pub(super) fn close(&self) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let connect = table.connect.take();
        let objects = std::mem::take(&mut table.objects);
        drop(table);
        drop(objects);
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
