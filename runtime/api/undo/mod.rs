//! `all_or_nothing`: after a failure, all changes made so far are undone.

mod action;
pub(crate) mod locks;
pub(crate) mod record;

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use crate::error::Error;
use crate::error::failure_line;
use crate::run::exit::exit_status;
use crate::run::interrupt;
use crate::run::session::Session;
use crate::runbook::journal::OnDisk;
use crate::script::isolation::takes;
use action::{Action, Step};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Undo>("Undo");
    engine.register_global_module(exported_module!(functions).into());
}

/// The steps that undo the changes made so far; copies are the same list.
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
        self.0.lock()
    }

    fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.list().steps)
    }

    /// Takes the steps out; the list accepts no more steps.
    fn end(&self) -> Vec<Step> {
        let mut list = self.list();
        list.ended = true;
        std::mem::take(&mut list.steps)
    }

    /// Adds a change that is made or about to be made, and records it in the journal first.
    fn add(&self, ctx: &NativeCallContext, action: Action) -> RhaiResultOf<u64> {
        self.add_by(ctx, action, OnDisk::Now)
    }

    fn add_by(
        &self,
        ctx: &NativeCallContext,
        action: Action,
        on_disk: OnDisk,
    ) -> RhaiResultOf<u64> {
        let recorded = record::undo(ctx, &action, on_disk)?;
        let step = Step::new(ctx, action, recorded);
        let id = step.id;
        self.list().steps.push(step);
        Ok(id)
    }

    /// Fails if no further step could be undone.
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

    /// Removes the step `id`, unless all were forgotten meanwhile. Returns whether it was there.
    fn remove(&self, ctx: &NativeCallContext, id: u64, on_disk: OnDisk) -> bool {
        let removed = {
            let mut list = self.list();
            let at = list.steps.iter().rposition(|step| step.id == id);
            at.map(|at| list.steps.remove(at))
        };
        record::forget(ctx, removed.as_slice(), on_disk);
        removed.is_some()
    }

    /// Undoes everything, the last first, even if the script is stopped, and reports the steps that
    /// cannot be undone. Returns the number of failures.
    fn run(&self, ctx: &NativeCallContext) -> usize {
        let session = Session::of(ctx);
        let _shield = session.interrupt().shield();
        let (mut steps, mut failures) = (self.take(), 0);
        while let Some(step) = steps.pop() {
            if session.interrupt().stopping().is_some() {
                steps.push(step);
                session.undo_timed_out(steps.len());
                return failures + steps.len();
            }
            let (recorded, action) = (step.recorded, step.action.clone());
            record::undoing(ctx, recorded);
            // A defect in one step must not keep the others from being taken.
            let done = crate::run::guarded::guarded(|| filling(None, || step.run(ctx.engine())));
            let Err(error) = done else {
                record::undone(ctx, recorded, None);
                // A step can record steps, too.
                steps.extend(self.take());
                continue;
            };
            let stop = session.interrupt().stopping();
            if stop.is_none()
                && thrown(&error).is_some()
                && let Some(gone) = action.gone()
            {
                session.note(&format!("already undone: the {gone} no longer exists"));
                record::undone(ctx, recorded, None);
                steps.extend(self.take());
                continue;
            }
            let why = match (stop, error.unwrap_inner()) {
                (Some(stop), EvalAltResult::ErrorTerminated(..)) => {
                    format!("{stop}{}", failure_line::at(&error))
                }
                _ => failure_line::line(ctx.engine(), &error),
            };
            record::undone(ctx, recorded, Some(why.clone()));
            session.cannot_undo(why);
            failures += 1;
            if stop.is_some() {
                session.undo_timed_out(steps.len());
                return failures + steps.len();
            }
            steps.extend(self.take());
        }
        failures
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
        let finds = find.is_some();
        // Without `find`, only the journal needs the beginning of the change.
        let noted = match find {
            Some(find) => Some(self.add(
                ctx,
                Action::Find {
                    find,
                    unmake: unmake.clone(),
                    takes_found: takes_made,
                },
            )?),
            None if record::is_on(ctx) => {
                let why = "virhai ended during this change; its effect is unknown";
                Some(self.add(ctx, Action::Unknown(why.into()))?)
            }
            None => None,
        };
        let calls = interrupt::calls_made();
        let made = make.call_within_context::<Dynamic>(ctx, ());
        let called = interrupt::calls_made() != calls;
        let forget = || noted.is_some_and(|noted| self.remove(ctx, noted, OnDisk::Now));
        match &made {
            Ok(made) => {
                let mut action = unmake;
                if takes_made {
                    action.add_curry(made.clone());
                }
                // Steps that `make` recorded itself come before this one.
                let added = self.add_by(ctx, Action::Call(action), OnDisk::BeforeChange);
                let replaced =
                    noted.is_some_and(|noted| self.remove(ctx, noted, OnDisk::BeforeChange));
                // The record need not be on the disk before the next change: if the machine fails
                // until then, `find` still finds the result of this step.
                let synced = match finds && replaced {
                    true => Ok(()),
                    false => record::sync(ctx),
                };
                added?;
                synced?;
            }
            Err(error) if finds => {
                if was_refused(ctx, error) {
                    // Otherwise `find` could find an object that another client made.
                    forget();
                }
            }
            Err(error) => {
                forget();
                if did_not_return(error, called) {
                    let why = failure_line::line(ctx.engine(), error);
                    let why = format!("{why}; its effect is unknown");
                    self.add(ctx, Action::Unknown(why))?;
                }
            }
        }
        made
    }
}

