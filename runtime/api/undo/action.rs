//! A change, and the closure that undoes it.

use std::sync::atomic::{AtomicU64, Ordering};

// Marked as volatile, not as deprecated: the version is pinned by the lock file.
#[allow(deprecated)]
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use crate::api::arguments::RhaiResultOf;
use crate::objects::any;
use crate::objects::connection::Connection;
use crate::script::Library;

/// A change that can be undone.
pub(super) struct Step {
    pub(super) id: u64,
    /// Its number in the journal.
    pub(super) recorded: Option<u64>,
    pub(super) action: Action,
    #[allow(deprecated)]
    context: NativeCallContextStore,
}

/// The ways to undo a change.
#[derive(Clone)]
pub(super) enum Action {
    /// Call a closure without arguments.
    Call(FnPtr),
    /// `make` has begun and not returned: `find` looks for its result, and `unmake` removes the result.
    Find {
        find: FnPtr,
        unmake: FnPtr,
        /// True if `unmake` takes the result of `find`.
        takes_found: bool,
    },
    /// The effect of the change is unknown.
    Unknown(String),
}

impl Action {
    /// The objects that a closure captured, if the host no longer has any of them, and if the closure captured nothing
    /// that could lead to other objects: then nothing is left to undo.
    pub(super) fn gone(&self) -> Option<String> {
        let Self::Call(closure) = self else {
            return None;
        };
        let mut names = Vec::new();
        for value in closure.curry() {
            // None of these leads to another object.
            let is_plain = value.is_unit() || value.is_bool() || value.is_int();
            if is_plain || value.read_lock::<Connection>().is_some() {
                continue;
            }
            if !any::is_gone(value)? {
                return None;
            }
            let (noun, name) = any::noun_and_name(value)?;
            names.push(format!("{noun} `{name}`"));
        }
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl Step {
    /// A change of the script of `ctx`; `recorded` is its number in the journal.
    pub(super) fn new(ctx: &NativeCallContext, action: Action, recorded: Option<u64>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            recorded,
            action,
            #[allow(deprecated)]
            context: ctx.store_data(),
        }
    }

    /// A change that another process recorded, with the functions that it needs.
    pub(super) fn revived(
        ctx: &NativeCallContext,
        action: Action,
        recorded: u64,
        library: &Library,
    ) -> Self {
        let mut step = Self::new(ctx, action, Some(recorded));
        #[allow(deprecated)]
        {
            step.context.global = library.global();
        }
        step
    }

    /// Undoes the step.
    pub(super) fn run(mut self, engine: &Engine) -> RhaiResultOf<()> {
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
