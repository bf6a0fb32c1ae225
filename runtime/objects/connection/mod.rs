//! `Connection`: a hypervisor host, and its objects.

pub(crate) mod access;
mod embed;
mod followed;
mod handles;
mod news;
pub(crate) mod open;
mod permits;
mod refusal;
mod reopen;
mod test_host;
pub(crate) mod tunnel;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rhai::NativeCallContext;
use virt::connect::Connect;

use super::call_class::CallClass;
use super::host_hint::host_hint;
use super::missing;
use crate::error::RhaiResultOf;
use crate::error::{Error, Task};
use crate::libvirt::Failure;
use crate::objects::call_thread::{self, Patience};
use crate::objects::uri::{in_process, is_private};
use crate::objects::watch::Watch;
use crate::redact;
use crate::run::interrupt;
use crate::run::session::Session;
use crate::run::waiting::{ReadProgress, Waiting};
use crate::runbook::twin::Recorder;
pub(crate) use access::admit_destination;
use handles::{Found, Handles};
use news::Known;
pub use news::News;
pub(crate) use open::Target;
pub use open::read_twin;
pub(crate) use permits::Permit;
use permits::Permits;
use reopen::Reopening;

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
    reopening: Reopening,
    names: Mutex<HashMap<&'static str, HashMap<String, String>>>,
    watch: Mutex<Option<Arc<Watch>>>,
    /// All watches so far: a wait can still use a lost one.
    watches: Mutex<Vec<Weak<Watch>>>,
    following: Mutex<Option<Arc<Watch>>>,
    known: Known,
    /// Records the changes that calls make, in a rehearsal.
    recorder: Option<Arc<Recorder>>,
}

impl Connection {
    /// Wraps the connection that `target` opened.
    fn new(
        session: Session,
        target: Target,
        connect: Connect,
        recorder: Option<Arc<Recorder>>,
    ) -> Self {
        // For a tunnel, libvirt's URI names the script that replaces `ssh`, an internal detail.
        let given = target.uri.clone().unwrap_or_default();
        let uri = match tunnel::is_needed(&given) {
            true => given,
            false => connect.uri().unwrap_or(given),
        };
        Self(Arc::new(Shared {
            session,
            target,
            in_process: in_process(&uri) || recorder.as_ref().is_some_and(|one| one.is_twin()),
            uri,
            handles: Handles::new(connect),
            permits: Permits::default(),
            reopening: Reopening::default(),
            names: Mutex::default(),
            watch: Mutex::default(),
            watches: Mutex::default(),
            following: Mutex::default(),
            known: Known::default(),
            recorder,
        }))
    }

    /// The URI of the host as libvirt gives it.
    pub fn uri(&self) -> &str {
        &self.0.uri
    }

    /// True if both connections lead to the same host.
    pub(crate) fn is_same_host(&self, other: &Self) -> bool {
        self == other || (self.uri() == other.uri() && !is_private(self.uri()))
    }

    /// The session that opened this connection.
    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    /// Keeps libvirt's handle of an object and returns the key to it.
    pub(crate) fn keep(&self, handle: impl Any + Send + Sync) -> usize {
        self.0.handles.keep(handle)
    }

    /// Keeps a place for the handle of an object that is found when it is needed, and returns the key to it.
    pub(crate) fn keep_place(&self) -> usize {
        self.0.handles.keep_place()
    }

    /// The handle under `key`, while the connection is open.
    pub(crate) fn handle<T: Any + Send + Sync>(&self, key: usize) -> Result<Arc<T>, Failure> {
        match self.0.handles.object(key) {
            Some(Found::Current(handle) | Found::Stale(handle)) => Ok(handle),
            Some(Found::Wanted) | None => Err(self.closed()),
        }
    }

    /// The handle under `key`, while the connection is open; `None` where it is one of a
    /// connection that was lost and opened again.
    pub(crate) fn live_handle<T: Any + Send + Sync>(
        &self,
        key: usize,
    ) -> Result<Option<Arc<T>>, Failure> {
        if interrupt::shielded() {
            self.connect()?;
        }
        match self.0.handles.object(key) {
            Some(Found::Current(handle)) => Ok(Some(handle)),
            Some(Found::Stale(_) | Found::Wanted) => Ok(None),
            None => Err(self.closed()),
        }
    }

