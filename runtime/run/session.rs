//! The shared state of a running program: defaults, the stop switch, and the output.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rhai::{Dynamic, Engine, NativeCallContext};

use crate::redact;
use crate::run::background::{Unnoticed, Works};
use crate::run::duration_text::plain_duration;
use crate::run::grants::{Asker, Consent, Grants, Refuse, Wish};
use crate::run::hosts::Fleet;
use crate::run::interrupt::{self, Interrupt};
use crate::run::person::{Absent, Person};
use crate::run::report_details::ReportDetails;
use crate::run::sink::{Nowhere, Sink, StepNews};
use crate::run::waiting::{Nobody, WaitObserver, Waiting};
use crate::syntax::key_order::KeyOrder;

/// An object of a host that is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lockable {
    /// Its type.
    pub(crate) kind: &'static str,
    /// Its kind in messages.
    pub(crate) noun: &'static str,
    /// Its UUID.
    pub(crate) uuid: String,
    /// Its name.
    pub(crate) name: String,
}

/// The action before a change of an object; its error is the reason to refuse the change.
type BeforeObject = dyn Fn(&Lockable) -> Result<(), String> + Send + Sync;

/// The action before a change; its error is the reason to refuse the change.
type BeforeChange = dyn Fn() -> Result<(), String> + Send + Sync;

/// The default time limit of a quick libvirt call.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Options for the connections and the output of a session.
pub struct SessionOptions {
    /// The URI that `connect()` opens; if there is none, libvirt chooses.
    pub uri: Option<String>,
    /// True if every connection is opened read-only.
    pub read_only: bool,
    /// The program that makes the calls of the admin API, which cannot be made in the same process
    /// as those of libvirt: virhai itself.
    pub admin_helper: Option<PathBuf>,
    /// Time limit for a host to accept a connection.
    pub connect_timeout: Duration,
    /// Time limit for a quick libvirt call; `None` for no limit.
    pub call_timeout: Option<Duration>,
    /// Time limit for undoing.
    pub undo_timeout: Duration,
    /// The permissions of scripts besides libvirt.
    pub grants: Grants,
    /// The hosts that the user has named.
    pub fleet: Fleet,
    /// Asks the user for permissions that scripts need and do not have.
    pub asker: Box<dyn Asker>,
    /// The output of `print` and `debug`.
    pub output: Box<dyn Sink>,
    /// The output for messages that are not results, such as changes that could not be undone.
    pub notes: Box<dyn Sink>,
    /// Receives the waits of scripts.
    pub waits: Box<dyn WaitObserver>,
    /// The rehearsal, a `runbook::twin::Rehearsal`, that answers in place of the hosts.
    pub rehearsal: Option<Arc<dyn Any + Send + Sync>>,
    /// The person whom scripts can ask.
    pub person: Box<dyn Person>,
    /// True if the progress of steps is printed.
    pub narrates: bool,
    /// True if a run waits for another run that works on the same object; false if it fails.
    pub waits_for_others: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            uri: None,
            read_only: false,
            admin_helper: None,
            connect_timeout: Duration::from_secs(30),
            call_timeout: Some(CALL_TIMEOUT),
            undo_timeout: interrupt::UNDO_TIME,
            grants: Grants::default(),
            fleet: Fleet::default(),
            asker: Box::new(Refuse),
            output: Box::new(Nowhere),
            notes: Box::new(Nowhere),
            waits: Box::new(Nobody),
            rehearsal: None,
            person: Box::new(Absent),
            narrates: false,
            waits_for_others: true,
        }
    }
}

/// One running program: a script, or a prompt with all that is typed at it.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    uri: Option<String>,
    read_only: bool,
    admin_helper: Option<PathBuf>,
    connect_timeout: Duration,
    call_timeout: Option<Duration>,
    grants: Grants,
    fleet: Fleet,
    asker: Box<dyn Asker>,
    answered: Mutex<Grants>,
    asking: Mutex<()>,
    interrupt: Interrupt,
    output: Box<dyn Sink>,
    notes: Box<dyn Sink>,
    waits: Box<dyn WaitObserver>,
    rehearsal: Option<Arc<dyn Any + Send + Sync>>,
    person: Box<dyn Person>,
    narrates: bool,
    waits_for_others: bool,
    not_undone: Mutex<Vec<String>>,
    uris: Mutex<HashSet<String>>,
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    before_change: OnceLock<Box<BeforeChange>>,
    before_object: OnceLock<Box<BeforeObject>>,
    details: OnceLock<Arc<dyn ReportDetails>>,
    engine: Mutex<Weak<Engine>>,
    works: Works,
    key_order: KeyOrder,
}

