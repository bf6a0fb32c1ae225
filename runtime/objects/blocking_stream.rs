//! A libvirt stream with blocking send and receive calls, which end with the script.
//!
//! A thread must not abort a libvirt stream on which another one waits: libvirt would free memory
//! that the other one uses. So no thread waits inside libvirt: this module waits until the stream
//! is ready or the script is stopped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use virt::connect::Connect;
use virt::stream::Stream;

use crate::libvirt::stream::{self, Callback, Received};
use crate::libvirt::{Failure, Result};
use crate::objects::call_thread::{self, Patience};
use crate::run::interrupt::Interrupt;

/// The bytes that one message of libvirt's protocol holds.
pub(crate) const MESSAGE: usize = 256 * 1024 - 24;

/// The silence of a stream after which its connection is checked.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The time limit for the host to store the rest of a transfer.
const FINISHING: Patience = Patience {
    limit: None,
    after_stop: Duration::from_secs(8),
};

/// The time limit for the host to confirm the end of a transfer.
const BREAKING_OFF: Patience = Patience {
    limit: Some(Duration::from_secs(5)),
    after_stop: Duration::from_secs(2),
};

/// A stream; a libvirt call connects it to a volume or device.
pub(crate) struct BlockingStream {
    stream: Stream,
    connect: Connect,
    interrupt: Interrupt,
    ready: Arc<Ready>,
    watched: Option<Callback>,
    over: bool,
    room: Option<u64>,
}

#[derive(Default)]
struct Ready {
    now: Mutex<bool>,
    changed: Condvar,
}

impl Ready {
    fn set(&self, now: bool) {
        *self.now.lock() = now;
        self.changed.notify_all();
    }
}

impl BlockingStream {
    /// A stream on `connect`, on which waiting ends with `interrupt`.
    pub(crate) fn new(connect: &Connect, interrupt: &Interrupt) -> Result<Self> {
        Ok(Self {
            stream: stream::new(connect)?,
            connect: connect.clone(),
            interrupt: interrupt.clone(),
            ready: Arc::default(),
            watched: None,
            over: false,
            room: None,
        })
    }

    /// libvirt's handle.
    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Accepts at most `room` bytes: libvirtd, at least up to 11.3, hangs if it gets more than an upload was opened
    /// for.
    pub(crate) fn limit(&mut self, room: u64) {
        self.room = Some(room);
    }

    fn take_room(&mut self, bytes: u64) -> Result<()> {
        let Some(room) = &mut self.room else {
            return Ok(());
        };
        match room.checked_sub(bytes) {
            Some(left) => {
                *room = left;
                Ok(())
            }
            None => Err(Failure::new(
                virt_sys::VIR_ERR_INVALID_ARG,
                format!(
                    "{bytes} bytes are more than the {room} that are left of the length that the stream was opened for"
                ),
            )),
        }
    }

    /// Sends all of `bytes`.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.go_on()?;
        self.take_room(bytes.len() as u64)?;
        while !bytes.is_empty() {
            self.go_on()?;
            match stream::send(&self.stream, &bytes[..bytes.len().min(MESSAGE)])? {
                0 => self.wait(virt_sys::VIR_STREAM_EVENT_WRITABLE)?,
                sent => bytes = &bytes[sent..],
            }
        }
        Ok(())
    }

    /// Sends a hole of `length` bytes instead of zeros.
    pub(crate) fn send_hole(&mut self, length: u64) -> Result<()> {
        self.go_on()?;
        self.take_room(length)?;
        stream::send_hole(&self.stream, length)
    }

    /// Waits for the next part.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], flags: u32) -> Result<Received> {
        loop {
            self.go_on()?;
            match stream::receive(&self.stream, buffer, flags)? {
                Received::Later => self.wait(virt_sys::VIR_STREAM_EVENT_READABLE)?,
                received => return Ok(received),
            }
        }
    }

    /// Receives a hole and returns its length.
    pub(crate) fn receive_hole(&mut self) -> Result<u64> {
        self.go_on()?;
        stream::receive_hole(&self.stream)
    }

    /// Ends the stream once all of it was sent or received, and learns whether it arrived.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.go_on()?;
        self.unwatch();
        let stream = self.stream.clone();
        call_thread::run(&self.interrupt, FINISHING, None, move || {
            stream::finish(&stream)
        })
        .unwrap_or_else(|why| Err(why.failure(None)))?;
        self.over = true;
        Ok(())
    }

    /// Breaks the stream off.
    pub(crate) fn abort(&mut self) {
        self.unwatch();
        if !std::mem::replace(&mut self.over, true) {
            let stream = self.stream.clone();
            let _ = call_thread::run(&self.interrupt, BREAKING_OFF, None, move || {
                stream::break_off(&stream);
            });
        }
    }

    fn unwatch(&mut self) {
        if let Some(callback) = self.watched.take() {
            stream::unwatch(&self.stream, callback);
        }
    }

    fn wait(&mut self, events: u32) -> Result<()> {
        self.ready.set(false);
        if self.watched.is_some() {
            stream::watch_for(&self.stream, events)?;
        } else {
            let ready = Arc::clone(&self.ready);
            let watcher = Arc::new(move || ready.set(true));
            self.watched = Some(stream::watch(&self.stream, events, watcher)?);
        }
        let ready = Arc::clone(&self.ready);
        let _guard = self.interrupt.on_stop(move || ready.set(true));
        while !self.becomes_ready() {
            // libvirt knows that the daemon died, but does not report it to the stream.
            if !self.connect.is_alive().unwrap_or(false) {
                return Err(Failure::lost("the connection was lost"));
            }
        }
        Ok(())
    }

    /// Waits for the stream or a stop; returns whether one came before it is time to look whether
    /// the connection lives.
    fn becomes_ready(&self) -> bool {
        let mut now = self.ready.now.lock();
        self.ready
            .changed
            .wait_while_for(&mut now, |now| !*now, LOOK_AGAIN);
        *now
    }

    fn go_on(&self) -> Result<()> {
        if self.over {
            return Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "the stream has ended",
            ));
        }
        match self.interrupt.stopping() {
            None => Ok(()),
            Some(_) => Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_ABORTED,
                "the script was stopped during the call",
            )),
        }
    }
}

impl Drop for BlockingStream {
    fn drop(&mut self) {
        self.abort();
    }
}
