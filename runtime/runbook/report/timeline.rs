//! The timeline of a run, without the time between a failure and `virhai resume`.

use std::time::Duration;

use jiff::Timestamp;

use crate::runbook::journal::{Attempt, Past, Step};

/// The time of a run: its attempts, one after the other.
pub(super) struct Timeline<'a> {
    attempts: &'a [Attempt],
    total: Duration,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(past: &'a Past) -> Self {
        let attempts = &past.attempts;
        Self {
            attempts,
            total: attempts.iter().map(length).sum(),
        }
    }

    /// The duration of the run.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// The times at which the run was resumed, as parts of the whole time.
    pub(super) fn resumptions(&self) -> impl Iterator<Item = f64> {
        let mut before = Duration::ZERO;
        let ends = self.attempts.iter().map(move |attempt| {
            before += length(attempt);
            before
        });
        let last = self.attempts.len().saturating_sub(1);
        ends.take(last).map(|end| self.part(end))
    }

    /// The beginning and the end of the step, from the beginning of the run.
    pub(super) fn span(&self, step: &Step) -> (Duration, Duration) {
        let mut before = Duration::ZERO;
        let mut found = (Duration::ZERO, Duration::ZERO);
        for attempt in self.attempts {
            if attempt.began <= step.began {
                let end = step.ended.unwrap_or(attempt.ended).min(attempt.ended);
                let begin = before + between(attempt.began, step.began.min(attempt.ended));
                found = (begin, (before + between(attempt.began, end)).max(begin));
            }
            before += length(attempt);
        }
        found
    }

    /// `time` as a part of the whole.
    pub(super) fn part(&self, time: Duration) -> f64 {
        match self.total.is_zero() {
            true => 0.0,
            false => (time.as_secs_f64() / self.total.as_secs_f64()).clamp(0.0, 1.0),
        }
    }
}

fn length(attempt: &Attempt) -> Duration {
    between(attempt.began, attempt.ended)
}

/// The time between; none if the clock was set back.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}
