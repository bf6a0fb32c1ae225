//! Sweeps every number of operations on libvirt's test driver, within this process.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, Map, Scope};
use virhai::engine::{self, Limits};
use virhai::{Imports, Program, Session, SessionOptions, Sink};

use super::picture::SCRIPT;
use super::{Picture, Swept};
use crate::support::{Host, Outcome, TestHost};

/// About how often a recipe is stopped in the short form of the tests.
const SOME: u64 = 25;

/// A recipe on a host of the test driver; each run has its own host.
pub struct InProcess {
    name: String,
    host: TestHost,
    prepare: String,
    script: String,
    step: Option<u64>,
}

/// The kept output of a session.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<String>>);

impl Sink for Kept {
    fn write_line(&self, line: &str, _may_wait: bool) {
        let mut kept = self.0.lock().expect("nothing panicked");
        kept.push_str(line);
        kept.push('\n');
    }
}

impl Kept {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().expect("nothing panicked"))
    }
}

impl InProcess {
    /// The recipe that `script` runs, on a host with the objects that `node` describes (XML of the
    /// test driver) and those that `prepare` creates. Both scripts use the connection `conn`.
    pub fn new(name: &str, node: &str, prepare: &str, script: &str) -> Self {
        Self {
            name: name.to_owned(),
            host: TestHost::with(node),
            prepare: prepare.to_owned(),
            script: script.to_owned(),
            step: None,
        }
    }

    /// Uses only each `step`-th number, in the short form of the tests.
    pub fn every(mut self, step: u64) -> Self {
        self.step = Some(step);
        self
    }

    /// Stops the recipe after 1, 2, 3 ... operations; in the short form, after some of them.
    pub fn run(self) -> Swept {
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().stack_size(virhai::stack_size());
            let worker = thread.spawn_scoped(threads, || self.sweep());
            worker.expect("a thread can be started").join()
        })
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn sweep(&self) -> Swept {
        let notes = Kept::default();
        let session = Session::new(SessionOptions {
            uri: Some(self.host.uri()),
            notes: Box::new(notes.clone()),
            ..SessionOptions::default()
        });
        let imports = Imports::new([]);
        let build = |operations| {
            let limits = Limits {
                operations,
                ..Limits::default()
            };
            engine::build(&session, &limits, imports.clone())
        };
        let free = build(0);
        let compile = |name: &str, text: &str| {
            let program = Program::compile(&free, &imports, name, text);
            let program = program.unwrap_or_else(|error| panic!("{}", error.message));
            imports.isolated(name, &program.ast)
        };
        let prepare = compile(
            "prepare",
            &format!("conn = connect();\n{}; ()", self.prepare),
        );
        let picture = compile("picture", SCRIPT);
        let recipe = compile("recipe", &self.script);
        let mut swept = Swept::default();
        // The first two runs are complete. In the first, the session evaluates the imported
        // recipes, once for all runs; the operations of the second determine where the others are
        // stopped.
        let mut points = VecDeque::from([None, None]);
        let mut whole = 0;
        while let Some(point) = points.pop_front() {
            let counted = Arc::new(AtomicU64::new(0));
            let engine = match point {
                None => counting(build(0), &counted),
                Some(operations) => build(operations),
            };
            session.interrupt().begin();
            let mut scope = Scope::new();
            scope.push("conn", ()).push_constant("args", Array::new());
            let prepared = free.eval_ast_with_scope::<Dynamic>(&mut scope, &prepare);
            if let Err(error) = prepared {
                panic!("cannot prepare: {error}");
            }
            let look = |scope: &mut Scope| {
                let known = free.eval_ast_with_scope::<Map>(scope, &picture);
                let known = known.unwrap_or_else(|error| panic!("cannot look: {error}"));
                let known = known
                    .into_iter()
                    .map(|(name, text)| (name.to_string(), text.to_string()));
                Picture::from_map(known.collect())
            };
            let kept = scope.len();
            let before = look(&mut scope);
            scope.rewind(kept);
            let ended = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &recipe);
            scope.rewind(kept);
            let Some(operations) = point else {
                if let Err(error) = ended {
                    panic!("{}: {error}", self.name);
                }
                if points.is_empty() {
                    whole = counted.load(Ordering::Relaxed);
                    points.extend(chosen(whole, self.step).into_iter().map(Some));
                }
                continue;
            };
            let Err(error) = ended else {
                // The number of operations varies slightly, since random names are compared.
                assert!(
                    operations * 20 > whole * 19,
                    "{} is not stopped after {operations} operations",
                    self.name
                );
                continue;
            };
            session.interrupt().begin();
            let outcome = Outcome {
                status: 1,
                stdout: String::new(),
                stderr: format!("{}{error}", notes.take()),
            };
            swept.points += 1;
            let difference = before.difference(&look(&mut scope));
            let place = format!("{}: stopped after {operations} operations", self.name);
            swept.judge(&place, &difference, &outcome);
        }
        swept.tell(&self.name);
        swept
    }
}

/// The engine, which counts its operations into `counted`.
fn counting(mut engine: Engine, counted: &Arc<AtomicU64>) -> Engine {
    let counted = Arc::clone(counted);
    engine.on_progress(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        None
    });
    engine
}

/// The numbers of operations, up to `whole`, after which to stop: in the long form of the tests
/// every number; in the short form each `step`-th, or some, and the last ones.
fn chosen(whole: u64, step: Option<u64>) -> Vec<u64> {
    let usual = step.unwrap_or(whole.div_ceil(SOME)).max(1);
    let step = if super::all() { 1 } else { usual };
    let last = whole.saturating_sub(3);
    (1..whole)
        .filter(|operations| operations % step == 0 || *operations > last)
        .collect()
}
