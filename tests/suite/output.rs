//! Output that nobody reads, and the time that undoing may take.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Host, PROMPT, Prompt, Run, Scratch, Terminal, virhai};

/// A script that prints without end.
const PRINTS: &str = r#"loop { print("x".repeat(1000)) }"#;

/// Longer than any of these programs may take to end once it is told to.
const SOON: Duration = Duration::from_secs(8);

/// A program whose output goes to a pipe that nobody reads.
struct Unread {
    child: Child,
    reader: Option<PipeReader>,
    /// The program's end of the pipe too, to see whether it is full.
    writer: Option<PipeWriter>,
    stderr: std::path::PathBuf,
    _scratch: Scratch,
}

impl Unread {
    /// Starts `run`; its standard error goes to a file.
    fn start(run: &Run) -> Self {
        Self::start_with(run, false)
    }

    /// Starts `run`; its standard error goes to the same pipe if `both`.
    fn start_with(run: &Run, both: bool) -> Self {
        let scratch = Scratch::new();
        let stderr = scratch.path("stderr");
        let (reader, writer) = pipe().expect("there are pipes left");
        let mut command = run.command();
        command.stdin(Stdio::null());
        match both {
            true => command.stderr(writer.try_clone().expect("it can be copied")),
            false => command.stderr(File::create(&stderr).expect("the folder is the test's own")),
        };
        command.stdout(writer.try_clone().expect("it can be copied"));
        let child = command.spawn().expect("the program can be started");
        Self {
            child,
            reader: Some(reader),
            writer: Some(writer),
            stderr,
            _scratch: scratch,
        }
    }

