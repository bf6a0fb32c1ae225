//! Asks hosts again and again, each on its own thread: a host that does not answer holds up neither the keys nor other hosts.

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

/// A host to ask.
pub(super) enum Target {
    Open(Connection),
    /// The name of a host in the list of hosts. Each question connects again if the connection is lost.
    Named(String),
}

/// The sample of a host, or the reason why there is none.
pub(super) struct Answer {
    /// The index of the host.
    pub(super) host: usize,
    pub(super) sample: Result<Sample, String>,
}

/// Hosts that are asked for their guests, until this value is dropped.
pub(super) struct Source {
    pub(super) answers: Receiver<Answer>,
    again: Vec<Sender<()>>,
}

impl Source {
    /// Asks `targets` every `interval`.
    pub(super) fn new(
        engine: &Arc<Engine>,
        targets: Vec<Target>,
        interval: Duration,
    ) -> std::io::Result<Self> {
        let (sender, answers) = mpsc::channel();
        let mut again = Vec::new();
        for (host, target) in targets.into_iter().enumerate() {
            let (ask, asked) = mpsc::channel();
            again.push(ask);
            let (engine, sender) = (Arc::clone(engine), sender.clone());
            std::thread::Builder::new()
                .name("top".into())
                .stack_size(stack_size())
                .spawn(move || {
                    let mut scope = Scope::new();
                    let code = match target {
                        Target::Open(connection) => {
                            scope.push_constant("conn", connection);
                            ASK.to_owned()
                        }
                        Target::Named(name) => {
                            scope.push_constant("name", name);
                            format!("let conn = connect_host(name); {ASK}")
                        }
                    };
                    let variables = scope.len();
                    loop {
                        let began = Instant::now();
                        scope.rewind(variables);
                        let stats = engine.eval_with_scope::<Array>(&mut scope, &code);
                        let sample = stats
                            .map(|stats| Sample::new(began, &stats))
                            .map_err(|error| message(&error));
                        if sender.send(Answer { host, sample }).is_err() {
                            return;
                        }
                        let left = interval.saturating_sub(began.elapsed());
                        if asked.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
                            return;
                        }
                    }
                })?;
        }
        Ok(Self { answers, again })
    }

    /// Asks all hosts at once.
    pub(super) fn again(&self) {
        for host in &self.again {
            let _ = host.send(());
        }
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
