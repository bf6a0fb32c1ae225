//! A program that runs without a shell, with bounded output, until it ends or is stopped.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::api::room::MOST;
use crate::run::interrupt::Interrupt;
use crate::run::resources::memory;

/// Time to read output after the program has ended: its children can still write.
const LINGER: Duration = Duration::from_millis(500);

/// The time between SIGTERM and SIGKILL.
const LAST: Duration = Duration::from_secs(2);

/// The interval after which a reading thread checks whether the output is still needed.
const LOOK: Duration = Duration::from_millis(200);

/// Variables that every program gets. None of them holds a secret by convention.
const PASSED_ON: [&str; 16] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LIBVIRT_DEFAULT_URI",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSH_AUTH_SOCK",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// A program to run.
pub(super) struct Program<'a> {
    pub(super) file: &'a Path,
    /// Its name on the command line, and its arguments.
    pub(super) words: &'a [String],
    pub(super) stdin: Vec<u8>,
    pub(super) timeout: Option<Duration>,
    /// True if the script may read this environment variable: the program then gets it too.
    pub(super) has_env: &'a dyn Fn(&str) -> bool,
}

/// A program that ended by itself.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// The reasons why a program has no result.
pub(super) enum Failed {
    /// It could not be started.
    NotStarted(std::io::Error),
    /// It took longer than its timeout, and was ended.
    TimedOut,
    /// The script was stopped, and the program was ended.
    Stopped,
    /// It wrote more than 16 MiB, and was ended.
    TooMuchOutput,
    /// Its output does not fit into the memory of the script; it was ended.
    NoRoom,
}

enum Event {
    Output(Stream, Vec<u8>),
    Closed,
    Exited,
    Stop,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Program<'_> {
    /// Runs the program to its end.
    pub(super) fn run(self, interrupt: &Interrupt) -> Result<Ended, Failed> {
        let [name, arguments @ ..] = self.words else {
            return Err(Failed::NotStarted(ErrorKind::InvalidInput.into()));
        };
        let passed = |name: &str| {
            PASSED_ON.contains(&name) || name.starts_with("LC_") || (self.has_env)(name)
        };
        let env: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(passed))
            .collect();
        let mut child = Command::new(self.file)
            .arg0(name)
            .args(arguments)
            .env_clear()
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A separate process group: the terminal sends Ctrl-C to virhai only, and virhai ends the whole group.
            .process_group(0)
            .spawn()
            .map_err(Failed::NotStarted)?;
        let (sender, events) = sync_channel(4);
        let unwanted = Arc::new(AtomicBool::new(false));
        let threads = follow(&mut child, self.stdin, &sender, &unwanted);
        let stop = sender.clone();
        let _guard = interrupt.on_stop(move || drop(stop.send(Event::Stop)));
        drop(sender);
        let group = Pid::from_raw(child.id().cast_signed());
        let result = threads
            .map_err(Failed::NotStarted)
            .and_then(|()| collect(&events, self.timeout));
        if result.is_err() {
            end(group, &events);
        }
        unwanted.store(true, Ordering::SeqCst);
        // A thread must not wait until its message is read.
        drop(events);
        let status = child.wait().map_err(Failed::NotStarted)?;
        result.map(|(stdout, stderr)| Ended {
            status,
            stdout,
            stderr,
        })
    }
}

/// Starts the threads that give `child` its input, read its output and wait for its end.
fn follow(
    child: &mut Child,
    input: Vec<u8>,
    events: &SyncSender<Event>,
    unwanted: &Arc<AtomicBool>,
) -> std::io::Result<()> {
    let spawn = |work: Box<dyn FnOnce() + Send>| {
        let thread = thread::Builder::new().name("program".into());
        thread.stack_size(256 * 1024).spawn(work).map(drop)
    };
    if let Some(mut stdin) = child.stdin.take()
        && !input.is_empty()
    {
        // A program need not read all of its input.
        spawn(Box::new(move || drop(stdin.write_all(&input))))?;
    }
    if let Some(stdout) = child.stdout.take() {
        let (events, unwanted) = (events.clone(), Arc::clone(unwanted));
        spawn(Box::new(move || {
            read(stdout, Stream::Stdout, &events, &unwanted);
        }))?;
    }
    if let Some(stderr) = child.stderr.take() {
        let (events, unwanted) = (events.clone(), Arc::clone(unwanted));
        spawn(Box::new(move || {
            read(stderr, Stream::Stderr, &events, &unwanted);
        }))?;
    }
    let (events, pid) = (events.clone(), Pid::from_raw(child.id().cast_signed()));
    spawn(Box::new(move || {
        // The process ID stays in use, so a signal cannot reach another process.
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(pid), ended) == Err(nix::errno::Errno::EINTR) {}
        let _ = events.send(Event::Exited);
    }))
}

fn read(
    mut pipe: impl Read + AsFd,
    stream: Stream,
    events: &SyncSender<Event>,
    unwanted: &AtomicBool,
) {
    let mut buffer = vec![0; 64 * 1024];
    let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::MAX);
    while !unwanted.load(Ordering::SeqCst) {
        let mut ready = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, timeout) == Ok(0) {
            continue;
        }
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                if events
                    .send(Event::Output(stream, buffer[..count].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = events.send(Event::Closed);
}

/// The output of a program until it ends.
fn collect(
    events: &Receiver<Event>,
    timeout: Option<Duration>,
) -> Result<(Vec<u8>, Vec<u8>), Failed> {
    let mut until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut open, mut exited) = (2, false);
    while open > 0 || !exited {
        let event = match until {
            Some(until) => events.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match event {
            Ok(Event::Output(stream, bytes)) => {
                let all = match stream {
                    Stream::Stdout => &mut stdout,
                    Stream::Stderr => &mut stderr,
                };
                if all.len() + bytes.len() > MOST {
                    return Err(Failed::TooMuchOutput);
                }
                if !memory::fits(2 * (all.len() + bytes.len())) {
                    return Err(Failed::NoRoom);
                }
                all.extend(bytes);
            }
            Ok(Event::Closed) => open -= 1,
            Ok(Event::Exited) => {
                exited = true;
                until = Instant::now().checked_add(LINGER);
            }
            Ok(Event::Stop) => return Err(Failed::Stopped),
            Err(_) if exited => break,
            Err(RecvTimeoutError::Timeout) => return Err(Failed::TimedOut),
            Err(RecvTimeoutError::Disconnected) => return Err(Failed::Stopped),
        }
    }
    Ok((stdout, stderr))
}

/// Ends the processes of `group`.
fn end(group: Pid, events: &Receiver<Event>) {
    let _ = killpg(group, Signal::SIGTERM);
    let until = Instant::now() + LAST;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Exited) | Err(_) => break,
            Ok(_) => {}
        }
    }
    // The program can have children that still run.
    let _ = killpg(group, Signal::SIGKILL);
}
