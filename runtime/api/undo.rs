//! `all_or_nothing`: what was made before a failure is gone when the error arrives.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, exported_module};
// Marked as volatile, not as deprecated: the version is pinned by the lock file.
#[allow(deprecated)]
use rhai::NativeCallContextStore;

use super::arguments::RhaiResultOf;
use crate::error::{Error, plain};
use crate::run::exit::exit_status;
use crate::run::interrupt::{self, Stop};
use crate::run::session::Session;
use crate::script::isolation::takes;
use crate::syntax::written_names;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Undo>("Undo");
    engine.register_global_module(exported_module!(functions).into());
}

/// How to take back what was done so far; copies are the same list.
#[derive(Clone, Default)]
pub struct Undo(Arc<Mutex<List>>);

/// The steps of one `all_or_nothing`.
#[derive(Default)]
struct List {
    steps: Vec<Step>,
    /// True once the call has returned. A later step would never be undone; and lists that hold each
    /// other without an end could overflow the stack when they are dropped.
    ended: bool,
}

/// One thing to take back, and the script that knows how.
struct Step {
    id: u64,
    action: Action,
    #[allow(deprecated)]
    context: NativeCallContextStore,
}

/// How one step is undone.
enum Action {
    /// By a call without arguments.
    Call(FnPtr),
    /// `make` has begun and not returned: `find` looks for its result, and `unmake` removes that.
    Find {
        find: FnPtr,
        unmake: FnPtr,
        /// Whether `unmake` takes what `find` found.
        takes_found: bool,
    },
    /// It is unknown whether there is anything to undo.
    Unknown(String),
}

impl Step {
    fn new(ctx: &NativeCallContext, action: Action) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            action,
            #[allow(deprecated)]
            context: ctx.store_data(),
        }
    }

    /// Undoes the step.
    fn run(mut self, engine: &Engine) -> RhaiResultOf<()> {
        #[allow(deprecated)]
        let context = {
            // The operations of the script do not count against its undo steps.
            self.context.global.num_operations = Default::default();
            self.context.global.level = 0;
            self.context.create_context(engine)
        };
        let call = |action: &FnPtr, made: Option<Dynamic>| {
            let mut action = action.clone();
            made.into_iter().for_each(|made| {
                action.add_curry(made);
            });
            action.call_within_context::<Dynamic>(&context, ())
        };
        match &self.action {
            Action::Call(action) => call(action, None).map(drop),
            Action::Find {
                find,
                unmake,
                takes_found,
            } => match call(find, None)? {
                nothing if nothing.is_unit() => Ok(()),
                found => call(unmake, Some(found).filter(|_| *takes_found)).map(drop),
            },
            Action::Unknown(why) => Err(why.clone().into()),
        }
    }
}

thread_local! {
    /// The innermost list that is being filled on this thread.
    static CURRENT: RefCell<Option<Undo>> = const { RefCell::new(None) };
}

/// The list that is being filled on this thread, for a thread that works on its behalf.
pub(crate) fn current() -> Option<Undo> {
    CURRENT.with_borrow(Clone::clone)
}

/// Does `work` with `undo` as the list that is being filled.
pub(crate) fn filling<T>(undo: Option<Undo>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Undo>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CURRENT.with_borrow_mut(|current| *current = before);
        }
    }
    let _restore = Restore(CURRENT.with_borrow_mut(|current| std::mem::replace(current, undo)));
    work()
}

