//! The command line.

use clap::ValueEnum;

/// The action of a run if another run works on the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfBusy {
    /// Wait up to ten minutes for the other run
    Wait,
    /// Fail at once
    Fail,
}

/// A format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, on standard error
    Text,
    /// Data, on standard output
    Json,
    /// SARIF 2.1.0, on standard output
    Sarif,
}

/// A format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// For people
    Text,
    /// A JSON object in each line, for programs
    Json,
}
