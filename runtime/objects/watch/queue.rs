//! A queue between libvirt's callbacks and the waiting threads.
//!
//! Callbacks run on the one thread that serves all events: they put an event into each queue that
//! wants it and never wait. A queue has a limit; events beyond it are counted, and an entry with
//! the count replaces them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::MutexGuard;

use super::picture::{Change, Gap};
use crate::libvirt::events::Event;
use crate::run::awaited::{Awaited, Waited};
use crate::run::interrupt::Interrupt;

/// Something that a queue gives.
#[derive(Debug, Clone)]
pub enum Told {
    /// An event.
    Event(Arc<Event>),
    /// Events that did not fit into the queue.
    Overflow {
        /// The time of the first lost event.
        at: Timestamp,
        /// The number of lost events.
        lost: u64,
    },
    /// A time in which the connection was lost.
    Gap(Arc<Gap>),
}

/// The result of a wait.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It found an event.
    Found(T),
    /// It timed out.
    TimedOut,
    /// The connection broke.
    Lost,
    /// The queue was closed.
    Closed,
    /// The script is being stopped.
    Stopped,
}

impl<T> Outcome<T> {
    /// The same outcome, with `change` applied to the value that was found.
    pub(crate) fn map<R>(self, change: impl FnOnce(T) -> R) -> Outcome<R> {
        match self {
            Self::Found(found) => Outcome::Found(change(found)),
            Self::TimedOut => Outcome::TimedOut,
            Self::Lost => Outcome::Lost,
            Self::Closed => Outcome::Closed,
            Self::Stopped => Outcome::Stopped,
        }
    }
}

/// Chooses the events of a queue.
pub(super) type Wanted = Box<dyn Fn(&Event) -> bool + Send + Sync>;

/// Chooses the changes of a gap for a queue.
pub(super) type Concerned = Box<dyn Fn(&Change) -> bool + Send + Sync>;

/// The limits of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Events.
    pub(crate) events: usize,
    /// Bytes of events.
    pub(crate) bytes: usize,
}

impl Bounds {
    /// The bounds of a queue of `events` events: libvirt's own have a few hundred bytes.
    pub(crate) fn of(events: usize) -> Self {
        Self {
            events: events.max(1),
            bytes: events.saturating_mul(1024).max(1024 * 1024),
        }
    }
}

/// Events that wait to be taken.
pub(crate) struct Queue {
    wanted: Wanted,
    /// `None` for a queue that ends with the connection.
    concerned: Option<Concerned>,
    bounds: Bounds,
    /// The time when it stops accepting events.
    until: Option<Instant>,
    state: Arc<Awaited<QueueState>>,
}

#[derive(Default)]
struct QueueState {
    waiting: VecDeque<Told>,
    events: usize,
    bytes: usize,
    /// True if it was full and is still more than half full.
    overflows: bool,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Lost,
    Finished,
    Closed,
}

impl Queue {
    /// A queue of the events that are `wanted`, until the moment `until`.
    pub(crate) fn new(bounds: Bounds, until: Option<Instant>, wanted: Wanted) -> Self {
        Self {
            wanted,
            concerned: None,
            bounds,
            until,
            state: Arc::default(),
        }
    }

    /// The same queue, which continues after a lost connection was reopened, and gets the changes that are `concerned`.
    pub(super) fn outliving(self, concerned: Concerned) -> Self {
        Self {
            concerned: Some(concerned),
            ..self
        }
    }

    /// True if it continues after a lost connection was reopened.
    pub(super) fn outlives(&self) -> bool {
        self.concerned.is_some() && !self.is_closed() && !self.is_over()
    }

    /// Puts `gap` into the queue, with the changes that it wants.
    pub(super) fn bridge(&self, gap: &Gap) {
        let Some(concerned) = &self.concerned else {
            return;
        };
        let own = Gap {
            changes: gap
                .changes
                .iter()
                .filter(|c| concerned(c))
                .cloned()
                .collect(),
            ..*gap
        };
        // Without a gap, changes for other queues are not for it.
        if gap.seconds == 0.0 && own.changes.is_empty() {
            return;
        }
        self.put(Told::Gap(Arc::new(own)));
    }

