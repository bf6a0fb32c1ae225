//! What a script can know of its rehearsal.

use rhai::plugin::*;
use rhai::{Engine, NativeCallContext, exported_module};

use crate::run::session::Session;
use crate::runbook::twin::Rehearsal;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Whether this is a rehearsal, which takes `what` for true and says so below its plan.
    ///
    /// It is for what a script must see of a guest that runs, such as an answer of its web server. The result is `false`
    /// in a run.
    ///
    /// ```rhai
    /// let answers = is_assumed("the web server answers") || connect().is_alive();
    /// assert(answers);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile)]
    pub fn is_assumed(ctx: NativeCallContext, what: &str) -> bool {
        let rehearsal = Rehearsal::of(&Session::of(&ctx));
        rehearsal.is_some_and(|rehearsal| rehearsal.assumes(what))
    }
}
