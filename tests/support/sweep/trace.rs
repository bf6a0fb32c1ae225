//! The calls of libvirt that a recipe makes, each with the number of operations before it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

use rhai::{Array, Dynamic, EvalAltResult, Scope};
use virhai::engine::{self, Limits};
use virhai::{Error, Imports, Program, Session, SessionOptions, Sink};

use crate::support::Host;
use crate::support::user::as_test_user;

/// The variable with the folder of the traced process.
const FOLDER: &str = "VIRHAI_TRACED";
const URI: &str = "VIRHAI_TRACED_URI";

/// Parts of the names of functions that change a host, and of no others.
const CHANGES: [&str; 27] = [
    "Create",
    "Define",
    "Undefine",
    "Destroy",
    "Delete",
    "Save",
    "Restore",
    "Suspend",
    "Resume",
    "Set",
    "BlockCommit",
    "BlockJobAbort",
    "BlockCopy",
    "BlockPull",
    "BlockRebase",
    "Attach",
    "Detach",
    "Update",
    "Resize",
    "Upload",
    "Wipe",
    "Revert",
    "Build",
    "Migrate",
    "Reset",
    "Reboot",
    "Shutdown",
];

/// A run of a recipe to its end.
pub struct Trace {
    /// Operations that it took.
    pub operations: u64,
    /// The operation after which each call that changes something was made, and its name.
    pub calls: Vec<(u64, String)>,
}

impl Trace {
    /// Runs `script` on `host` in a process of its own, and reads its calls from libvirt's log.
    pub fn of(host: &impl Host, script: &str) -> Self {
        let folder = host.scratch().folder("sweep");
        host.scratch().write("sweep/script.rhai", script);
        let program = std::env::current_exe().expect("this test has a path");
        let ended = as_test_user(program)
            .args([
                "--exact",
                "support::sweep::trace::a_traced_run",
                "--ignored",
                "--nocapture",
            ])
            .env("HOME", host.scratch().path("home"))
            .env(FOLDER, &folder)
            .env(URI, host.uri())
            .env(
                "LIBVIRT_LOG_OUTPUTS",
                format!("1:file:{}", log(&folder).display()),
            )
            .env("LIBVIRT_LOG_FILTERS", "1:libvirt")
            .stdin(Stdio::null())
            .output()
            .expect("this test can run again");
        let said = String::from_utf8_lossy(&ended.stdout);
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success(),
            "the recipe cannot be traced: {said}\n{errors}"
        );
        let text = std::fs::read_to_string(calls(&folder)).expect("the run wrote its calls");
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let mut calls: Vec<(u64, String)> = Vec::new();
        for (count, name) in &mut lines {
            calls.push((count.parse().expect("a number"), name.to_owned()));
        }
        let (operations, _) = calls.pop().expect("the last line is the end");
        calls.retain(|(_, name)| {
            !name.contains("Get") && CHANGES.iter().any(|part| name.contains(part))
        });
        Self { operations, calls }
    }

    /// Numbers of operations to stop after: before, at and after each call, and between calls;
    /// at most `most` of them, spread evenly.
    pub fn points(&self, most: usize) -> Vec<u64> {
        let mut points = Vec::new();
        let mut before = 0;
        for &(at, _) in &self.calls {
            // The call was made before this operation was counted.
            let between = before + at.saturating_sub(before) / 2;
            points.extend([between, at.saturating_sub(2), at.saturating_sub(1), at]);
            before = at;
        }
        let between = before + self.operations.saturating_sub(before) / 2;
        points.extend([between, self.operations.saturating_sub(1)]);
        points.retain(|&point| point > 0 && point < self.operations);
        points.sort_unstable();
        points.dedup();
        if points.len() <= most {
            return points;
        }
        (0..most)
            .map(|n| points[n * (points.len() - 1) / (most - 1)])
            .collect()
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("libvirt.log")
}

fn calls(folder: &Path) -> PathBuf {
    folder.join("calls")
}

/// Standard error, where a session's lines go.
struct Stderr;

impl Sink for Stderr {
    fn write_line(&self, line: &str, _may_wait: bool) {
        eprintln!("{line}");
    }
}

/// Not a test: the process that [`Trace::of`] starts.
#[test]
#[ignore = "a sweep runs it"]
fn a_traced_run() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = PathBuf::from(folder);
    let session = Session::new(SessionOptions {
        uri: std::env::var(URI).ok(),
        output: Box::new(Stderr),
        notes: Box::new(Stderr),
        ..SessionOptions::default()
    });
    let imports = Imports::new([folder.clone()]);
    let limits = Limits {
        operations: 0,
        ..Limits::default()
    };
    let mut engine = engine::build(&session, &limits, imports.clone());
    let calls = File::create(calls(&folder)).expect("the folder can be written");
    let reader = Mutex::new((
        0,
        Reader {
            path: log(&folder),
            file: None,
            rest: String::new(),
        },
        calls,
    ));
    let seen = std::sync::Arc::new(reader);
    let tracer = std::sync::Arc::clone(&seen);
    engine.on_progress(move |_| {
        let mut state = tracer.lock().ok()?;
        let (last, reader, calls) = &mut *state;
        *last += 1_u64;
        for name in reader.new_calls() {
            let _ = writeln!(calls, "{last} {name}");
        }
        None
    });
    let text = std::fs::read_to_string(folder.join("script.rhai")).expect("the script is there");
    let program = Program::compile(&engine, &imports, "standard input", &text);
    let program = program.unwrap_or_else(|error| panic!("{}", error.message));
    let ast = imports.isolated("standard input", &program.ast);
    let mut scope = Scope::new();
    scope.push_constant("args", Array::new());
    let run = || {
        engine
            .eval_ast_with_scope::<Dynamic>(&mut scope, &ast)
            .map_err(|error| described(&error))
    };
    // Scripts need a larger stack than tests have.
    let ended = std::thread::scope(|threads| {
        let thread = std::thread::Builder::new().stack_size(virhai::stack_size());
        let worker = thread
            .spawn_scoped(threads, run)
            .expect("a thread can be started");
        worker.join().expect("the engine does not panic")
    });
    if let Err(error) = ended {
        panic!("{error}");
    }
    let mut state = seen.lock().expect("nothing panicked");
    let (last, reader, calls) = &mut *state;
    for name in reader.new_calls() {
        writeln!(calls, "{} {name}", *last + 1).expect("the folder can be written");
    }
    writeln!(calls, "{} end", *last + 1).expect("the folder can be written");
}

/// The place and the reason of the recipe's failure; Rhai itself shows only the type of an error of virhai.
fn described(error: &EvalAltResult) -> String {
    let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner() else {
        return error.to_string();
    };
    let why = match value.clone().try_cast::<Error>() {
        Some(error) => format!("{error:?}"),
        None => value.to_string(),
    };
    format!("{why}\n{error}")
}

/// libvirt's log, read as it grows.
struct Reader {
    path: PathBuf,
    file: Option<File>,
    rest: String,
}

impl Reader {
    /// The names of the functions that were called since the last time.
    fn new_calls(&mut self) -> Vec<String> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        let _ = file.read_to_end(&mut bytes);
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        let Some(end) = self.rest.rfind('\n') else {
            return Vec::new();
        };
        let lines: String = self.rest.drain(..=end).collect();
        let names = lines.lines().filter_map(|line| {
            let (_, call) = line.split_once(": debug : ")?;
            Some(call.split_once(':')?.0.to_owned())
        });
        names.filter(|name| name.starts_with("vir")).collect()
    }
}
