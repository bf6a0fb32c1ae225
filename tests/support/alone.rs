//! Tests that measure what all programs of their process use, and so need a process of their own.

use std::process::Command;

/// The variable that marks a process which runs one test.
const ALONE: &str = "VIRHAI_TEST_ALONE";

/// Runs the test `name` of `module` in a process of its own, and returns true. Returns false in such a process: the
/// test then does its work. `cargo nextest` gives each test a process.
pub fn ran_alone(module: &str, name: &str) -> bool {
    if std::env::var_os(ALONE).is_some() || std::env::var_os("NEXTEST").is_some() {
        return false;
    }
    let (_, module) = module.split_once("::").expect("a module of the suite");
    let program = std::env::current_exe().expect("the test program has a path");
    let output = Command::new(program)
        .arg("--exact")
        .arg(format!("{module}::{name}"))
        .arg("--nocapture")
        .env(ALONE, "1")
        .output()
        .expect("the test program starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}\n{errors}"
    );
    true
}
