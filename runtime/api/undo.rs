//! `all_or_nothing`: what was made before a failure is gone when the error arrives.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, exported_module};
// Marked as volatile, not as deprecated: the version is pinned by the lock file.
#[allow(deprecated)]
use rhai::NativeCallContextStore;

use super::arguments::RhaiResultOf;
use crate::error::Error;
use crate::exit::exit_status;
use crate::interrupt::Stop;
use crate::session::Session;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Undo>("Undo");
    engine.register_global_module(exported_module!(functions).into());
}

/// How to take back what was done so far; copies are the same list.
#[derive(Clone, Default)]
pub struct Undo(Arc<Mutex<Vec<Step>>>);

/// One thing to take back, and the script that knows how.
struct Step {
    action: FnPtr,
    #[allow(deprecated)]
    context: NativeCallContextStore,
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
    fn take(&self) -> Vec<Step> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn extend(&self, steps: Vec<Step>) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.extend(steps);
    }

    /// Takes everything back, the last first, whatever stops the script; says what it cannot.
    fn run(&self, ctx: &NativeCallContext) {
        let session = Session::of(ctx);
        let _shield = session.interrupt().shield();
        let mut steps = self.take();
        while let Some(mut step) = steps.pop() {
            if session.interrupt().stopping().is_some() {
                steps.push(step);
                session.undo_timed_out(steps.len());
                return;
            }
            // What the script has used up is not held against what takes it back.
            #[allow(deprecated)]
            let context = {
                step.context.global.num_operations = Default::default();
                step.context.global.level = 0;
                step.context.create_context(ctx.engine())
            };
            // A defect in one step must not keep the others from being taken.
            let done = crate::engine::guarded(|| {
                filling(None, || {
                    step.action.call_within_context::<Dynamic>(&context, ())
                })
            });
            if let Err(error) = done {
                let stop = session.interrupt().stopping();
                let why = match error.unwrap_inner() {
                    EvalAltResult::ErrorTerminated(..) if stop.is_some() => {
                        format!("{}{}", Stop::UndoTimedOut, at(&error))
                    }
                    EvalAltResult::ErrorRuntime(value, _) => {
                        format!("{}{}", words(value), at(&error))
                    }
                    EvalAltResult::ErrorTerminated(why, _) if why.is::<Stop>() => {
                        format!("{}{}", why.clone_cast::<Stop>(), at(&error))
                    }
                    other => other.to_string(),
                };
                session.cannot_undo(why);
            }
        }
    }
}

/// What was thrown, as a reader wants it: an `Error`, a map with a `message`, or any value.
fn words(thrown: &Dynamic) -> String {
    if !crate::extent::is_short(thrown) {
        return "a value was thrown that is too large to show".into();
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
    let result = crate::engine::guarded(|| {
        filling(Some(undo.clone()), || {
            action.call_within_context::<Dynamic>(ctx, (undo.clone(),))
        })
    });
    match &result {
        Err(error) if exit_status(error) != Some(0) => undo.run(ctx),
        // What surrounds this one can still fail.
        _ => {
            if let Some(outer) = current() {
                outer.extend(undo.take());
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
    ///     assert_eq(err, "something else went wrong");
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
    #[rhai_fn(name = "push", pure)]
    pub fn push(ctx: NativeCallContext, undo: &mut Undo, action: FnPtr) {
        #[allow(deprecated)]
        let context = ctx.store_data();
        undo.extend(vec![Step { action, context }]);
    }

    /// Calls `make`, adds `unmake` as how to take back what it returns, and returns that.
    ///
    /// Nothing comes between the two, neither an interrupt nor the end of the time: prefer it to
    /// `push` where what is made has to be gone.
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
        let made: Dynamic = make.call_within_context(&ctx, ())?;
        let mut action = unmake;
        action.add_curry(made.clone());
        #[allow(deprecated)]
        let context = ctx.store_data();
        undo.extend(vec![Step { action, context }]);
        Ok(made)
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
        let steps = undo.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        format!("Undo({steps})")
    }
}