impl Session {
    /// A session.
    pub fn new(options: SessionOptions) -> Self {
        Self(Arc::new(Shared {
            uri: options.uri,
            read_only: options.read_only,
            admin_helper: options.admin_helper,
            connect_timeout: options.connect_timeout,
            call_timeout: options.call_timeout,
            grants: options.grants,
            fleet: options.fleet,
            asker: options.asker,
            answered: Mutex::default(),
            asking: Mutex::default(),
            interrupt: Interrupt::with_undo_time(options.undo_timeout),
            output: options.output,
            notes: options.notes,
            waits: options.waits,
            rehearsal: options.rehearsal,
            person: options.person,
            narrates: options.narrates,
            waits_for_others: options.waits_for_others,
            not_undone: Mutex::default(),
            uris: Mutex::default(),
            kept: Mutex::default(),
            before_change: OnceLock::new(),
            before_object: OnceLock::new(),
            details: OnceLock::new(),
            engine: Mutex::default(),
            works: Works::default(),
            key_order: KeyOrder::default(),
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

    /// True if `engine` was built for a session whose script is being stopped.
    pub fn is_stopping(engine: &Engine) -> bool {
        let session = engine.default_tag().read_lock::<Self>();
        session.is_some_and(|session| session.interrupt().stopping().is_some())
    }

    pub(crate) fn into_tag(self) -> Dynamic {
        Dynamic::from(self)
    }

    /// Keeps the shared state of the functions of this session, such as the imports; one value of each type.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, shared: T) {
        let mut kept = self.0.kept.lock();
        kept.insert(TypeId::of::<T>(), Arc::new(shared));
    }

    /// The value that [`Self::keep`] got, if it is a `T`.
    pub(crate) fn kept<T: Any + Send + Sync + Clone>(&self) -> Option<T> {
        let kept = self.0.kept.lock();
        kept.get(&TypeId::of::<T>())?.downcast_ref::<T>().cloned()
    }

    /// The kept value of the type `T`; keeps the default if there is none.
    pub(crate) fn kept_or_default<T: Any + Send + Sync + Clone + Default>(&self) -> T {
        let mut kept = self.0.kept.lock();
        let kept = kept
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        kept.downcast_ref::<T>().cloned().unwrap_or_default()
    }

    /// Runs `action` before each libvirt call that can change a host. If it fails, the call is not made.
    pub(crate) fn on_change(
        &self,
        action: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        let _ = self.0.before_change.set(Box::new(action));
    }

    /// Passes the data of a report besides the steps to `details` from now on.
    pub(crate) fn follow_details(&self, details: Arc<dyn ReportDetails>) {
        let _ = self.0.details.set(details);
    }

    /// The receiver of the details of a report, if a report was requested.
    pub(crate) fn details(&self) -> Option<&dyn ReportDetails> {
        self.0.details.get().map(|details| &**details)
    }

    /// Adds details to the report about the failure of a step or of the run because of `why`.
    pub fn report_failure(&self, why: &str) {
        // A user who stops the run does not wait for details.
        if self.interrupt().stopping().is_some() || interrupt::shielded() {
            return;
        }
        if let Some(details) = self.details() {
            details.failed(why);
        }
    }

    /// Runs `action` before each libvirt call that can change an object of a daemon. If it fails, the call is not made.
    pub(crate) fn on_object_change(
        &self,
        action: impl Fn(&Lockable) -> Result<(), String> + Send + Sync + 'static,
    ) {
        let _ = self.0.before_object.set(Box::new(action));
    }

    /// Runs the action of [`Self::on_object_change`] on the object that `object` returns.
    pub(crate) fn before_object(
        &self,
        object: impl FnOnce() -> Option<Lockable>,
    ) -> Result<(), String> {
        let Some(action) = self.0.before_object.get() else {
            return Ok(());
        };
        object().map_or(Ok(()), |object| action(&object))
    }

    /// Runs the action of [`Self::on_change`].
    pub(crate) fn before_change(&self) -> Result<(), String> {
        self.0.before_change.get().map_or(Ok(()), |action| action())
    }

    /// The rehearsal between scripts and hosts, if it is a `T`.
    pub(crate) fn rehearsal<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.rehearsal.as_ref()?).downcast().ok()
    }

    /// Makes background work of this session's scripts use `engine`, which was built for the session.
    pub fn serve(&self, engine: &Arc<Engine>) {
        *self.0.engine.lock() = Arc::downgrade(engine);
    }

    /// The engine for background work, as long as it exists.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.0.engine.lock().upgrade()
    }

    /// The background work of this session's scripts.
    pub(crate) fn works(&self) -> &Works {
        &self.0.works
    }

    /// Ends the background work of a script that has ended: lets it finish within `grace`, and then stops it. Returns
    /// its failures.
    pub fn end_background(&self, grace: Duration) -> Option<Unnoticed> {
        if self.0.works.is_empty() {
            return None;
        }
        let _waiting = Waiting::new(self, || "the event handlers to return".into());
        self.0.works.end(&self.0.interrupt, grace)
    }

