//! Running the program on a script.

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::user::as_test_user;

/// The time limit for a script: a hang fails the test instead of blocking it.
const LONGEST: Duration = Duration::from_secs(300);

/// A run of the program, built up option by option.
#[derive(Clone)]
pub struct Run {
    args: Vec<String>,
    script: Option<String>,
    env: Vec<(String, String)>,
    folder: Option<PathBuf>,
    unprivileged: bool,
    through: Vec<String>,
    granted: bool,
}

/// The folder for journals that no test reads.
fn state_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("state")
}

/// A run of the program.
pub fn virhai() -> Run {
    Run {
        args: Vec::new(),
        script: None,
        env: Vec::new(),
        folder: None,
        unprivileged: false,
        through: Vec::new(),
        granted: true,
    }
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Adds a command-line argument.
    pub fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.args.push(
            arg.as_ref()
                .to_str()
                .expect("arguments of tests are text")
                .to_owned(),
        );
        self
    }

    /// Puts an argument before those that are there.
    pub fn first_arg(mut self, arg: &str) -> Self {
        self.args.insert(0, arg.to_owned());
        self
    }

    /// Passes the script on standard input.
    pub fn script(mut self, text: impl Into<String>) -> Self {
        self.script = Some(text.into());
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        let value = value
            .as_ref()
            .to_str()
            .expect("variables of tests are text");
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs in `folder`.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Runs as an ordinary user, also where the tests run as root.
    pub fn unprivileged(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    /// Runs without the permissions that the tests' own helpers give.
    pub fn without_grants(mut self) -> Self {
        self.granted = false;
        self
    }

    /// Runs the program through `command`, such as one that puts it into a network namespace.
    pub fn through(mut self, command: &[&str]) -> Self {
        self.through = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The command, for tests that talk to the process themselves.
    pub fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_virhai");
        let mut command = if self.unprivileged {
            as_test_user(program)
        } else if let [first, rest @ ..] = self.through.as_slice() {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        } else {
            Command::new(program)
        };
        if self.granted {
            command.args(self.grants());
        }
        let has_state =
            |(name, _): &(String, String)| ["HOME", "XDG_STATE_HOME"].contains(&&**name);
        if !self.env.iter().any(has_state) {
            match self.unprivileged {
                // There is no folder for the journals of that user.
                true => command.arg("--no-journal"),
                false => command.env("XDG_STATE_HOME", state_folder()),
            };
        }
        command.args(&self.args);
        // The words after `-` would be the script's.
        if self.script.is_some() && !self.args.iter().any(|arg| arg == "-") {
            command.args(["run", "-"]);
        }
        command
            .env_remove("LIBVIRT_DEFAULT_URI")
            .envs(self.env.iter().cloned());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Allows the URIs in the script and in the arguments: hosts of tests are sockets and folders.
    fn grants(&self) -> Vec<String> {
        let texts = self.args.iter().chain(&self.script);
        let uris = texts.flat_map(|text| {
            text.split(|char: char| char.is_whitespace() || "\"'`".contains(char))
                .filter(|word| word.contains("://"))
        });
        let grants: std::collections::BTreeSet<&str> = uris.collect();
        grants
            .into_iter()
            .flat_map(|uri| ["--allow-connect".to_owned(), uri.to_owned()])
            .collect()
    }

    /// Runs to the end.
    pub fn run(self) -> Outcome {
        let mut child = self.command().spawn().expect("the program can be started");
        let mut input = child.stdin.take().expect("standard input is a pipe");
        // The program may end before it has read the whole script.
        let _ = input.write_all(self.script.as_deref().unwrap_or_default().as_bytes());
        drop(input);
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            let began = Instant::now();
            if ended.recv_timeout(LONGEST).is_err() && began.elapsed() >= LONGEST {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        });
        let output = child
            .wait_with_output()
            .expect("the program can be waited for");
        drop(done);
        let _ = guard.join();
        Outcome::of(&output)
    }

    /// Starts the program on its script; returns its standard output, to be read while it runs.
    pub fn started(self) -> (Child, BufReader<ChildStdout>) {
        let mut child = self.command().spawn().expect("the program can be started");
        let mut input = child.stdin.take().expect("standard input is a pipe");
        let script = self.script.as_deref().unwrap_or_default();
        input
            .write_all(script.as_bytes())
            .expect("the program reads it");
        drop(input);
        let output = child.stdout.take().expect("standard output is a pipe");
        (child, BufReader::new(output))
    }

    /// Runs to the end, which must be a success; returns the standard output.
    pub fn ok(self) -> String {
        let outcome = self.run();
        assert_eq!(outcome.status, 0, "{outcome}");
        outcome.stdout
    }

    /// Rehearses the script, runs it, and returns the output of the run. The run must succeed and
    /// match its plan.
    pub fn ok_with_plan(self) -> String {
        self.done_with_plan().stdout
    }

    /// The same with all that the run wrote; standard error has the steps of the rehearsal too.
    pub fn done_with_plan(self) -> Outcome {
        self.done_like_plan(&[])
    }

    /// The same where the run may leave out the planned changes that contain one of `undone`.
    pub fn done_like_plan(self, undone: &[&str]) -> Outcome {
        let mut outcome = self.first_arg("--yes").first_arg("--plan-first").run();
        assert_eq!(outcome.status, 0, "{outcome}");
        let (_, run) = outcome
            .stdout
            .split_once("The host did not change.\n")
            .unwrap_or_else(|| panic!("there is no plan in\n{outcome}"));
        let as_planned = run.strip_suffix("The run made the planned changes.\n");
        let (printed, differences) = as_planned
            .map(|printed| (printed, ""))
            .or_else(|| run.split_once("The run differed from the plan:\n"))
            .unwrap_or_else(|| panic!("the run was not compared with its plan:\n{outcome}"));
        for line in differences.lines() {
            let is_undone = line.contains("planned, not done: ");
            let fits = |part: &&&str| is_undone || part.starts_with("done, not planned: ");
            assert!(
                undone.iter().filter(fits).any(|part| line.contains(part)),
                "the run did not do what its plan said: {line}\n{outcome}"
            );
        }
        outcome.stdout = printed.to_owned();
        outcome
    }

    /// Runs to the end, which must have the status `status`.
    pub fn fails(self, status: i32) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.status, status, "{outcome}");
        outcome
    }
}

impl Outcome {
    pub fn of(output: &Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        Self {
            status: output
                .status
                .code()
                .unwrap_or_else(|| -output.status.signal().unwrap_or(1)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "status {}\n--- stdout\n{}\n--- stderr\n{}",
            self.status, self.stdout, self.stderr
        )
    }
}