    /// Notes that the object of the type `kind` with that UUID is called `name`.
    pub(crate) fn note_name(&self, kind: &'static str, uuid: &str, name: &str) {
        let mut names = self.0.names.lock();
        let names = names.entry(kind).or_default();
        if names.get(uuid).is_none_or(|known| known != name) {
            names.insert(uuid.to_owned(), name.to_owned());
        }
    }

    /// The last known name of the object of the type `kind` with that UUID.
    pub(crate) fn noted_name(&self, kind: &'static str, uuid: &str) -> Option<String> {
        let names = self.0.names.lock();
        names.get(kind)?.get(uuid).cloned()
    }

    /// Puts another handle in the place of the one under `key`.
    pub(crate) fn replace(&self, key: usize, handle: impl Any + Send + Sync) {
        self.0.handles.replace(key, handle);
    }

    /// Drops the handle under `key`; libvirt does not ask the host for that.
    pub(crate) fn forget(&self, key: usize) {
        drop(self.0.handles.forget(key));
    }

    /// Drops the stream under `key`, and reports its end to the host.
    pub(crate) fn end_stream(&self, key: usize) {
        let stream = self.0.handles.forget(key);
        self.0.let_go(move || drop(stream));
    }

    /// Makes one libvirt call for `task` of the script.
    pub(crate) fn call<T: Send + 'static, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        task: impl Task,
        run: impl Fn(&Connect) -> Result<T, E> + Send + Sync + 'static,
    ) -> RhaiResultOf<T> {
        let subject = task.subject();
        let name = subject.as_ref().map(|subject| subject.name.as_str());
        self.attempt_to(call, name, &|| task.to_string(), run)
            .map_err(|failure| self.error(ctx, failure, call, &task).throw())
    }

    /// The failure of `call` on this host during `task` of the script.
    pub(crate) fn error(
        &self,
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
        task: impl Task,
    ) -> Error {
        let advice = host_hint(self, &failure);
        let missing = missing::hint(failure.code);
        let error = Error::new(ctx, failure, call, task, self.uri());
        match advice.or(missing
            .filter(|_| error.hint().is_none())
            .map(str::to_owned))
        {
            Some(advice) => error.with_hint(advice),
            None => error,
        }
    }

    /// Makes one libvirt call; the caller handles its failure.
    pub(crate) fn attempt<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        run: impl Fn(&Connect) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        self.attempt_to(call, None, &|| call.to_owned(), run)
    }

    /// The same on the object called `name`.
    pub(crate) fn attempt_on<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        name: &str,
        run: impl Fn(&Connect) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        self.attempt_to(call, Some(name), &|| call.to_owned(), run)
    }

    /// The same for the object called `name`; `action` describes the call.
    fn attempt_to<T: Send + 'static, E: Into<Failure>>(
        &self,
        call: &'static str,
        name: Option<&str>,
        action: &dyn Fn() -> String,
        run: impl Fn(&Connect) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, Failure> {
        let run = Arc::new(run);
        again_where_undone(|_| {
            let (connect, run) = (self.connect()?, Arc::clone(&run));
            let names = name.as_slice();
            self.make(call, names, action, move || {
                run(&connect).map_err(Into::into)
            })
        })
    }

    /// Makes the libvirt call `call` on the object called `names` by running `work`. Waits until
    /// the connection permits another call, and abandons the call after the time limit of its
    /// class. `action` describes it.
    pub(crate) fn make<T: Send + 'static>(
        &self,
        call: &'static str,
        names: &[&str],
        action: &dyn Fn() -> String,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let class = CallClass::of(call);
        if class == CallClass::Local {
            return work();
        }
        if class.may_change() {
            let refused = |why| Failure::new(virt_sys::VIR_ERR_OPERATION_DENIED, why);
            self.0.session.before_change().map_err(refused)?;
        }
        self.follow_definition(call, names.first().copied(), || {
            self.observe(call, class, action, || {
                let permit = self.permit(call, names)?;
                self.wait_for(class, permit, action, work)
            })
        })
        .inspect_err(|failure| {
            if failure.lost_connection() {
                self.tell_of_loss();
            }
        })
    }

    /// Makes the call `call` of `class` by `work`, and records its changes in a rehearsal.
    pub(crate) fn observe<T>(
        &self,
        call: &'static str,
        class: CallClass,
        action: &dyn Fn() -> String,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(recorder) = &self.0.recorder else {
            return work();
        };
        self.refuse_in_rehearsal(call, class)?;
        let connect = self.0.handles.connect().filter(|_| class.may_change());
        recorder.follow(call, action, connect.as_deref(), work)
    }

    /// The same for a call that moves the domain with the UUID `uuid` to another host: to `destination`, if the script
    /// has a connection to it.
    pub(crate) fn observe_move<T>(
        &self,
        call: &'static str,
        action: &dyn Fn() -> String,
        uuid: &str,
        destination: Option<&Self>,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(recorder) = &self.0.recorder else {
            return work();
        };
        self.refuse_in_rehearsal(call, CallClass::of(call))?;
        let connect = self.0.handles.connect();
        let _moving = recorder.begin_move(uuid);
        let result = recorder.follow_move(call, action, connect.as_deref(), uuid, work);
        let there = destination.and_then(|there| {
            let recorder = there.0.recorder.as_ref()?;
            Some((recorder, there.0.handles.connect()?))
        });
        if let Some((recorder, connect)) = there {
            recorder.receive(call, uuid, &connect);
        }
        result
    }

    /// True if this is a twin.
    pub(crate) fn is_rehearsed(&self) -> bool {
        let recorder = self.0.recorder.as_ref();
        recorder.is_some_and(|recorder| recorder.is_twin())
    }

    /// True in a rehearsal, which assumes `what` and notes that.
    pub(crate) fn assumes(&self, what: impl FnOnce() -> String) -> bool {
        let twin = self
            .0
            .recorder
            .as_ref()
            .filter(|recorder| recorder.is_twin());
        if let Some(recorder) = twin {
            recorder.assume(&what());
        }
        twin.is_some()
    }

    /// Refuses a change through a connection that the script opened for reading: all connections to a twin are one.
    fn refuse_in_rehearsal(&self, call: &str, class: CallClass) -> Result<(), Failure> {
        if !self.0.target.read_only || !class.may_change() {
            return Ok(());
        }
        let message = format!("operation {call} forbidden for read only access");
        Err(Failure::new(virt_sys::VIR_ERR_OPERATION_DENIED, message))
    }

    /// Waits for `work`, a call of `class` that has its `permit`; `action` describes it.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        class: CallClass,
        permit: Permit,
        action: &dyn Fn() -> String,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.wait_for_job(class, permit, action, None, work)
    }

    /// The same for a job; `progress` reads how far it is.
    pub(crate) fn wait_for_job<T: Send + 'static>(
        &self,
        class: CallClass,
        permit: Permit,
        action: &dyn Fn() -> String,
        progress: Option<ReadProgress>,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.runs_here(class) {
            return work();
        }
        let Permit { place, awaited } = permit;
        let patience = self.patience(class);
        let session = &self.0.session;
        let tell = |since| {
            let what = || format!("{} on {}", action(), self.uri());
            match progress.clone() {
                Some(progress) => Waiting::for_job(session, since, progress, what),
                None => Waiting::since(session, since, what),
            }
        };
        let answer = call_thread::run(session.interrupt(), patience, Some(&tell), move || {
            let _place = place;
            work()
        });
        drop(awaited);
        answer.unwrap_or_else(|why| Err(why.failure(patience.limit)))
    }

    /// True if a call of `class` cannot hang, or may hang as the user wishes, so that it needs no separate thread.
    fn runs_here(&self, class: CallClass) -> bool {
        // QEMU without a daemon can freeze all the same.
        let quick = class == CallClass::Read || !self.uri().contains("///embed");
        let unlimited = class != CallClass::Long && self.call_timeout().is_none();
        unlimited || (self.0.in_process && quick)
    }

    fn patience(&self, class: CallClass) -> Patience {
        Patience {
            limit: class.limit(self.call_timeout()),
            after_stop: class.after_stop(),
        }
    }

    fn call_timeout(&self) -> Option<Duration> {
        self.0.session.call_timeout()
    }

    /// libvirt's handle, while the connection is open.
    pub(crate) fn connect(&self) -> Result<Arc<Connect>, Failure> {
        let connect = self.0.handles.connect().ok_or_else(|| self.closed())?;
        self.revived(connect)
    }

    /// The failure of every use after `close`.
    pub(crate) fn closed(&self) -> Failure {
        Failure::new(
            virt_sys::VIR_ERR_INVALID_CONN,
            format!("the connection to {} is closed", self.uri()),
        )
    }

    /// The right to make the call `call` on the object called `names`, of which a connection gives few at a time. All
    /// calls that can change something need it: refused are those that the session does not allow.
    pub(crate) fn permit(&self, call: &'static str, names: &[&str]) -> Result<Permit, Failure> {
        self.refuse(call, names)?;
        self.use_guest(call, names);
        let class = CallClass::of(call);
        let limit = class.limit(self.call_timeout());
        self.0
            .permits
            .take(class, limit, self.0.session.interrupt())
    }

    /// The rights to make the long call `call` for the object called `names` on this connection and on `other`, which
    /// may be the same.
    pub(crate) fn permits_with(
        &self,
        other: &Connection,
        call: &'static str,
        names: &[&str],
    ) -> Result<(Permit, Option<Permit>), Failure> {
        self.refuse(call, names)?;
        other.refuse(call, names)?;
        self.use_guest(call, names);
        let interrupt = self.0.session.interrupt();
        self.0.permits.take_with(&other.0.permits, interrupt)
    }

    /// The right to make a quick read, if there is one left.
    pub(crate) fn permit_now(&self) -> Option<Permit> {
        self.0.permits.take_now(self.0.session.interrupt())
    }

    /// This connection's events; opens a second connection where calls could starve them.
    pub(crate) fn watch(&self) -> Result<Arc<Watch>, Failure> {
        let mut slot = self.0.watch.lock();
        if let Some(watch) = slot.as_ref().filter(|watch| !watch.is_lost()) {
            return Ok(Arc::clone(watch));
        }
        let connect = self.connect()?;
        let apart = !self.0.in_process;
        let own = match apart {
            true => {
                let target = self.0.target.again(self.uri());
                let _waiting = open::waiting_for(&self.0.session, &target);
                let own = open::open(&target, self.0.session.interrupt());
                // The reason is the loss of this connection, and not its URI.
                let lost = |failure: Failure| match connect.is_alive() {
                    Ok(true) => failure,
                    _ => Failure::lost(format!("the connection was lost: {}", failure.message)),
                };
                Arc::new(own.map_err(lost)?)
            }
            false => connect,
        };
        let watch = Arc::new(self.watch_on(own));
        if apart {
            watch.reopens(self.reopener());
        }
        let mut watches = self.0.watches.lock();
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&watch));
        *slot = Some(Arc::clone(&watch));
        Ok(watch)
    }

    /// A watch that reads from `connect`.
    fn watch_on(&self, connect: Arc<Connect>) -> Watch {
        let patience = (!self.0.in_process).then(|| self.patience(CallClass::Query));
        Watch::new(
            connect,
            self.uri(),
            patience,
            self.0.session.interrupt().clone(),
        )
    }

    fn following(&self) -> MutexGuard<'_, Option<Arc<Watch>>> {
        self.0.following.lock()
    }

    /// Ends the connection and every handle that it gave out.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}

