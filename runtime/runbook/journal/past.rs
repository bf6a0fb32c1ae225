//! The state of a run, from its journal.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

use super::record::{Difference, FORMAT, Header, Place, Record};

/// The identity of a step in every attempt of a run: the titles of the steps around it and its own title, each with the
/// number of equal titles before it.
pub(crate) type StepKey = Vec<(String, usize)>;

/// A step as the journal has it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its number.
    pub number: u64,
    /// The number of the step around it.
    pub parent: Option<u64>,
    /// Its title.
    pub title: String,
    /// The number of steps with this title that its parent had before.
    pub nth: usize,
    /// The call of `step`.
    pub at: Place,
    /// The time when it began, in the last attempt.
    pub began: Timestamp,
    /// The time when it ended.
    pub ended: Option<Timestamp>,
    /// Its state.
    pub state: StepState,
    /// True if it made a change that no undo list records.
    pub touched: bool,
    /// The notes that it wrote.
    pub notes: Vec<String>,
    /// The definitions that it changed, if the run had a report.
    pub definitions: Vec<Definition>,
    /// The guests that it used, at its failure, if the run had a report.
    pub guests: Vec<Guest>,
}

/// A changed definition of an object.
#[derive(Debug, Clone, Serialize)]
pub struct Definition {
    /// The host's URI.
    pub host: String,
    /// The kind of object, such as `domain`.
    pub kind: String,
    /// The name of the object.
    pub name: String,
    /// The C function that changed it.
    pub call: String,
    /// `defined`, `changed` or `removed`.
    pub change: String,
    /// The differences of a changed definition.
    pub differences: Vec<Difference>,
    /// The number of differences that were left out.
    pub more: usize,
}

/// A guest at a failure.
#[derive(Debug, Clone, Serialize)]
pub struct Guest {
    /// The host's URI.
    pub host: String,
    /// Its name.
    pub name: String,
    /// The last lines of its console.
    pub console: Option<String>,
    /// Its screen as a PNG file in base64.
    pub screen: Option<String>,
}

impl Step {
    /// Its state as a word. `alive` is true if a process works on the run.
    pub fn word(&self, alive: bool) -> &'static str {
        match (&self.state, alive) {
            (StepState::Done { .. }, _) => "done",
            (StepState::Failed(_), _) => "failed",
            (StepState::Undone, _) => "undone",
            (StepState::Begun, true) => "running",
            (StepState::Begun, false) => "interrupted",
        }
    }

    /// Its duration in the last attempt, if it ended.
    pub fn took(&self) -> Option<Duration> {
        if let StepState::Done { seconds, .. } = &self.state {
            return Duration::try_from_secs_f64(*seconds).ok();
        }
        let took = self.ended?.duration_since(self.began);
        Some(took.try_into().unwrap_or_default())
    }
}

/// The state of a step.
#[derive(Debug, Clone)]
pub enum StepState {
    /// It began, and no end was recorded.
    Begun,
    /// It is done.
    Done {
        /// Its value.
        value: Json,
        /// Seconds that it took.
        seconds: f64,
    },
    /// It failed.
    Failed(String),
    /// It was done, and its changes were undone.
    Undone,
}

/// A change that can be undone.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number.
    pub number: u64,
    /// The step that made it.
    pub step: Option<u64>,
    /// The action that undoes it.
    pub(crate) action: Json,
    /// The call that made it.
    pub at: Place,
    /// The reason why it could not be undone, if that was tried.
    pub failure: Option<String>,
}

impl Change {
    /// The reason why it cannot be undone, if it is known.
    pub fn obstacle(&self) -> Option<&str> {
        let written = |key: &str| self.action.get(key).and_then(Json::as_str);
        let failure = self.failure.as_deref();
        failure.or_else(|| written("unknown").or_else(|| written("not_stored")))
    }
}

/// The time of one process that worked on a run.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The time when it began.
    pub began: Timestamp,
    /// The time of its last record.
    pub ended: Timestamp,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct End {
    /// The exit status.
    pub status: u8,
    /// The error in a line.
    pub error: Option<String>,
    /// The error as it was reported, with the lines of the script.
    pub message: Option<String>,
    /// When.
    pub time: Timestamp,
    /// The number of changes that had been undone by then.
    pub undone: usize,
}

