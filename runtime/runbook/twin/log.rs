//! The changes of a script on its hosts, in order, and the limits of its rehearsal.

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;

use crate::redact;
use crate::run::place::{self, Place};

/// The kind of a change of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It exists now.
    Created,
    /// It has another definition or setting, or runs differently.
    Changed,
    /// It runs now.
    Started,
    /// It is paused now.
    Paused,
    /// It was resumed.
    Resumed,
    /// It runs no longer.
    Stopped,
    /// It runs on another host now.
    Migrated,
    /// It no longer exists.
    Deleted,
    /// Something was done that shows in no setting, such as a reboot.
    Done,
}

impl Verb {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Started => "started",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Stopped => "stopped",
            Self::Migrated => "migrated",
            Self::Deleted => "deleted",
            Self::Done => "done",
        }
    }
}

/// A difference of an object, by its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The path in its XML, or the name of a setting.
    pub path: String,
    /// The value before, if there was one.
    pub from: Option<String>,
    /// The value after, if there is one.
    pub to: Option<String>,
    /// True for a difference of the running object, false for one of its definition.
    pub live: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The host's URI.
    pub host: String,
    pub verb: Verb,
    /// The kind of the object, such as `domain`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its differences.
    pub differences: Vec<Difference>,
    /// The URI of the host that it runs on now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The C function that did it.
    pub call: &'static str,
    /// The line of the script.
    pub place: Option<Place>,
}

/// A difference between the rehearsal and the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The C function; empty if the note is not about a call.
    pub call: &'static str,
    /// The difference.
    pub text: String,
    /// The lines of the script.
    pub places: Vec<Place>,
}

/// Changes and notes, written from several threads.
#[derive(Debug, Default)]
pub struct Log(Mutex<LogState>);

#[derive(Debug, Default)]
struct LogState {
    entries: Vec<Entry>,
    notes: Vec<Note>,
    /// The UUIDs of the domains that move now.
    moving: Vec<String>,
    /// Domains that left a host, and whose arrival is not noted yet.
    left: Vec<Left>,
}

/// A domain that left a host.
#[derive(Debug)]
struct Left {
    uuid: String,
    /// The host's URI.
    host: String,
    /// The place of its migration among the changes.
    entry: usize,
}

impl Log {
    /// The changes so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// The notes so far.
    pub fn notes(&self) -> Vec<Note> {
        self.lock().notes.clone()
    }

    /// Adds a change.
    pub(super) fn add(&self, entry: Entry) {
        self.lock().entries.push(entry);
    }

    /// Adds the migration of the domain with the UUID `uuid`; its arrival on the other host is part of this change.
    pub(super) fn add_move(&self, uuid: &str, entry: Entry) {
        let mut state = self.lock();
        let left = Left {
            uuid: uuid.to_owned(),
            host: entry.host.clone(),
            entry: state.entries.len(),
        };
        state.left.push(left);
        state.entries.push(entry);
    }

    /// The UUIDs of the domains that move now.
    pub(super) fn moving(&self) -> Vec<String> {
        self.lock().moving.clone()
    }

    /// Notes that the domain with the UUID `uuid` begins to move.
    pub(super) fn begin_move(&self, uuid: &str) {
        self.lock().moving.push(uuid.to_owned());
    }

    /// Ends the move that [`begin_move`](Self::begin_move) began.
    pub(super) fn end_move(&self, uuid: &str) {
        let moving = &mut self.lock().moving;
        if let Some(at) = moving.iter().position(|own| own == uuid) {
            moving.swap_remove(at);
        }
    }

    /// True if the domain with the UUID `uuid`, new on `host`, was migrated there; its migration then gets the host.
    pub(super) fn arrived(&self, uuid: &str, host: &str) -> bool {
        let mut state = self.lock();
        let moved = |one: &Left| one.uuid == uuid && one.host != host;
        let Some(at) = state.left.iter().position(moved) else {
            return false;
        };
        let left = state.left.remove(at);
        state.entries[left.entry].to = Some(host.to_owned());
        true
    }

    /// Notes that `call` does less than on the host, at the place of this thread.
    pub(crate) fn note(&self, call: &'static str, text: impl Into<String>) {
        let text = redact::hide(&text.into()).into_owned();
        let mut state = self.lock();
        let known = state
            .notes
            .iter()
            .position(|note| note.call == call && note.text == text);
        let at = known.unwrap_or_else(|| {
            state.notes.push(Note {
                call,
                text,
                places: Vec::new(),
            });
            state.notes.len() - 1
        });
        let places = &mut state.notes[at].places;
        places.extend(place::now().filter(|place| !places.contains(place)));
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.0.lock()
    }
}
