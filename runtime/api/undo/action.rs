//! One thing to take back, and the script that knows how.

use std::sync::atomic::{AtomicU64, Ordering};

// Marked as volatile, not as deprecated: the version is pinned by the lock file.
#[allow(deprecated)]
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use crate::api::arguments::RhaiResultOf;
use crate::script::Library;

/// One thing to take back.
pub(super) struct Step {
    pub(super) id: u64,
    /// Its number in the journal.
    pub(super) recorded: Option<u64>,
    pub(super) action: Action,
    #[allow(deprecated)]
    context: NativeCallContextStore,
}

/// How one step is undone.
#[derive(Clone)]
pub(super) enum Action {
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
    /// A step of the script that `ctx` is in; `recorded` is its number in the journal.
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

    /// A step that another process recorded, with the functions that it needs.
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