/// Refuses a closure that cannot be called without arguments, with the message `what`.
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

/// True if libvirt refused the call, so that it created no object.
fn was_refused(ctx: &NativeCallContext, error: &EvalAltResult) -> bool {
    let stopped = Session::of(ctx).interrupt().stopping().is_some();
    !stopped && thrown(error).is_some_and(|error| !error.outcome_is_unknown())
}

/// True if the outcome of the call is unknown. A stop can come before, in or after the call; `called` is true if
/// libvirt was called.
fn did_not_return(error: &EvalAltResult, called: bool) -> bool {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(why, _) => called || why.is_unit(),
        _ => thrown(error).is_some_and(|error| error.outcome_is_unknown()),
    }
}

/// Adds `unmake`, which takes `made`, to the current undo list. Without a list, only the journal has it, for a user
/// who wants to undo the run.
pub(crate) fn done(ctx: &NativeCallContext, unmake: &FnPtr, made: &Dynamic) -> RhaiResultOf<()> {
    let mut unmake = unmake.clone();
    if takes(ctx, &unmake, 1).unwrap_or(true) {
        unmake.add_curry(made.clone());
    } else {
        let what = "the undo closure takes one argument (the value of the step) or none";
        ensure_takes_none(ctx, &unmake, what)?;
    }
    let list = current();
    let own = list.clone().unwrap_or_default();
    own.add(ctx, Action::Call(unmake))?;
    if list.is_none() {
        record::keep(ctx, &own.take());
    }
    Ok(())
}

fn all_or_nothing(ctx: &NativeCallContext, action: &FnPtr) -> RhaiResultOf<Dynamic> {
    let undo = Undo::default();
    let _outermost = current().is_none().then(|| locks::Outermost::begin(ctx));
    let result = crate::run::guarded::guarded(|| {
        filling(Some(undo.clone()), || {
            action.call_within_context::<Dynamic>(ctx, (undo.clone(),))
        })
    });
    match &result {
        Err(error) if exit_status(error) != Some(0) => {
            // Undoing can remove the guest that failed.
            Session::of(ctx).report_failure(&failure_line::line(ctx.engine(), error));
            undo.run(ctx);
            undo.end();
        }
        // The surrounding recipe can still fail.
        _ => {
            let steps = undo.end();
            match current() {
                Some(outer) => outer.list().steps.extend(steps),
                None => record::keep(ctx, &steps),
            }
        }
    }
    result
}

#[export_module]
mod functions {
    /// Calls `action` with an undo list, to which it adds how to undo each of its changes. If `action` fails, is
    /// interrupted or times out, the list is run backwards.
    ///
    /// Returns the result of `action`. Within another `all_or_nothing`, the changes are also undone if the outer one
    /// fails. Changes that cannot be undone are reported on standard error.
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

    /// Adds a closure that undoes the last change.
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
        undo.add(&ctx, Action::Call(action)).map(drop)
    }

    /// Calls `make`, adds `unmake` to undo it, and returns its result. `unmake` takes that result, or no argument.
    ///
    /// The script cannot be stopped between the two. If a stop, a lost connection or a timeout interrupts `make`, the
    /// undo reports on standard error that the outcome is unknown; a third closure can determine it.
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

    /// Calls `make`; if it does not return, the undo calls `find`, and passes its result to `unmake` unless it is `()`.
    ///
    /// The step is recorded before `make` is called, so that a stop, a lost connection or a timeout loses nothing. If
    /// libvirt refused the call, no object was created, and `find` is not called. `make` should change one object with
    /// a unique identity: a UUID from `random_uuid`, or a name that libvirt refuses if it is in use.
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

    /// Empties the list: the changes made so far will not be undone.
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
    pub fn clear(ctx: NativeCallContext, undo: &mut Undo) {
        record::forget(&ctx, &undo.take(), OnDisk::Now);
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
