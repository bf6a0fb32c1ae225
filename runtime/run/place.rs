//! The line of a script that a thread runs, for plans, journals and reports.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

thread_local! {
    /// The call outside of recipes that this thread is in.
    static NOW: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as positions call it.
    #[serde(serialize_with = "text")]
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
}

fn text<S: serde::Serializer>(file: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(file)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Puts the thread back at its place before.
pub(crate) struct Visit(Option<Place>);

impl Visit {
    /// Moves this thread to `place` until the value is dropped.
    pub(crate) fn to(place: Place) -> Self {
        Self(NOW.replace(Some(place)))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        NOW.set(self.0.take());
    }
}

/// The place that this thread is at, if the places of its script are followed.
pub(crate) fn now() -> Option<Place> {
    NOW.with_borrow(Clone::clone)
}
