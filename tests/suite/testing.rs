//! `virhai test`: tests of scripts, each in its own process and on its own host.

use std::io::{BufRead, BufReader};
use std::process::Child;

use crate::support::{Outcome, Scratch, virhai};

const LAB: &str = "//! A lab.\nfn stop_all(conn) {\n    for dom in conn.list_all_domains() { dom.destroy(); }\n}\n";

const LAB_TEST: &str = r#"
import "lab" as lab;

fn test_all_guests_are_stopped() {
    let conn = connect();
    lab::stop_all(conn);
    assert_eq(conn.lookup_by_name("test").state(), "shutoff");
}

fn test_a_host_is_as_it_was() {
    assert_eq(connect().uri, "test:///default");
    assert_eq(connect().lookup_by_name("test").state(), "running");
}

fn helper() { 1 }
"#;

/// A folder with tests.
fn folder(files: &[(&str, &str)]) -> Scratch {
    let folder = Scratch::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

fn test(folder: &Scratch, args: &[&str], status: i32) -> Outcome {
    let run = virhai().arg("test").folder(folder.path(""));
    args.iter().fold(run, |run, arg| run.arg(arg)).fails(status)
}

#[test]
fn each_test_has_a_host_of_its_own() {
    let folder = folder(&[
        ("lab.rhai", LAB),
        ("sub/lab.rhai", LAB),
        ("sub/lab_test.rhai", LAB_TEST),
    ]);
    let outcome = test(&folder, &[], 0);
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert!(
        lines.iter().any(|line| line.starts_with("2 passed in ")),
        "{outcome}"
    );
    for name in ["test_a_host_is_as_it_was", "test_all_guests_are_stopped"] {
        let begin = format!("ok  sub/lab_test.rhai::{name} (");
        assert!(
            lines.iter().any(|line| line.starts_with(&begin)),
            "{outcome}"
        );
    }
    let listed = test(&folder, &["--list", "--filter", "stopped"], 0);
    assert_eq!(
        listed.stdout,
        "sub/lab_test.rhai::test_all_guests_are_stopped\n"
    );
}

#[test]
fn a_failure_shows_its_place_what_was_printed_and_how_values_differ() {
    let folder = folder(&[(
        "a_test.rhai",
        r#"
fn test_texts() {
    print("looking");
    assert_eq("a\nb\nc\n", "a\nx\nc\n");
}
fn test_maps() { assert_eq(#{ a: 1, b: 2 }, #{ a: 1, b: 3 }); }
fn test_throws() {
    let error = assert_throws(|| connect().lookup_by_name("nobody"), "VIR_ERR_NO_DOMAIN");
    assert_eq(error.code, "VIR_ERR_NO_DOMAIN");
    assert_throws(|| connect(), "VIR_ERR_NO_DOMAIN");
}
fn test_status() { exit(3); }
fn test_good() { print("nobody sees this"); assert_ne(1, 2); }
"#,
    )]);
    let outcome = test(&folder, &["-j", "1"], 1);
    for shown in [
        "FAILED  a_test.rhai::test_texts (",
        "--- a_test.rhai::test_texts\nlooking\nerror: the values differ:",
        "-b\n",
        "+x\n",
        "-b: 2\n",
        "+b: 3\n",
        " --> a_test.rhai:4:5",
        "error: nothing was thrown",
        "--- a_test.rhai::test_status\nit ended with status 3\n",
        "1 passed, 4 failed in ",
    ] {
        assert!(outcome.stdout.contains(shown), "{shown}\n{outcome}");
    }
    assert!(!outcome.stdout.contains("nobody sees this"), "{outcome}");
}

#[test]
fn what_does_not_compile_or_is_no_test_is_told_before_any_test_runs() {
    let bad = [
        ("fn test_a() { 1 +; }", "error[syntax]: "),
        (
            "fn test_a() { connect().lokup_by_name(1); }",
            "error[unknown-method]",
        ),
        (
            "fn test_a(conn) { conn }",
            "error: the test `test_a` has parameters",
        ),
    ];
    for (text, shown) in bad {
        let folder = folder(&[
            ("a_test.rhai", text),
            ("b_test.rhai", "fn test_b() { print(\"ran\"); }"),
        ]);
        let outcome = test(&folder, &[], 3);
        assert!(outcome.stderr.contains(shown), "{outcome}");
        assert!(outcome.stderr.contains(" --> a_test.rhai:1:"), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
    let outcome = test(&Scratch::new(), &[], 2);
    assert!(
        outcome.stderr.starts_with("error: there is no test\n"),
        "{outcome}"
    );
    let outcome = test(&Scratch::new(), &["no_such_folder"], 2);
    assert!(outcome.stderr.contains("no_such_folder"), "{outcome}");
}

#[test]
fn a_test_that_does_not_end_is_stopped_and_the_others_are_not() {
    let folder = folder(&[(
        "a_test.rhai",
        "fn test_hangs() { loop { } }\nfn test_waits() { connect().lookup_by_name(\"test\").wait(\"shutoff\", \"1h\"); }\nfn test_good() { assert(true); }\n",
    )]);
    let outcome = test(&folder, &["--timeout", "1s"], 1);
    assert!(
        outcome.stdout.contains("1 passed, 2 failed in "),
        "{outcome}"
    );
    let told = outcome.stdout.matches("time").count();
    assert!(told > 1, "{outcome}");
}

#[test]
fn results_are_written_for_other_programs() {
    let folder = folder(&[(
        "a_test.rhai",
        "fn test_good() { assert(true); }\nfn test_bad() { assert(false, \"<no>\"); }\n",
    )]);
    test(&folder, &["--junit", "results.xml"], 1);
    let text = std::fs::read_to_string(folder.path("results.xml")).expect("it was written");
    for part in [
        "<testsuite name=\"a_test.rhai\" tests=\"2\"",
        "failures=\"1\"",
        "<testcase name=\"test_bad\" classname=\"a_test.rhai\"",
        "&lt;no&gt;",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn ctrl_c_stops_tests_and_starts_no_more() {
    let folder = folder(&[(
        "a_test.rhai",
        "fn test_a() { print(\"on\"); sleep(\"1h\"); }\nfn test_b() { assert(true); }\n",
    )]);
    let run = virhai()
        .arg("test")
        .arg("-j")
        .arg("1")
        .folder(folder.path(""));
    let child = run.command().spawn().expect("it starts");
    // Child processes are listed under the thread that started them.
    let tasks = format!("/proc/{}/task", child.id());
    let has_children = || {
        let tasks = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
        let lists = tasks.map(|task| std::fs::read_to_string(task.path().join("children")));
        lists.flatten().any(|list| !list.trim().is_empty())
    };
    let began = std::time::Instant::now();
    while !has_children() {
        assert!(began.elapsed().as_secs() < 60, "no test was started");
        std::thread::yield_now();
    }
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(shown.contains("1 failed, 1 not run"), "{shown}");
}

/// A process that is killed when the value is dropped.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_change_runs_again_what_it_touches_and_nothing_else() {
    let folder = folder(&[
        ("lab.rhai", "fn answer() { 42 }\n"),
        (
            "lab_test.rhai",
            "import \"lab\" as lab;\nfn test_lab() { assert_eq(lab::answer(), 42); }\n",
        ),
        ("other_test.rhai", "fn test_other() { assert(true); }\n"),
    ]);
    let run = virhai().arg("test").arg("--watch").folder(folder.path(""));
    let mut child = run.command().spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    let _watching = Watching(child);
    let mut round = || {
        let mut seen = Vec::new();
        for line in lines.by_ref() {
            let line = line.expect("it is text");
            if line.starts_with("waiting for a change") {
                return seen.join("\n");
            }
            seen.push(line);
        }
        panic!("it ended: {seen:?}");
    };
    let first = round();
    assert!(first.contains("2 passed"), "{first}");
    folder.write("lab.rhai", "fn answer() { 41 }\n");
    let second = round();
    assert!(
        second.contains("FAILED  lab_test.rhai::test_lab"),
        "{second}"
    );
    assert!(!second.contains("test_other"), "{second}");
    folder.write("lab.rhai", "fn answer() { 42 }\n");
    let third = round();
    assert!(third.contains("1 passed"), "{third}");
}
