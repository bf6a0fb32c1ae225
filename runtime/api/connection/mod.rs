//! `Connection`: a hypervisor host, and what it gave out.

pub(crate) mod about;
mod cpu;
mod domains;
mod handles;
mod host;
mod interfaces;
mod networks;
mod news;
mod open;
mod permits;
mod restore;
mod stats;
mod storage;
mod tunnel;
mod uri;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rhai::{Engine, NativeCallContext, exported_module};
use virt::connect::Connect;

use super::arguments::RhaiResultOf;
use super::call_class::Class;
use super::domain::Domain;
use crate::call_thread::{self, Abandoned, Patience};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::session::Session;
use crate::watch::Watch;
use handles::Handles;
use news::Known;
pub use news::News;
pub(crate) use open::{CREDENTIALS, Target};
use permits::{Permit, Permits};
pub(crate) use uri::in_process;

/// An open connection to a hypervisor host; copies are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

struct Shared {
    session: Session,
    target: Target,
    uri: String,
    in_process: bool,
    handles: Handles,
    permits: Permits,
    watch: Mutex<Option<Arc<Watch>>>,
    following: Mutex<Option<Arc<Watch>>>,
    known: Known,
}

impl Connection {
    /// Wraps what `target` opened.
    fn new(session: Session, target: Target, connect: Connect) -> Self {
        // libvirt knows a tunnel by what stands in for `ssh`, which is nobody's business.
        let given = target.uri.clone().unwrap_or_default();
        let uri = match tunnel::is_needed(&given) {
            true => given,
            false => connect.uri().unwrap_or(given),
        };
        Self(Arc::new(Shared {
            session,
            target,
            in_process: in_process(&uri),
            uri,
            handles: Handles::new(connect),
            permits: Permits::default(),
            watch: Mutex::default(),
            following: Mutex::default(),
            known: Known::default(),
        }))
    }

    /// The URI of the host as libvirt gives it.
    pub fn uri(&self) -> &str {
        &self.0.uri
    }

    /// The session that opened this connection.
    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    /// Keeps libvirt's handle of an object and answers the key to it.
    pub(crate) fn keep(&self, handle: impl Any + Send + Sync) -> usize {
        self.0.handles.keep(handle)
    }

    /// The handle under `key`, while the connection is open.
    pub(crate) fn handle<T: Any + Send + Sync>(&self, key: usize) -> Result<Arc<T>, Failure> {
        self.0.handles.object(key).ok_or_else(|| self.closed())
    }

    /// Puts another handle in the place of the one under `key`.
    pub(crate) fn replace(&self, key: usize, handle: impl Any + Send + Sync) {
        self.0.handles.replace(key, handle);
    }

    /// Lets go of the handle under `key`.
    pub(crate) fn forget(&self, key: usize) {
        self.0.handles.forget(key);
    }

