//! Pipes, devices, sockets and folders in place of a file are refused at once.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::support::{Outcome, Prompt, Run, Scratch, virhai};

/// A folder with a pipe, a socket, and links to these and to a device.
fn folder() -> (Scratch, UnixListener) {
    let scratch = Scratch::new();
    nix::unistd::mkfifo(
        &scratch.path("pipe.rhai"),
        Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO,
    )
    .expect("a pipe can be made");
    let listener = UnixListener::bind(scratch.path("socket.rhai")).expect("a socket can be made");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, scratch.path(name)).expect("a link can be made");
    };
    link("/dev/zero", "device.rhai");
    link("pipe.rhai", "link.rhai");
    scratch.folder("folder.rhai");
    (scratch, listener)
}

const FILES: [(&str, &str); 5] = [
    ("pipe.rhai", "it is a pipe, not a file"),
    ("link.rhai", "it is a pipe, not a file"),
    ("socket.rhai", "it is a socket, not a file"),
    ("device.rhai", "it is a device, not a file"),
    ("folder.rhai", "Is a directory"),
];

fn at_once(run: Run) -> Outcome {
    let began = Instant::now();
    let outcome = run.run();
    assert!(began.elapsed() < Duration::from_secs(30), "{outcome}");
    outcome
}

#[test]
fn special_files_are_refused_as_scripts_and_by_check_and_test() {
    let (scratch, _listener) = folder();
    for (file, why) in FILES {
        let run = || virhai().folder(scratch.path("")).first_arg(file);
        let mut runs = vec![
            virhai().folder(scratch.path("")).arg("run").arg(file),
            run(),
        ];
        if file != "folder.rhai" {
            for command in ["check", "test"] {
                runs.push(virhai().folder(scratch.path("")).arg(command).arg(file));
            }
        }
        for run in runs {
            let outcome = at_once(run);
            assert_eq!(outcome.status, 2, "{file}: {outcome}");
            assert!(outcome.stderr.contains(why), "{file}: {outcome}");
        }
    }
}

#[test]
fn special_files_are_refused_as_imports_before_and_during_the_run() {
    let (scratch, _listener) = folder();
    // The device is outside the script's folder, which is refused first.
    for (file, why) in FILES.into_iter().filter(|(file, _)| *file != "device.rhai") {
        let path = file.trim_end_matches(".rhai");
        for (code, status) in [
            (format!("import \"{path}\" as it;"), 3),
            (format!("let path = \"{path}\"; import path as it;"), 1),
            (format!("eval(\"import \\\"{path}\\\" as it;\")"), 1),
        ] {
            scratch.write("main.rhai", &code);
            let run = virhai()
                .folder(scratch.path(""))
                .arg("run")
                .arg("main.rhai");
            let outcome = at_once(run);
            assert_eq!(outcome.status, status, "{code}: {outcome}");
            assert!(outcome.stderr.contains(why), "{code}: {outcome}");
        }
    }
}

#[test]
fn an_endless_file_is_refused_at_the_size_limit() {
    let scratch = Scratch::new();
    scratch.write("main.rhai", "");
    let huge = std::fs::File::create(scratch.path("main.rhai")).expect("it can be written");
    huge.set_len(1 << 40).expect("holes take no room");
    let outcome = at_once(virhai().arg("check").arg(scratch.path("main.rhai")));
    assert_eq!(outcome.status, 2, "{outcome}");
    assert!(
        outcome.stderr.contains("it exceeds the limit of 64.0 MiB"),
        "{outcome}"
    );
    // A file in `/proc` has the size 0, but is not empty.
    let outcome = at_once(virhai().arg("check").arg("/proc/self/status"));
    assert_eq!(outcome.status, 3, "{outcome}");
}

#[test]
fn a_report_to_a_pipe_that_nobody_reads_fails() {
    let (scratch, _listener) = folder();
    scratch.write("a_test.rhai", "fn test_it() {}");
    let run = virhai().folder(scratch.path(""));
    let outcome = at_once(
        run.arg("test")
            .arg("--junit")
            .arg("pipe.rhai")
            .arg("a_test.rhai"),
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(
        outcome.stderr.contains("no process reads from it"),
        "{outcome}"
    );
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_run() {
    let scratch = Scratch::new();
    scratch.write("a.rhai", "print(\"ran\");");
    scratch.folder("folder.json");
    nix::unistd::mkfifo(&scratch.path("pipe.json"), Mode::S_IRWXU).expect("a pipe can be made");
    for (name, why) in [
        ("pipe.json", "no process reads from it"),
        ("folder.json", "Is a directory"),
        ("missing/a.json", "No such file or directory"),
    ] {
        let run = virhai().folder(scratch.path("")).arg("run");
        let outcome = at_once(run.arg("--report").arg(name).arg("a.rhai"));
        assert_eq!(outcome.status, 2, "{outcome}");
        assert!(outcome.stderr.contains(why), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

#[test]
fn special_files_are_refused_at_the_prompt() {
    let mut prompt = Prompt::open();
    let pipe = prompt.home.path("pipe.rhai");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe can be made");
    prompt.answers(":load pipe.rhai", "it is a pipe, not a file");
    prompt.answers("import \"pipe\" as it", "it is a pipe, not a file");
    prompt.answers("1", "1");
    prompt.answers(":save! pipe.rhai", "cannot write");
}
