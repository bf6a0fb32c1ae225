//! The closing of a connection.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use virt::connect::Connect;
use virt_sys::virConnectPtr;

use super::{EventKind, Family, Field, field, words};
use crate::constants::Words;
use crate::libvirt::{Result, checked};

words! {
    REASON = "virConnectCloseReason" less "VIR_CONNECT_CLOSE_REASON_";
}

/// The event kind for the end of a connection.
pub const NAME: &str = "connection_close";

/// The end of a connection, for which libvirt has a separate callback.
static CONNECTION: Family = Family {
    noun: "connection",
    call: "virConnectRegisterCloseCallback",
    lifecycle: "",
    register: |_, _, _, _| -1,
    deregister: unasked,
};

/// Its kind of event; see [`on_close`].
pub(super) static KIND: EventKind = EventKind {
    name: NAME,
    family: &CONNECTION,
    id: 0,
    callback: None,
    fields: &[field!(word reason(REASON))],
    open: false,
};

unsafe extern "C" fn unasked(_: virConnectPtr, _: c_int) -> c_int {
    -1
}

/// The receiver of the reason why a connection broke; runs on the event-loop thread and must not block.
pub type CloseSink = Arc<dyn Fn(&str) + Send + Sync>;

/// Makes libvirt report the loss of a connection until this is dropped; until then libvirt itself holds the connection
/// open.
pub struct CloseGuard(Connect);

impl Drop for CloseGuard {
    fn drop(&mut self) {
        // SAFETY: the handle is alive, and the callback is the one that was registered.
        unsafe { virt_sys::virConnectUnregisterCloseCallback(self.0.as_ptr(), Some(closed)) };
    }
}

/// Calls `sink` when the connection breaks; fails if the driver has no connection.
pub fn on_close(connect: &Connect, sink: CloseSink) -> Result<CloseGuard> {
    let target = Box::into_raw(Box::new(sink));
    // SAFETY: libvirt frees the target once, when it is unregistered.
    let result = unsafe {
        virt_sys::virConnectRegisterCloseCallback(
            connect.as_ptr(),
            Some(closed),
            target.cast::<c_void>(),
            Some(free_close),
        )
    };
    if result < 0 {
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_close(target.cast::<c_void>()) };
    }
    checked(result).map(|_| CloseGuard(connect.clone()))
}

unsafe extern "C" fn closed(_: virConnectPtr, reason: c_int, target: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer is the box made in `on_close`, alive while registered.
        let sink = unsafe { &*target.cast::<CloseSink>() };
        sink(&REASON.word(i64::from(reason)));
    }));
}

unsafe extern "C" fn free_close(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `on_close`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<CloseSink>()) });
}
