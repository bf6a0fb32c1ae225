//! Stops a recipe after each number of operations, and at random times. Afterwards the host must be
//! unchanged or have the complete result; every other difference must be reported by the run.

mod in_process;
mod picture;
mod strikes;
mod trace;

pub use in_process::InProcess;
pub use picture::Picture;
pub use strikes::{Strikes, strike};
pub use trace::Trace;

use super::{Host, Outcome};

/// The most points of a sweep in the short form of the tests.
const MOST: usize = 16;

/// The most points at which a recipe is killed in the short form.
const MOST_KILLED: usize = 3;

/// The ways in which a run of a recipe ends early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is stopped, and undoes its changes.
    Stopped,
    /// It is killed, and another process undoes its changes.
    Killed,
}

/// True if the tests run in their long form.
pub fn all() -> bool {
    std::env::var_os("VIRHAI_TEST_ALL").is_some_and(|value| value == "1")
}

/// A recipe on a real host, and how to build that host.
pub struct Sweep<H> {
    name: String,
    build: Box<dyn Fn() -> H>,
    script: String,
    complete: String,
    ignored: Option<String>,
    most: usize,
}

/// The result of a sweep.
#[derive(Debug, Default)]
pub struct Swept {
    /// The number of stops of the recipe.
    pub points: usize,
    /// Remains that were not reported.
    pub left: Vec<String>,
    /// Remains, or possible ones, that were reported on standard error.
    pub said: Vec<String>,
}

impl<H: Host> Sweep<H> {
    /// The recipe that `script` runs on a host that `build` makes; the script begins with its imports and
    /// uses `connect()`.
    pub fn new(name: &str, build: impl Fn() -> H + 'static, script: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            build: Box::new(build),
            script: script.into(),
            complete: String::new(),
            ignored: None,
            most: MOST,
        }
    }

    /// A script that asserts the complete result, run after each success.
    pub fn complete(mut self, script: impl Into<String>) -> Self {
        self.complete = script.into();
        self
    }

    /// Does not compare the content of the file `name`, such as memory that is saved anew.
    pub fn ignoring(mut self, name: &str) -> Self {
        self.ignored = Some(name.to_owned());
        self
    }

    /// At most so many points in the short form.
    pub fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Sweeps: one complete run determines the points, then the recipe is stopped at each point,
    /// and killed at some.
    ///
    /// The host is built anew only after a success or a difference.
    pub fn run(self) -> Swept {
        let host = (self.build)();
        let trace = Trace::of(&host, &self.script);
        if !self.complete.is_empty() {
            host.ok(&self.complete);
        }
        drop(host);
        let mut swept = Swept::default();
        for (end, most) in [(End::Stopped, self.most), (End::Killed, MOST_KILLED)] {
            let points = match (all(), end) {
                (true, End::Stopped) => (1..trace.operations).collect(),
                // Between two calls, the moment of the kill makes no difference.
                (true, End::Killed) => trace.points(usize::MAX),
                (false, _) => trace.points(most),
            };
            self.end_at(end, points, &trace, &mut swept);
        }
        swept.tell(&self.name);
        swept
    }

    /// Ends the recipe early at each of `points`.
    fn end_at(&self, end: End, points: Vec<u64>, trace: &Trace, swept: &mut Swept) {
        let mut site: Option<(H, Picture)> = None;
        for operations in points {
            let (host, before) = site.get_or_insert_with(|| {
                let host = (self.build)();
                let before = Picture::of(&host);
                (host, before)
            });
            let outcome = match end {
                End::Killed => killed_and_undone(host, operations, &self.script),
                End::Stopped => host
                    .virhai()
                    .arg("--max-operations")
                    .arg(operations.to_string())
                    .script(&self.script)
                    .run(),
            };
            swept.points += 1;
            if outcome.status == 0 {
                if !self.complete.is_empty() {
                    host.ok(&self.complete);
                }
                site = None;
                continue;
            }
            let after = Picture::of(host);
            let mut difference = before.difference(&after);
            if let Some(name) = &self.ignored {
                // Both the file itself, and its size as a volume of a pool.
                difference.retain(|line| !line.contains(&format!("{name} changed")));
            }
            let near = trace
                .calls
                .iter()
                .rev()
                .find(|(at, _)| *at <= operations + 1);
            let near = near.map_or("the start", |(_, name)| name);
            let place = format!(
                "{}: {} after {operations} operations ({near})",
                self.name,
                match end {
                    End::Stopped => "stopped",
                    End::Killed => "killed",
                },
            );
            if swept.judge(&place, &difference, &outcome) {
                site = None;
            }
        }
    }
}

