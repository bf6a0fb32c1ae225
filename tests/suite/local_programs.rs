//! Programs of the machine that virhai runs on, and their input and environment.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::support::{Run, Scratch, virhai};

fn granted(programs: &[&str], script: &str) -> Run {
    programs
        .iter()
        .fold(virhai().without_grants(), |run, name| {
            run.arg("--allow-run").arg(name)
        })
        .script(script)
}

#[test]
fn a_program_gets_its_arguments_and_input_and_returns_its_output() {
    let script = r#"
        let words = ["$HOME; *", "two\nlines", "", "-n", "'\""];
        let made = run(["printf", "[%s]"] + words);
        assert_eq(made.stdout, "[$HOME; *][two\nlines][][-n]['\"]");
        assert_eq(run(["cat"], #{ stdin: "text" }).stdout, "text");
        assert_eq(run(["cat"], #{ stdin: blob(3, 255) }).stdout, blob(3, 255));
        assert_eq(run(["cat"]).stdout, "");
        let failed = run(["sh", "-c", "echo out; echo bad >&2; exit 3"], #{ check: false });
        assert_eq(failed, #{ status: 3, stdout: "out\n", stderr: "bad\n" });
        assert_eq(run(["sh", "-c", "kill -9 $$"], #{ check: false }).status, 137);
        run(["sh", "-c", "echo no room >&2; exit 5"]);
    "#;
    let failed = granted(&["printf", "cat", "sh"], script).fails(1);
    let words = "cannot run `sh`: it ended with status 5: no room";
    assert!(failed.stderr.contains(words), "{failed}");
}

#[test]
fn only_granted_programs_run_from_the_path_at_the_grant() {
    let scratch = Scratch::new();
    let mark = scratch.path("mark");
    let fake = format!("#!/bin/sh\n: > '{}'\n", mark.display());
    for name in ["inner/true", "inner/tool"] {
        let file = scratch.write(name, &fake);
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).expect("it is ours");
    }
    let inner = scratch.text("inner");
    let script = r#"
        let tried = [["false"], ["./true"], ["../bin/true"], ["inner/true"], [args[0] + "/true"], ["/bin/../bin/true"], ["true\x00"], [""], ["TRUE"]];
        for command in tried {
            let refused = false;
            try { run(command); } catch (err) { refused = true; }
            assert(refused, `${command}`);
        }
        run(["true"]);
    "#;
    let path = format!(
        "inner:./inner:{}:{inner}",
        std::env::var("PATH").expect("there is a PATH")
    );
    let run = granted(&["true"], script)
        .folder(scratch.path(""))
        .env("PATH", path);
    run.arg("run").arg("-").arg(&inner).ok();
    assert!(!mark.exists(), "no file of the folder ran");
    // Permission to run a program that the script can overwrite would permit every program.
    let script = "run([args[0] + \"/tool\"])";
    let own = || granted(&[&format!("{inner}/tool")], script);
    let refused = own()
        .arg("--allow-write")
        .arg(&inner)
        .arg("run")
        .arg("-")
        .arg(&inner)
        .fails(1);
    assert!(
        refused.stderr.contains("because it may also write"),
        "{refused}"
    );
    assert!(!mark.exists());
    own().arg("run").arg("-").arg(&inner).ok();
    assert!(mark.exists(), "the user has allowed it");
}

#[test]
fn a_program_gets_no_secrets_from_the_environment() {
    let run = |option: &str| {
        let run = granted(&["env"], "print(run([\"env\"]).stdout)")
            .env("API_KEY", "swordfish")
            .env("LD_DEBUG", "none");
        match option {
            "" => run,
            name => run.arg("--allow-env").arg(name),
        }
    };
    let told = run("").ok();
    assert!(
        !told.contains("API_KEY") && !told.contains("LD_DEBUG"),
        "{told}"
    );
    assert!(told.contains("PATH="), "{told}");
    let told = run("API_*").ok();
    assert!(told.contains("API_KEY=swordfish"), "{told}");
    let script = "print(env(\"LC_NAME\", \"none\")); env(\"API_KEY\")";
    let refused = virhai()
        .arg("--allow-env")
        .arg("LC_NAME")
        .env("API_KEY", "swordfish");
    let refused = refused.script(script).fails(1);
    assert_eq!(refused.stdout, "none\n", "{refused}");
    assert!(
        refused
            .stderr
            .contains("may not read the environment variable `API_KEY`"),
        "{refused}"
    );
    let unset = virhai().arg("--allow-env").arg("NO_SUCH_*");
    let unset = unset.script("env(\"NO_SUCH_NAME\")").fails(1);
    assert!(unset.stderr.contains("is not set"), "{unset}");
}

#[test]
fn a_program_ends_at_its_limits_and_with_its_script() {
    let began = Instant::now();
    let script = "run([\"sh\", \"-c\", \"sleep 1000 & sleep 1000\"], #{ timeout: \"200ms\" })";
    let failed = granted(&["sh"], script).fails(1);
    assert!(failed.stderr.contains("timed out after 200ms"), "{failed}");
    let failed = granted(&["yes"], "run([\"yes\"])").fails(1);
    assert!(
        failed.stderr.contains("exceeds the limit of 16 MiB"),
        "{failed}"
    );
    // A child in the background keeps the output open, and is not waited for.
    let script = "print(run([\"sh\", \"-c\", \"sleep 90 & echo done\"]).stdout)";
    assert_eq!(granted(&["sh"], script).ok(), "done\n\n");
    let script = "run([\"sleep\", \"1000\"])";
    granted(&["sleep"], script)
        .arg("--timeout")
        .arg("300ms")
        .fails(124);
    let scratch = Scratch::new();
    let deaf = scratch.path("deaf");
    nix::unistd::mkfifo(&deaf, Mode::S_IRWXU).expect("the folder is ours");
    let script = format!(
        "run([\"sh\", \"-c\", \"trap '' TERM; echo >{}; sleep 1000\"])",
        deaf.display()
    );
    let (mut child, _output) = granted(&["sh"], &script).started();
    // Reading the pipe ends once the program ignores SIGTERM.
    std::fs::read(&deaf).expect("the program opens it");
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, Signal::SIGINT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}
