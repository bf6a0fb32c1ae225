//! Events of QEMU's own monitor, besides libvirt's events.

use std::ffi::{c_char, c_longlong, c_uint, c_void};

use virt_sys::{virConnectPtr, virDomainPtr};

use super::{Callback, EventKind, Family, Field, deliver, field, free_target, number, text};

/// The kind that has all of QEMU's events.
pub const NAME: &str = "qemu_monitor";

/// Events of QEMU's monitor, which libvirt asks for in another way.
static QEMU_MONITOR: Family = Family {
    noun: "domain",
    call: "virConnectDomainQemuMonitorEventRegister",
    lifecycle: "",
    // SAFETY: as C's casts to the generic callback do: the callback is this file's, of this type. libvirt frees the
    // target once.
    register: |connect, _, callback, target| unsafe {
        type Told = unsafe extern "C" fn(
            virConnectPtr,
            virDomainPtr,
            *const c_char,
            c_longlong,
            c_uint,
            *const c_char,
            *mut c_void,
        );
        let callback = std::mem::transmute::<Callback, Told>(callback);
        virt_sys::virConnectDomainQemuMonitorEventRegister(
            connect,
            std::ptr::null_mut(),
            std::ptr::null(),
            Some(callback),
            target,
            Some(free_target),
            0,
        )
    },
    deregister: virt_sys::virConnectDomainQemuMonitorEventDeregister,
};

unsafe extern "C" fn told(
    _: virConnectPtr,
    domain: virDomainPtr,
    event: *const c_char,
    seconds: c_longlong,
    micros: c_uint,
    details: *const c_char,
    target: *mut c_void,
) {
    let fields = vec![
        text("event", event),
        number("seconds", seconds),
        number("micros", micros),
        text("details", details),
    ];
    // SAFETY: libvirt gave the pointers to this callback.
    unsafe { deliver(domain, target, fields) };
}

/// The one kind, which has all of QEMU's events by their names.
pub(super) static KIND: EventKind = EventKind {
    name: NAME,
    family: &QEMU_MONITOR,
    id: 0,
    // SAFETY: `register` casts it back to its own type.
    callback: Some(unsafe {
        std::mem::transmute::<
            unsafe extern "C" fn(
                virConnectPtr,
                virDomainPtr,
                *const c_char,
                c_longlong,
                c_uint,
                *const c_char,
                *mut c_void,
            ),
            Callback,
        >(told)
    }),
    fields: &[
        field!(text event),
        field!(number seconds),
        field!(number micros),
        field!(text details),
    ],
    open: false,
};