/// Runs `script` until it kills itself after that number of operations, and then undoes the run.
fn killed_and_undone(host: &impl Host, operations: u64, script: &str) -> Outcome {
    let state = tempfile::tempdir().expect("there is room for a journal");
    // virhai may run as a different user from the tests.
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(state.path(), all).expect("it is ours");
    let outcome = host
        .virhai()
        .env("XDG_STATE_HOME", state.path())
        .env("VIRHAI_KILL_AFTER", operations.to_string())
        .script(script)
        .run();
    if outcome.status == 0 {
        return outcome;
    }
    let runs = state.path().join("virhai/runs");
    let recorded = std::fs::read_dir(&runs).is_ok_and(|mut runs| runs.next().is_some());
    if !recorded {
        return outcome;
    }
    let undone = host
        .virhai()
        .env("XDG_STATE_HOME", state.path())
        .arg("undo")
        .run();
    Outcome {
        status: outcome.status,
        stdout: [outcome.stdout, undone.stdout].concat(),
        stderr: [outcome.stderr, undone.stderr].concat(),
    }
}

impl Swept {
    /// Records the remains of a stopped run; returns whether the host must be rebuilt.
    fn judge(&mut self, place: &str, difference: &[String], outcome: &Outcome) -> bool {
        let said = said(&outcome.stderr);
        let found = format!("{place}: {}\n{outcome}", difference.join("\n  "));
        if !said.is_empty() {
            let names: Vec<_> = difference
                .iter()
                .filter_map(|line| line.lines().next())
                .collect();
            self.said.push(format!(
                "{place}: {} [{}]",
                said.join("; "),
                names.join("; ")
            ));
        }
        if !difference.is_empty() && said.is_empty() {
            self.left.push(found);
        }
        !difference.is_empty()
    }

    /// Prints the counts.
    pub fn tell(&self, name: &str) {
        println!(
            "{name}: {} points, {} left behind, {} said",
            self.points,
            self.left.len(),
            self.said.len()
        );
        for said in &self.said {
            println!("  said: {said}");
        }
    }

    /// Fails if something was left behind without a report.
    pub fn leaves_nothing(&self) -> &Self {
        assert!(
            self.left.is_empty(),
            "{} of {} points left something behind:\n{}",
            self.left.len(),
            self.points,
            self.left.join("\n\n")
        );
        self
    }

    /// Fails if a report does not contain `words`, or names a file, pool or volume that is new or
    /// gone.
    pub fn says_only(&self, words: &str) -> &Self {
        self.leaves_nothing();
        for said in &self.said {
            let left = said.split(['[', ';']).any(|part| {
                let part = part.trim_start();
                let kept = part.starts_with("file ") || part.starts_with("pool ");
                kept && (part.contains(" is new") || part.contains(" is gone"))
            });
            assert!(said.contains(words) && !left, "{said}");
        }
        self
    }

    /// Fails if something was left behind, reported or not.
    pub fn says_nothing(&self) -> &Self {
        self.leaves_nothing();
        assert!(self.said.is_empty(), "{}", self.said.join("\n"));
        self
    }
}

/// The lines about changes that a run could not undo.
fn said(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("cannot undo: "))
        .collect()
}
