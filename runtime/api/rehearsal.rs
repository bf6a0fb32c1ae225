//! What a script can know of its rehearsal.

use rhai::plugin::*;
use rhai::{Engine, exported_module};

use crate::objects::connection::Connection;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Whether this is a connection of a rehearsal, which takes `what` for true and says so below its plan.
    ///
    /// It is for what a script must see of a guest that runs, such as an answer of its web server. The result is `false`
    /// in a run.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let answers = conn.is_assumed("the web server answers") || conn.is_alive();
    /// assert(answers);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, volatile)]
    pub fn is_assumed(conn: &mut Connection, what: &str) -> bool {
        conn.assumes(|| what.to_owned())
    }
}
