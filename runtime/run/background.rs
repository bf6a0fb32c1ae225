//! Background threads of a script, which end with the script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rhai::EvalAltResult;

use super::interrupt::{Interrupt, Stop};

/// Work on a thread of its own.
pub(crate) trait Background: Send + Sync {
    /// Accepts no new work; finishes the accepted work.
    fn finish(&self);

    /// Waits until it has ended, or until that moment; returns whether it has.
    fn ended_by(&self, until: Instant) -> bool;

    /// True if it failed and the failure was not reported.
    fn has_failed(&self) -> bool;

    /// The first failure that was not reported, and the number of failures.
    fn failure(&self) -> Option<(Box<EvalAltResult>, u64)>;
}

/// The failure of the background work of a script.
pub struct Unnoticed {
    /// The first failure.
    pub error: Box<EvalAltResult>,
    /// The number of other failures.
    pub more: u64,
}

/// The background work of one script.
#[derive(Default)]
pub(crate) struct Works(Mutex<Vec<Arc<dyn Background>>>);

/// Time for stopped work to end.
const AFTER_STOP: Duration = Duration::from_secs(5);

impl Works {
    /// Adds `work`, which ends with the script.
    pub(crate) fn add(&self, work: Arc<dyn Background>) {
        let mut works = self.0.lock();
        let now = Instant::now();
        works.retain(|known| !known.ended_by(now) || known.has_failed());
        works.push(work);
    }

    /// True if no background work is kept.
    pub(crate) fn is_empty(&self) -> bool {
        let works = self.0.lock();
        works.is_empty()
    }

    /// Waits `grace` for all work to end, and then stops it by `interrupt`; returns its failures.
    pub(crate) fn end(&self, interrupt: &Interrupt, grace: Duration) -> Option<Unnoticed> {
        let works = std::mem::take(&mut *self.0.lock());
        works.iter().for_each(|work| work.finish());
        let until = Instant::now() + grace;
        let late = works.iter().filter(|work| !work.ended_by(until)).count();
        if late > 0 {
            interrupt.stop(Stop::Interrupted);
            let until = Instant::now() + AFTER_STOP;
            for work in &works {
                work.ended_by(until);
            }
        }
        let failures = works.iter().filter_map(|work| work.failure());
        let late = (late > 0).then(|| {
            let grace = super::duration_text::plain_duration(grace);
            let message = format!(
                "an event handler did not return within {grace} after the end of the script"
            );
            (message.into(), u64::try_from(late).unwrap_or(1))
        });
        let mut all = None;
        for (error, count) in failures.chain(late) {
            match &mut all {
                None => {
                    all = Some(Unnoticed {
                        error,
                        more: count - 1,
                    });
                }
                Some(all) => all.more += count,
            }
        }
        all
    }
}
