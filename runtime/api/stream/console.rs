//! A guest's console: its output, and typed input. Channels and screens are read and written the same way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use super::{Stream, StreamKind};
use crate::api::arguments::{DurationValue, RhaiResultOf, duration, optional_text};
use crate::api::wait::held_up;
use crate::libvirt::stream::Callback;
use crate::libvirt::{self, Failure};
use crate::objects::domain::{Domain, Handle};
use crate::objects::uri::in_process;
use crate::redact;
use crate::run::exit::terminated;
use crate::run::report_details::ConsoleEnd;
use crate::run::session::Session;
use crate::run::waiting::Waiting;

/// An open console.
pub(super) struct Console {
    line: Line,
    inbox: Arc<Inbox>,
    in_process: bool,
    domain: Domain,
}

/// The connection to the guest.
enum Line {
    /// A stream of libvirt's, read on the thread of its events.
    Libvirt {
        stream: virt::stream::Stream,
        _callback: Callback,
    },
    /// A socket, read on a separate thread until it ends.
    Socket(UnixStream),
    /// None: a guest of a rehearsal prints no text.
    Rehearsed,
}

impl Line {
    /// The line over `socket`, whose writes do not wait for ever.
    fn over(socket: UnixStream) -> io::Result<Self> {
        socket.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(Self::Socket(socket))
    }

