//! Standard output and standard error. A stop does not wait for their readers.
//!
//! A writer hands its lines to a thread that makes the system calls. Only that thread blocks on a
//! pipe without a reader or a terminal that Ctrl-S stopped. A writer waits while too many bytes are
//! queued, until a stop ends the wait.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use parking_lot::{Condvar, Mutex, MutexGuard};
use serde_json::json;
use virhai::{Sink, StepNews, redact};

use crate::terminal;

/// The number of bytes that can be queued before writers wait.
const ROOM: usize = 64 * 1024;

/// The number of bytes that writers that do not wait can queue: messages of an undo must not be lost because the script
/// has filled the pipe before.
const ROOM_IN_A_HURRY: usize = 1024 * 1024;

/// Time that a writer that must not block waits for a slow reader.
const SHORT: Duration = Duration::from_millis(500);

/// Time that the end of the program waits for a reader after a stop.
const LAST: Duration = Duration::from_secs(1);

static STDOUT: Outlet = Outlet::new("stdout");
static STDERR: Outlet = Outlet::new("stderr");

/// True once the reader of standard output has closed it.
static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// True while a script is being stopped.
static IN_A_HURRY: AtomicBool = AtomicBool::new(false);

/// True if each line of standard error is a JSON object.
static LOG_IS_JSON: AtomicBool = AtomicBool::new(false);

/// The row at the end of the terminal that the next line replaces.
static ROW: Mutex<Row> = Mutex::new(Row {
    shown: false,
    amid_line: false,
    held_back: false,
});

struct Row {
    shown: bool,
    /// True if the last text on a terminal did not end its line.
    amid_line: bool,
    /// True if another part of the program has the terminal.
    held_back: bool,
}

/// Clears the row that the cursor is in.
const CLEAR_ROW: &str = "\r\x1b[K";

fn row() -> MutexGuard<'static, Row> {
    ROW.lock()
}

/// Shows `text` in the row of the cursor, on standard error, until something else is written.
pub(crate) fn show_row(text: &str) {
    let mut row = row();
    if !row.amid_line && !row.held_back {
        row.shown = true;
        let text = format!("{CLEAR_ROW}{text}");
        let _ = written(std::io::stderr().as_fd(), text.as_bytes());
    }
}

/// Removes the row that [`show_row`] shows.
pub(crate) fn remove_row() {
    row().remove();
}

/// Removes the row, and shows none while it is held back.
pub(crate) fn hold_row_back(held_back: bool) {
    let mut row = row();
    row.held_back = held_back;
    if held_back {
        row.remove();
    }
}

impl Row {
    fn remove(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = written(std::io::stderr().as_fd(), CLEAR_ROW.as_bytes());
        }
    }
}

/// Makes each line of standard error a JSON object.
pub(crate) fn log_as_json() {
    LOG_IS_JSON.store(true, Ordering::SeqCst);
}

/// Writes an entry of the log: the fields, and the time.
pub(crate) fn log(fields: serde_json::Value, may_wait: bool) {
    let line = entry(fields);
    let patience = match may_wait {
        true => Patience::UntilStopped,
        false => Patience::Short,
    };
    STDERR.write(line.as_bytes(), true, patience);
}

/// An entry of the log as a line.
fn entry(mut fields: serde_json::Value) -> String {
    let mut entry = json!({ "time": jiff::Timestamp::now() });
    hide_kept(&mut fields);
    if let (Some(entry), Some(fields)) = (entry.as_object_mut(), fields.as_object_mut()) {
        entry.append(fields);
    }
    entry.to_string()
}

/// Hides the secrets that the program got, before JSON escapes them.
fn hide_kept(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = redact::without_kept(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(hide_kept),
        Value::Object(fields) => fields.values_mut().for_each(hide_kept),
        _ => {}
    }
}

/// The outlet for results of scripts and commands.
pub(crate) fn stdout() -> &'static Outlet {
    &STDOUT
}

/// The outlet for notes and diagnostics.
pub(crate) fn stderr() -> &'static Outlet {
    &STDERR
}

/// Ends the waits of all writers, because the script is being stopped.
pub(crate) fn hurry() {
    IN_A_HURRY.store(true, Ordering::SeqCst);
    for outlet in [&STDOUT, &STDERR] {
        // A writer that holds the lock has not gone to sleep yet and would miss the call.
        drop(outlet.lock());
        outlet.changed.notify_all();
    }
}

/// True if a script is being stopped.
pub(crate) fn is_in_a_hurry() -> bool {
    IN_A_HURRY.load(Ordering::SeqCst)
}

/// Forgets a stop before something new begins.
pub(crate) fn take_time() {
    IN_A_HURRY.store(false, Ordering::SeqCst);
}

/// Waits until everything is written, only briefly after a stop; returns whether it is.
pub(crate) fn drain() -> bool {
    let written = [&STDOUT, &STDERR].map(|outlet| outlet.waits_until_idle(Patience::AtTheEnd));
    written == [true, true]
}

