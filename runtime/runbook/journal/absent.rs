//! Runs without a folder for their journals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::run::session::Session;

/// Marks a session without a folder for its journal; true once the user knows.
#[derive(Clone, Default)]
struct NoFolder(Arc<AtomicBool>);

/// Makes `session` say at its first step or change that the run has no journal.
pub fn has_no_journal(session: &Session) {
    session.keep(NoFolder::default());
}

/// If the run has no folder for its journal, tells the user once that the run is not recorded.
pub(crate) fn say_once(session: &Session) {
    if let Some(NoFolder(said)) = session.kept::<NoFolder>()
        && !said.swap(true, Ordering::Relaxed)
    {
        session.note(
            "this run has no journal, so virhai can neither resume nor undo it later: set XDG_STATE_HOME or HOME to an absolute path",
        );
    }
}
