//! Running other programs to their end.

use std::process::{Command, Output};

/// Runs `command` to its end; it must succeed.
pub fn succeeds(command: &mut Command) -> Output {
    let program = command.get_program().display().to_string();
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