    /// Counts `lost` events for which there was no room.
    pub(super) fn miss(&self, at: Timestamp, lost: u64) {
        self.put(Told::Overflow { at, lost });
    }

    /// Puts `told` into the queue, even if the queue is full.
    fn put(&self, told: Told) {
        self.state.change(|state| {
            if state.end.is_none() {
                state.waiting.push_back(told);
            }
        });
    }

    /// Puts `event` into the queue if it is wanted.
    pub(super) fn add(&self, event: &Arc<Event>) {
        if !(self.wanted)(event) || self.is_over() {
            return;
        }
        let size = size(event);
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        let Bounds { events, bytes } = self.bounds;
        let is_full = state.events >= events || state.bytes.saturating_add(size) > bytes;
        // Otherwise a full queue would have a count between any two events.
        let has_room = state.events <= events / 2 && state.bytes <= bytes / 2;
        state.overflows = is_full || (state.overflows && !has_room);
        if state.overflows {
            if let Some(Told::Overflow { lost, .. }) = state.waiting.back_mut() {
                *lost += 1;
                return;
            }
            let at = event.at;
            state.waiting.push_back(Told::Overflow { at, lost: 1 });
        } else {
            state.events += 1;
            state.bytes += size;
            state.waiting.push_back(Told::Event(Arc::clone(event)));
        }
        drop(state);
        self.state.wake();
    }

    /// Ends the queue after its remaining events if it ends with the connection, which broke.
    pub(super) fn lose(&self) {
        if self.concerned.is_none() {
            self.end(End::Lost);
        }
    }

    /// Ends the queue after its remaining events.
    pub(super) fn finish(&self) {
        self.end(End::Finished);
    }

    fn end(&self, end: End) {
        self.state.change(|state| {
            state.end.get_or_insert(end);
        });
    }

    /// Ends the queue and drops its events.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        let dropped = std::mem::take(&mut state.waiting);
        state.end = Some(End::Closed);
        drop(state);
        drop(dropped);
        self.state.wake();
    }

    /// True if it does not accept events any more.
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// True if it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.lock().end, Some(End::Closed))
    }

    /// Removes and returns all entries of the queue.
    pub(crate) fn drain(&self) -> Outcome<VecDeque<Told>> {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        (state.events, state.bytes) = (0, 0);
        match state.end {
            Some(End::Closed) => Outcome::Closed,
            Some(End::Lost) if waiting.is_empty() => Outcome::Lost,
            _ => Outcome::Found(waiting),
        }
    }

    /// Removes and returns the first entry, or returns the reason why there is none.
    pub(crate) fn take(&self) -> Outcome<Told> {
        self.lock().take().unwrap_or(Outcome::TimedOut)
    }

    /// Removes and returns the first entry; waits for one until `deadline` or the end of the queue.
    pub(crate) fn wait(&self, deadline: Option<Instant>, interrupt: &Interrupt) -> Outcome<Told> {
        let deadline = deadline.into_iter().chain(self.until).min();
        let waited = self.state.wait(deadline, interrupt, |state| {
            // After a stop, nothing is taken any more.
            match interrupt.stopping() {
                Some(_) => Some(Outcome::Stopped),
                None => state.take(),
            }
        });
        match waited {
            Waited::Found(outcome) => outcome,
            Waited::TimedOut => Outcome::TimedOut,
            Waited::Stopped => Outcome::Stopped,
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock()
    }
}

impl QueueState {
    /// The first entry, or how the queue ended; `None` if the caller has to wait.
    fn take(&mut self) -> Option<Outcome<Told>> {
        if let Some(told) = self.waiting.pop_front() {
            if let Told::Event(event) = &told {
                self.events -= 1;
                self.bytes -= size(event);
            }
            return Some(Outcome::Found(told));
        }
        match self.end? {
            End::Lost => Some(Outcome::Lost),
            End::Finished | End::Closed => Some(Outcome::Closed),
        }
    }
}