    /// Makes one libvirt call while the script tries to `action`.
    pub(crate) fn call<T: Send + 'static, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        action: impl fmt::Display,
        run: impl FnOnce(&Connect) -> Result<T, E> + Send + 'static,
    ) -> RhaiResultOf<T> {
        self.attempt(call, run)
            .map_err(|failure| Error::new(ctx, failure, call, action, self.uri()).throw())
    }

    /// Makes one libvirt call whose failure the caller sees to.
    pub(crate) fn attempt<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        run: impl FnOnce(&Connect) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure> {
        let connect = self.connect()?;
        self.make(call, move || run(&connect).map_err(Into::into))
    }

    /// Makes the libvirt call `call` by `work`, once there is a place for it, and abandons it
    /// where it takes longer than such calls may.
    pub(crate) fn make<T: Send + 'static>(
        &self,
        call: &'static str,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let class = Class::of(call);
        if class == Class::Local {
            return work();
        }
        let permit = self.permit(class)?;
        self.wait_for(class, permit, work)
    }

    /// Waits for `work`, a call of `class` that has its `permit`.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        class: Class,
        permit: Permit,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.returns_by_itself(class) {
            return work();
        }
        let Permit { place, awaited } = permit;
        let limit = class.limit(self.call_timeout());
        let patience = Patience {
            limit,
            after_stop: class.after_stop(),
        };
        let answer = call_thread::run(self.0.session.interrupt(), patience, move || {
            let _place = place;
            work()
        });
        drop(awaited);
        answer.unwrap_or_else(|why| Err(no_answer(why, limit)))
    }

    /// Whether a call of `class` cannot hang, so that it needs no thread of its own.
    fn returns_by_itself(&self, class: Class) -> bool {
        // QEMU without a daemon can freeze all the same.
        self.0.in_process && (class == Class::Read || !self.uri().contains("///embed"))
    }

    fn call_timeout(&self) -> Option<Duration> {
        self.0.session.call_timeout()
    }

    /// libvirt's handle, while the connection is open.
    pub(crate) fn connect(&self) -> Result<Arc<Connect>, Failure> {
        self.0.handles.connect().ok_or_else(|| self.closed())
    }

    /// What every use after `close` gets.
    pub(crate) fn closed(&self) -> Failure {
        Failure::new(
            virt_sys::VIR_ERR_INVALID_CONN,
            format!("the connection to {} is closed", self.uri()),
        )
    }

    /// The right to make a call of `class`, of which a connection gives few at a time.
    pub(crate) fn permit(&self, class: Class) -> Result<Permit, Failure> {
        let limit = class.limit(self.call_timeout());
        self.0
            .permits
            .take(class, limit, self.0.session.interrupt())
    }

    /// The rights to make a long call on this connection and on `other`, which may be the same.
    pub(crate) fn permits_with(
        &self,
        other: &Connection,
    ) -> Result<(Permit, Option<Permit>), Failure> {
        let interrupt = self.0.session.interrupt();
        self.0.permits.take_with(&other.0.permits, interrupt)
    }

    /// The right to make a quick read, if there is one left.
    pub(crate) fn permit_now(&self) -> Option<Permit> {
        self.0.permits.take_now(self.0.session.interrupt())
    }

    /// A script's domain for libvirt's handle.
    pub(crate) fn adopt(&self, domain: virt::domain::Domain) -> Domain {
        Domain::new(self.clone(), domain)
    }

    /// This connection's events; opens a second connection where calls could starve them.
    pub(crate) fn watch(&self) -> Result<Arc<Watch>, Failure> {
        let mut slot = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = slot.as_ref().filter(|watch| !watch.is_lost()) {
            return Ok(Arc::clone(watch));
        }
        let connect = self.connect()?;
        let apart = !self.0.in_process;
        let own = match apart {
            true => Arc::new(open::open(
                &self.0.target.again(self.uri()),
                self.0.session.interrupt(),
            )?),
            false => connect,
        };
        let watch = Arc::new(Watch::new(own, apart));
        *slot = Some(Arc::clone(&watch));
        Ok(watch)
    }

    fn following(&self) -> MutexGuard<'_, Option<Arc<Watch>>> {
        self.0
            .following
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection and every handle that it gave out.
    fn end(&self) {
        self.0
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // It holds the connection open, and must not be let go of while it is locked: libvirt may
        // be telling of a loss.
        let following = self.following().take();
        drop(following);
        self.0.handles.close();
    }
}

/// What an abandoned call gets.
fn no_answer(why: Abandoned, limit: Option<Duration>) -> Failure {
    match why {
        Abandoned::TimedOut => {
            let waited = humantime::format_duration(limit.unwrap_or_default());
            Failure::new(
                virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                format!("no answer from libvirt within {waited}, so the outcome is unknown"),
            )
        }
        Abandoned::Stopped => Failure::new(
            virt_sys::VIR_ERR_OPERATION_ABORTED,
            "the script was stopped before libvirt answered, so the outcome is unknown",
        ),
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let state = if self.0.handles.connect().is_some() {
            ""
        } else {
            ", closed"
        };
        write!(f, "Connection({}{state})", self.uri())
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Connection>("Connection");
    engine.register_global_module(exported_module!(open::functions).into());
    engine.register_global_module(exported_module!(host::functions).into());
    engine.register_global_module(exported_module!(cpu::functions).into());
    engine.register_global_module(exported_module!(domains::functions).into());
    engine.register_global_module(exported_module!(interfaces::functions).into());
    engine.register_global_module(exported_module!(networks::functions).into());
    engine.register_global_module(exported_module!(restore::functions).into());
    engine.register_global_module(exported_module!(stats::functions).into());
    engine.register_global_module(exported_module!(storage::functions).into());
}
