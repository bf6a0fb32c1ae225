//! The one thread that runs libvirt's event loop, for the whole process.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use virt_sys::{
    virEventAddTimeout, virEventRegisterDefaultImpl, virEventRemoveTimeout, virEventRunDefaultImpl,
};

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

/// Waits until the loop has called back for everything that it knows of at this moment, `limit` at most; returns
/// whether it has. Not to be called by a callback.
pub fn settle(limit: Duration) -> bool {
    let until = Instant::now() + limit;
    // The loop may be in the middle of a turn that began before: the second turn is whole.
    (0..2).all(|_| turn(until.saturating_duration_since(Instant::now())))
}

/// Waits until the loop calls a timer that is due at once.
fn turn(limit: Duration) -> bool {
    let (sender, receiver) = mpsc::sync_channel::<()>(1);
    let sender = Box::into_raw(Box::new(sender));
    // SAFETY: `called` reads the sender as what it is, and `freed` takes it back, once, when the loop has let go of the
    // timer; nothing else uses the pointer.
    let timer = unsafe { virEventAddTimeout(0, Some(called), sender.cast(), Some(freed)) };
    if timer < 0 {
        // SAFETY: the loop did not take the pointer.
        unsafe { freed(sender.cast()) };
        return false;
    }
    let is_called = receiver.recv_timeout(limit).is_ok();
    if !is_called {
        // SAFETY: a timer that is gone already is no timer of another: their numbers are not used again.
        unsafe { virEventRemoveTimeout(timer) };
    }
    is_called
}

/// Wakes the waiting thread, and ends the timer.
unsafe extern "C" fn called(timer: c_int, sender: *mut c_void) {
    // SAFETY: it is the sender of `turn`, which `freed` has not taken back: the loop frees a timer after its callback.
    let sender = unsafe { &*sender.cast::<SyncSender<()>>() };
    let _ = sender.try_send(());
    // SAFETY: the loop allows a callback to remove its own timer.
    unsafe { virEventRemoveTimeout(timer) };
}

/// Frees the sender.
unsafe extern "C" fn freed(sender: *mut c_void) {
    // SAFETY: it came from `Box::into_raw` in `turn`, and the loop calls this once.
    drop(unsafe { Box::from_raw(sender.cast::<SyncSender<()>>()) });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{settle, start};

    #[test]
    fn the_loop_catches_up_many_times_at_once() {
        start();
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..50).all(|_| settle(Duration::from_secs(20)))))
            .collect();
        for thread in threads {
            assert!(thread.join().expect("it does not panic"));
        }
    }
}
