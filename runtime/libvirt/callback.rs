//! The data of the callbacks of streams, by number.
//!
//! libvirt's remote driver, at least up to 11.3, never frees the data of a stream's callback, and a callback can still
//! run during its removal. So libvirt gets a number, which needs no freeing and cannot dangle.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

/// Runs when a stream is ready.
type Watcher = Arc<dyn Fn() + Send + Sync>;

/// Receives the data of a stream.
type Reader = Arc<dyn Fn(&[u8]) + Send + Sync>;

#[derive(Clone)]
pub(super) enum Target {
    Watcher(Watcher),
    Reader(Reader),
}

#[derive(Default)]
struct Targets {
    last: usize,
    by_number: BTreeMap<usize, Target>,
}

static TARGETS: Mutex<Targets> = Mutex::new(Targets {
    last: 0,
    by_number: BTreeMap::new(),
});

fn targets() -> MutexGuard<'static, Targets> {
    TARGETS.lock()
}

/// A callback that is registered with libvirt; this value owns its data.
pub struct Callback(usize);

impl Callback {
    pub(super) fn new(target: Target) -> Self {
        let mut targets = targets();
        targets.last += 1;
        let number = targets.last;
        targets.by_number.insert(number, target);
        Self(number)
    }

    /// The pointer that libvirt passes to the callback.
    pub(super) fn opaque(&self) -> *mut c_void {
        std::ptr::without_provenance_mut(self.0)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        let target = targets().by_number.remove(&self.0);
        // It can own streams, whose end asks for the lock again.
        drop(target);
    }
}

/// The data of the callback that libvirt calls with `opaque`; `None` after the callback was removed.
pub(super) fn target(opaque: *mut c_void) -> Option<Target> {
    targets().by_number.get(&opaque.addr()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_a_callback_is_freed_with_it() {
        let kept = Arc::new(());
        let inner = Arc::clone(&kept);
        let watcher = Target::Watcher(Arc::new(move || drop(Arc::clone(&inner))));
        let callback = Callback::new(watcher);
        let other = Callback::new(Target::Reader(Arc::new(|_| {})));
        assert_ne!(callback.opaque(), other.opaque());
        let opaque = callback.opaque();
        assert!(matches!(target(opaque), Some(Target::Watcher(_))));
        drop(callback);
        assert!(target(opaque).is_none());
        assert_eq!(Arc::strong_count(&kept), 1, "nothing holds it any more");
    }
}