/// The result of `attempt`. If it lost the connection of a thread that undoes, it is called a second time, with a mark
/// of that.
pub(crate) fn again_where_undone<T>(
    attempt: impl Fn(bool) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match attempt(false) {
        Err(failure) if interrupt::shielded() && failure.lost_connection() => attempt(true),
        result => result,
    }
}

/// Time for a host to end a connection; its answer does not matter.
const ENDING: Patience = Patience {
    limit: Some(Duration::from_secs(5)),
    after_stop: Duration::from_secs(2),
};

impl Shared {
    fn end(&self) {
        let watch = self.watch.lock().take();
        // It holds the connection open, and must not be let go of while it is locked: libvirt may
        // be telling of a loss.
        let following = self.following.lock().take();
        let handles = self.handles.close();
        let watches = std::mem::take(&mut *self.watches.lock());
        if handles.is_none() && watches.is_empty() && following.is_none() {
            return;
        }
        self.let_go(move || {
            let watches = watches.iter().filter_map(Weak::upgrade).chain(following);
            watches.for_each(|watch| watch.close());
            drop((watch, handles));
        });
    }

    /// Runs `work`, which may need an answer from the host, and does not wait long for it.
    fn let_go(&self, work: impl FnOnce() + Send + 'static) {
        if self.in_process {
            return work();
        }
        let _ = call_thread::run(self.session.interrupt(), ENDING, None, work);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let state = if self.0.handles.connect().is_some() {
            ""
        } else {
            ", closed"
        };
        write!(f, "Connection({}{state})", redact::hide_uri(self.uri()))
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
