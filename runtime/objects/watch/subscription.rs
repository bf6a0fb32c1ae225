//! A queue of a host's events that a script keeps.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Bounds, Change, Feed, Filter, Outcome, Queue, Told, Unfed, kinds_of};
use crate::libvirt::events::Event;
use crate::objects::connection::Connection;
use crate::run::waiting::{LONG_WAIT, Waiting};

/// The default length of a queue.
const QUEUE: usize = 65_536;

/// Events that follow each other faster than this are a burst.
const BURST: Duration = Duration::from_millis(2);

/// How long a burst is left to fill the queue: to wake a thread for each event costs more than the event.
const PAUSE: Duration = Duration::from_millis(1);

/// The options of a subscription.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time after which it ends; `None` for never.
    pub timeout: Option<Duration>,
    /// The length of its queue.
    pub queue: usize,
    /// True if it continues after a lost connection was reopened.
    pub reconnect: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: None,
            queue: QUEUE,
            reconnect: false,
        }
    }
}

/// The events of a host from one moment on; copies are the same subscription, and the last one ends it.
#[derive(Clone)]
pub struct Subscription(Arc<Shared>);

struct Shared {
    connection: Connection,
    filters: Arc<Vec<Filter>>,
    queue: Arc<Queue>,
    feed: Mutex<Option<Feed>>,
    /// The time when the last event was taken.
    taken: Mutex<Option<Instant>>,
}

impl Subscription {
    /// Subscribes to the events that one of `filters` describes.
    pub(crate) fn open(
        connection: &Connection,
        filters: Vec<Filter>,
        options: &Options,
    ) -> Result<Self, Unfed> {
        let watch = connection.watch().map_err(|failure| (failure, ""))?;
        let filters = Arc::new(filters);
        let until = options
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        let wanted = Arc::clone(&filters);
        let wanted = move |event: &Event| wanted.iter().any(|filter| filter.fits(event));
        let bounds = Bounds::of(options.queue);
        let queue = Queue::new(bounds, until, Box::new(wanted));
        let queue = Arc::new(match options.reconnect {
            true => queue.outliving(concerned(Arc::clone(&filters))),
            false => queue,
        });
        let any = filters.iter().any(Filter::is_for_any_kind);
        let mut feed = watch.feed(&kinds_of(&filters), any, Arc::clone(&queue))?;
        if options.reconnect {
            let mut nouns: Vec<&'static str> = filters.iter().flat_map(Filter::nouns).collect();
            nouns.sort_unstable();
            nouns.dedup();
            feed.keep_picture(&nouns)?;
        }
        Ok(Self(Arc::new(Shared {
            connection: connection.clone(),
            filters,
            queue,
            feed: Mutex::new(Some(feed)),
            taken: Mutex::default(),
        })))
    }

    /// The connection of the subscription.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// The next event; waits for it until `timeout` has passed, if there is a timeout.
    pub fn next(&self, timeout: Option<Duration>) -> Outcome<Told> {
        let outcome = self.wait(timeout, true);
        self.note_taken(&outcome);
        outcome
    }

    /// The same without a timeout and without a note about the wait.
    pub(crate) fn next_untold(&self) -> Outcome<Told> {
        let outcome = self.wait(None, false);
        self.note_taken(&outcome);
        outcome
    }

    fn note_taken(&self, outcome: &Outcome<Told>) {
        let found = matches!(outcome, Outcome::Found(_));
        *self.0.taken.lock() = found.then(Instant::now);
    }

    /// True if the last event was taken a moment ago.
    fn is_in_burst(&self) -> bool {
        let taken = *self.0.taken.lock();
        taken.is_some_and(|taken| taken.elapsed() < BURST)
    }

    fn wait(&self, timeout: Option<Duration>, tells: bool) -> Outcome<Told> {
        let interrupt = self.0.connection.session().interrupt();
        let queue = &self.0.queue;
        let mut outcome = queue.take();
        if matches!(outcome, Outcome::TimedOut)
            && timeout.is_none_or(|timeout| timeout > BURST)
            && self.is_in_burst()
        {
            std::thread::sleep(PAUSE);
            outcome = queue.take();
        }
        match outcome {
            Outcome::TimedOut => {}
            _ if interrupt.stopping().is_some() => return Outcome::Stopped,
            outcome => return outcome,
        }
        if !tells {
            return queue.wait(None, interrupt);
        }
        let begun = Instant::now();
        let deadline = timeout.and_then(|timeout| begun.checked_add(timeout));
        // Most events come before that: to report each wait would cost more than the wait.
        let untold = begun.checked_add(LONG_WAIT);
        match queue.wait(deadline.into_iter().chain(untold).min(), interrupt) {
            Outcome::TimedOut => {}
            outcome => return outcome,
        }
        let _waiting = Waiting::since(self.0.connection.session(), begun, || self.wanted());
        queue.wait(deadline, interrupt)
    }

    /// Accepts no new events; earlier events are still delivered.
    pub(crate) fn finish(&self) {
        self.settle();
        self.0.queue.finish();
    }

    /// The host whose events they are.
    pub fn uri(&self) -> &str {
        self.0.connection.uri()
    }

    /// All events in the queue.
    pub(crate) fn drain(&self) -> Outcome<std::collections::VecDeque<Told>> {
        self.settle();
        self.0.queue.drain()
    }

    /// Waits until all events that the host sent before this moment are in the queue.
    fn settle(&self) {
        let feed = self.0.feed.lock();
        let watch = feed.as_ref().map(|feed| Arc::clone(&feed.watch));
        drop(feed);
        if let Some(watch) = watch {
            watch.settle();
        }
    }

    /// Ends it, drops the events in the queue, and frees its callbacks.
    pub fn close(&self) {
        self.0.queue.close();
        let mut feed = self.0.feed.lock();
        let ended = feed.take();
        drop(feed);
        drop(ended);
    }

    /// True if it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.queue.is_closed()
    }

    /// The awaited events, in words.
    pub(crate) fn wanted(&self) -> String {
        let uri = self.0.connection.uri();
        match words(&self.0.filters) {
            None => format!("an event of {uri}"),
            Some(words) => format!("an event {words} of {uri}"),
        }
    }
}

impl PartialEq for Subscription {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let uri = crate::redact::hide_uri(self.0.connection.uri());
        let words = words(&self.0.filters).unwrap_or_else(|| "all events".into());
        match self.is_closed() {
            true => write!(f, "Subscription({words} of {uri}, closed)"),
            false => write!(f, "Subscription({words} of {uri})"),
        }
    }
}

/// The changes after a loss that match `filters`.
fn concerned(filters: Arc<Vec<Filter>>) -> Box<dyn Fn(&Change) -> bool + Send + Sync> {
    Box::new(move |change| {
        let Change {
            noun, name, uuid, ..
        } = change;
        filters
            .iter()
            .any(|filter| filter.concerns(noun, name, uuid))
    })
}

/// `filters` in words; `None` if they match every event.
fn words(filters: &[Filter]) -> Option<String> {
    let words: Vec<String> = filters.iter().map(ToString::to_string).collect();
    let words = words.join(" or ");
    (words != "#{}").then_some(words)
}
