//! The libvirt handles of a connection.
//!
//! Handles are stored here and not in the values of scripts, so that `close` really ends the connection: libvirt keeps
//! it open as long as a handle of it exists.

use std::any::Any;
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard};
use slab::Slab;
use virt::connect::Connect;

/// The handles of one connection.
pub(super) struct Handles(RwLock<Table>);

struct Table {
    connect: Option<Arc<Connect>>,
    /// The number of times the connection was opened: handles of an earlier time are dead.
    opened: usize,
    objects: Slab<Kept>,
}

type Shared = Arc<dyn Any + Send + Sync>;

/// A handle, and the connection that it is of as [`Table::opened`] counts them.
struct Kept(usize, Shared);

/// The result of looking up a handle.
pub(super) enum Found<T> {
    /// One of the open connection.
    Current(Arc<T>),
    /// One of a connection that was lost; the object has to be found again.
    Stale(Arc<T>),
    /// None yet; the object has to be found.
    Wanted,
}

/// Stands for a handle that is found when it is needed.
struct Nothing;

impl Handles {
    pub(super) fn new(connect: Connect) -> Self {
        Self(RwLock::new(Table {
            connect: Some(Arc::new(connect)),
            opened: 0,
            objects: Slab::new(),
        }))
    }

    /// True if the connection was lost and opened again.
    pub(super) fn was_renewed(&self) -> bool {
        self.read().opened > 0
    }

    pub(super) fn connect(&self) -> Option<Arc<Connect>> {
        self.read().connect.clone()
    }

    /// Stores `object` and returns its key; a closed connection stores no objects.
    pub(super) fn keep(&self, object: impl Any + Send + Sync) -> usize {
        let mut table = self.0.write();
        if table.connect.is_none() {
            return usize::MAX;
        }
        let kept = Kept(table.opened, Arc::new(object));
        table.objects.insert(kept)
    }

    /// Keeps a place for the handle of an object that is found when it is needed, and returns the key to it.
    pub(super) fn keep_place(&self) -> usize {
        self.keep(Nothing)
    }

    /// The object under `key`, which was kept as a `T`.
    pub(super) fn object<T: Any + Send + Sync>(&self, key: usize) -> Option<Found<T>> {
        let table = self.read();
        let Kept(opened, object) = table.objects.get(key)?;
        let current = *opened == table.opened;
        let object = Arc::clone(object);
        drop(table);
        let object = match object.downcast() {
            Ok(object) => object,
            Err(other) => return other.is::<Nothing>().then_some(Found::Wanted),
        };
        Some(match current {
            true => Found::Current(object),
            false => Found::Stale(object),
        })
    }

    /// Replaces a lost connection by a new one to the same host; a closed connection is not
    /// replaced.
    pub(super) fn renew(&self, connect: Connect) {
        let mut table = self.0.write();
        let lost = match &mut table.connect {
            Some(current) => std::mem::replace(current, Arc::new(connect)),
            None => Arc::new(connect),
        };
        table.opened += 1;
        drop(table);
        drop(lost);
    }

    /// Puts another handle in the place of the one under `key`.
    pub(super) fn replace(&self, key: usize, object: impl Any + Send + Sync) {
        let mut table = self.0.write();
        let kept = Kept(table.opened, Arc::new(object));
        let before = table
            .objects
            .get_mut(key)
            .map(|slot| std::mem::replace(slot, kept));
        drop(table);
        drop(before);
    }

    /// Takes out the object under `key`, for the caller to drop.
    pub(super) fn forget(&self, key: usize) -> Option<impl Send + 'static> {
        let mut table = self.0.write();
        table.objects.try_remove(key).map(|Kept(_, object)| object)
    }

    /// Takes out all handles of a connection that is still open, for the caller to drop.
    pub(super) fn close(&self) -> Option<impl Send + 'static> {
        let mut table = self.0.write();
        let connect = table.connect.take()?;
        // In this order, because the connection ends with its last handle.
        let objects = std::mem::take(&mut table.objects);
        Some((objects, connect))
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read()
    }
}
