//! Opens and closes connections: a time limit for opening, then keepalive.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rhai::NativeCallContext;
use virt::connect::Connect;

use super::tunnel::{self, Tunnel};
use super::{Connection, access, embed};
use crate::error::RhaiResultOf;
use crate::error::{Error, file_content};
use crate::libvirt::connection::{self, Credentials};
use crate::libvirt::{Failure, Result, event_loop};
use crate::objects::call_thread::{self, Abandoned, Patience};
use crate::objects::uri::{Reading, in_process};
use crate::redact;
use crate::run::interrupt::Interrupt;
use crate::run::session::Session;
use crate::run::timeout::NoAnswer;
use crate::run::waiting::Waiting;
use crate::runbook::twin::host::Host;
use crate::runbook::twin::{self, Recorder, Rehearsal};

/// The target of a connection, complete enough to connect again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) uri: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) credentials: Credentials,
    pub(crate) timeout: Duration,
}

impl Target {
    pub(crate) fn new(session: &Session, uri: Option<&str>) -> Self {
        Self {
            uri: uri.map(str::to_owned),
            read_only: session.read_only(),
            credentials: Credentials::default(),
            timeout: session.connect_timeout(),
        }
    }

    /// The same way to the host that answered under `uri`.
    pub(super) fn again(&self, uri: &str) -> Self {
        Self {
            uri: Some(uri.to_owned()),
            ..self.clone()
        }
    }
}

/// Seconds between two questions to a silent host, and how many may go unanswered.
const KEEPALIVE: (i32, u32) = (5, 3);

/// Time for an `ssh` to end after a signal.
const END_OF_SSH: Duration = Duration::from_secs(2);

/// Interval between the signals that end an `ssh`.
const AGAIN: Duration = Duration::from_millis(100);

/// The bytes of the longest URI: each part of it is copied several times.
const LONGEST_URI: usize = 64 * 1024;

/// Opens `target`, or fails once its time is up or the script is stopped.
pub(super) fn open(target: &Target, interrupt: &Interrupt) -> Result<Connect> {
    let length = target.uri.as_ref().map_or(0, String::len);
    if length > LONGEST_URI {
        let message = format!("the URI has {length} bytes, more than {LONGEST_URI}");
        return Err(Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message));
    }
    event_loop::start();
    if let Some(uri) = target.uri.as_deref().filter(|uri| in_process(uri)) {
        embed::prepare_root(uri, target.read_only)?;
        let connect = open_now(target)?;
        embed::wait_for_take_over(uri, &connect, target.timeout, interrupt)?;
        return Ok(connect);
    }
    let tunnel = target
        .uri
        .as_deref()
        .filter(|uri| tunnel::is_needed(uri))
        .and_then(Tunnel::new);
    let mut own = target.clone();
    if let Some(tunnel) = &tunnel {
        own.uri = Some(tunnel.uri.clone());
    }
    let (returning, returned) = mpsc::channel::<()>();
    // libvirt cannot give up on a silent socket.
    let patience = Patience {
        limit: Some(target.timeout),
        after_stop: Duration::ZERO,
    };
    let answer = call_thread::run(interrupt, patience, None, move || {
        let _returning = returning;
        open_now(&own)
    });
    answer.unwrap_or_else(|why| {
        if let Some(tunnel) = tunnel {
            // It has the terminal until it has ended, and may only just begin.
            let until = Instant::now() + END_OF_SSH;
            tunnel.end();
            while returned.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout)
                && Instant::now() < until
            {
                tunnel.end();
            }
        }
        let why = match why {
            Abandoned::Stopped => NoAnswer::Stopped,
            Abandoned::TimedOut => NoAnswer::TimedOut,
        };
        Err(unanswered(why, target.timeout))
    })
}

/// The failure to connect to a host that did not answer within `limit`.
pub(in crate::objects) fn unanswered(why: NoAnswer, limit: Duration) -> Failure {
    let (code, message) = match why {
        NoAnswer::Stopped => return stopped(),
        NoAnswer::TimedOut => {
            let waited = crate::run::duration_text::plain_duration(limit);
            (
                virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                format!("no answer within {waited}"),
            )
        }
        NoAnswer::NoThread(error) => (virt_sys::VIR_ERR_SYSTEM_ERROR, error.to_string()),
    };
    Failure::new(code, message)
}

