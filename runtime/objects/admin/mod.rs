//! The admin API of a daemon: its connection, servers and clients as values for scripts.

mod end;
mod helper;
mod process;
mod protocol;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rhai::NativeCallContext;

use super::call_class::CallClass;
use super::call_thread::{self, Patience};
use super::connection::access::{DEFAULT_DAEMON, admit_daemon};
use super::connection::open;
use crate::error::{Error, On, RhaiResultOf, Task};
use crate::libvirt::{Failure, Result};
use crate::objects::uri::host_of;
use crate::redact;
use crate::run::awaited::Waited;
use crate::run::exit::terminated;
use crate::run::grants::Call;
use crate::run::session::Session;
use crate::run::timeout;
use crate::run::waiting::Waiting;
use end::End;
pub use helper::serve_admin_api;
use process::Process;
pub(crate) use protocol::{Answer, Facts, OfServer, Params, Request};

/// The argument by which virhai starts itself as the helper process.
pub const HELPER: &str = "--serve-admin-api";

/// A connection to a daemon's admin socket; copies are the same connection.
#[derive(Clone)]
pub struct AdminConnection(Arc<Shared>);

struct Shared {
    session: Session,
    uri: String,
    /// The helper; `None` after the script has closed the connection.
    process: Mutex<Option<Arc<Process>>>,
    end: End,
}

impl AdminConnection {
    /// Opens the daemon at `uri`, or the one that the user's environment names.
    pub(crate) fn open(ctx: &NativeCallContext, uri: Option<&str>) -> RhaiResultOf<Self> {
        let session = Session::of(ctx);
        let default = || {
            std::env::var(DEFAULT_DAEMON)
                .ok()
                .filter(|uri| !uri.is_empty())
        };
        let Some(uri) = uri.map(str::to_owned).or_else(default) else {
            return Error::refuse(
                ctx,
                format!(
                    "no daemon was named: the environment variable {DEFAULT_DAEMON} is not set"
                ),
                "name the daemon, as in `connect_admin(\"libvirtd:///system\")`",
            );
        };
        let uri = admit_daemon(ctx, &uri)?;
        let task = format!("connect to the daemon at {uri}");
        let waiting = Waiting::new(&session, || redact::hide(&task).into_owned());
        let opened = Self::start(session, &uri);
        drop(waiting);
        opened.map_err(|failure| Error::new(ctx, failure, "virAdmConnectOpen", task, &uri).throw())
    }

