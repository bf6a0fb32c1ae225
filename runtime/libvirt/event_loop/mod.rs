//! The one thread that runs the event loop, for the whole process.
//!
//! The loop of libvirt itself looks at all descriptors whenever one of them changes, and each call
//! over a socket makes several changes. Here the kernel keeps the descriptors, so the cost of a
//! change does not depend on the number of connections, and a change wakes no thread.

mod turns;

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use virt_sys::{
    virEventAddTimeout, virEventHandleCallback, virEventRegisterImpl, virEventRemoveTimeout,
    virEventTimeoutCallback, virFreeCallback,
};

use turns::{EventLoop, Owned};

/// The loop; `None` if the system refused a resource that it needs.
static LOOP: OnceLock<Option<EventLoop>> = OnceLock::new();

/// Registers the event loop and starts its thread; must come before the first connection.
pub fn start() {
    LOOP.get_or_init(|| {
        let event_loop = EventLoop::new().ok()?;
        // SAFETY: registered once, before any connection, as libvirt demands. The functions behave
        // as libvirt documents.
        unsafe {
            virEventRegisterImpl(
                Some(add_descriptor),
                Some(update_descriptor),
                Some(remove_descriptor),
                Some(add_timer),
                Some(update_timer),
                Some(remove_timer),
            );
        }
        // Without the thread, calls still work and waits end at their timeout.
        let _ = thread::Builder::new()
            .name("libvirt events".into())
            .spawn(|| {
                if let Some(own) = registered() {
                    own.run();
                }
            });
        Some(event_loop)
    });
}

/// The loop that libvirt calls; the thread of the loop waits here until it is there.
fn registered() -> Option<&'static EventLoop> {
    LOOP.wait().as_ref()
}

unsafe extern "C" fn add_descriptor(
    descriptor: c_int,
    events: c_int,
    callback: virEventHandleCallback,
    opaque: *mut c_void,
    free: virFreeCallback,
) -> c_int {
    let (Some(own), Some(callback)) = (registered(), callback) else {
        return -1;
    };
    own.add_descriptor(descriptor, events, callback, Owned { opaque, free })
}

unsafe extern "C" fn update_descriptor(number: c_int, events: c_int) {
    if let Some(own) = registered() {
        own.update_descriptor(number, events);
    }
}

unsafe extern "C" fn remove_descriptor(number: c_int) -> c_int {
    let removed = registered().is_some_and(|own| own.remove_descriptor(number));
    if removed { 0 } else { -1 }
}

unsafe extern "C" fn add_timer(
    milliseconds: c_int,
    callback: virEventTimeoutCallback,
    opaque: *mut c_void,
    free: virFreeCallback,
) -> c_int {
    let (Some(own), Some(callback)) = (registered(), callback) else {
        return -1;
    };
    own.add_timer(milliseconds, callback, Owned { opaque, free })
}

unsafe extern "C" fn update_timer(number: c_int, milliseconds: c_int) {
    if let Some(own) = registered() {
        own.update_timer(number, milliseconds);
    }
}

unsafe extern "C" fn remove_timer(number: c_int) -> c_int {
    let removed = registered().is_some_and(|own| own.remove_timer(number));
    if removed { 0 } else { -1 }
}

/// Waits until the loop has made all callbacks that are due at this moment, at most for `limit`;
/// returns whether it has. Not to be called by a callback.
pub fn settle(limit: Duration) -> bool {
    let until = Instant::now() + limit;
    // The loop may be in the middle of a turn that began before: the second turn is whole.
    (0..2).all(|_| turn(until.saturating_duration_since(Instant::now())))
}