    /// The switch that stops this session's scripts.
    pub fn interrupt(&self) -> &Interrupt {
        &self.0.interrupt
    }

    /// The URI that `connect()` opens.
    pub fn uri(&self) -> Option<&str> {
        self.0.uri.as_deref()
    }

    /// True if the user gave exactly this `uri`, so that scripts may open it whatever it names.
    pub(crate) fn is_given(&self, uri: &str) -> bool {
        let by_user = self.uri() == Some(uri)
            || self.0.grants.connect.iter().any(|given| given == uri)
            || std::env::var("LIBVIRT_DEFAULT_URI").is_ok_and(|default| default == uri);
        by_user || self.uris().contains(uri)
    }

    /// Allows scripts to open `uri` from now on: the user has typed it, or it is already open.
    pub fn give(&self, uri: &str) {
        self.uris().insert(uri.to_owned());
    }

    fn uris(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.uris.lock()
    }

    /// The permissions of scripts besides libvirt.
    pub(crate) fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// The result of `check` for the grants; else for the earlier answers of the user; else for the answer to `wish`.
    pub(crate) fn granted<T>(
        &self,
        check: impl Fn(&Grants) -> Result<T, String>,
        wish: impl FnOnce() -> Option<Wish>,
    ) -> Result<T, String> {
        let allowed = || {
            let answered = self.0.answered.lock();
            check(&self.0.grants).or_else(|why| check(&answered).map_err(|_| why))
        };
        let refused = match allowed() {
            Ok(found) => return Ok(found),
            Err(refused) => refused,
        };
        // A question is not asked during an undo.
        if interrupt::shielded() {
            return Err(refused);
        }
        let Some(wish) = wish() else {
            return Err(refused);
        };
        let _one_at_a_time = self.0.asking.lock();
        // The question before may have answered this one.
        if let Ok(found) = allowed() {
            return Ok(found);
        }
        match self.0.asker.ask(&wish, &self.0.interrupt) {
            Consent::No => Err(refused),
            Consent::Once => check(&wish.granted()),
            Consent::Always => {
                self.0.answered.lock().add(wish.granted());
                check(&wish.granted())
            }
        }
    }

    /// The hosts that the user has named.
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.0.fleet
    }

    /// True if scripts may read the environment variable `name`; does not ask the user.
    pub(crate) fn has_env(&self, name: &str) -> bool {
        let check = |grants: &Grants| match grants.has_env(name) {
            true => Ok(()),
            false => Err(String::new()),
        };
        self.granted(check, || None).is_ok()
    }

    pub(crate) fn read_only(&self) -> bool {
        self.0.read_only
    }

    pub(crate) fn admin_helper(&self) -> Option<&Path> {
        self.0.admin_helper.as_deref()
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.0.connect_timeout
    }

    pub(crate) fn call_timeout(&self) -> Option<Duration> {
        self.0.call_timeout
    }

    /// The order in which the map literals of this session's scripts write their keys.
    pub fn key_order(&self) -> KeyOrder {
        self.0.key_order.clone()
    }

    /// The columns of the terminal that output goes to, if it goes to one.
    pub(crate) fn output_width(&self) -> Option<usize> {
        self.0.output.width()
    }

    /// Writes a line of output.
    pub fn print(&self, line: &str) {
        self.0.output.write_line(line, !interrupt::shielded());
    }

    /// Writes a line that is no part of the result.
    pub fn note(&self, line: &str) {
        self.0.notes.write_line(line, !interrupt::shielded());
    }

    /// Prints the progress of a step, unless the user turned this off.
    pub(crate) fn narrate(&self, news: &StepNews) {
        if self.0.narrates {
            self.0.notes.write_step(news, !interrupt::shielded());
        }
    }

    /// True if a run waits for another run that works on the same object.
    pub(crate) fn waits_for_others(&self) -> bool {
        self.0.waits_for_others
    }

    /// The person whom scripts can ask.
    pub(crate) fn person(&self) -> &dyn Person {
        &*self.0.person
    }

    /// Receives the waits of scripts.
    pub(crate) fn waits(&self) -> &dyn WaitObserver {
        &*self.0.waits
    }

    /// Reports a change that cannot be undone, and records it.
    pub(crate) fn cannot_undo(&self, why: String) {
        let why = redact::hide(&why).into_owned();
        self.note(&format!("cannot undo: {why}"));
        self.0.not_undone.lock().push(why);
    }

    /// Reports that the time limit for undoing ended before the last `steps` were begun.
    pub(crate) fn undo_timed_out(&self, steps: usize) {
        let time = plain_duration(self.interrupt().undo_time());
        let left = match steps {
            0 => String::new(),
            1 => ": 1 step was not undone".into(),
            many => format!(": {many} steps were not undone"),
        };
        self.cannot_undo(format!("undoing timed out after {time}{left}"));
    }

    /// The changes that could not be undone since the last call.
    pub fn not_undone(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.not_undone.lock())
    }
}
