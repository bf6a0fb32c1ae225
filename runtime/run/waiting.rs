//! Waits that last. Those who watch a program are told what it waits for.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::redact;
use crate::run::session::Session;

/// How long a wait may last before it is worth a word.
pub const LONG_WAIT: Duration = Duration::from_secs(2);

/// Is told of the waits of a program, from several threads at the same time. It must not block.
pub trait WaitObserver: Send + Sync {
    /// Whether waits are told at all; otherwise nothing of them is put into words.
    fn listens(&self) -> bool {
        true
    }

    /// A wait for `what` began at `since`. Meanwhile another program may ask the user something on
    /// the terminal if it `may_ask`. Returns a number for [`Self::ends`].
    fn begins(&self, what: &str, since: Instant, may_ask: bool) -> u64;

    /// The wait with that number ended.
    fn ends(&self, number: u64);
}

/// Tells nobody.
pub(crate) struct Nobody;

impl WaitObserver for Nobody {
    fn listens(&self) -> bool {
        false
    }

    fn begins(&self, _: &str, _: Instant, _: bool) -> u64 {
        0
    }

    fn ends(&self, _: u64) {}
}

thread_local! {
    /// Whether this thread is in a wait that was told.
    static TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the waits of this thread to itself: nobody waits for the thread.
pub(crate) fn hush_this_thread() {
    TOLD.set(true);
}

/// A wait, until it is dropped. Waits of the same thread within it are parts of it, and not told.
pub(crate) struct Waiting {
    told: Option<(Session, u64)>,
    of_this_thread: PhantomData<*const ()>,
}

impl Waiting {
    /// A wait that begins now. `what` completes "waiting for": a noun, or what virhai is about to do.
    pub(crate) fn new(session: &Session, what: impl FnOnce() -> String) -> Self {
        Self::since(session, Instant::now(), what)
    }

    /// A wait that began at `since`.
    pub(crate) fn since(session: &Session, since: Instant, what: impl FnOnce() -> String) -> Self {
        Self::told(session, since, false, what)
    }

    /// A wait that begins now, in which another program may ask the user something.
    pub(crate) fn that_may_ask(session: &Session, what: impl FnOnce() -> String) -> Self {
        Self::told(session, Instant::now(), true, what)
    }

    fn told(
        session: &Session,
        since: Instant,
        may_ask: bool,
        what: impl FnOnce() -> String,
    ) -> Self {
        let told = (session.waits().listens() && !TOLD.replace(true)).then(|| {
            let number = session
                .waits()
                .begins(&redact::hide(&what()), since, may_ask);
            (session.clone(), number)
        });
        Self {
            told,
            of_this_thread: PhantomData,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((session, number)) = &self.told {
            TOLD.set(false);
            session.waits().ends(*number);
        }
    }
}
