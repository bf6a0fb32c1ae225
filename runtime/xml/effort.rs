//! The cost of a call on a document: steps, between which it can be stopped, and memory.

use std::cell::Cell;

use super::fault::{Fault, Result};
use crate::run::interrupt::{self, Stop};
use crate::run::resources::memory;

/// After how many steps a call looks whether its script is being stopped: some milliseconds.
const STEPS: usize = 50_000;

thread_local! {
    /// The steps that this thread took since it looked last.
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Counts `steps`, each a node or some bytes that are looked at; fails if the script is being
/// stopped.
pub(super) fn take(steps: usize) -> Result<()> {
    let taken = TAKEN.get().saturating_add(steps);
    if taken < STEPS {
        TAKEN.set(taken);
        return Ok(());
    }
    TAKEN.set(0);
    match interrupt::stopping_here() {
        None => Ok(()),
        Some(why) => Err(Fault::stopped(why)),
    }
}

/// Fails unless the script may hold `bytes` more at this moment.
pub(super) fn ensure_room(bytes: usize) -> Result<()> {
    match memory::fits(bytes) {
        true => Ok(()),
        false => Err(Fault::stopped(Stop::OutOfMemory)),
    }
}
