//! Streams that fill a buffer from the event loop, such as a guest's console.
//!
//! `virt`'s event callback keeps a pointer to a value that may move, and drops what it should
//! not; this one owns its target.

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use virt::connect::Connect;
use virt::domain::Domain;
use virt::stream::Stream;

use super::{Failure, Result, c_option, checked, pointer};

/// Who gets what arrives; no bytes means the end. Runs on the event-loop thread.
pub type Reader = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// What libvirt answers where a hole comes next.
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

/// Connects `stream` with a console of the guest, the first where no name is given.
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

/// Gives `reader` all that arrives on `stream`, until its end.
pub fn on_readable(stream: &Stream, reader: Reader) -> Result<()> {
    let target = Box::into_raw(Box::new(reader));
    // SAFETY: libvirt frees the target once, when the callback is removed.
    let result = unsafe {
        virt_sys::virStreamEventAddCallback(
            stream.as_ptr(),
            virt_sys::VIR_STREAM_EVENT_READABLE as c_int | ENDED,
            Some(readable),
            target.cast::<c_void>(),
            Some(free_reader),
        )
    };
    if result < 0 {
        let failure = Failure::last();
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_reader(target.cast::<c_void>()) };
        return Err(failure);
    }
    Ok(())
}

/// Ends a stream that [`on_readable`] reads; an ended one is left alone.
pub fn abort(stream: &Stream) {
    // SAFETY: the handle lives during the calls; both are allowed in any state.
    unsafe {
        virt_sys::virStreamEventRemoveCallback(stream.as_ptr());
        virt_sys::virStreamAbort(stream.as_ptr());
    }
}

/// Writes `bytes` to a stream that does not block; answers how many it took.
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
        // -2 stands for "would block".
        -2 => Ok(0),
        _ => checked(sent).map(|sent| usize::try_from(sent).unwrap_or(0)),
    }
}

/// What arrived on a stream that blocks.
pub enum Received {
    /// So many bytes at the front of the buffer.
    Bytes(usize),
    /// A hole of that length, instead of zeros.
    Hole(u64),
    /// The end.
    End,
}

/// Waits for what comes next on a stream that blocks.
pub fn receive(stream: &Stream, buffer: &mut [u8]) -> Result<Received> {
    // SAFETY: the handle and the buffer live during the call.
    let count = unsafe {
        virt_sys::virStreamRecvFlags(
            stream.as_ptr(),
            buffer.as_mut_ptr().cast::<c_char>(),
            buffer.len(),
            virt_sys::VIR_STREAM_RECV_STOP_AT_HOLE,
        )
    };
    if count == HOLE {
        let mut length = 0;
        // SAFETY: the handle lives during the call, which writes one number.
        checked(unsafe { virt_sys::virStreamRecvHole(stream.as_ptr(), &raw mut length, 0) })?;
        return Ok(Received::Hole(u64::try_from(length).unwrap_or(0)));
    }
    checked(count).map(|count| match usize::try_from(count).unwrap_or(0) {
        0 => Received::End,
        count => Received::Bytes(count),
    })
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

unsafe extern "C" fn readable(stream: virt_sys::virStreamPtr, events: c_int, target: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer is the box made in `on_readable`, alive while registered.
        let reader = unsafe { &*target.cast::<Reader>() };
        let mut buffer = [0_u8; 4096];
        loop {
            // SAFETY: the stream lives during its callback, and the buffer has that length.
            let count = unsafe {
                virt_sys::virStreamRecv(stream, buffer.as_mut_ptr().cast::<c_char>(), buffer.len())
            };
            match usize::try_from(count) {
                Ok(count) if count > 0 => reader(&buffer[..count]),
                // -2 stands for "would block"; anything else is the end.
                Err(_) if count == -2 && events & ENDED == 0 => return,
                _ => break,
            }
        }
        reader(&[]);
        // SAFETY: removing its own callback is allowed inside it.
        unsafe { virt_sys::virStreamEventRemoveCallback(stream) };
    }));
}

unsafe extern "C" fn free_reader(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `on_readable`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<Reader>()) });
}
