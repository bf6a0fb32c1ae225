//! Waits for the end of a connection to a daemon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::run::awaited::{Awaited, Waited};
use crate::run::interrupt::Interrupt;

/// The end of a connection: a `virConnectCloseReason`, once the daemon or libvirt has ended it.
#[derive(Clone, Default)]
pub(super) struct End(Arc<Awaited<Option<i64>>>);

impl End {
    /// Notes the reason; only the first one counts.
    pub(super) fn tell(&self, reason: i64) {
        self.0.change(|end| {
            end.get_or_insert(reason);
        });
    }

    /// Waits for the reason.
    pub(super) fn wait(&self, timeout: Duration, interrupt: &Interrupt) -> Waited<i64> {
        let deadline = Instant::now().checked_add(timeout);
        self.0.wait(deadline, interrupt, |end| *end)
    }
}