impl Undo {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.list().steps)
    }

    /// Takes the steps; the list refuses others from now on.
    fn end(&self) -> Vec<Step> {
        let mut list = self.list();
        list.ended = true;
        std::mem::take(&mut list.steps)
    }

    fn add(&self, step: Step) {
        self.list().steps.push(step);
    }

    /// Fails if nobody would undo another step.
    fn ensure_open(&self, ctx: &NativeCallContext) -> RhaiResultOf<()> {
        if !self.list().ended {
            return Ok(());
        }
        let message = "the `all_or_nothing` that this undo list belongs to has ended";
        Error::refuse(
            ctx,
            message,
            "record the step inside the closure that `all_or_nothing` calls",
        )
    }

    /// Removes the step `id`, unless all were forgotten meanwhile.
    fn remove(&self, id: u64) {
        self.list().steps.retain(|step| step.id != id);
    }

    /// Takes everything back, the last first, whatever stops the script; says what it cannot.
    fn run(&self, ctx: &NativeCallContext) {
        let session = Session::of(ctx);
        let _shield = session.interrupt().shield();
        let mut steps = self.take();
        while let Some(step) = steps.pop() {
            if session.interrupt().stopping().is_some() {
                steps.push(step);
                session.undo_timed_out(steps.len());
                return;
            }
            // A defect in one step must not keep the others from being taken.
            let done = crate::run::guarded::guarded(|| filling(None, || step.run(ctx.engine())));
            if let Err(error) = done {
                let stop = session.interrupt().stopping();
                let why = match (stop, error.unwrap_inner()) {
                    (Some(stop), EvalAltResult::ErrorTerminated(..)) => {
                        format!("{stop}{}", at(&error))
                    }
                    _ => reason(ctx.engine(), &error),
                };
                session.cannot_undo(why);
                if stop.is_some() {
                    session.undo_timed_out(steps.len());
                    return;
                }
            }
            // A step can record steps, too.
            steps.extend(self.take());
        }
    }

    /// Calls `make`, and records the step that undoes it.
    fn make(
        &self,
        ctx: &NativeCallContext,
        make: &FnPtr,
        unmake: FnPtr,
        find: Option<FnPtr>,
    ) -> RhaiResultOf<Dynamic> {
        self.ensure_open(ctx)?;
        // A closure that cannot be called would fail when it is too late, while undoing.
        let takes_made = takes(ctx, &unmake, 1).unwrap_or(true);
        if !takes_made {
            let what = "the undo closure takes one argument (the result of the step) or none";
            ensure_takes_none(ctx, &unmake, what)?;
        }
        if let Some(find) = &find {
            ensure_takes_none(
                ctx,
                find,
                "the closure that finds the result of the step takes no argument",
            )?;
        }
        let intent = find.map(|find| {
            let unmake = unmake.clone();
            let takes_found = takes_made;
            Step::new(
                ctx,
                Action::Find {
                    find,
                    unmake,
                    takes_found,
                },
            )
        });
        let noted = intent.as_ref().map(|step| step.id);
        intent.into_iter().for_each(|step| self.add(step));
        let calls = interrupt::calls_made();
        let made = make.call_within_context::<Dynamic>(ctx, ());
        let called = interrupt::calls_made() != calls;
        match (&made, noted) {
            (Ok(made), noted) => {
                let mut action = unmake;
                if takes_made {
                    action.add_curry(made.clone());
                }
                let step = Step::new(ctx, Action::Call(action));
                let mut list = self.list();
                // Steps that `make` recorded itself come before this one.
                list.steps.retain(|other| Some(other.id) != noted);
                list.steps.push(step);
            }
            (Err(error), Some(noted)) if was_refused(ctx, error) => self.remove(noted),
            (Err(error), None) if did_not_return(error, called) => {
                let why = reason(ctx.engine(), error);
                let why = format!("{why}: it is unknown whether it took effect");
                self.add(Step::new(ctx, Action::Unknown(why)));
            }
            (Err(_), _) => {}
        }
        made
    }
}

/// Refuses a closure that cannot be called without arguments; `what` says so.
fn ensure_takes_none(ctx: &NativeCallContext, action: &FnPtr, what: &str) -> RhaiResultOf<()> {
    match takes(ctx, action, 0) {
        Some(false) => Err(Error::invalid(ctx, what).throw()),
        _ => Ok(()),
    }
}

/// The libvirt error that was thrown, if it was one.
fn thrown(error: &EvalAltResult) -> Option<Error> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast::<Error>(),
        _ => None,
    }
}

/// Whether libvirt refused the call, so that nothing was made.
fn was_refused(ctx: &NativeCallContext, error: &EvalAltResult) -> bool {
    let stopped = Session::of(ctx).interrupt().stopping().is_some();
    !stopped && thrown(error).is_some_and(|error| !error.outcome_is_unknown())
}

/// Whether it is unknown what was made, where libvirt was `called` or not: a stop can come before
/// a call, in it, or after it.
fn did_not_return(error: &EvalAltResult, called: bool) -> bool {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(why, _) => called || why.is_unit(),
        _ => thrown(error).is_some_and(|error| error.outcome_is_unknown()),
    }
}

/// Why something failed, in a line.
fn reason(engine: &Engine, error: &EvalAltResult) -> String {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => format!("{}{}", words(value), at(error)),
        EvalAltResult::ErrorTerminated(why, _) if why.is::<Stop>() => {
            format!("{}{}", why.clone_cast::<Stop>(), at(error))
        }
        EvalAltResult::ErrorTerminated(..) => format!("a call was stopped{}", at(error)),
        other => {
            let as_written = written_names::error_as_written(other);
            let (what, _) = plain::words(engine, as_written.as_ref().unwrap_or(other));
            format!("{what}{}", at(error))
        }
    }
}

/// What was thrown, as a reader wants it: an `Error`, a map with a `message`, or any value.
fn words(thrown: &Dynamic) -> String {
    if !crate::error::extent::is_short(thrown) {
        return "the thrown value is too large to show".into();
    }
    if let Some(error) = thrown.read_lock::<Error>() {
        return error.to_string();
    }
    let map = thrown.read_lock::<Map>();
    match map.as_ref().and_then(|map| map.get("message")) {
        Some(message) => message.to_string(),
        None => thrown.to_string(),
    }
}

/// Where `error` was thrown, as far as that is known.
fn at(error: &EvalAltResult) -> String {
    let (mut file, mut inner) = (None, error);
    while let EvalAltResult::ErrorInFunctionCall(_, source, next, _) = inner {
        file = Some(source.as_str()).filter(|source| !source.is_empty());
        inner = next;
    }
    let Some(line) = inner.position().line() else {
        return String::new();
    };
    match file {
        Some(file) => format!(" (line {line} of {file})"),
        None => format!(" (line {line})"),
    }
}

