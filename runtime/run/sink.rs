//! Receivers of the output of scripts and of the news of their steps.

use std::time::Duration;

use super::duration_text::plain_millis;

/// A destination for the lines that a script writes, from several threads at the same time.
pub trait Sink: Send + Sync {
    /// Writes a line. Without a reader, a call that `may_wait` waits for room until the script is
    /// stopped; other calls soon drop the line.
    fn write_line(&self, line: &str, may_wait: bool);

    /// Writes how far a step is, as a line.
    fn write_step(&self, news: &StepNews, may_wait: bool) {
        self.write_line(&news.to_string(), may_wait);
    }

    /// The columns of the terminal that the lines go to, if they go to one.
    fn width(&self) -> Option<usize> {
        None
    }
}

/// News of a step of a runbook.
#[derive(Debug)]
pub struct StepNews<'a> {
    /// The title of the step.
    pub title: &'a str,
    /// Its number in the journal, if it has one.
    pub number: Option<u64>,
    /// The number of steps around it.
    pub depth: usize,
    /// The event, such as `begins`, `done` or `failed`.
    pub event: &'static str,
    /// Its duration, if it ended.
    pub took: Option<Duration>,
}

impl std::fmt::Display for StepNews<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let indent = "  ".repeat(self.depth);
        write!(out, "{indent}{}: {}", self.title, self.event)?;
        let Some(took) = self.took else {
            return Ok(());
        };
        let took = plain_millis(took);
        match self.event {
            "failed" => write!(out, " after {took}"),
            _ => write!(out, " in {took}"),
        }
    }
}

/// Discards all lines.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn write_line(&self, _line: &str, _may_wait: bool) {}
}
