//! Opening and closing: a deadline on the way in, keepalive once there.

use std::fmt::Write;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};
use virt::connect::Connect;

use super::tunnel::{self, Tunnel};
use super::{Connection, access, embed};
use crate::api::arguments::{RhaiResultOf, duration, number, text, unknown_key};
use crate::api::option_keys;
use crate::error::{Error, file_content};
use crate::interrupt::Interrupt;
use crate::libvirt::connection::{self, Credentials};
use crate::libvirt::{Failure, Result, event_loop};
use crate::patience::{self, NoAnswer};
use crate::redact;
use crate::session::Session;
use crate::uri::{Reading, in_process};
use crate::waiting::Waiting;

/// What to connect to, and how; enough to connect again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(super) uri: Option<String>,
    pub(super) read_only: bool,
    credentials: Credentials,
    pub(super) timeout: Duration,
}

impl Target {
    fn new(session: &Session, uri: Option<&str>) -> Self {
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

/// How long an `ssh` may take to end that was told to.
const END_OF_SSH: Duration = Duration::from_secs(2);

/// How often an `ssh` is told to end.
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
    let answer = patience::answer("libvirt open", target.timeout, interrupt, move || {
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
        let (code, message) = match why {
            NoAnswer::Stopped => return Err(stopped()),
            NoAnswer::TimedOut => {
                let waited = humantime::format_duration(target.timeout);
                (
                    virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                    format!("no answer within {waited}"),
                )
            }
            NoAnswer::NoThread(error) => (virt_sys::VIR_ERR_SYSTEM_ERROR, error.to_string()),
        };
        Err(Failure::new(code, message))
    })
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

fn connect_to(ctx: &NativeCallContext, mut target: Target) -> RhaiResultOf<Connection> {
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
    let opened = open(&target, session.interrupt());
    drop(waiting);
    match opened {
        Ok(connect) => {
            let connection = Connection::new(session, target, connect);
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

/// The names of the questions that `connect_auth` can answer, by `virConnectCredentialType`.
pub(crate) const CREDENTIALS: [(&str, u32); 7] = [
    ("username", virt_sys::VIR_CRED_USERNAME),
    ("authname", virt_sys::VIR_CRED_AUTHNAME),
    ("language", virt_sys::VIR_CRED_LANGUAGE),
    ("cnonce", virt_sys::VIR_CRED_CNONCE),
    ("passphrase", virt_sys::VIR_CRED_PASSPHRASE),
    ("password", virt_sys::VIR_CRED_PASSPHRASE),
    ("realm", virt_sys::VIR_CRED_REALM),
];

#[export_module]
pub(super) mod functions {
    /// Opens the default hypervisor: `-c`, else `LIBVIRT_DEFAULT_URI`, else libvirt's own choice.
    ///
    /// Throws when no host answers within the session's time for connecting, 30 seconds unless
    /// set. A remote connection is kept alive: a host that stops answering for some 20 seconds is
    /// an error on the next call, and not a hang. A quick call, such as a lookup or `suspend`, throws
    /// `VIR_ERR_OPERATION_TIMEOUT` if libvirt does not answer within `--call-timeout` (60 seconds by
    /// default).
    ///
    /// ```rhai
    /// let conn = connect();
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_default(ctx: NativeCallContext) -> RhaiResultOf<Connection> {
        let session = Session::of(&ctx);
        // libvirt reads it too, but would not say in a failure what it read.
        let default = std::env::var("LIBVIRT_DEFAULT_URI")
            .ok()
            .filter(|uri| !uri.is_empty());
        let uri = session.uri().map(str::to_owned).or(default);
        connect_to(&ctx, Target::new(&session, uri.as_deref()))
    }

    /// Opens the hypervisor at `uri`.
    ///
    /// A URI that names a program, a key, a socket or a driver that runs programs needs
    /// `--allow-connect URI`, unless the user gave it with `-c` or LIBVIRT_DEFAULT_URI.
    ///
    /// `test:///FILE` is a test host that the file describes; it needs `--allow-read FILE`.
    ///
    /// `qemu:///embed?root=DIR` is QEMU without a daemon: DIR is made where it does not exist, and
    /// holds all of that hypervisor's state. Only one process can have it open. It needs
    /// `--allow-embed DIR`, which lets the script do all that its user can.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.uri, "test:///default");
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect(ctx: NativeCallContext, uri: &str) -> RhaiResultOf<Connection> {
        connect_to(&ctx, Target::new(&Session::of(&ctx), Some(uri)))
    }

    /// Opens the hypervisor at `uri` with options: `read_only`, and `timeout` as a duration.
    ///
    /// ```rhai
    /// let conn = connect("test:///default", #{ timeout: "5s", read_only: true });
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(
        ctx: NativeCallContext,
        uri: &str,
        options: Map,
    ) -> RhaiResultOf<Connection> {
        unknown_key(&ctx, &options, option_keys::CONNECT.into_iter())?;
        let mut target = Target::new(&Session::of(&ctx), Some(uri));
        if let Some(value) = options.get("timeout") {
            target.timeout = duration(&ctx, value)?;
        }
        if let Some(value) = options.get("read_only") {
            target.read_only |= value.as_bool().map_err(|kind| {
                Error::invalid(&ctx, format!("`read_only` must be a bool, not {kind}")).throw()
            })?;
        }
        connect_to(&ctx, target)
    }

    /// Opens the hypervisor at `uri` for reading only; calls that change something throw.
    ///
    /// ```rhai
    /// let dom = connect_read_only("test:///default").lookup_by_name("test");
    /// try {
    ///     dom.destroy();
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_DENIED");
    /// }
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect_read_only(ctx: NativeCallContext, uri: &str) -> RhaiResultOf<Connection> {
        connect_to(
            &ctx,
            Target {
                read_only: true,
                ..Target::new(&Session::of(&ctx), Some(uri))
            },
        )
    }

    /// Opens the hypervisor at `uri` and answers its questions with `credentials`.
    ///
    /// `credentials` is a map with `username`, `password`, and where a host asks for them
    /// `authname`, `passphrase`, `realm`, `language`, `cnonce`.
    ///
    /// ```rhai
    /// let conn = connect_auth("test:///default", #{ username: "admin", password: "secret" });
    /// assert(conn.is_alive());
    /// ```
    /// Calls virConnectOpenAuth.
    #[rhai_fn(return_raw)]
    pub fn connect_auth(
        ctx: NativeCallContext,
        uri: &str,
        credentials: Map,
    ) -> RhaiResultOf<Connection> {
        unknown_key(
            &ctx,
            &credentials,
            CREDENTIALS.iter().map(|(name, _)| *name),
        )?;
        let mut target = Target::new(&Session::of(&ctx), Some(uri));
        for (name, kind) in CREDENTIALS {
            if let Some(value) = credentials.get(name) {
                let answer = value.clone().into_immutable_string().map_err(|found| {
                    Error::invalid(&ctx, format!("`{name}` must be text, not {found}")).throw()
                })?;
                target
                    .credentials
                    .answers
                    .push((kind, text(&ctx, name, &answer)?.to_owned()));
            }
        }
        connect_to(&ctx, target)
    }

    /// Ends the connection; its domains can no longer be used. A second `close` does nothing.
    ///
    /// Guests started with `VIR_DOMAIN_START_AUTODESTROY` are destroyed.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.close();
    /// conn.close();
    /// try {
    ///     conn.get_hostname();
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_INVALID_CONN");
    /// }
    /// ```
    /// Calls virConnectClose.
    #[rhai_fn(pure)]
    pub fn close(conn: &mut Connection) {
        conn.end();
    }

    /// Whether the connection is open and its host still answers.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.is_alive());
    /// conn.close();
    /// assert(!conn.is_alive());
    /// ```
    /// Calls virConnectIsAlive.
    #[rhai_fn(pure)]
    pub fn is_alive(conn: &mut Connection) -> bool {
        conn.connect()
            .is_ok_and(|connect| connect.is_alive().unwrap_or(false))
    }

    /// Whether what crosses the network is encrypted.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").is_encrypted());
    /// ```
    /// Calls virConnectIsEncrypted.
    #[rhai_fn(pure, return_raw)]
    pub fn is_encrypted(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<bool> {
        conn.call(
            &ctx,
            "virConnectIsEncrypted",
            "ask whether the connection is encrypted",
            Connect::is_encrypted,
        )
    }

    /// Whether nobody else can listen: encrypted, or within this machine.
    ///
    /// ```rhai
    /// assert(connect("test:///default").is_secure());
    /// ```
    /// Calls virConnectIsSecure.
    #[rhai_fn(pure, return_raw)]
    pub fn is_secure(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<bool> {
        conn.call(
            &ctx,
            "virConnectIsSecure",
            "ask whether the connection is secure",
            Connect::is_secure,
        )
    }

    /// Asks a silent host every `interval` seconds, and gives it up after `count` missing answers.
    ///
    /// Every remote connection starts with 5 seconds and 3 answers; an interval of 0 turns it
    /// off. libvirt 11.3 ignores other values while it is on. Drivers within the process have nothing to keep alive and throw.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.set_keep_alive(1, 3);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virConnectSetKeepAlive.
    #[rhai_fn(pure, return_raw)]
    pub fn set_keep_alive(
        ctx: NativeCallContext,
        conn: &mut Connection,
        interval: i64,
        count: i64,
    ) -> RhaiResultOf<()> {
        let (interval, count) = (
            number(&ctx, "the interval", interval)?,
            number(&ctx, "the count", count)?,
        );
        conn.call(
            &ctx,
            "virConnectSetKeepAlive",
            "keep the connection alive",
            move |c| c.set_keep_alive(interval, count),
        )
    }
}
