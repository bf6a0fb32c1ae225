//! Details for a report: definitions that a script changed, and the guests that it used.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

/// The bytes of a guest's console that are kept.
const CONSOLE: usize = 8 * 1024;

/// Receives the details that a report shows besides the steps.
pub(crate) trait ReportDetails: Send + Sync {
    /// True if the calls of this thread are followed.
    fn follows(&self) -> bool;

    /// Records that a call changed the definition of an object.
    fn definition_changed(&self, change: DefinitionChange);

    /// Records that a call used a guest.
    fn guest_used(&self, guest: UsedGuest);

    /// Records that a step or the run failed because of `why`, before any undo.
    fn failed(&self, why: &str);

    /// The place for the last text of the console of the guest `name` on `host`.
    fn console(&self, host: &str, name: &str) -> Arc<ConsoleEnd>;
}

/// The XML of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Documents {
    /// Its configuration.
    pub(crate) defined: String,
    /// The XML of the running object.
    pub(crate) live: Option<String>,
}

/// A call that can have changed a definition.
pub(crate) struct DefinitionChange {
    /// The host's URI.
    pub(crate) host: String,
    /// The kind of object, such as `domain`.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// The C function.
    pub(crate) call: &'static str,
    /// The object before, if it existed.
    pub(crate) before: Option<Documents>,
    /// The object after, if it exists.
    pub(crate) after: Option<Documents>,
}

/// A guest that a script used.
pub(crate) struct UsedGuest {
    /// The host's URI.
    pub(crate) host: String,
    /// Its name.
    pub(crate) name: String,
    /// Takes a screenshot, if the guest has a screen and the host answers soon.
    pub(crate) screenshot: Box<dyn Fn() -> Option<Vec<u8>> + Send + Sync>,
}

/// The last text of a console.
#[derive(Default)]
pub(crate) struct ConsoleEnd(Mutex<VecDeque<u8>>);

impl ConsoleEnd {
    /// Adds text that the console shows.
    pub(crate) fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock();
        kept.extend(&bytes[bytes.len().saturating_sub(CONSOLE)..]);
        let surplus = kept.len().saturating_sub(CONSOLE);
        kept.drain(..surplus);
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock();
        let (first, second) = kept.as_slices();
        String::from_utf8_lossy(&[first, second].concat()).into_owned()
    }
}
