//! Functions by which a script recognises its rehearsal.

use rhai::plugin::*;
use rhai::{Engine, exported_module};

use crate::objects::connection::Connection;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Lists `what` below the plan of a rehearsal as `assumed` and returns true; returns false in a run.
    ///
    /// Use it before a check of a running guest, such as a request to its web server: the guests of a rehearsal do not run.
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
