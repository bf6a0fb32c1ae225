//! What the parts of one running program share: defaults, the stop switch, and the output.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rhai::{Dynamic, NativeCallContext};

use crate::grants::Grants;
use crate::interrupt::Interrupt;

/// How long a quick libvirt call may take where the user does not say.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How a session connects and where its scripts print.
pub struct SessionOptions {
    /// What `connect()` opens; libvirt chooses where there is none.
    pub uri: Option<String>,
    /// Whether every connection is opened read-only.
    pub read_only: bool,
    /// How long a host may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long libvirt may take for a call that is quick by nature; `None` for no limit.
    pub call_timeout: Option<Duration>,
    /// What scripts may use besides libvirt.
    pub grants: Grants,
    /// Where `print` and `debug` write.
    pub output: Box<dyn Write + Send>,
    /// Where what is no result goes, such as what could not be undone.
    pub notes: Box<dyn Write + Send>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            uri: None,
            read_only: false,
            connect_timeout: Duration::from_secs(30),
            call_timeout: Some(CALL_TIMEOUT),
            grants: Grants::default(),
            output: Box::new(std::io::sink()),
            notes: Box::new(std::io::sink()),
        }
    }
}

/// One running program: a script, or a prompt with all that is typed at it.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    uri: Option<String>,
    read_only: bool,
    connect_timeout: Duration,
    call_timeout: Option<Duration>,
    grants: Grants,
    interrupt: Interrupt,
    output: Mutex<Box<dyn Write + Send>>,
    notes: Mutex<Box<dyn Write + Send>>,
    not_undone: Mutex<Vec<String>>,
    lost_output: AtomicBool,
}

impl Session {
    /// A session.
    pub fn new(options: SessionOptions) -> Self {
        Self(Arc::new(Shared {
            uri: options.uri,
            read_only: options.read_only,
            connect_timeout: options.connect_timeout,
            call_timeout: options.call_timeout,
            grants: options.grants,
            interrupt: Interrupt::default(),
            output: Mutex::new(options.output),
            notes: Mutex::new(options.notes),
            lost_output: AtomicBool::new(false),
            not_undone: Mutex::default(),
        }))
    }

    /// The session that the engine behind `ctx` was built for.
    pub(crate) fn of(ctx: &NativeCallContext) -> Self {
        ctx.engine()
            .default_tag()
            .clone()
            .try_cast::<Self>()
            .unwrap_or_else(|| Self::new(SessionOptions::default()))
    }

    pub(crate) fn into_tag(self) -> Dynamic {
        Dynamic::from(self)
    }

    /// The switch that stops this session's scripts.
    pub fn interrupt(&self) -> &Interrupt {
        &self.0.interrupt
    }

    /// What `connect()` opens.
    pub fn uri(&self) -> Option<&str> {
        self.0.uri.as_deref()
    }

    /// What scripts may use besides libvirt.
    pub(crate) fn grants(&self) -> &Grants {
        &self.0.grants
    }

    pub(crate) fn read_only(&self) -> bool {
        self.0.read_only
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.0.connect_timeout
    }

    pub(crate) fn call_timeout(&self) -> Option<Duration> {
        self.0.call_timeout
    }

    /// Writes a line of output; a reader who left, as `head` does, is no failure.
    pub fn print(&self, line: &str) {
        if write_line(&self.0.output, line) {
            self.0.lost_output.store(true, Ordering::SeqCst);
        }
    }

    /// Whether something that was to be printed could not be, as on a full disk.
    pub fn has_lost_output(&self) -> bool {
        self.0.lost_output.load(Ordering::SeqCst)
    }

    /// Writes a line that is no part of the result.
    pub fn note(&self, line: &str) {
        let _ = write_line(&self.0.notes, line);
    }

    /// Says what cannot be taken back, and remembers it.
    pub(crate) fn cannot_undo(&self, why: String) {
        self.note(&format!("cannot undo: {why}"));
        let failures = self.0.not_undone.lock();
        failures.unwrap_or_else(PoisonError::into_inner).push(why);
    }

    /// What could not be taken back since this was asked the last time.
    pub fn not_undone(&self) -> Vec<String> {
        let failures = self.0.not_undone.lock();
        std::mem::take(&mut *failures.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes a line; answers whether it was lost.
fn write_line(sink: &Mutex<Box<dyn Write + Send>>, line: &str) -> bool {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    let written = writeln!(sink, "{line}").and_then(|()| sink.flush());
    // A reader who left, as `head` does, has read enough.
    written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe)
}
