//! Scripts of many thousand lines: the time of the check grows linearly with their length, and the
//! check can be stopped.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use virhai::catalog::Catalog;
use virhai::check::Checker;
use virhai::engine::{self, Limits};
use virhai::{Imports, Program, Session, SessionOptions};

use crate::support::{Scratch, virhai};

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// Scripts with `count` parts of one kind.
fn scripts(count: usize) -> Vec<(&'static str, String)> {
    vec![
        ("variables", lines(count, |n| format!("let v{n} = {n};\n"))),
        (
            "uses",
            lines(count, |n| format!("let v{n} = {n};\nprint(v{n});\n")),
        ),
        (
            "one line",
            lines(count, |n| format!("let v{n} = {n}; print(v{n}); ")),
        ),
        (
            "closures",
            lines(count, |n| {
                format!("let v{n} = |x| x + {n};\nv{n}.call(1);\n")
            }),
        ),
        (
            "branches",
            lines(count, |n| {
                format!("let v{n} = {n};\nif v{n} > 1 {{ print(v{n}) }} else {{ v{n} = 2 }}\n")
            }),
        ),
        (
            "loops",
            lines(count, |n| {
                format!("let v{n} = 0;\nwhile v{n} < 1 {{ v{n} += 1 }}\n")
            }),
        ),
        (
            "constants",
            lines(count, |n| {
                format!("const C{n} = {n};\nfn f{n}() {{ global::C{n} }}\nf{n}();\n")
            }),
        ),
        (
            "unknown names",
            lines(count, |n| format!("nope{n}();\nmissing{n};\n")),
        ),
        (
            "keys",
            format!(
                "let m = #{{}};\n{}print(m);",
                lines(count, |n| format!("m.k{n} = {n};\n"))
            ),
        ),
        (
            "methods",
            format!(
                "let conn = connect();\n{}",
                lines(count, |n| format!(
                    "let d{n} = conn.lookup_by_name(\"a\");\nd{n}.destory();\n"
                ))
            ),
        ),
        (
            "switches",
            format!(
                "let v = 1; let w = 2;\nswitch v {{\n{}}}\nprint(w);",
                lines(count, |n| format!("{n} => {{ w = {n}; }}\n"))
            ),
        ),
        (
            "evals",
            lines(count, |n| format!("let v{n} = eval(\"{n}\");\n")),
        ),
    ]
}

/// The time of the check, without Rhai's parser, which compares each new variable with all earlier ones.
fn check_time(text: &str) -> Duration {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let catalog = Catalog::new(&engine);
    let checker = Checker::new(&engine, &catalog);
    let imports = Imports::default();
    let program = Program::compile(&engine, &imports, "main.rhai", text).expect("it compiles");
    let check = || {
        let began = thread_time();
        checker.check_program(&imports, "main.rhai", &program);
        thread_time() - began
    };
    // The faster of two checks: the first one also fills caches.
    check().min(check())
}

/// The processor time of this thread, which other processes do not lengthen.
pub(super) fn thread_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the kernel counts");
    let time = usage.user_time();
    Duration::from_micros(
        u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).expect("time goes on"),
    )
}

#[test]
fn the_check_is_linear_in_the_length_of_a_script() {
    let (small, factor) = match std::env::var_os("VIRHAI_TEST_ALL") {
        Some(_) => (2_000, 8),
        None => (400, 8),
    };
    for ((what, short), (_, long)) in scripts(small).iter().zip(&scripts(small * factor)) {
        let (one, many) = (check_time(short), check_time(long));
        eprintln!("{what}: {one:?} for {small}, {many:?} for {factor} times as many");
        let allowed = one.max(Duration::from_millis(5)) * u32::try_from(factor * 3).expect("small");
        assert!(
            many < allowed,
            "{what}: {one:?}, and {many:?} for {factor} times the length"
        );
    }
}

/// A script that takes the parser several minutes.
fn endless(scratch: &Scratch) {
    scratch.write(
        "long.rhai",
        lines(300_000, |n| format!("let v{n} = {n};\n")),
    );
}

#[test]
fn a_timeout_ends_the_compilation_and_the_check() {
    let scratch = Scratch::new();
    endless(&scratch);
    for command in ["run", "check"] {
        let began = Instant::now();
        let outcome = virhai()
            .arg("--timeout")
            .arg("1s")
            .arg(command)
            .arg(scratch.path("long.rhai"))
            .fails(124);
        assert!(outcome.stderr.contains("time"), "{outcome}");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{:?}",
            began.elapsed()
        );
    }
}

#[test]
fn one_signal_ends_the_compilation() {
    let scratch = Scratch::new();
    endless(&scratch);
    for (signal, command, status) in [
        (Signal::SIGTERM, "run", Some(130)),
        (Signal::SIGINT, "run", Some(130)),
        (Signal::SIGTERM, "check", None),
    ] {
        let mut child = virhai()
            .arg("-v")
            .arg(command)
            .arg(scratch.path("long.rhai"))
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        if command == "run" {
            // It prints that it runs once it handles signals.
            let mut line = String::new();
            let stderr = child.stderr.as_mut().expect("it is a pipe");
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut line)
                .expect("it can be read");
            assert!(line.starts_with("running"), "{line}");
        }
        let began = Instant::now();
        kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), signal).expect("it runs");
        let ended = child.wait().expect("it can be waited for");
        assert_eq!(ended.code(), status, "{signal} {command}");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{:?}",
            began.elapsed()
        );
    }
}

#[test]
fn names_of_a_million_letters_get_no_suggestions_and_no_hang() {
    for code in [
        "eval(\"VIR_\" + \"A\".repeat(1000000))",
        "eval(\"x\".repeat(1000000) + \"()\")",
        "eval(\"(1).\" + \"x\".repeat(1000000) + \"()\")",
        "connect(\"test:///default\").lookup_by_name(\"x\".repeat(1000000))",
        "connect(\"qemu:///system?\" + \"x\".repeat(1000000) + \"=1\")",
        "parse_xml(\"<a/>\").get(\"x\".repeat(1000000))",
    ] {
        let began = Instant::now();
        let outcome = virhai().arg("-e").arg(code).run();
        assert!(outcome.status > 0, "{code}: {}", outcome.status);
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{code}: {:?}",
            began.elapsed()
        );
    }
}
