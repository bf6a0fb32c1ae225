//! Runs tests in parallel.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;

use super::files::{Test, Tests};
use super::{INTERRUPTED, LONGEST, Options};
use crate::{run, signals};

/// The result of a test.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) test: Test,
    pub(super) status: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
}

impl Ended {
    pub(super) fn passed(&self) -> bool {
        self.status == 0
    }
}

/// Runs the test `name` of `file` in this process, and returns the exit status.
pub(super) fn this(options: &Options, file: &str, name: &str) -> u8 {
    let mut options = options.clone();
    options
        .connect
        .get_or_insert_with(|| "test:///default".into());
    options.timeout.get_or_insert(LONGEST);
    // All files were checked before any test was run.
    options.no_check = true;
    options.quiet = true;
    run::run_function(&options, PathBuf::from(file), name.to_owned())
}

/// Runs tests in separate processes.
pub(super) struct Runner {
    program: PathBuf,
    /// The arguments of this process, which the processes of the tests get too.
    args: Vec<OsString>,
    colors: bool,
    jobs: usize,
    stopped: Arc<AtomicBool>,
    running: Arc<Mutex<Vec<u32>>>,
}

impl Runner {
    /// A runner of `jobs` tests at the same time, which Ctrl-C stops.
    pub(super) fn start(options: &Options, jobs: Option<u16>) -> std::io::Result<Self> {
        let jobs = match jobs {
            Some(jobs) => jobs.into(),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let running: Arc<Mutex<Vec<u32>>> = Arc::default();
        let (stopping, ends) = (Arc::clone(&stopped), Arc::clone(&running));
        let stop_all = move || {
            stopping.store(true, Ordering::SeqCst);
            for process in ends.lock().iter() {
                stop(*process);
            }
        };
        signals::watch(stop_all, signals::told(options.quiet), || {
            crate::leave_now(INTERRUPTED)
        })?;
        Ok(Self {
            program: std::env::current_exe()?,
            args: std::env::args_os().skip(1).collect(),
            colors: options.colors(),
            jobs,
            stopped,
            running,
        })
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Runs `tests` and returns how each ended, in their order; calls `ended` at once.
    pub(super) fn run(&self, tests: &Tests, ended: impl Fn(&Ended)) -> Vec<Ended> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut results: Vec<(usize, Ended)> = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(tests.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while !self.is_stopped() {
                        let index = next.fetch_add(1, Ordering::SeqCst);
                        let Some(test) = tests.get(index) else { return };
                        let _ = sender.send((index, self.run_one(test)));
                    }
                });
            }
            drop(sender);
            for (index, result) in receiver {
                ended(&result);
                results.push((index, result));
            }
        });
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn run_one(&self, test: &Test) -> Ended {
        let began = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .arg("--color")
            .arg(if self.colors { "always" } else { "never" })
            .arg("--only")
            .arg(&test.file)
            .arg(&test.name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = command.spawn().and_then(|child| {
            let process = child.id();
            let running = || self.running.lock();
            running().push(process);
            if self.is_stopped() {
                // It came too late to be stopped with the others.
                stop(process);
            }
            let output = child.wait_with_output();
            running().retain(|other| *other != process);
            output
        });
        let (status, stdout, stderr) = match output {
            Ok(output) => (
                status_of(output.status),
                String::from_utf8_lossy(&output.stdout).into_owned(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ),
            Err(error) => (
                1,
                String::new(),
                format!("error: cannot start a process: {error}\n"),
            ),
        };
        Ended {
            test: test.clone(),
            status,
            stdout,
            stderr,
            took: began.elapsed(),
        }
    }
}

/// Makes a test undo its changes and end.
fn stop(process: u32) {
    let _ = kill(Pid::from_raw(process.cast_signed()), Signal::SIGTERM);
}

fn status_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