fn all_or_nothing(ctx: &NativeCallContext, action: &FnPtr) -> RhaiResultOf<Dynamic> {
    let undo = Undo::default();
    let result = crate::run::guarded::guarded(|| {
        filling(Some(undo.clone()), || {
            action.call_within_context::<Dynamic>(ctx, (undo.clone(),))
        })
    });
    match &result {
        Err(error) if exit_status(error) != Some(0) => {
            undo.run(ctx);
            undo.end();
        }
        // What surrounds this one can still fail.
        _ => {
            let steps = undo.end();
            if let Some(outer) = current() {
                outer.list().steps.extend(steps);
            }
        }
    }
    result
}

#[export_module]
mod functions {
    /// Calls `action` with a list to which it pushes how to take back each thing that it did;
    /// where it fails, is interrupted or runs out of time, the list is worked off backwards.
    ///
    /// Returns what `action` returns. Within another `all_or_nothing`, what succeeded here is
    /// taken back if the outer one fails. What cannot be taken back is said on standard error.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     all_or_nothing(|undo| {
    ///         let dom = conn.define_xml("<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>");
    ///         undo.push(|| dom.undefine());
    ///         throw "something else went wrong";
    ///     });
    /// } catch (err) {
    ///     assert_eq(err.message, "something else went wrong");
    /// }
    /// assert_eq(conn.list_all_domains().len(), 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "all_or_nothing", return_raw)]
    pub fn run(ctx: NativeCallContext, action: FnPtr) -> RhaiResultOf<Dynamic> {
        all_or_nothing(&ctx, &action)
    }

    /// Adds how to take back what was done just now.
    ///
    /// ```rhai
    /// let log = [];
    /// try {
    ///     all_or_nothing(|undo| {
    ///         undo.push(|| log.push("first"));
    ///         undo.push(|| log.push("second"));
    ///         throw "no";
    ///     });
    /// } catch {}
    /// assert_eq(log, ["second", "first"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "push", pure, return_raw)]
    pub fn push(ctx: NativeCallContext, undo: &mut Undo, action: FnPtr) -> RhaiResultOf<()> {
        undo.ensure_open(&ctx)?;
        ensure_takes_none(&ctx, &action, "the undo closure takes no argument")?;
        undo.add(Step::new(&ctx, Action::Call(action)));
        Ok(())
    }

    /// Calls `make`, adds `unmake` as how to take back what it returns, and returns that. `unmake` takes
    /// what was made, or no argument.
    ///
    /// No stop comes between the two. If a stop, a lost connection or a timeout interrupts `make`,
    /// undoing says on standard error that the outcome is unknown; a third closure can determine
    /// it.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>";
    /// let dom = all_or_nothing(|undo| undo.step(|| conn.define_xml(xml), |dom| dom.undefine()));
    /// assert_eq(dom.name, "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "step", pure, return_raw)]
    pub fn step(
        ctx: NativeCallContext,
        undo: &mut Undo,
        make: FnPtr,
        unmake: FnPtr,
    ) -> RhaiResultOf<Dynamic> {
        undo.make(&ctx, &make, unmake, None)
    }

    /// Calls `make`; if it does not return, undoing calls `find`, and passes its result to `unmake`
    /// unless it is `()`.
    ///
    /// The step is recorded before `make` is called, so that a stop, a lost connection or a timeout
    /// loses nothing. If libvirt refused the call, nothing was made, and `find` is not called. Let
    /// `make` change one thing that has a unique identity: a UUID from `random_uuid`, or a name that
    /// libvirt refuses if it is in use.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>";
    /// try {
    ///     all_or_nothing(|undo| {
    ///         undo.step(
    ///             || { conn.define_xml(xml); throw "stopped before it was noted"; },
    ///             |dom| dom.undefine(),
    ///             || conn.lookup_by_name("web"),
    ///         );
    ///     });
    /// } catch {}
    /// assert_eq(conn.list_all_domains().len(), 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "step", pure, return_raw)]
    pub fn step_with_find(
        ctx: NativeCallContext,
        undo: &mut Undo,
        make: FnPtr,
        unmake: FnPtr,
        find: FnPtr,
    ) -> RhaiResultOf<Dynamic> {
        undo.make(&ctx, &make, unmake, Some(find))
    }

    /// Forgets all that was to be taken back: what was done is to stay, whatever happens next.
    ///
    /// ```rhai
    /// let log = [];
    /// try {
    ///     all_or_nothing(|undo| {
    ///         undo.push(|| log.push("taken back"));
    ///         undo.clear();
    ///         throw "no";
    ///     });
    /// } catch {}
    /// assert_eq(log, []);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "clear", pure)]
    pub fn clear(undo: &mut Undo) {
        undo.take();
    }

    /// The list as text.
    ///
    /// ```rhai
    /// all_or_nothing(|undo| assert_eq(undo.to_string(), "Undo(0)"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(undo: &mut Undo) -> String {
        let steps = undo.list().steps.len();
        format!("Undo({steps})")
    }
}
