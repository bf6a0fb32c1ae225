//! Long waits: reports to observers what a program waits for.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::redact;
use crate::run::session::Session;

/// The duration after which a wait is reported.
pub const LONG_WAIT: Duration = Duration::from_secs(2);

/// The progress of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobProgress {
    /// The bytes that are done.
    pub done: u64,
    /// The number of all bytes; more than 0.
    pub total: u64,
    /// The time until the end, if the host knows it.
    pub left: Option<Duration>,
}

impl JobProgress {
    /// The progress of a job with `done` of `total` bytes; `None` if the total is not known yet.
    pub(crate) fn of(done: u64, total: u64) -> Option<Self> {
        (total > 0).then_some(Self {
            done: done.min(total),
            total,
            left: None,
        })
    }
}

/// Reads how far a job is; `None` if that is not known. It can ask a host, so it can take long.
pub type ReadProgress = Arc<dyn Fn() -> Option<JobProgress> + Send + Sync>;

/// The bytes of a transfer that this process makes; copies count together.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<(AtomicU64, AtomicU64)>);

impl Counter {
    /// Sets the bytes that are done, and all bytes.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.0.store(done, Ordering::Relaxed);
        self.0.1.store(total, Ordering::Relaxed);
    }

    fn read(&self) -> Option<JobProgress> {
        let (done, total) = &*self.0;
        JobProgress::of(done.load(Ordering::Relaxed), total.load(Ordering::Relaxed))
    }
}

/// A wait that begins.
pub struct Begun<'a> {
    /// The goal of the wait: a noun, or what virhai is about to do.
    pub what: &'a str,
    /// The time when it began.
    pub since: Instant,
    /// True if another program may ask the user a question on the terminal meanwhile.
    pub may_ask: bool,
    /// Reads how far the job is that the wait is for.
    pub progress: Option<ReadProgress>,
}

/// Receives the waits of a program, from several threads at the same time. It must not block.
pub trait WaitObserver: Send + Sync {
    /// True if waits are reported at all, for jobs or for other goals; otherwise no text is made for them.
    fn listens(&self, _for_a_job: bool) -> bool {
        true
    }

    /// Reports the beginning of a wait. Returns a number for [`Self::ends`].
    fn begins(&self, wait: Begun) -> u64;

    /// The wait with that number ended.
    fn ends(&self, number: u64);
}

/// Reports no waits.
pub(crate) struct Nobody;

impl WaitObserver for Nobody {
    fn listens(&self, _: bool) -> bool {
        false
    }

    fn begins(&self, _: Begun) -> u64 {
        0
    }

    fn ends(&self, _: u64) {}
}

thread_local! {
    /// True if this thread is in a reported wait.
    static TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Does not report waits of this thread, since the user does not wait for it.
pub(crate) fn hush_this_thread() {
    TOLD.set(true);
}

/// A wait, until it is dropped. Waits of the same thread within it are parts of it, and are not reported.
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
        Self::told(session, since, false, None, what)
    }

    /// A wait for a job that began at `since`; `progress` reads how far the job is.
    pub(crate) fn for_job(
        session: &Session,
        since: Instant,
        progress: ReadProgress,
        what: impl FnOnce() -> String,
    ) -> Self {
        Self::told(session, since, false, Some(progress), what)
    }

    /// A wait for a transfer that begins now and that `counter` counts.
    pub(crate) fn for_transfer(
        session: &Session,
        counter: &Counter,
        what: impl FnOnce() -> String,
    ) -> Self {
        let counter = counter.clone();
        Self::for_job(
            session,
            Instant::now(),
            Arc::new(move || counter.read()),
            what,
        )
    }

    /// A wait that begins now, in which another program may ask the user something.
    pub(crate) fn that_may_ask(session: &Session, what: impl FnOnce() -> String) -> Self {
        Self::told(session, Instant::now(), true, None, what)
    }

    fn told(
        session: &Session,
        since: Instant,
        may_ask: bool,
        progress: Option<ReadProgress>,
        what: impl FnOnce() -> String,
    ) -> Self {
        let waits = session.waits();
        let told = (waits.listens(progress.is_some()) && !TOLD.replace(true)).then(|| {
            let number = waits.begins(Begun {
                what: &redact::hide(&what()),
                since,
                may_ask,
                progress,
            });
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
