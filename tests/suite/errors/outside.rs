//! Failures that come from outside of the script: hosts, limits, signals, the command line.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Case, golden_file};
use crate::support::{Daemon, Embed, Host, Outcome, Run, golden, virhai};

#[test]
fn a_connection_that_is_read_only() {
    let case = Case::new();
    let run = virhai().arg("--readonly").arg("-c").arg(case.host.uri());
    let script = "connect().lookup_by_name(\"test\").destroy();\n";
    case.shows_of(run, "a_connection_that_is_read_only", script);
}

#[test]
fn a_connection_that_is_refused() {
    let case = Case::new();
    // A socket that nobody listens on any more.
    drop(UnixListener::bind(case.scratch.path("sock")).expect("the folder is ours"));
    let uri = format!("qemu+unix:///session?socket={}", case.scratch.text("sock"));
    case.shows_of(
        virhai().arg("-c").arg(uri),
        "a_connection_that_is_refused",
        "connect();\n",
    );
}

#[test]
fn a_socket_that_is_missing() {
    let uri = "qemu+unix:///session?socket=/nonexistent/sock";
    let run = virhai().arg("--allow-connect").arg(uri);
    let script = format!("connect(\"{uri}\");\n");
    Case::new().shows_of(run, "a_socket_that_is_missing", &script);
}

#[test]
fn a_host_that_is_silent() {
    let case = Case::new();
    let _listener = UnixListener::bind(case.scratch.path("sock")).expect("the folder is ours");
    let uri = format!("qemu+unix:///session?socket={}", case.scratch.text("sock"));
    let run = virhai()
        .arg("--connect-timeout")
        .arg("300ms")
        .arg("-c")
        .arg(uri);
    case.shows_of(run, "a_host_that_is_silent", "connect();\n");
}

#[test]
fn a_limit_on_memory() {
    let case = Case::new();
    let run = virhai().arg("--max-memory").arg("20MB");
    case.shows_of(
        run,
        "a_limit_on_memory",
        "let s = \"x\";\nloop { s += s; }\n",
    );
}

#[test]
fn a_limit_on_operations() {
    let case = Case::new();
    let run = virhai().arg("--max-operations").arg("1000");
    case.shows_of(
        run,
        "a_limit_on_operations",
        "let n = 0;\nloop { n += 1; }\n",
    );
}

#[test]
fn a_limit_on_texts() {
    let run = virhai().arg("--max-string").arg("100");
    let script = "let s = \"x\";\nloop { s += s; }\n";
    Case::new().shows_of(run, "a_limit_on_texts", script);
}

#[test]
fn a_socket_that_is_not_for_this_user() {
    let case = Case::new();
    let path = case.scratch.path("sock");
    let _listener = UnixListener::bind(&path).expect("the folder is ours");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).expect("it is ours");
    let uri = format!("qemu+unix:///session?socket={}", path.display());
    let run = virhai().unprivileged().arg("-c").arg(uri);
    case.shows_of(run, "a_socket_that_is_not_for_this_user", "connect();\n");
}

#[test]
fn a_script_whose_time_is_up() {
    let case = Case::new();
    let run = virhai()
        .arg("--timeout")
        .arg("5s")
        .arg("-c")
        .arg(case.host.uri());
    let script = "let dom = connect().lookup_by_name(\"test\");\ndom.wait(\"shutoff\", \"5m\");\n";
    case.shows_of(run, "a_script_whose_time_is_up", script);
}

#[test]
fn a_guest_that_is_off() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let case = Case::new();
    case.scratch.write("web.xml", xml);
    let script = "let web = connect().lookup_by_name(\"web\");\nweb.suspend();\n";
    host.ok(&format!(
        "connect().define_xml(`{}`);",
        host.micro("counter", "web")
    ));
    case.scratch.write("main.rhai", script);
    let outcome = host.virhai().arg(case.scratch.path("main.rhai")).run();
    let shown = case.plain(&outcome);
    let shown = shown.replace(&host.uri(), "qemu:///embed?root=ROOT");
    golden(&golden_file("a_guest_that_is_off.txt"), &shown);
}

