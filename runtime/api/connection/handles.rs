//! What a connection owns: its libvirt handles.
//!
//! Handles live here and not in the values that scripts hold, so that `close` really ends the
//! connection: libvirt keeps it open as long as one object of it is referenced.

use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use slab::Slab;
use virt::connect::Connect;

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