/// The time to wait for a reader.
#[derive(Clone, Copy)]
enum Patience {
    /// Until a stop, and then for a short while.
    UntilStopped,
    /// Wait a short while, and not again until the reader has caught up.
    Short,
    /// Not at all.
    None,
    /// Until a stop, and then for the last time.
    AtTheEnd,
}

/// A stream of this process with its queue of lines.
pub(crate) struct Outlet {
    name: &'static str,
    /// True if the queue is empty and nothing is being written.
    idle: AtomicBool,
    state: Mutex<WriterState>,
    /// Notified of free room, of the end of writing, and of stops.
    changed: Condvar,
    /// Notified of something to write.
    filled: Condvar,
}

#[derive(Default)]
struct WriterState {
    waiting: Vec<u8>,
    /// True while the thread is inside `write`.
    writing: bool,
    /// True while the thread waits for text.
    asleep: bool,
    started: bool,
    /// True while one writer adds a long text in parts; other writers wait.
    taken: bool,
    /// True if a writer stopped waiting for the reader. It is reset once the queue is empty.
    gave_up: bool,
    lost: bool,
}

impl Outlet {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            idle: AtomicBool::new(true),
            state: Mutex::new(WriterState {
                waiting: Vec::new(),
                writing: false,
                asleep: false,
                started: false,
                taken: false,
                gave_up: false,
                lost: false,
            }),
            changed: Condvar::new(),
            filled: Condvar::new(),
        }
    }

    /// Writes a line of virhai's own, which may have colours.
    pub(crate) fn line(&'static self, line: &str) {
        self.write(self.safe(line).as_bytes(), true, Patience::UntilStopped);
    }

    /// Writes `bytes`.
    pub(crate) fn bytes(&'static self, bytes: &[u8]) {
        self.write(bytes, false, Patience::UntilStopped);
    }

    /// Writes a line without blocking on a slow reader.
    fn line_soon(&'static self, line: &str) {
        self.write(self.safe(line).as_bytes(), true, Patience::Short);
    }

    /// Writes a line if there is room for it now.
    pub(crate) fn line_now(&'static self, line: &str) {
        self.write(self.safe(line).as_bytes(), true, Patience::None);
    }

    /// Returns true if the stream is a terminal.
    fn is_terminal(&self) -> bool {
        match std::ptr::eq(self, &STDOUT) {
            true => std::io::stdout().is_terminal(),
            false => std::io::stderr().is_terminal(),
        }
    }

    /// `line` as a terminal may get it; a pipe or file gets it as it is.
    fn safe<'a>(&self, line: &'a str) -> Cow<'a, str> {
        if std::ptr::eq(self, &STDERR) && LOG_IS_JSON.load(Ordering::SeqCst) {
            return Cow::Owned(entry(json!({ "kind": "message", "text": line })));
        }
        let line = redact::without_kept(line);
        match (self.is_terminal(), line) {
            (true, Cow::Borrowed(line)) => terminal::with_colors(line),
            (true, Cow::Owned(line)) => Cow::Owned(terminal::with_colors(&line).into_owned()),
            (false, line) => line,
        }
    }

    /// Returns true if the reader of a pipe has closed it.
    pub(crate) fn has_closed(&self) -> bool {
        std::ptr::eq(self, &STDOUT) && STDOUT_CLOSED.load(Ordering::SeqCst)
    }

    /// Returns true if output was lost: the disk is full, or a stop came before it was written.
    /// Output to a closed pipe does not count as lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, WriterState> {
        self.state.lock()
    }

    /// The other stream, which may lead to the same terminal.
    fn other(&self) -> &'static Outlet {
        match std::ptr::eq(self, &STDOUT) {
            true => &STDERR,
            false => &STDOUT,
        }
    }

    fn write(&'static self, text: &[u8], ends: bool, patience: Patience) {
        // Both streams can go to one terminal: keep their lines in order.
        let other = self.other();
        if !other.idle.load(Ordering::Acquire) {
            other.waits_until_idle(patience);
        }
        let mut state = self.waits_for(self.lock(), patience, |state| {
            !state.taken && state.waiting.len() < ROOM
        });
        let long = text.len() > ROOM;
        let free = !state.taken;
        state.taken |= long;
        for part in text.chunks(ROOM) {
            if state.waiting.len() >= ROOM {
                state = self.waits_for(state, patience, |state| state.waiting.len() < ROOM);
            }
            if state.waiting.len() >= ROOM_IN_A_HURRY {
                state.lost = true;
                break;
            }
            state.waiting.extend_from_slice(part);
            self.wake(&mut state);
        }
        if ends {
            state.waiting.push(b'\n');
            self.wake(&mut state);
        }
        if long && free {
            state.taken = false;
            self.changed.notify_all();
        }
    }

    /// Makes the thread write the queue.
    fn wake(&'static self, state: &mut WriterState) {
        self.idle.store(false, Ordering::Release);
        if !state.started {
            let writer = std::thread::Builder::new().name(self.name.into());
            match writer.spawn(|| self.write_all()) {
                Ok(_) => state.started = true,
                // Without a thread, writing waits for the reader, as it does elsewhere.
                Err(_) => {
                    let text = std::mem::take(&mut state.waiting);
                    state.lost |= !self.reaches(&text);
                    self.idle.store(true, Ordering::Release);
                }
            }
        } else if std::mem::take(&mut state.asleep) {
            self.filled.notify_one();
        }
    }

    /// Waits until `ready`, as long as `patience` lasts.
    fn waits_for<'a>(
        &self,
        mut state: MutexGuard<'a, WriterState>,
        patience: Patience,
        ready: impl Fn(&WriterState) -> bool,
    ) -> MutexGuard<'a, WriterState> {
        let mut until = None;
        while !ready(&state) {
            if until.is_none() {
                until = self.gives_up_at(&state, patience);
            }
            let Some(until) = until else {
                self.changed.wait(&mut state);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.gave_up = true;
                break;
            }
            self.changed.wait_for(&mut state, left);
        }
        state
    }

    /// The time when a writer with that patience gives up its reader, if it is already known.
    fn gives_up_at(&self, state: &WriterState, patience: Patience) -> Option<Instant> {
        let in_a_hurry = IN_A_HURRY.load(Ordering::SeqCst);
        let time = match patience {
            Patience::None => Duration::ZERO,
            Patience::UntilStopped | Patience::AtTheEnd if !in_a_hurry => return None,
            Patience::AtTheEnd if state.gave_up => SHORT / 4,
            Patience::AtTheEnd => LAST,
            _ if state.gave_up => Duration::ZERO,
            _ => SHORT,
        };
        Some(Instant::now() + time)
    }

    /// Waits until the queue is written; returns whether it is.
    fn waits_until_idle(&self, patience: Patience) -> bool {
        let idle = |state: &WriterState| state.waiting.is_empty() && !state.writing;
        idle(&self.waits_for(self.lock(), patience, idle))
    }

    /// Writes the queue for as long as the program runs.
    fn write_all(&self) {
        let mut text = Vec::new();
        loop {
            let mut state = self.lock();
            state.writing = false;
            if state.waiting.is_empty() {
                state.gave_up = false;
                self.idle.store(true, Ordering::Release);
                self.changed.notify_all();
            }
            while state.waiting.is_empty() {
                state.asleep = true;
                self.filled.wait(&mut state);
            }
            state.asleep = false;
            state.writing = true;
            std::mem::swap(&mut state.waiting, &mut text);
            drop(state);
            self.changed.notify_all();
            if !self.reaches(&text) {
                self.lock().lost = true;
            }
            text.clear();
        }
    }

    /// Writes all of `text`; returns whether that succeeded or the reader closed the stream.
    fn reaches(&self, text: &[u8]) -> bool {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let stream = match std::ptr::eq(self, &STDOUT) {
            true => stdout.as_fd(),
            false => stderr.as_fd(),
        };
        if !self.is_terminal() {
            return written(stream, text).is_ok();
        }
        let mut row = row();
        row.remove();
        row.amid_line = !text.ends_with(b"\n");
        written(stream, text).is_ok()
    }
}