/// The wait for the host of `target`.
pub(super) fn waiting_for(session: &Session, target: &Target) -> Waiting {
    let what = || {
        let host = target.uri.as_deref().map(redact::hide_uri);
        format!(
            "connect to {}",
            host.as_deref().unwrap_or("the default hypervisor")
        )
    };
    // Its `ssh` may ask for a password.
    match target.uri.as_deref().is_some_and(tunnel::is_needed) {
        true => Waiting::that_may_ask(session, what),
        false => Waiting::new(session, what),
    }
}

/// The failure of a wait for the host that was stopped.
pub(super) fn stopped() -> Failure {
    Failure::new(
        virt_sys::VIR_ERR_OPERATION_ABORTED,
        "the script was stopped while it waited for the host",
    )
}

fn open_now(target: &Target) -> Result<Connect> {
    let flags = if target.read_only {
        virt_sys::VIR_CONNECT_RO
    } else {
        0
    };
    let uri = target.uri.as_deref();
    let connect = connection::open_auth(uri, &target.credentials, flags)?;
    // Drivers within the process have nothing to keep alive, and refusing takes libvirt a while.
    if !uri.is_some_and(in_process) {
        let _ = connect.set_keep_alive(KEEPALIVE.0, KEEPALIVE.1);
    }
    Ok(connect)
}

pub(crate) fn connect_to(ctx: &NativeCallContext, mut target: Target) -> RhaiResultOf<Connection> {
    let session = Session::of(ctx);
    let given = target.uri.clone();
    let mut names_files = false;
    if given.is_none() {
        access::ensure_named(ctx)?;
    }
    if let Some(uri) = &given {
        let admitted = access::admit(ctx, uri)?;
        target.uri = Some(admitted.uri);
        names_files = admitted.names_files;
    }
    let waiting = waiting_for(&session, &target);
    let opened = open_or_rehearse(&session, &target);
    drop(waiting);
    match opened {
        Ok((connect, recorder)) => {
            let connection = Connection::new(session, target, connect, recorder);
            // A script may open the same host once more by the connection's own URI.
            if !names_files {
                connection.session().give(connection.uri());
            }
            Ok(connection)
        }
        Err(failure) => {
            let failure = without_file_content(failure, target.uri.as_deref());
            let mut action = String::from("connect to ");
            let uri = given.as_deref().unwrap_or_default();
            let _ = match &given {
                Some(uri) => write!(action, "{uri}"),
                None => write!(action, "the default hypervisor"),
            };
            Err(Error::new(ctx, failure, "virConnectOpenAuth", action, uri).throw())
        }
    }
}

/// Reads the host `uri` for a saved twin, through a connection that cannot change it.
///
/// # Errors
///
/// Why the host could not be read, in libvirt's words.
pub fn read_twin(session: &Session, uri: &str) -> std::result::Result<Host, String> {
    let target = Target {
        read_only: true,
        ..Target::new(session, Some(uri))
    };
    let waiting = waiting_for(session, &target);
    let read = open(&target, session.interrupt()).and_then(|connect| twin::read(&connect));
    drop(waiting);
    read.map_err(|failure| failure.message)
}

/// Opens `target`, or in a rehearsal its twin.
fn open_or_rehearse(
    session: &Session,
    target: &Target,
) -> Result<(Connect, Option<Arc<Recorder>>)> {
    let Some(rehearsal) = Rehearsal::of(session) else {
        return Ok((open(target, session.interrupt())?, None));
    };
    let (own, interrupt) = (target.clone(), session.interrupt().clone());
    let opened = rehearsal.open(target.uri.as_deref(), move |for_reading| {
        let target = Target {
            read_only: own.read_only || for_reading,
            ..own.clone()
        };
        open(&target, &interrupt)
    })?;
    Ok((opened.connect, Some(opened.recorder)))
}

/// The failure to open `uri`, without the content of a file that it names.
fn without_file_content(failure: Failure, uri: Option<&str>) -> Failure {
    let host = uri.and_then(Reading::of);
    match (uri, host) {
        (Some(uri), Some(host)) if host.scheme == "test" && in_process(uri) => {
            file_content::of_test_host(failure, &host.path)
        }
        // The daemon reads the file.
        (_, Some(host)) if host.scheme.starts_with("test") => {
            file_content::of_image(failure, &host.path)
        }
        _ => failure,
    }
}
