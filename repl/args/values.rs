//! The words that options of the command line take.

use clap::ValueEnum;

/// What a run does if another one works on the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfBusy {
    /// Wait up to ten minutes for the other run
    Wait,
    /// Fail at once
    Fail,
}

/// A form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, on standard error
    Text,
    /// Data, on standard output
    Json,
    /// SARIF 2.1.0, on standard output
    Sarif,
}

/// A form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// For people
    Text,
    /// A JSON object in each line, for programs
    Json,
}
