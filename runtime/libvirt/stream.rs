//! Streams: a guest's console, and the content of a volume.
//!
//! `virt`'s event callback keeps a pointer to a value that may move, and drops a value that it
//! should keep; this one owns its target.

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use virt::connect::Connect;
use virt::domain::Domain;
use virt::stream::Stream;

use super::callback::{Target, target};
use super::{Failure, Result, c_option, checked, pointer};

pub use super::callback::Callback;

/// A receiver of the data; no bytes mean the end. Runs on the event-loop thread.
pub type Reader = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// libvirt's return value if the call would have to wait.
const WOULD_BLOCK: c_int = -2;

/// libvirt's return value at a hole.
const HOLE: c_int = -3;

const ENDED: c_int =
    (virt_sys::VIR_STREAM_EVENT_HANGUP | virt_sys::VIR_STREAM_EVENT_ERROR) as c_int;

/// A stream that does not block.
pub fn new(connect: &Connect) -> Result<Stream> {
    Stream::new(connect, virt_sys::VIR_STREAM_NONBLOCK).map_err(Failure::from)
}

/// A stream whose reading and writing block.
pub fn new_blocking(connect: &Connect) -> Result<Stream> {
    Stream::new(connect, 0).map_err(Failure::from)
}

/// Connects `stream` with a console of the guest, the first if no name is given.
pub fn open_console(
    domain: &Domain,
    device: Option<&str>,
    stream: &Stream,
    flags: u32,
) -> Result<()> {
    let device = c_option(device)?;
    // SAFETY: both handles and the string live during the call.
    checked(unsafe {
        virt_sys::virDomainOpenConsole(domain.as_ptr(), pointer(&device), stream.as_ptr(), flags)
    })
    .map(drop)
}

/// Connects `stream` with a channel of the guest, the first if no name is given.
pub fn open_channel(
    domain: &Domain,
    name: Option<&str>,
    stream: &Stream,
    flags: u32,
) -> Result<()> {
    let name = c_option(name)?;
    // SAFETY: both handles and the string live during the call.
    checked(unsafe {
        virt_sys::virDomainOpenChannel(domain.as_ptr(), pointer(&name), stream.as_ptr(), flags)
    })
    .map(drop)
}

/// Sends all data of `stream` to `reader`, until the stream ends or the returned value is dropped.
pub fn on_readable(stream: &Stream, reader: Reader) -> Result<Callback> {
    let callback = Callback::new(Target::Reader(reader));
    // SAFETY: the handle lives during the call, and the number that the callback gets needs no freeing.
    checked(unsafe {
        virt_sys::virStreamEventAddCallback(
            stream.as_ptr(),
            virt_sys::VIR_STREAM_EVENT_READABLE as c_int | ENDED,
            Some(readable),
            callback.opaque(),
            None,
        )
    })?;
    Ok(callback)
}

/// Ends a stream that [`on_readable`] reads; has no effect on an ended stream.
pub fn abort(stream: &Stream) {
    // SAFETY: the handle lives during the calls; both are allowed in any state.
    unsafe {
        virt_sys::virStreamEventRemoveCallback(stream.as_ptr());
        virt_sys::virStreamAbort(stream.as_ptr());
    }
}

/// Writes `bytes` to a stream that does not block; returns how many it took.
pub fn send(stream: &Stream, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the handle and the bytes live during the call.
    let sent = unsafe {
        virt_sys::virStreamSend(
            stream.as_ptr(),
            bytes.as_ptr().cast::<c_char>(),
            bytes.len(),
        )
    };
    match sent {
        WOULD_BLOCK => Ok(0),
        _ => checked(sent).map(|sent| usize::try_from(sent).unwrap_or(0)),
    }
}

/// The next part of a stream.
pub enum Received {
    /// So many bytes at the front of the buffer.
    Bytes(usize),
    /// A hole, whose length [`receive_hole`] tells.
    Hole,
    /// No data yet, on a stream that does not block.
    Later,
    /// The end.
    End,
}

