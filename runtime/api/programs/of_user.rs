//! Programs that the user names, apart from scripts.

use std::path::Path;
use std::time::Duration;

use super::process::{Failed, Program};
use crate::run::interrupt::Interrupt;

/// The outputs of a program that ended well.
#[derive(Debug)]
pub struct ProgramOutput {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// Runs the program `file` with the whole environment, for at most `limit`, until `interrupt` stops it. Ends all of its
/// processes if it does not end by itself.
///
/// # Errors
///
/// The program could not be started, did not end well, or was ended.
pub fn program_output(
    file: &Path,
    arguments: &[&str],
    limit: Option<Duration>,
    interrupt: &Interrupt,
) -> Result<ProgramOutput, String> {
    let name = file.to_string_lossy();
    let words: Vec<String> = std::iter::once(&*name)
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    let program = Program {
        file,
        words: &words,
        stdin: Vec::new(),
        timeout: limit,
        has_env: &|_| true,
    };
    let ended = program.run(interrupt).map_err(|failed| match failed {
        Failed::NotStarted(error) => format!("the program could not be started: {error}"),
        Failed::TimedOut => "the program did not end in time".to_owned(),
        Failed::Stopped => "the program was stopped".to_owned(),
        Failed::TooMuchOutput => "the program writes more than 16 MiB".to_owned(),
        Failed::NoRoom => "the output of the program does not fit into memory".to_owned(),
    })?;
    match ended.status.success() {
        true => Ok(ProgramOutput {
            stdout: ended.stdout,
            stderr: ended.stderr,
        }),
        false => {
            let told = String::from_utf8_lossy(&ended.stderr);
            let last = told.trim_end().lines().next_back().unwrap_or_default();
            let colon = if last.is_empty() { "" } else { ": " };
            Err(format!(
                "the program ended with {}{colon}{last}",
                ended.status
            ))
        }
    }
}