    /// Writes some of `bytes`; returns how many, 0 if the guest takes no more.
    fn send(&self, bytes: &[u8]) -> Result<usize, Failure> {
        match self {
            Self::Libvirt { stream, .. } => libvirt::stream::send(stream, bytes),
            Self::Rehearsed => Ok(bytes.len()),
            Self::Socket(socket) => {
                let mut socket: &UnixStream = socket;
                match socket.write(bytes) {
                    Ok(sent) => Ok(sent),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
                    Err(error) => {
                        let message = format!("cannot write to the socket: {error}");
                        Err(Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message))
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Inbox {
    state: Mutex<ConsoleState>,
    changed: Condvar,
    /// Keeps the end of the text for a report.
    end: Option<Arc<ConsoleEnd>>,
}

#[derive(Default)]
struct ConsoleState {
    bytes: Vec<u8>,
    ended: bool,
}

/// The silence of a console after which its guest's state is checked.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Time limit for a write to a screen.
const WRITE_LIMIT: Duration = Duration::from_secs(1);

/// More console output than anybody reads; older output is dropped.
const KEPT: usize = 4 * 1024 * 1024;

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, ConsoleState> {
        self.state.lock()
    }

    fn add(&self, bytes: &[u8]) {
        if let Some(end) = &self.end {
            end.add(bytes);
        }
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        state.ended |= bytes.is_empty();
        if state.bytes.len() > 2 * KEPT {
            let surplus = state.bytes.len() - KEPT;
            state.bytes.drain(..surplus);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until `find` finds something, the console ends, `timeout` is over, or `is_over`
    /// returns true while the console is silent. Returns the locked state, and the find.
    fn until<T>(
        self: &Arc<Self>,
        ctx: &NativeCallContext,
        timeout: Duration,
        is_over: impl Fn() -> bool,
        mut find: impl FnMut(&mut ConsoleState) -> Option<T>,
    ) -> RhaiResultOf<(MutexGuard<'_, ConsoleState>, Option<T>)> {
        let deadline = Instant::now().checked_add(timeout);
        let session = Session::of(ctx);
        let _waiting = Waiting::new(&session, || "text on the guest's console".into());
        let waiters = Arc::clone(self);
        let _guard = session.interrupt().on_stop(move || {
            // A waiting thread that holds the lock is not yet asleep and would miss the call.
            drop(waiters.lock());
            waiters.changed.notify_all();
        });
        let mut state = self.lock();
        let mut silent_since = Instant::now();
        loop {
            let found = find(&mut state);
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if found.is_some() || state.ended || left.is_some_and(|left| left.is_zero()) {
                return Ok((state, found));
            }
            if session.interrupt().stopping().is_some() {
                return Err(terminated(ctx));
            }
            if silent_since.elapsed() >= LOOK_AGAIN {
                drop(state);
                let over = is_over();
                state = self.lock();
                if over {
                    let found = find(&mut state);
                    return Ok((state, found));
                }
                silent_since = Instant::now();
                continue;
            }
            let held = state.bytes.len();
            let left = left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN));
            self.changed.wait_for(&mut state, left);
            if state.bytes.len() != held {
                silent_since = Instant::now();
            }
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let stream = match &self.line {
            Line::Libvirt { stream, .. } => stream,
            Line::Socket(socket) => {
                // Its thread ends with it.
                let _ = socket.shutdown(Shutdown::Both);
                return;
            }
            Line::Rehearsed => return,
        };
        if self.in_process && self.inbox.lock().ended {
            // Its guest is going off: libvirt frees the console in a thread of its own, which takes
            // the same two locks as an abort in the other order, and both would wait for ever.
            return;
        }
        libvirt::stream::abort(stream);
    }
}

impl Stream {
    /// The console that this stream leads to.
    fn opened(&self, ctx: &NativeCallContext) -> RhaiResultOf<Arc<Console>> {
        self.console()
            .map_err(|failure| self.fail(ctx, failure, ""))
    }
}

/// Opens the target that `connect` connects a stream with; the pair is its noun for messages and the C function.
pub(super) fn open(
    ctx: &NativeCallContext,
    dom: &Domain,
    (noun, call): (&str, &'static str),
    connect: impl Fn(&Handle, &virt::stream::Stream) -> Result<(), Failure> + Send + Sync + 'static,
) -> RhaiResultOf<Stream> {
    let connection = dom.connection();
    let details = connection.session().details().filter(|_| noun == "console");
    let inbox = Arc::new(Inbox {
        end: details
            .map(|details| details.console(&redact::hide_uri(connection.uri()), &dom.name())),
        ..Inbox::default()
    });
    let filled = Arc::clone(&inbox);
    let verb = format!("open the {noun} of");
    if dom.connection().is_rehearsed() {
        inbox.add(&[]);
        dom.call(ctx, call, verb, Handle::is_active)?;
        return Ok(console(dom, noun, Line::Rehearsed, inbox));
    }
    let (stream, callback) = dom.call(ctx, call, verb, move |d| {
        let connection = d.connect().map_err(Failure::from)?;
        let stream = libvirt::stream::new(&connection)?;
        connect(d, &stream)?;
        let filled = Arc::clone(&filled);
        let reader = Arc::new(move |bytes: &[u8]| filled.add(bytes));
        let callback = libvirt::stream::on_readable(&stream, reader)?;
        Ok::<_, Failure>((stream, callback))
    })?;
    let line = Line::Libvirt {
        stream,
        _callback: callback,
    };
    Ok(console(dom, noun, line, inbox))
}

/// Opens a screen over the socket that `connect` returns.
pub(super) fn open_socket(
    ctx: &NativeCallContext,
    dom: &Domain,
    call: &'static str,
    connect: impl Fn(&Handle) -> Result<UnixStream, Failure> + Send + Sync + 'static,
) -> RhaiResultOf<Stream> {
    let inbox = Arc::new(Inbox::default());
    let verb = "open the screen of";
    let socket = dom.call(ctx, call, verb, connect)?;
    let filled = Arc::clone(&inbox);
    let opened = socket.try_clone().and_then(|socket| {
        let reader = std::thread::Builder::new().name("screen".into());
        reader.spawn(move || read_all(socket, &filled))
    });
    match opened.and_then(|_| Line::over(socket)) {
        Ok(line) => Ok(console(dom, "screen", line, inbox)),
        Err(error) => {
            let message = format!("cannot read the socket: {error}");
            let failure = Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message);
            Err(dom.error(ctx, failure, call, verb).throw())
        }
    }
}

/// Collects all that arrives on `socket` until its end.
fn read_all(mut socket: UnixStream, inbox: &Inbox) {
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(count @ 1..) => inbox.add(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    inbox.add(&[]);
}

fn console(dom: &Domain, noun: &str, line: Line, inbox: Arc<Inbox>) -> Stream {
    let console = Console {
        line,
        inbox,
        in_process: in_process(dom.connection().uri()),
        domain: dom.clone(),
    };
    let goal = format!("{noun} of {}", dom.name());
    Stream::new(dom.connection(), StreamKind::Console, console, goal)
}

fn open_console(
    ctx: &NativeCallContext,
    dom: &Domain,
    device: Option<String>,
    flags: u32,
) -> RhaiResultOf<Stream> {
    let call = "virDomainOpenConsole";
    open(ctx, dom, ("console", call), move |d, stream| {
        libvirt::stream::open_console(d, device.as_deref(), stream, flags)
    })
}

#[export_module]
pub(super) mod functions {
    /// Opens the guest's first console and collects what it prints from then on.
    ///
    /// To see all output, start the guest with `VIR_DOMAIN_START_PAUSED`, open the console and call `resume`. A
    /// restored guest has a new console.
    ///
    /// ```rhai,qemu
    /// let console = connect().lookup_by_name("web").open_console();
    /// console.wait("MG:c=", "30s");
    /// ```
    /// Calls virDomainOpenConsole, virStreamEventAddCallback, virStreamEventRemoveCallback.
    #[rhai_fn(name = "open_console", pure, return_raw)]
    pub fn open_console(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<Stream> {
        super::open_console(&ctx, dom, None, 0)
    }

    /// Opens the console with the alias `device`, or the first one if it is `()`; with the flag
    /// `VIR_DOMAIN_CONSOLE_FORCE` it disconnects another client.
    ///
    /// ```rhai,qemu
    /// let console = connect().lookup_by_name("web").open_console("serial0", VIR_DOMAIN_CONSOLE_FORCE);
    /// console.wait("MG:c=", "30s");
    /// ```
    /// Calls virDomainOpenConsole, virStreamEventAddCallback, virStreamEventRemoveCallback.
    #[rhai_fn(name = "open_console", pure, return_raw)]
    pub fn open_console_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<Stream> {
        let device = optional_text(&ctx, "the console", &device)?;
        let wanted = crate::api::arguments::flag_bits(&ctx, flags)?;
        super::open_console(&ctx, dom, device, wanted)
    }

    /// Waits until `text` appears, and returns everything up to its end; the next `wait` continues there.
    ///
    /// Throws `VIR_ERR_OPERATION_TIMEOUT` with the last lines after `timeout` or when the stream ends,
    /// and `VIR_ERR_OPERATION_INVALID` soon after a failure paused the guest.
    ///
    /// ```rhai,qemu
    /// let console = connect().lookup_by_name("web").open_console();
    /// assert(console.wait("MG:c=", "30s").contains("MG:c="));
    /// ```
    /// Calls virStreamRecv.
    #[rhai_fn(pure, return_raw)]
    pub fn wait(
        ctx: NativeCallContext,
        stream: &mut Stream,
        text: &str,
        timeout: DurationValue,
    ) -> RhaiResultOf<String> {
        let timeout = duration(&ctx, &timeout)?;
        let console = stream.opened(&ctx)?;
        if matches!(console.line, Line::Rehearsed) {
            let domain = &console.domain;
            domain.connection().assumes(|| {
                format!(
                    "the guest `{}` shows `{}` on its console",
                    domain.name(),
                    text.escape_debug()
                )
            });
            return Ok(text.to_owned());
        }
        let inbox = Arc::clone(&console.inbox);
        let stuck = Mutex::new(None);
        let is_over = || {
            let why = held_up(&console.domain);
            let over = why.is_some();
            *stuck.lock() = why;
            over
        };
        let (state, waited) = inbox.until(&ctx, timeout, is_over, |state| {
            let place = memchr::memmem::find(&state.bytes, text.as_bytes())?;
            Some(state.bytes.drain(..place + text.len()).collect::<Vec<u8>>())
        })?;
        if let Some(taken) = waited {
            return Ok(String::from_utf8_lossy(&taken).into_owned());
        }
        let tail = String::from_utf8_lossy(&state.bytes);
        let last: Vec<&str> = tail.lines().rev().take(5).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        let stuck = stuck.into_inner();
        if let Some((why, way_out)) = stuck {
            let message = format!(
                "`{text}` cannot appear: the guest prints nothing and {why}; {way_out}; its last lines are:\n{last}"
            );
            let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
            return Err(stream.fail(&ctx, failure, ""));
        }
        let why = match state.ended {
            true => "the console ended".to_owned(),
            false => format!(
                "waited {}",
                crate::run::duration_text::plain_duration(timeout)
            ),
        };
        let message = format!("{why} without `{text}`; its last lines are:\n{last}");
        let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
        Err(stream.fail(&ctx, failure, "virStreamRecv"))
    }

    /// Returns the data that has arrived since the last call, without waiting.
    ///
    /// ```rhai,qemu
    /// let console = connect().lookup_by_name("web").open_console();
    /// console.wait("MG:c=", "30s");
    /// assert(!console.read().contains("MG:up"));
    /// ```
    /// Calls virStreamRecv.
    #[rhai_fn(pure, return_raw)]
    pub fn read(ctx: NativeCallContext, stream: &mut Stream) -> RhaiResultOf<String> {
        let taken = std::mem::take(&mut stream.opened(&ctx)?.inbox.lock().bytes);
        Ok(String::from_utf8_lossy(&taken).into_owned())
    }

    /// Reads until the console ends, for example because its guest is off, or until `timeout` has passed.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let console = dom.open_console();
    /// console.wait("MG:c=", "30s");
    /// dom.destroy();
    /// console.read("30s");
    /// assert_eq(console.read(), "");
    /// ```
    /// Calls virStreamRecv.
    #[rhai_fn(name = "read", pure, return_raw)]
    pub fn read_to_end(
        ctx: NativeCallContext,
        stream: &mut Stream,
        timeout: DurationValue,
    ) -> RhaiResultOf<String> {
        let timeout = duration(&ctx, &timeout)?;
        let inbox = Arc::clone(&stream.opened(&ctx)?.inbox);
        let (mut state, _) = inbox.until(&ctx, timeout, || false, |_| None::<()>)?;
        let taken = std::mem::take(&mut state.bytes);
        Ok(String::from_utf8_lossy(&taken).into_owned())
    }

    /// Types `text` at the console; a newline is `\n`.
    ///
    /// ```rhai,qemu
    /// let console = connect().lookup_by_name("web").open_console();
    /// console.write("\n");
    /// console.wait("MG:c=", "30s");
    /// ```
    /// Calls virStreamSend.
    #[rhai_fn(pure, return_raw)]
    pub fn write(ctx: NativeCallContext, stream: &mut Stream, text: &str) -> RhaiResultOf<()> {
        let console = stream.opened(&ctx)?;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let sent = console
                .line
                .send(rest)
                .and_then(|sent| match sent {
                    0 => Err(Failure::new(
                        virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                        "the console accepts no more text",
                    )),
                    _ => Ok(sent),
                })
                .map_err(|failure| stream.fail(&ctx, failure, "virStreamSend"))?;
            rest = &rest[sent..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, UnixStream};

    #[test]
    fn a_blocked_screen_does_not_block_the_script() {
        let (own, _unread) = UnixStream::pair().expect("sockets can be made");
        let line = Line::over(own).expect("a socket has a time limit");
        while line.send(&[0; 65536]).expect("the other end is open") > 0 {}
    }
}