/// Writes all of `text` to `stream`. A reader that closes the stream is not a failure.
fn written(stream: BorrowedFd, mut text: &[u8]) -> std::io::Result<()> {
    while !text.is_empty() {
        match nix::unistd::write(stream, text) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => text = &text[count..],
            Err(Errno::EINTR) => {}
            // Another process made the stream that it shares with this one non-blocking.
            Err(Errno::EAGAIN) => {
                let mut waited = [PollFd::new(stream, PollFlags::POLLOUT)];
                match nix::poll::poll(&mut waited, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(Errno::EPIPE) => {
                if stream.as_raw_fd() == std::io::stdout().as_raw_fd() {
                    STDOUT_CLOSED.store(true, Ordering::SeqCst);
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A stream as the place where a script's lines go.
pub(crate) struct Lines(pub(crate) &'static Outlet);

impl Sink for Lines {
    fn width(&self) -> Option<usize> {
        self.0.is_terminal().then(crate::columns::columns)
    }

    fn write_line(&self, line: &str, may_wait: bool) {
        // Colours in a script's output are not virhai's own.
        let line = match self.0.is_terminal() {
            true => terminal::visible(line),
            false => Cow::Borrowed(line),
        };
        match may_wait {
            true => self.0.line(&line),
            false => self.0.line_soon(&line),
        }
    }
}

/// The log on standard error as JSON; its lines are notes, or output of a script.
pub(crate) struct JsonLog(pub(crate) &'static str);

impl Sink for JsonLog {
    fn write_line(&self, line: &str, may_wait: bool) {
        log(json!({ "kind": self.0, "text": line }), may_wait);
    }

    fn write_step(&self, news: &StepNews, may_wait: bool) {
        let seconds = news.took.map(|took| took.as_secs_f64());
        let fields = json!({
            "kind": "step", "step": news.number, "title": news.title, "depth": news.depth,
            "event": news.event, "seconds": seconds,
        });
        log(fields, may_wait);
    }
}