/// Waits until the loop calls a timer that is due at once.
fn turn(limit: Duration) -> bool {
    let (sender, receiver) = mpsc::sync_channel::<()>(1);
    let sender = Box::into_raw(Box::new(sender));
    // SAFETY: `called` casts the pointer back to the sender's type, and `freed` takes it back,
    // once, when the loop has released the timer; nothing else uses the pointer.
    let timer = unsafe { virEventAddTimeout(0, Some(called), sender.cast(), Some(freed)) };
    if timer < 0 {
        // SAFETY: the loop did not take the pointer.
        unsafe { freed(sender.cast()) };
        return false;
    }
    let is_called = receiver.recv_timeout(limit).is_ok();
    if !is_called {
        // SAFETY: if the timer is gone already, no other timer has its number: the loop uses a number again only after two billion
        // others.
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
    use std::ffi::{c_int, c_void};
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    use virt_sys::{
        VIR_EVENT_HANDLE_HANGUP, VIR_EVENT_HANDLE_READABLE, virEventAddHandle, virEventAddTimeout,
        virEventRemoveHandle, virEventRemoveTimeout, virEventUpdateHandle, virEventUpdateTimeout,
    };

    use super::{settle, start};

    const LONG: Duration = Duration::from_secs(20);
    const READABLE: c_int = VIR_EVENT_HANDLE_READABLE as c_int;

    type Sent = Sender<c_int>;

    /// Stops waiting for more events, and then sends these.
    unsafe extern "C" fn told(number: c_int, _: c_int, events: c_int, sent: *mut c_void) {
        // SAFETY: the descriptor is watched.
        unsafe { virEventUpdateHandle(number, 0) };
        // SAFETY: `freed` has not taken the sender back yet.
        let _ = unsafe { &*sent.cast::<Sent>() }.send(events);
    }

    unsafe extern "C" fn ticked(number: c_int, sent: *mut c_void) {
        // SAFETY: `freed` has not taken the sender back yet.
        let _ = unsafe { &*sent.cast::<Sent>() }.send(number);
    }

    unsafe extern "C" fn freed(sent: *mut c_void) {
        // SAFETY: it came from `Box::into_raw`, and the loop calls this once.
        drop(unsafe { Box::from_raw(sent.cast::<Sent>()) });
    }

    fn channel() -> (*mut c_void, Receiver<c_int>) {
        start();
        let (sender, receiver) = mpsc::channel();
        (Box::into_raw(Box::new(sender)).cast(), receiver)
    }

    #[test]
    fn a_descriptor_is_served_while_its_events_are_awaited() {
        let (sender, receiver) = channel();
        let (own, mut other) = UnixStream::pair().expect("a pair of sockets");
        other.write_all(b"1").expect("there is room");
        // SAFETY: the callbacks cast the pointer back to the sender's type; the descriptor is open
        // until the handle is removed.
        let number = unsafe {
            virEventAddHandle(own.as_raw_fd(), READABLE, Some(told), sender, Some(freed))
        };
        assert_eq!(receiver.recv_timeout(LONG), Ok(READABLE));
        // The byte is still there, but nothing waits for it.
        assert!(settle(LONG) && receiver.try_recv().is_err());
        // SAFETY: the handle is there.
        unsafe { virEventUpdateHandle(number, READABLE) };
        assert_eq!(receiver.recv_timeout(LONG), Ok(READABLE));
        (&own).read_exact(&mut [0]).expect("the byte");
        drop(other);
        // SAFETY: the handle is there.
        unsafe { virEventUpdateHandle(number, READABLE) };
        let hangup = READABLE | VIR_EVENT_HANDLE_HANGUP as c_int;
        assert_eq!(receiver.recv_timeout(LONG), Ok(hangup));
        // SAFETY: the handle is there, and then it is gone.
        assert_eq!(unsafe { virEventRemoveHandle(number) }, 0);
        let freed = receiver.recv_timeout(LONG);
        assert_eq!(freed, Err(mpsc::RecvTimeoutError::Disconnected));
        // SAFETY: no handle has this number.
        assert_eq!(unsafe { virEventRemoveHandle(number) }, -1);
    }

    #[test]
    fn a_timer_is_called_again_and_again_until_it_rests() {
        let (sender, receiver) = channel();
        // SAFETY: the callbacks cast the pointer back to the sender's type.
        let number = unsafe { virEventAddTimeout(1, Some(ticked), sender, Some(freed)) };
        for _ in 0..3 {
            assert_eq!(receiver.recv_timeout(LONG), Ok(number));
        }
        // SAFETY: the timer is there.
        unsafe { virEventUpdateTimeout(number, -1) };
        assert!(settle(LONG));
        while receiver.try_recv().is_ok() {}
        assert!(settle(LONG) && receiver.try_recv().is_err());
        // SAFETY: the timer is there, and then it is gone.
        assert_eq!(unsafe { virEventRemoveTimeout(number) }, 0);
        let freed = receiver.recv_timeout(LONG);
        assert_eq!(freed, Err(mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn the_loop_catches_up_many_times_at_once() {
        start();
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..50).all(|_| settle(LONG))))
            .collect();
        for thread in threads {
            assert!(thread.join().expect("it does not panic"));
        }
    }
}