/// Receives the next part; holes are zeros, unless `flags` make it stop at them.
pub fn receive(stream: &Stream, buffer: &mut [u8], flags: u32) -> Result<Received> {
    // SAFETY: the handle and the buffer live during the call.
    let count = unsafe {
        virt_sys::virStreamRecvFlags(
            stream.as_ptr(),
            buffer.as_mut_ptr().cast::<c_char>(),
            buffer.len(),
            flags,
        )
    };
    match count {
        WOULD_BLOCK => Ok(Received::Later),
        HOLE => Ok(Received::Hole),
        _ => checked(count).map(|count| match usize::try_from(count).unwrap_or(0) {
            0 => Received::End,
            count => Received::Bytes(count),
        }),
    }
}

/// Receives a hole and returns its length.
pub fn receive_hole(stream: &Stream) -> Result<u64> {
    let mut length = 0;
    // SAFETY: the handle lives during the call, which writes one number.
    checked(unsafe { virt_sys::virStreamRecvHole(stream.as_ptr(), &raw mut length, 0) })?;
    Ok(u64::try_from(length).unwrap_or(0))
}

/// Called when a stream is ready; runs on the event-loop thread.
pub type Watcher = Arc<dyn Fn() + Send + Sync>;

/// Calls `watcher` at the next of `events` of the stream; after that, [`watch_for`] must be called again.
pub fn watch(stream: &Stream, events: u32, watcher: Watcher) -> Result<Callback> {
    let callback = Callback::new(Target::Watcher(watcher));
    // SAFETY: the handle lives during the call, and the number that the callback gets needs no freeing.
    checked(unsafe {
        virt_sys::virStreamEventAddCallback(
            stream.as_ptr(),
            events as c_int | ENDED,
            Some(ready),
            callback.opaque(),
            None,
        )
    })?;
    Ok(callback)
}

/// Calls the watcher at the next of `events`.
pub fn watch_for(stream: &Stream, events: u32) -> Result<()> {
    let events = events as c_int | ENDED;
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virStreamEventUpdateCallback(stream.as_ptr(), events) }).map(drop)
}

/// Undoes [`watch`].
pub fn unwatch(stream: &Stream, callback: Callback) {
    // SAFETY: the handle lives during the call, which is allowed in any state.
    unsafe { virt_sys::virStreamEventRemoveCallback(stream.as_ptr()) };
    drop(callback);
}

unsafe extern "C" fn ready(stream: virt_sys::virStreamPtr, _: c_int, opaque: *mut c_void) {
    // Otherwise libvirt would call this again and again until the data is received.
    // SAFETY: the stream lives during its callback, inside which the update is allowed.
    unsafe { virt_sys::virStreamEventUpdateCallback(stream, 0) };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some(Target::Watcher(watcher)) = target(opaque) {
            watcher();
        }
    }));
}

/// Sends a hole of `length` bytes instead of zeros.
pub fn send_hole(stream: &Stream, length: u64) -> Result<()> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virStreamSendHole(stream.as_ptr(), length, 0) }).map(drop)
}

/// Ends a stream that blocks once all of it was sent or received.
pub fn finish(stream: &Stream) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virStreamFinish(stream.as_ptr()) }).map(drop)
}

/// Breaks a transfer off.
pub fn break_off(stream: &Stream) {
    // SAFETY: the handle lives during the call, which is allowed in any state.
    unsafe { virt_sys::virStreamAbort(stream.as_ptr()) };
}

unsafe extern "C" fn readable(stream: virt_sys::virStreamPtr, events: c_int, opaque: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Some(Target::Reader(reader)) = target(opaque) else {
            // SAFETY: removing its own callback is allowed inside it.
            unsafe { virt_sys::virStreamEventRemoveCallback(stream) };
            return;
        };
        let mut buffer = [0_u8; 4096];
        loop {
            // SAFETY: the stream lives during its callback, and the buffer has that length.
            let count = unsafe {
                virt_sys::virStreamRecv(stream, buffer.as_mut_ptr().cast::<c_char>(), buffer.len())
            };
            match usize::try_from(count) {
                Ok(count) if count > 0 => reader(&buffer[..count]),
                // Anything else is the end.
                Err(_) if count == WOULD_BLOCK && events & ENDED == 0 => return,
                _ => break,
            }
        }
        reader(&[]);
        // SAFETY: removing its own callback is allowed inside it.
        unsafe { virt_sys::virStreamEventRemoveCallback(stream) };
    }));
}