#[test]
fn a_connection_that_was_lost() {
    let mut host = Daemon::start();
    let case = Case::new();
    // It prints a line once it waits.
    let script =
        "let conn = connect();\nconn.wait_event(\"lifecycle\", \"1m\", || print(\"ready\"));\n";
    case.scratch.write("main.rhai", script);
    let run = host.virhai().arg(case.scratch.path("main.rhai"));
    let outcome = once_ready(&run, |_| host.kill());
    let shown = case.plain(&outcome);
    let shown = shown.replace(&host.uri(), "qemu+unix:///session?socket=SOCKET");
    golden(&golden_file("a_connection_that_was_lost.txt"), &shown);
}

#[test]
fn an_interrupt() {
    let case = Case::new();
    let script = "let dom = connect().lookup_by_name(\"test\");\nprint(\"ready\");\ndom.wait(\"shutoff\", \"5m\");\n";
    case.scratch.write("main.rhai", script);
    let run = virhai()
        .arg("-c")
        .arg(case.host.uri())
        .arg(case.scratch.path("main.rhai"));
    let outcome = once_ready(&run, |script| {
        kill(script, Signal::SIGINT).expect("it runs");
    });
    assert!(outcome.stderr.contains("main.rhai:"), "{outcome}");
    // The interrupt may arrive just before the wait, or during it.
    let begins = |line: &&str| !line.starts_with([' ', '2', '3']);
    let shown = case.plain(&outcome);
    let shown = shown.lines().filter(begins).collect::<Vec<_>>().join("\n") + "\n";
    golden(&golden_file("an_interrupt.txt"), &shown);
}

/// Runs a script that prints `ready`, and then does `act`.
fn once_ready(run: &Run, act: impl FnOnce(Pid)) -> Outcome {
    let mut child = run.command().spawn().expect("the program can be started");
    drop(child.stdin.take());
    let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the output is text");
    assert_eq!(line, "ready\n");
    act(Pid::from_raw(child.id().cast_signed()));
    let mut outcome = Outcome {
        status: 0,
        stdout: String::new(),
        stderr: String::new(),
    };
    let mut stderr = child.stderr.take().expect("standard error is a pipe");
    stdout
        .read_to_string(&mut outcome.stdout)
        .expect("the output is text");
    stderr
        .read_to_string(&mut outcome.stderr)
        .expect("the output is text");
    let status = child.wait().expect("the program can be waited for");
    outcome.status = status.code().unwrap_or(-1);
    outcome
}

/// A test for each invalid command line.
macro_rules! usage {
    ($($name:ident: [$($arg:expr),*];)*) => {
        $(#[test]
        fn $name() {
            let case = Case::new().with("main.rhai", "1\n").with("text.rhai", "");
            let bytes = b"let a = 1;\nlet b = \"\xff\";\n";
            std::fs::write(case.scratch.path("latin.rhai"), bytes).expect("the folder is ours");
            let run = virhai().folder(case.scratch.path(""))$(.arg($arg))*;
            case.shows_run(run, stringify!($name));
        })*
    };
}

usage! {
    an_option_of_the_program_nearly_right: ["--timeot", "5s", "main.rhai"];
    an_option_without_sense: ["--timeout", "soon", "main.rhai"];
    a_command_without_its_file: ["run"];
    code_and_a_file: ["-e", "1", "run", "main.rhai"];
    a_file_that_is_not_there: ["run", "man.rhai"];
    a_file_that_is_no_text: ["run", "latin.rhai"];
    a_file_to_check_that_is_not_there: ["check", "mian.rhai"];
    a_folder_as_a_script: ["run", "."];
    a_name_to_explain_that_is_not_there: ["doc", "Domain.craete"];
}
