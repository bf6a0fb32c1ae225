//! Writes log lines.

use jiff::Zoned;
use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::RhaiResultOf;
use crate::api::step;
use crate::error::Error;
use crate::run::session::Session;

/// The log levels.
const LEVELS: [&str; 4] = ["debug", "info", "warning", "error"];

fn write(ctx: &NativeCallContext, level: &str, text: &str) {
    let now = Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let session = Session::of(ctx);
    for line in text.lines() {
        session.note(&format!("{now} {level:<7} {line}"));
        step::noted(&session, &format!("{level:<7} {line}"));
    }
}

#[export_module]
pub(super) mod functions {
    /// Writes `text` to standard error, with the time and the level `info` before each line.
    ///
    /// ```rhai
    /// log("backup of web begins");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "log", volatile)]
    pub fn log(ctx: NativeCallContext, text: &str) {
        write(&ctx, "info", text);
    }

    /// Writes `text` to standard error, with the time and `level` before each line: `debug`, `info`, `warning` or `error`.
    ///
    /// ```rhai
    /// log("warning", "the pool is nearly full");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "log", volatile, return_raw)]
    pub fn log_at(ctx: NativeCallContext, level: &str, text: &str) -> RhaiResultOf<()> {
        if !LEVELS.contains(&level) {
            return Error::refuse(
                &ctx,
                format!("`{level}` is not a log level"),
                format!("the levels are {}", LEVELS.join(", ")),
            );
        }
        write(&ctx, level, text);
        Ok(())
    }
}