/// A run as its journal records it.
#[derive(Debug, Clone)]
pub struct Past {
    /// The first record.
    pub header: Header,
    /// All steps, in the order in which they began. A repeated step is listed once.
    pub steps: Vec<Step>,
    /// The changes that were neither undone nor forgotten, in their order.
    pub changes: Vec<Change>,
    /// The number of changes that were undone.
    pub undone: usize,
    /// The notes outside of steps.
    pub notes: Vec<String>,
    /// The guests at a failure outside of steps.
    pub guests: Vec<Guest>,
    /// The questions to a person, each with the answer and the user.
    pub answers: Vec<(String, String, String)>,
    /// The processes that resumed it.
    pub resumed: usize,
    /// The attempts of the run: by its first process, and by each that resumed it.
    pub attempts: Vec<Attempt>,
    /// The end.
    pub end: Option<End>,
    /// The next free number.
    pub(crate) next: u64,
}

/// The bytes at the beginning of a journal that are complete lines; the last line break can be missing.
pub(super) fn whole(bytes: &[u8]) -> usize {
    let lines = bytes.iter().rposition(|byte| *byte == b'\n');
    let end = lines.map_or(0, |end| end + 1);
    match serde_json::from_slice::<Record>(&bytes[end..]) {
        Ok(_) => bytes.len(),
        Err(_) => end,
    }
}