/// The approximate size of `event` in bytes.
fn size(event: &Event) -> usize {
    use crate::libvirt::typed_params::Scalar;
    let field = |(name, value): &(String, Scalar)| {
        let text = match value {
            Scalar::Text(text) => text.len(),
            _ => 0,
        };
        size_of::<(String, Scalar)>() + name.len() + text
    };
    let fields: usize = event.fields.iter().map(field).sum();
    size_of::<Event>() + event.name.len() + event.uuid.len() + fields
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(number: usize) -> Arc<Event> {
        Arc::new(Event {
            at: Timestamp::UNIX_EPOCH,
            kind: "lifecycle",
            noun: "domain",
            name: number.to_string(),
            uuid: String::new(),
            fields: Vec::new(),
        })
    }

    fn queue(bounds: Bounds) -> Arc<Queue> {
        Arc::new(Queue::new(bounds, None, Box::new(|_| true)))
    }

    /// The entries: names of events, and counts of lost events.
    fn drained(queue: &Queue) -> Vec<String> {
        let Outcome::Found(waiting) = queue.drain() else {
            return Vec::new();
        };
        let text = |told: &Told| match told {
            Told::Event(event) => event.name.clone(),
            Told::Overflow { lost, .. } => format!("{lost} lost"),
            Told::Gap(gap) => format!("gap of {}", gap.seconds),
        };
        waiting.iter().map(text).collect()
    }

    #[test]
    fn lost_events_are_counted_in_their_place() {
        let queue = queue(Bounds::of(4));
        (0..7).for_each(|number| queue.add(&event(number)));
        assert!(matches!(queue.take(), Outcome::Found(Told::Event(_))));
        // It has room, but not yet enough to take events again.
        queue.add(&event(7));
        assert_eq!(drained(&queue), ["1", "2", "3", "4 lost"]);
        queue.add(&event(8));
        assert_eq!(drained(&queue), ["8"]);
    }

    #[test]
    fn a_queue_is_bounded_by_bytes_too() {
        let bytes = 2 * size(&event(1));
        let queue = queue(Bounds { events: 100, bytes });
        (0..5).for_each(|number| queue.add(&event(number)));
        assert_eq!(drained(&queue), ["0", "1", "3 lost"]);
        assert_eq!(queue.lock().bytes, 0);
    }

    #[test]
    fn a_lost_connection_ends_a_queue_after_its_events() {
        let queue = queue(Bounds::of(4));
        queue.add(&event(0));
        queue.lose();
        queue.add(&event(1));
        assert!(matches!(queue.take(), Outcome::Found(Told::Event(_))));
        assert!(matches!(queue.take(), Outcome::Lost));
        queue.close();
        assert!(matches!(queue.take(), Outcome::Closed));
    }

    #[test]
    fn a_queue_takes_no_events_after_its_time() {
        let now = Instant::now();
        let queue = Arc::new(Queue::new(
            Bounds::of(4),
            Some(now + Duration::from_millis(20)),
            Box::new(|_| true),
        ));
        queue.add(&event(0));
        let wait = || queue.wait(None, &Interrupt::default());
        assert!(matches!(wait(), Outcome::Found(_)));
        assert!(matches!(wait(), Outcome::TimedOut));
        queue.add(&event(1));
        assert_eq!(drained(&queue), Vec::<String>::new());
        assert!(now.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_stop_wakes_every_wait() {
        let (queue, interrupt) = (queue(Bounds::of(4)), Interrupt::default());
        let (own, waiter) = (Arc::clone(&queue), interrupt.clone());
        let waiting = std::thread::spawn(move || own.wait(None, &waiter));
        interrupt.stop(crate::run::interrupt::Stop::Interrupted);
        let outcome = waiting.join().expect("it ends");
        assert!(matches!(outcome, Outcome::Stopped));
    }
}
