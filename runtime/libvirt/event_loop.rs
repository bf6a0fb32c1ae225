//! The one thread that runs libvirt's event loop, for the whole process.

use std::sync::OnceLock;
use std::thread;

use virt_sys::{virEventRegisterDefaultImpl, virEventRunDefaultImpl};

/// Registers the event loop and starts its thread; must come before the first connection.
pub fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        // SAFETY: registered once, before any connection, as libvirt demands.
        if unsafe { virEventRegisterDefaultImpl() } < 0 {
            return;
        }
        // Without the thread, calls still work and waits end at their timeout.
        let _ = thread::Builder::new()
            .name("libvirt events".into())
            .spawn(|| {
                // SAFETY: only this thread runs the loop.
                while unsafe { virEventRunDefaultImpl() } == 0 {}
            });
    });
}
