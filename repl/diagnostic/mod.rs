//! Diagnostics for people and programs: the error, its place in the script, the call trail and the hint.

pub(crate) mod defect;
mod failure;
mod finding;
mod json;
mod missing_input;
mod place;
mod render;
mod report;
mod rhai_messages;
mod usage;

use rhai::{Dynamic, EvalAltResult};
use virhai::check::{Code, Severity};
use virhai::interrupt::Stop;
use virhai::program::CompileError;
use virhai::{Error, Rejected};

pub(crate) use place::Place;
use virhai::plain::plain_message;

use crate::args::Options;

/// One thing that is wrong, ready to be shown.
pub(crate) struct Diagnostic {
    severity: Severity,
    /// The kind of the failure, in a word for programs.
    kind: &'static str,
    title: String,
    /// libvirt's name for it, or that of a finding.
    code: Option<String>,
    place: Option<Place>,
    /// The text at the place itself.
    label: String,
    /// Further places with a description each, the nearest first.
    trail: Vec<(String, Place)>,
    /// The number of places that were left out after the first half of the trail.
    left_out: usize,
    /// The failures that this one consists of.
    notes: Vec<String>,
    hint: Option<String>,
    error: Option<Error>,
    /// The XML that libvirt refused.
    rejected: Option<Rejected>,
    /// The changes that could not be undone after it; they were reported at that time.
    not_undone: Vec<String>,
    /// The map that a script threw, for another program.
    thrown: Option<Dynamic>,
}

impl Diagnostic {
    /// The same without the places in code that the user has not written.
    pub(crate) fn without_code(self) -> Self {
        Self {
            place: None,
            trail: Vec::new(),
            ..self
        }
    }

    /// An error that has no place in a script.
    pub(crate) fn plain(title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            kind: "failure",
            title: title.into(),
            code: None,
            place: None,
            label: String::new(),
            trail: Vec::new(),
            left_out: 0,
            notes: Vec::new(),
            hint: None,
            error: None,
            rejected: None,
            not_undone: Vec::new(),
            thrown: None,
        }
    }

    /// The same as another sort of failure, in a word for programs.
    fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// The same with a name for its kind.
    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same at a place of a script, with the text to write there; empty if the title suffices.
    pub(crate) fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.place = Some(place);
        self.label = label.into();
        self
    }

    /// The same with one more place that explains it, the nearest first.
    pub(crate) fn with_place(mut self, label: impl Into<String>, place: Place) -> Self {
        self.trail.push((label.into(), place));
        self
    }

    /// The same with a note.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with advice.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The diagnostic of a script that does not compile.
    pub(crate) fn of_compile_error(error: &CompileError) -> Self {
        let place = Place::new(&error.source, error.position);
        let code = match error.import {
            true => Code::UnresolvedImport,
            false => Code::Syntax,
        };
        let diagnostic = Self::plain(plain_message(&error.message))
            .of_kind("check")
            .with_code(code.id())
            .at(place, "");
        let diagnostic = match &error.hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        };
        let imports = error.imported_by.iter().rev();
        imports.fold(diagnostic, |diagnostic, (file, position, _)| {
            diagnostic.with_place("imported here", Place::new(file, *position))
        })
    }

    /// A script that was stopped, without a failure of its own making.
    pub(crate) fn of_stop(stop: Stop, options: &Options) -> Self {
        let limit = match stop {
            Stop::TimedOut => options.timeout,
            Stop::UndoTimedOut => Some(options.undo_timeout),
            _ => None,
        };
        let title = match limit {
            Some(limit) => format!("{stop} after {}", virhai::plain_duration(limit)),
            None => stop.to_string(),
        };
        let plain = Self::plain(title);
        match stop {
            Stop::Interrupted => plain.of_kind("interrupted"),
            Stop::TimedOut => plain
                .of_kind("timeout")
                .with_hint("raise the limit with --timeout"),
            Stop::OutOfMemory => plain
                .of_kind("limit")
                .with_hint("raise the limit with --max-memory, up to the free memory of the host"),
            Stop::TooDeep => plain
                .of_kind("limit")
                .with_hint("is there an infinite recursion?"),
            Stop::UndoTimedOut => plain
                .of_kind("timeout")
                .with_hint("raise the limit with --undo-timeout"),
            Stop::NestsTooDeep => plain
                .of_kind("limit")
                .with_hint("does a loop put a value into itself? collect the values in one array"),
            Stop::TooManyOperations => plain
                .of_kind("limit")
                .with_hint("raise the limit with --max-operations; 0 means no limit"),
        }
    }

    /// The same, with the hint of a call that the stop aborted: it names the remaining objects.
    pub(crate) fn leaving(mut self, error: &EvalAltResult) -> Self {
        if let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner()
            && let Some(error) = value.read_lock::<Error>()
            && error.is("VIR_ERR_OPERATION_ABORTED")
        {
            self.notes.extend(error.hint().map(str::to_owned));
        }
        self
    }

    /// The same for a stop that came while `virhai undo` undid a run.
    pub(crate) fn while_undoing(mut self) -> Self {
        self.title = match self.kind {
            "timeout" => "the time limit ended while the run was being undone".into(),
            _ => format!("{} while the run was being undone", self.title),
        };
        self
    }

    /// The same, with the changes that could not be undone, for programs: people have seen them before.
    pub(crate) fn not_undone(mut self, failures: Vec<String>) -> Self {
        self.not_undone = failures;
        self
    }

    /// The same with the place of `other`.
    pub(crate) fn at_place_of(mut self, other: Self) -> Self {
        self.place = other.place;
        self.label = other.label;
        self.trail = other.trail;
        if let Some(place) = &self.place {
            self.trail.retain(|(_, other)| !other.is_at(place));
        }
        self.left_out = other.left_out;
        self
    }
}