    /// Waits until the pipe is full, and the script blocked.
    fn fills_the_pipe(&self) {
        let writer = self.writer.as_ref().expect("nobody has read it");
        let until = Instant::now() + Duration::from_secs(30);
        let has_room = || {
            let mut asked = [PollFd::new(writer.as_fd(), PollFlags::POLLOUT)];
            poll(&mut asked, PollTimeout::ZERO).expect("pipes can be asked") > 0
        };
        while has_room() {
            assert!(Instant::now() < until, "the script prints too little");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the program runs");
    }

    /// Waits until the program handles `signal` itself.
    fn handles(&self, signal: Signal) {
        let path = format!("/proc/{}/status", self.child.id());
        let bit = 1_u64 << (signal as u32 - 1);
        let began = Instant::now();
        loop {
            let status = std::fs::read_to_string(&path).expect("the program runs");
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let mask = u64::from_str_radix(mask.unwrap_or_default().trim(), 16);
            if mask.expect("a mask of signals") & bit != 0 {
                return;
            }
            assert!(began.elapsed() < SOON, "it handles no {signal}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end, which must come within `limit`; returns the status and standard error.
    fn ends_within(&mut self, limit: Duration) -> (i32, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(began.elapsed() < limit, "it goes on; {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        };
        (status.code().unwrap_or(-1), self.said())
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Reads all that is printed from now on.
    fn read(&mut self) -> String {
        self.writer = None;
        let mut text = String::new();
        let mut reader = self.reader.take().expect("nobody has read it");
        reader.read_to_string(&mut text).expect("it is text");
        text
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(text: &str) -> Run {
    virhai().arg("-e").arg(text)
}

#[test]
fn a_script_with_unread_output_ends_at_its_timeout() {
    for both in [false, true] {
        let run = code(PRINTS).arg("--timeout").arg("1s");
        let mut unread = Unread::start_with(&run, both);
        let (status, said) = unread.ends_within(SOON);
        assert_eq!(status, 124, "{said}");
        assert_eq!(said.contains("the script timed out"), !both, "{said}");
        assert!(!said.contains("libvirt"), "{said}");
    }
}

#[test]
fn one_signal_ends_a_script_with_unread_output() {
    for script in [
        PRINTS,
        // A single line that is longer than any buffer, and one that is the result.
        r#"print("x".repeat(3_000_000))"#,
        r#""x".repeat(3_000_000)"#,
        // Loops that must not catch a stop.
        r#"loop { try { print("x".repeat(1000)) } catch {} }"#,
        r#"parallel([1, 2, 3], 3, |n| loop { print("x".repeat(1000)) })"#,
        r#"loop { note("x".repeat(1000)) }"#,
        r#"print("x".repeat(300_000)); exit(7)"#,
        r#"print("x".repeat(300_000)); throw "no""#,
    ] {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            let mut unread = Unread::start_with(&code(script), true);
            unread.fills_the_pipe();
            unread.signal(signal);
            let (status, _) = unread.ends_within(SOON);
            assert_eq!(status, 130, "{script}: {signal}");
        }
    }
}

#[test]
fn an_unread_result_is_not_reported_as_written() {
    for (options, expected) in [(["--timeout", "1s"], 124), (["--timeout", "1m"], 130)] {
        let run = options
            .iter()
            .fold(code(r#""x".repeat(1_000_000)"#), Run::arg);
        let mut unread = Unread::start(&run);
        unread.fills_the_pipe();
        if expected == 130 {
            unread.signal(Signal::SIGTERM);
        }
        let (status, said) = unread.ends_within(SOON);
        assert_eq!(status, expected, "{said}");
        assert!(said.contains("could not be written"), "{said}");
    }
}

#[test]
fn output_that_is_read_late_is_complete_and_in_order() {
    let script = r#"
        for i in 0..500 { print(`out ${i}`); note(`note ${i}`); }
        print("x".repeat(500_000));
        parallel([1, 2, 3, 4], 4, |n| for i in 0..500 { print(`${n}`.repeat(300)) });
        "the result"
    "#;
    let run = code(script);
    let mut unread = Unread::start_with(&run, true);
    unread.fills_the_pipe();
    let text = unread.read();
    let (status, _) = unread.ends_within(SOON);
    assert_eq!(status, 0);
    let mut expected: Vec<String> = (0..500)
        .flat_map(|i| [format!("out {i}"), format!("note {i}")])
        .collect();
    expected.push("x".repeat(500_000));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[..expected.len()] == expected, "{}", &text[..2000]);
    let (last, mixed) = lines[expected.len()..].split_last().expect("there is more");
    assert_eq!(*last, "the result");
    assert_eq!(mixed.len(), 2000);
    let whole = |line: &&str| {
        line.len() == 300 && line.bytes().all(|byte| Some(byte) == line.bytes().next())
    };
    assert!(
        mixed.iter().all(whole),
        "lines of several threads are mixed"
    );
}

#[test]
fn a_pipe_that_another_process_made_non_blocking_loses_nothing() {
    let (mut reader, writer) = pipe().expect("there are pipes left");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("pipes have flags");
    let mut command = code("for i in 0..100_000 { print(i) }").command();
    let mut child = command
        .stdout(OwnedFd::from(writer))
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started");
    drop(command);
    std::thread::sleep(Duration::from_millis(500));
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("it is text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(text.lines().count(), 100_000);
    assert!(text.ends_with("\n99999\n"));
}

/// A host, and a script that defines a guest with an undo step, and then does `then`.
fn defining(then: &str) -> (Daemon, String) {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    let script = format!(
        r#"let conn = connect();
        all_or_nothing(|undo| {{
            let dom = conn.define_xml(`{xml}`);
            undo.push(|| {{
                for i in 0..3000 {{ print("undo"); note("undo"); }}
                dom.undefine();
            }});
            {then}
        }});"#
    );
    (host, script)
}

#[test]
fn undo_completes_when_its_messages_are_not_read() {
    let (host, script) = defining(PRINTS);
    for (options, signal, expected) in [
        (&["--timeout", "5s"][..], None, 124),
        (&[][..], Some(Signal::SIGTERM), 130),
    ] {
        let run = host.virhai().arg("-e").arg(&script);
        let mut unread = Unread::start_with(&options.iter().fold(run, Run::arg), true);
        if let Some(signal) = signal {
            unread.fills_the_pipe();
            unread.signal(signal);
        }
        let (status, _) = unread.ends_within(Duration::from_secs(20));
        assert_eq!(status, expected);
        assert_eq!(host.ok("connect().list_all_domains().len()"), "0\n");
    }
}

#[test]
fn undo_after_a_failure_does_not_wait_for_a_reader() {
    let (host, script) = defining(r#"print("x".repeat(100_000)); throw "no";"#);
    let mut unread = Unread::start_with(&host.virhai().arg("-e").arg(&script), true);
    unread.fills_the_pipe();
    // The guest is undone while the program still waits for a reader.
    host.ok(r#"while connect().list_all_domains().len() > 0 { sleep("20ms") }"#);
    let text = unread.read();
    let (status, _) = unread.ends_within(SOON);
    assert_eq!(status, 1);
    assert!(text.contains("error: no"), "the diagnostic is missing");
}

#[test]
fn a_terminal_that_ctrl_s_stopped_does_not_hold_up_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut terminal = Terminal::start(&code("loop { print(1) }").command());
        terminal.shows("1\n1");
        terminal.types("\x13");
        std::thread::sleep(Duration::from_millis(300));
        kill(terminal.pid(), signal).expect("it runs");
        assert_eq!(terminal.ends(), 130);
    }
}

#[test]
fn one_signal_ends_a_prompt_whose_terminal_is_stopped() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("loop { print(1) }\r");
    prompt.terminal.shows("1\n1");
    prompt.terminal.types("\x13");
    std::thread::sleep(Duration::from_millis(300));
    kill(prompt.terminal.pid(), Signal::SIGTERM).expect("it runs");
    assert_eq!(prompt.terminal.ends(), 128 + 15);
}

#[test]
fn ctrl_c_gives_the_prompt_back_and_later_output_is_shown() {
    let mut prompt = Prompt::open();
    prompt.terminal.types("loop { print(1) }\r");
    prompt.terminal.shows("1\n1");
    prompt.terminal.types("\x03");
    prompt.terminal.shows("error: interrupted");
    prompt.terminal.line_is(PROMPT);
    prompt.terminal.types("print(\"shown \" + 6 * 7)\r");
    prompt.terminal.shows("shown 42");
}

#[test]
fn one_signal_ends_every_command_with_unread_output() {
    let scratch = Scratch::new();
    scratch.write(
        "loud_test.rhai",
        r#"fn test_loud() { for i in 0..1000 { print("x".repeat(1000)) } throw "no" }"#,
    );
    let folder = scratch.path("");
    for run in [
        virhai().arg("doc").arg("--markdown"),
        virhai().arg("test").arg(&folder),
    ] {
        let mut unread = Unread::start(&run);
        unread.fills_the_pipe();
        unread.signal(Signal::SIGTERM);
        let (status, said) = unread.ends_within(SOON);
        // Without a script to undo, a signal may simply end the program.
        assert!([-1, 130].contains(&status), "{status}: {said}");
    }
}

#[test]
fn a_stop_during_compilation_ends_the_program_at_once() {
    let scratch = Scratch::new();
    let script = scratch.write("long.rhai", "let x = [1, 2, 3];\n".repeat(400_000));
    for signal in [false, true] {
        let run = virhai()
            .arg("--timeout")
            .arg(if signal { "1m" } else { "500ms" });
        let mut unread = Unread::start(&run.arg(&script));
        if signal {
            unread.handles(Signal::SIGTERM);
            unread.signal(Signal::SIGTERM);
        }
        let (status, said) = unread.ends_within(SOON);
        assert_eq!(status, if signal { 130 } else { 124 }, "{said}");
    }
}

#[test]
fn undoing_has_its_own_time_limit() {
    let undo = r#"undo.push(|| note("never" + " reached")); undo.push(|| BUSY); "#;
    for (then, options, expected, why) in [
        (r#"throw "the reason""#, "", 1, "error: the reason"),
        (
            "loop {}",
            // Long enough that the steps are there, also beside other tests.
            "--timeout=1s",
            124,
            "error: the script timed out",
        ),
    ] {
        for busy in [
            "loop {}",
            r#"sleep("1h")"#,
            r#"try { sleep("1h") } catch { sleep("1h") }"#,
            r#"parallel([1, 2], 2, |n| sleep("1h"))"#,
            r#"all_or_nothing(|inner| { inner.push(|| sleep("1h")); throw "no" })"#,
        ] {
            let undo = undo.replace("BUSY", busy);
            let script = format!("all_or_nothing(|undo| {{ {undo} {then} }})");
            let mut run = code(&script).arg("--undo-timeout").arg("300ms");
            if !options.is_empty() {
                run = run.arg(options);
            }
            let began = Instant::now();
            let outcome = run.fails(expected);
            assert!(began.elapsed() < SOON, "{script}: {outcome}");
            assert!(outcome.stderr.contains(why), "{script}: {outcome}");
            let told = "undoing timed out after 300ms: 1 step was not undone";
            assert!(outcome.stderr.contains(told), "{script}: {outcome}");
            assert!(
                !outcome.stderr.contains("never reached"),
                "{script}: {outcome}"
            );
        }
    }
}

#[test]
fn json_errors_list_the_steps_that_were_not_undone_in_time() {
    let script =
        r#"all_or_nothing(|undo| { undo.push(|| ()); undo.push(|| loop {}); throw "no" })"#;
    let run = code(script)
        .arg("--json")
        .arg("--undo-timeout")
        .arg("100ms");
    let outcome = run.fails(1);
    let told: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    let not_undone = told["error"]["not_undone"].as_array().expect("a list");
    assert_eq!(not_undone.len(), 2, "{outcome}");
}

#[test]
fn several_threads_undo_in_parallel_and_end_at_the_time_limit() {
    let script = r#"
        parallel([1, 2, 3], 3, |n| all_or_nothing(|undo| {
            undo.push(|| if n == 2 { note("undone") } else { sleep("1h") });
            sleep("1h");
        }))
    "#;
    let run = code(script)
        .arg("--timeout=300ms")
        .arg("--undo-timeout=500ms");
    let began = Instant::now();
    let outcome = run.fails(124);
    assert!(began.elapsed() < SOON, "{outcome}");
    assert!(outcome.stderr.contains("undone"), "{outcome}");
    assert_eq!(
        outcome.stderr.matches("undoing timed out after").count(),
        2,
        "{outcome}"
    );
}

#[test]
fn a_short_time_limit_does_not_cut_short_undoing() {
    let script = r#"all_or_nothing(|undo| { undo.push(|| note("undone")); loop {} })"#;
    let run = code(script).arg("--timeout=200ms").arg("--undo-timeout=5s");
    let outcome = run.fails(124);
    assert!(outcome.stderr.contains("undone"), "{outcome}");
    assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
}

#[test]
fn the_time_limit_for_undoing_holds_at_the_prompt() {
    let host = crate::support::TestHost::new();
    let home = Scratch::new();
    let uri = host.uri();
    let run = virhai().arg("-c").arg(&uri).arg("--undo-timeout=300ms");
    let mut terminal = Prompt::started(run, &uri, &home, &[("NO_COLOR", "1")]);
    terminal.types("all_or_nothing(|undo| { undo.push(|| loop {}); throw \"no\" })\r");
    terminal.shows("cannot undo: undoing timed out");
    terminal.line_is(PROMPT);
    terminal.types("6 * 7\r");
    terminal.shows("42");
}

#[test]
fn one_signal_ends_a_script_in_a_libvirt_call_that_does_not_return() {
    let host = Daemon::start();
    let xml = host.micro("hang", "web");
    host.ok(&format!("connect().create_xml(`{xml}`);"));
    let file = host.scratch().path("run/libvirt/qemu/run/web.pid");
    let text = std::fs::read_to_string(file).expect("QEMU runs");
    let qemu = Pid::from_raw(text.trim().parse().expect("a pid"));
    kill(qemu, Signal::SIGSTOP).expect("it can be frozen");
    let limit = Duration::from_secs(60);

    let script = r#"connect().lookup_by_name("web").suspend();"#;
    let mut unread = Unread::start(&host.virhai().arg("-e").arg(script));
    // The call is under way once libvirt has its job on the domain.
    host.ok(
        r#"let dom = connect().lookup_by_name("web"); while dom.control_info().state == "ok" { sleep("10ms"); }"#,
    );
    unread.signal(Signal::SIGTERM);
    let (status, said) = unread.ends_within(limit);
    assert_eq!(status, 130, "{said}");
    assert!(said.contains("the libvirt call did not return"), "{said}");

    // The same in an undo step after a failure: the time limit ends it without a signal.
    let script = r#"let dom = connect().lookup_by_name("web");
        all_or_nothing(|undo| { undo.push(|| dom.suspend()); throw "the reason"; })"#;
    let run = host.virhai().arg("-e").arg(script);
    let mut unread = Unread::start(&run.arg("--undo-timeout").arg("500ms"));
    let (status, said) = unread.ends_within(limit);
    kill(qemu, Signal::SIGCONT).expect("it is there");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("before libvirt answered"), "{said}");
    assert!(said.contains("undoing timed out after 500ms"), "{said}");
    host.ok(r#"connect().lookup_by_name("web").destroy();"#);
}

#[test]
fn a_command_whose_output_is_lost_fails() {
    let folder = Scratch::new();
    folder.write("step.rhai", "step(\"one\", || 1)");
    let commands: [&[&str]; 5] = [
        &["--json", "--rehearse", "run", "step.rhai"],
        &["run", "step.rhai"],
        &["--json", "show"],
        &["runs"],
        &["check", "--format", "sarif", "step.rhai"],
    ];
    for words in commands {
        let run = virhai()
            .folder(folder.path(""))
            .env("XDG_STATE_HOME", folder.path("state"));
        let mut command = words.iter().fold(run, |run, word| run.arg(word)).command();
        let full = File::options().write(true).open("/dev/full");
        let output = command
            .stdout(full.expect("every system has it"))
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert_eq!(said.matches("could not be written").count(), 1, "{said}");
    }
}
