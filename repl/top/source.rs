//! Asks the host again and again, on a thread of its own: a host that does not answer must not
//! hold up the keys.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use rhai::{Array, Engine, EvalAltResult, Scope};
use virhai::{Connection, stack_size};

use super::sample::Sample;

/// The request: all guests in one call, only with the groups of statistics that are shown.
const ASK: &str = "conn.get_all_domain_stats(VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL \
     | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE \
     | VIR_DOMAIN_STATS_BLOCK)";

/// A host that is asked for its guests; that ends with this value.
pub(super) struct Source {
    pub(super) samples: Receiver<Result<Sample, String>>,
    again: Sender<()>,
}

impl Source {
    /// Asks `connection` every `interval`.
    pub(super) fn new(
        engine: Arc<Engine>,
        connection: Connection,
        interval: Duration,
    ) -> std::io::Result<Self> {
        let (sender, samples) = mpsc::channel();
        let (again, asked) = mpsc::channel();
        std::thread::Builder::new()
            .name("top".into())
            .stack_size(stack_size())
            .spawn(move || {
                let mut scope = Scope::new();
                scope.push_constant("conn", connection);
                loop {
                    let began = Instant::now();
                    let stats = engine.eval_with_scope::<Array>(&mut scope, ASK);
                    let sample = stats
                        .map(|stats| Sample::new(began, &stats))
                        .map_err(|error| message(&error));
                    if sender.send(sample).is_err() {
                        return;
                    }
                    let left = interval.saturating_sub(began.elapsed());
                    if asked.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            })?;
        Ok(Self { samples, again })
    }

    /// Asks at once.
    pub(super) fn again(&self) {
        let _ = self.again.send(());
    }
}

/// The error in one line.
fn message(error: &EvalAltResult) -> String {
    let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner() else {
        return error.to_string();
    };
    match value.read_lock::<virhai::Error>() {
        Some(error) => error.message().to_owned(),
        None => value.to_string(),
    }
}