    fn start(session: Session, uri: &str) -> Result<Self> {
        let Some(program) = session.admin_helper() else {
            let message = "this program has no process for the admin API";
            return Err(Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message));
        };
        let end = End::default();
        let process = Arc::new(Process::start(program, end.clone())?);
        let limit = session.connect_timeout();
        let (own, wanted) = (Arc::clone(&process), uri.to_owned());
        let answer =
            timeout::run_with_timeout("admin API", limit, session.interrupt(), move || {
                own.call(Request::Open(wanted))
            });
        let uri = answer
            .unwrap_or_else(|why| Err(open::unanswered(why, limit)))?
            .text();
        Ok(Self(Arc::new(Shared {
            session,
            uri,
            process: Mutex::new(Some(process)),
            end,
        })))
    }

    /// The URI of the daemon as libvirt gives it.
    pub(crate) fn uri(&self) -> &str {
        &self.0.uri
    }

    /// True if the connection is open.
    pub(crate) fn is_alive(&self) -> bool {
        let task = "ask whether the connection is open";
        let alive = self.attempt("virAdmConnectIsAlive", &task, Request::IsAlive);
        matches!(alive, Ok(Answer::Truth(true)))
    }

    fn process(&self) -> Result<Arc<Process>> {
        self.0.process().clone().ok_or_else(|| {
            let message = format!("the connection to {} is closed", self.uri());
            Failure::new(virt_sys::VIR_ERR_INVALID_CONN, message)
                .advise("open it again with `connect_admin(uri)`")
        })
    }

    /// Makes one libvirt call for `task` of the script.
    pub(crate) fn call(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        task: impl Task,
        request: Request,
    ) -> RhaiResultOf<Answer> {
        self.attempt(call, &task, request)
            .map_err(|failure| Error::new(ctx, failure, call, &task, self.uri()).throw())
    }

    /// Makes one libvirt call; the caller handles its failure.
    pub(crate) fn attempt(
        &self,
        call: &'static str,
        task: &dyn fmt::Display,
        request: Request,
    ) -> Result<Answer> {
        let process = self.process()?;
        let (class, session) = (CallClass::of(call), &self.0.session);
        if class.may_change() && session.read_only() {
            let message = format!("{call} changes the daemon, and the session is read only");
            return Err(Failure::new(virt_sys::VIR_ERR_OPERATION_DENIED, message)
                .advise("run virhai without `--readonly`"));
        }
        let refusal = session.grants().refusal(&Call {
            function: call,
            changes: class.may_change(),
            names: &[],
            hosts: &[self.uri(), &host_of(self.uri())],
        });
        if let Some(why) = refusal {
            return Err(Failure::new(virt_sys::VIR_ERR_ACCESS_DENIED, why));
        }
        let patience = Patience {
            limit: class.limit(session.call_timeout()),
            after_stop: class.after_stop(),
        };
        let tell = |since| Waiting::since(session, since, || format!("{task} on {}", self.uri()));
        let work = move || process.call(request);
        call_thread::run(session.interrupt(), patience, Some(&tell), work)
            .unwrap_or_else(|why| Err(why.failure(patience.limit)))
    }

    /// Waits until the daemon or libvirt ends the connection; returns a `virConnectCloseReason`.
    pub(crate) fn wait_for_end(
        &self,
        ctx: &NativeCallContext,
        timeout: Duration,
    ) -> RhaiResultOf<i64> {
        let fail = |failure| {
            let task = "wait for the end of the connection";
            Error::new(
                ctx,
                failure,
                "virAdmConnectRegisterCloseCallback",
                task,
                self.uri(),
            )
            .throw()
        };
        self.process().map_err(fail)?;
        let session = &self.0.session;
        let _waiting = Waiting::new(session, || {
            format!("the end of the connection to {}", self.uri())
        });
        match self.0.end.wait(timeout, session.interrupt()) {
            Waited::Found(reason) => Ok(reason),
            Waited::Stopped => Err(terminated(ctx)),
            Waited::TimedOut => {
                let waited = crate::run::duration_text::plain_duration(timeout);
                let message = format!("the connection is still open after {waited}");
                let timed_out = virt_sys::VIR_ERR_OPERATION_TIMEOUT;
                Err(fail(Failure::new(timed_out, message)))
            }
        }
    }

    /// Ends the connection; its servers and clients can no longer be used.
    pub(crate) fn end(&self) {
        let process = self.0.process().take();
        drop(process);
    }

    /// The server called `name`.
    pub(crate) fn server(&self, name: String) -> AdminServer {
        AdminServer(Arc::new((self.clone(), name)))
    }
}

impl Shared {
    fn process(&self) -> MutexGuard<'_, Option<Arc<Process>>> {
        self.process.lock()
    }
}

impl fmt::Display for AdminConnection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let state = match self.0.process().is_some() {
            true => "",
            false => ", closed",
        };
        write!(
            f,
            "AdminConnection({}{state})",
            redact::hide_uri(self.uri())
        )
    }
}

impl PartialEq for AdminConnection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A server of a daemon; copies are the same server.
#[derive(Clone)]
pub struct AdminServer(Arc<(AdminConnection, String)>);

impl AdminServer {
    pub(crate) fn name(&self) -> &str {
        &self.0.1
    }

    /// Makes one libvirt call while the script tries to `verb` this server.
    pub(crate) fn call(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: impl fmt::Display,
        request: OfServer,
    ) -> RhaiResultOf<Answer> {
        let request = Request::OfServer(self.name().to_owned(), request);
        let task = On(&verb, "server", self.name());
        self.0.0.call(ctx, call, task, request)
    }

    /// The client with these `facts`.
    pub(crate) fn client(&self, facts: Facts) -> AdminClient {
        AdminClient(Arc::new((self.clone(), facts)))
    }
}

impl fmt::Display for AdminServer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "AdminServer({})", self.name())
    }
}

impl PartialEq for AdminServer {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0 && self.name() == other.name()
    }
}

/// A client of a server; copies are the same client.
#[derive(Clone)]
pub struct AdminClient(Arc<(AdminServer, Facts)>);

impl AdminClient {
    pub(crate) fn facts(&self) -> &Facts {
        &self.0.1
    }

    /// Makes one libvirt call while the script tries to `verb` this client.
    pub(crate) fn call(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        verb: &str,
        request: fn(u64) -> OfServer,
    ) -> RhaiResultOf<Answer> {
        let Facts { id, .. } = self.facts();
        self.0.0.call(
            ctx,
            call,
            format_args!("{verb} client {id} of"),
            request(*id),
        )
    }
}

impl fmt::Display for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (server, facts) = &*self.0;
        write!(f, "AdminClient({} of {})", facts.id, server.name())
    }
}

impl PartialEq for AdminClient {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0 && self.facts().id == other.facts().id
    }
}
