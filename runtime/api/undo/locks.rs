//! The undo lists in the journal of the run, so that another process can undo the changes of this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rhai::NativeCallContext;

use crate::run::interrupt;
use crate::run::session::Session;
use crate::runbook::journal::Journal;
use crate::runbook::locks::Locks;

/// Makes the scripts of `session` lock the objects they change; `works` is true if they are in a step or an undo
/// list.
pub(super) fn follow(
    session: &Session,
    journal: &Journal,
    works: impl Fn() -> bool + Send + Sync + 'static,
) {
    let locks = Locks::new(journal.lock_folder(), session.waits_for_others());
    session.keep(locks.clone());
    let (own, journal) = (session.clone(), journal.clone());
    session.on_object_change(move |object| {
        if !works() || interrupt::shielded() {
            return Ok(());
        }
        // The first lock of a run can come before its first record. A run without a journal has no locks.
        let _ = journal.ensure_made();
        match journal.run() {
            Some(run) => locks.take(&own, object, &run),
            None => Ok(()),
        }
    });
}

/// Releases the locks of the run of `session`. The process does not end by destructors.
pub fn release(session: &Session) {
    if let Some(locks) = session.kept::<Locks>() {
        locks.release();
    }
}

/// The number of outermost undo lists that are being filled; copies share the count.
#[derive(Clone, Default)]
struct Filling(Arc<AtomicUsize>);

/// An outermost undo list, while it is filled.
pub(super) struct Outermost(Session);

impl Outermost {
    pub(super) fn begin(ctx: &NativeCallContext) -> Self {
        let session = Session::of(ctx);
        let filling = session.kept_or_default::<Filling>();
        filling.0.fetch_add(1, Ordering::SeqCst);
        Self(session)
    }
}

impl Drop for Outermost {
    fn drop(&mut self) {
        let filling = self.0.kept_or_default::<Filling>();
        let last = filling.0.fetch_sub(1, Ordering::SeqCst) == 1;
        let has_steps = Journal::of(&self.0).is_some_and(|journal| journal.has_steps());
        if last && !has_steps {
            release(&self.0);
        }
    }
}