impl Past {
    /// Reads the complete lines of a journal.
    ///
    /// # Errors
    ///
    /// Which line cannot be read, and why.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let mut past = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if let Some(format) = newer_format(line) {
                return Err(format!(
                    "it has the format {format}, and this virhai reads {FORMAT}"
                ));
            }
            let record = serde_json::from_str::<Record>(line)
                .map_err(|error| format!("line {number} is damaged: {error}"))?;
            match (&mut past, record) {
                (None, Record::Run(header)) => past = Some(Self::new(header)),
                (None, _) | (Some(_), Record::Run(_)) => {
                    return Err(format!("line {number} is in the wrong place"));
                }
                (Some(past), record) => past.add(record),
            }
        }
        past.ok_or_else(|| "it is empty".into())
    }

    /// A run with its first record only.
    pub fn new(header: Header) -> Self {
        Self {
            attempts: vec![Attempt {
                began: header.time,
                ended: header.time,
            }],
            header,
            steps: Vec::new(),
            changes: Vec::new(),
            undone: 0,
            notes: Vec::new(),
            guests: Vec::new(),
            answers: Vec::new(),
            resumed: 0,
            end: None,
            next: 1,
        }
    }

    fn add(&mut self, record: Record) {
        if let (Some(time), Some(attempt)) = (record.time(), self.attempts.last_mut()) {
            match record {
                Record::Resume { .. } => self.attempts.push(Attempt {
                    began: time,
                    ended: time,
                }),
                _ => attempt.ended = attempt.ended.max(time),
            }
        }
        match record {
            Record::Run(_) => {}
            Record::Resume { .. } => {
                self.resumed += 1;
                self.end = None;
            }
            Record::Begin {
                step,
                parent,
                title,
                nth,
                at,
                time,
            } => {
                self.next = self.next.max(step + 1);
                if let Some(repeated) = self.step_mut(step) {
                    repeated.state = StepState::Begun;
                    repeated.touched = false;
                    repeated.began = time;
                    repeated.guests.clear();
                    repeated.ended = None;
                    return;
                }
                self.steps.push(Step {
                    number: step,
                    parent,
                    title,
                    nth,
                    at,
                    began: time,
                    ended: None,
                    state: StepState::Begun,
                    touched: false,
                    notes: Vec::new(),
                    definitions: Vec::new(),
                    guests: Vec::new(),
                });
            }
            Record::Touch { step } => {
                if let Some(step) = self.step_mut(step) {
                    step.touched = true;
                }
            }
            Record::Done {
                step,
                value,
                seconds,
                time,
            } => {
                if let Some(step) = self.step_mut(step) {
                    step.ended = Some(time);
                    step.state = StepState::Done { value, seconds };
                }
            }
            Record::Failed { step, error, time } => {
                if let Some(step) = self.step_mut(step) {
                    step.ended = Some(time);
                    step.state = StepState::Failed(error);
                }
            }
            Record::Undo {
                undo,
                step,
                action,
                at,
            } => {
                self.next = self.next.max(undo + 1);
                match self.changes.iter_mut().find(|known| known.number == undo) {
                    Some(known) => known.action = action,
                    None => self.changes.push(Change {
                        number: undo,
                        step,
                        action,
                        at,
                        failure: None,
                    }),
                }
            }
            Record::Forget { undo } => self.changes.retain(|c| !undo.contains(&c.number)),
            // For readers of the journal: both do not affect the undo of the run.
            Record::Keep { .. } | Record::Undoing { .. } => {}
            Record::Undone { undo, error: None } => {
                let change = self.changes.iter().position(|change| change.number == undo);
                if let Some(change) = change {
                    let mut step = self.changes.remove(change).step;
                    // The step and the steps around it no longer count as done.
                    while let Some(undone) = step.and_then(|step| self.step_mut(step)) {
                        if let StepState::Done { .. } = undone.state {
                            undone.state = StepState::Undone;
                        }
                        step = undone.parent;
                    }
                }
                self.undone += 1;
            }
            Record::Undone { undo, error } => {
                let tried = self.changes.iter_mut().find(|change| change.number == undo);
                if let Some(change) = tried {
                    change.failure = error;
                }
            }
            Record::Asked {
                question,
                answer,
                user,
                ..
            } => self.answers.push((question, answer, user)),
            Record::Note { step, text, .. } => {
                match step.and_then(|step| self.step_mut(step)) {
                    Some(step) => step.notes.push(text),
                    None => self.notes.push(text),
                };
            }
            Record::Definition {
                step,
                host,
                kind,
                name,
                call,
                change,
                differences,
                more,
                ..
            } => {
                if let Some(step) = self.step_mut(step) {
                    step.definitions.push(Definition {
                        host,
                        kind,
                        name,
                        call,
                        change,
                        differences,
                        more,
                    });
                }
            }
            Record::Guest {
                step,
                host,
                name,
                console,
                screen,
                ..
            } => {
                let guest = Guest {
                    host,
                    name,
                    console,
                    screen,
                };
                match step.and_then(|step| self.step_mut(step)) {
                    Some(step) => step.guests.push(guest),
                    None => self.guests.push(guest),
                }
            }
            Record::End {
                status,
                error,
                message,
                time,
            } => {
                self.end = Some(End {
                    status,
                    error,
                    message,
                    time,
                    undone: self.undone,
                });
            }
        }
    }

    /// The state of the run as a word. `alive` is true if a process works on it.
    pub fn state(&self, alive: bool) -> &'static str {
        match (&self.end, alive) {
            (_, true) => "running",
            _ if self.was_undone() => "undone",
            (None, false) => "killed",
            (Some(End { status: 0, .. }), _) => "done",
            (Some(_), _) => "failed",
        }
    }

    /// True if no change is left, and some were undone, by the run itself or later.
    pub fn has_nothing_left(&self) -> bool {
        self.changes.is_empty() && self.undone > 0
    }

    /// True if all changes were undone after the run had ended. A run that undoes its own changes has failed.
    fn was_undone(&self) -> bool {
        let by_itself = self.end.as_ref().map_or(0, |end| end.undone);
        self.has_nothing_left() && self.undone > by_itself
    }

    fn step_mut(&mut self, number: u64) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.number == number)
    }

    /// The steps by their identity, which is the same in every attempt.
    pub(crate) fn by_key(&self) -> HashMap<StepKey, Step> {
        let mut keys: BTreeMap<u64, StepKey> = BTreeMap::new();
        let mut steps = HashMap::new();
        for step in &self.steps {
            let mut key = match step.parent {
                Some(parent) => keys.get(&parent).cloned().unwrap_or_default(),
                None => StepKey::new(),
            };
            key.push((step.title.clone(), step.nth));
            keys.insert(step.number, key.clone());
            steps.insert(key, step.clone());
        }
        steps
    }
}

/// The format of the journal that begins with `line`, if it is one that this virhai does not know.
fn newer_format(line: &str) -> Option<u64> {
    let line: Json = serde_json::from_str(line).ok()?;
    let format = line.get("format")?.as_u64()?;
    (line.get("record")? == "run" && format != u64::from(FORMAT)).then_some(format)
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_line_that_was_not_completed_is_cut() {
        let first = br#"{"record":"touch","step":1}"#;
        let mut bytes = first.to_vec();
        assert_eq!(whole(&bytes), bytes.len(), "it lacks nothing but its end");
        bytes.push(b'\n');
        let length = bytes.len();
        for cut in 0..first.len() {
            let mut torn = bytes.clone();
            torn.extend(&first[..cut]);
            assert_eq!(whole(&torn), length, "cut at {cut}");
        }
        assert_eq!(whole(b""), 0);
    }
}
