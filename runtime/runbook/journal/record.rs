//! The records of a journal: a line of JSON each. `docs/steps.md` describes them for other programs.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::path;

/// The version of the format, which the first record of a journal states.
pub const FORMAT: u32 = 1;

/// The place of a call in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as messages call it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A file of the script: its name in messages, and the SHA-256 of its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The name of the file in messages.
    pub name: String,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
}

/// The first record of a journal: describes the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The name of the run, which is that of its folder.
    pub run: String,
    /// The version of virhai.
    pub virhai: String,
    /// The name of the script in messages.
    pub script: String,
    /// The files of the script: itself, and all that it imports except recipes.
    pub files: Vec<File>,
    /// The command line, without secrets.
    pub command: Vec<String>,
    /// The places of the words in the command line that had a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<usize>,
    /// The host in LIBVIRT_DEFAULT_URI, if the variable was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_uri: Option<String>,
    /// The folder in which virhai ran.
    #[serde(with = "path")]
    pub folder: PathBuf,
    /// The user who ran virhai.
    pub user: String,
    /// The values of the inputs, without secrets.
    pub inputs: Map<String, Json>,
    /// The names of the given inputs that are secrets or had a secret.
    pub secrets: Vec<String>,
    /// The process.
    pub pid: u32,
    /// The time when the run began.
    pub time: Timestamp,
}

/// A difference between two states of a definition, by its path. Secrets are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The path in the XML.
    pub path: String,
    /// The value before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value after, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// True for a difference of the running object only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub live: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// A record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The run began.
    Run(Header),
    /// Another process resumed the run.
    Resume {
        /// The process.
        pid: u32,
        /// Its version of virhai.
        virhai: String,
        /// When.
        time: Timestamp,
    },
    /// A step begins.
    Begin {
        /// The number of the step.
        step: u64,
        /// The number of the step around it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<u64>,
        /// The title.
        title: String,
        /// The number of steps with this title that its parent had before.
        nth: usize,
        /// The call of `step`.
        at: Place,
        /// When.
        time: Timestamp,
    },
    /// The step makes a change that no undo list records.
    Touch {
        /// The number of the step.
        step: u64,
    },
    /// A step ended.
    Done {
        /// The number of the step.
        step: u64,
        /// Its value.
        value: Json,
        /// Seconds that it took.
        seconds: f64,
        /// When.
        time: Timestamp,
    },
    /// A step failed.
    Failed {
        /// The number of the step.
        step: u64,
        /// Why.
        error: String,
        /// When.
        time: Timestamp,
    },
    /// A change begins, or is made, that `action` undoes. The last record with the same number is true.
    Undo {
        /// The number of the change.
        undo: u64,
        /// The step that made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
        /// The action that undoes it.
        action: Json,
        /// The call that made it.
        at: Place,
    },
    /// virhai no longer undoes these changes.
    Forget {
        /// Their numbers.
        undo: Vec<u64>,
    },
    /// The `all_or_nothing` of these changes succeeded.
    Keep {
        /// Their numbers.
        undo: Vec<u64>,
    },
    /// A change is being undone.
    Undoing {
        /// Its number.
        undo: u64,
    },
    /// A change was undone, or could not be.
    Undone {
        /// Its number.
        undo: u64,
        /// The reason why it could not be undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A person was asked.
    Asked {
        /// The question.
        question: String,
        /// The answer.
        answer: String,
        /// The user who answered.
        user: String,
        /// When.
        time: Timestamp,
    },
    /// A note of the script.
    Note {
        /// The step that wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
        /// Its text.
        text: String,
        /// When.
        time: Timestamp,
    },
    /// A step changed a definition. Only runs with a report have these records.
    Definition {
        /// The number of the step.
        step: u64,
        /// The host's URI.
        host: String,
        /// The kind of object, such as `domain`.
        kind: String,
        /// The name of the object.
        name: String,
        /// The C function that changed it.
        call: String,
        /// `defined`, `changed` or `removed`.
        change: String,
        /// The differences of a changed definition.
        differences: Vec<Difference>,
        /// The number of differences that were left out.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: usize,
        /// When.
        time: Timestamp,
    },
    /// The screen and the console of a guest at a failure. Only runs with a report have these records.
    Guest {
        /// The number of the step that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
        /// The host's URI.
        host: String,
        /// The name of the guest.
        name: String,
        /// The last lines of its console, if the run had it open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        console: Option<String>,
        /// Its screen as a PNG file in base64, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        screen: Option<String>,
        /// When.
        time: Timestamp,
    },
    /// The run ended.
    End {
        /// The exit status.
        status: u8,
        /// The error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// The error as it was reported, with the lines of the script.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// When.
        time: Timestamp,
    },
}

impl Record {
    /// The time when it was written, if it has one.
    pub(super) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Run(Header { time, .. })
            | Self::Resume { time, .. }
            | Self::Begin { time, .. }
            | Self::Done { time, .. }
            | Self::Failed { time, .. }
            | Self::Asked { time, .. }
            | Self::Note { time, .. }
            | Self::Definition { time, .. }
            | Self::Guest { time, .. }
            | Self::End { time, .. } => Some(*time),
            Self::Touch { .. }
            | Self::Undo { .. }
            | Self::Forget { .. }
            | Self::Keep { .. }
            | Self::Undoing { .. }
            | Self::Undone { .. } => None,
        }
    }
}
