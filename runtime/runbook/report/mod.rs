//! Reports of runs from their journals: HTML, JSON and JUnit.

mod html;
mod json;
mod junit;
mod screen;
mod timeline;
mod tree;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub(crate) use screen::small_png;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::journal::{Past, Step};
use crate::run::duration_text::plain_millis;

/// `time` in the time zone of this machine.
fn date(time: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::system());
    time.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// `time` without microseconds.
fn plain(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        return "under 1ms".into();
    }
    plain_millis(time).to_string()
}

/// The outcome of a run in words.
fn verdict(past: &Past, alive: bool) -> &'static str {
    match (past.state(alive), &past.end) {
        ("undone" | "failed", Some(end)) if end.status != 0 && past.has_nothing_left() => {
            "failed, and its changes were undone"
        }
        ("undone", None) => "killed, and its changes were undone",
        (state, _) => state,
    }
}

/// The reason why the step has no value.
fn error(step: &Step, alive: bool) -> Option<String> {
    use super::journal::StepState;
    match &step.state {
        StepState::Failed(error) => Some(error.clone()),
        StepState::Begun if !alive => {
            Some("the run ended during this step; its effect is unknown".into())
        }
        _ => None,
    }
}
