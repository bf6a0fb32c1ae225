//! Receives events from libvirt's callbacks and gives them to the queues that want them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::Queue;
use super::picture::{Change, Gap, Picture};
use crate::libvirt::events::{CLOSE, Event};
use crate::libvirt::typed_params::Scalar;

/// The number of recent events that waits can look back at; older ones are dropped.
const KEPT: usize = 4096;

/// The largest number of events that are held back during a comparison after a loss.
const HELD: usize = 65_536;

type Listener = Box<dyn Fn(Option<&Event>) + Send + Sync>;

/// The queues of one watch.
pub(super) struct Board {
    uri: String,
    queues: RwLock<Vec<Arc<Queue>>>,
    listeners: RwLock<Vec<Listener>>,
    /// Lifecycle events of domains: only they have the reason of a stop.
    recent: Mutex<VecDeque<Arc<Event>>>,
    view: Mutex<View>,
    lost: AtomicBool,
    /// Is called on the event thread when a lost connection has to be reopened.
    open_again: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// The known states of the host's objects, if a queue needs them after a loss.
#[derive(Default)]
struct View {
    picture: Picture,
    lost_at: Option<Instant>,
    /// Events that are held back until the changes after a loss are known.
    held: Option<Held>,
}

#[derive(Default)]
struct Held {
    events: Vec<Arc<Event>>,
    lost: u64,
}

impl View {
    /// The changes in `picture` that neither an earlier event nor one that is held back reports.
    fn unreported(&self, picture: &Picture) -> Vec<Change> {
        let held = self.held.iter().flat_map(|held| &held.events);
        self.picture.unreported(picture, held.map(|event| &**event))
    }
}

impl Board {
    pub(super) fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            queues: RwLock::default(),
            listeners: RwLock::default(),
            recent: Mutex::default(),
            view: Mutex::default(),
            lost: AtomicBool::new(false),
            open_again: OnceLock::new(),
        }
    }

    /// The host of its events.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    /// Calls `action` when a lost connection has to be reopened; it must not block.
    pub(super) fn when_lost(&self, action: impl Fn() + Send + Sync + 'static) {
        let _ = self.open_again.set(Box::new(action));
    }

    /// Adds `queue`: it gets the events that it wants from now on.
    pub(super) fn attach(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.write();
        queues.push(Arc::clone(queue));
        if self.is_lost() {
            queue.lose();
        }
    }

    /// Removes `queue`.
    pub(super) fn detach(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.write();
        queues.retain(|known| !Arc::ptr_eq(known, queue));
    }

    /// The number of queues.
    #[cfg(test)]
    pub(super) fn queues(&self) -> usize {
        let queues = self.queues.read();
        queues.len()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// True if a queue continues after a lost connection was reopened.
    pub(super) fn outlives(&self) -> bool {
        let queues = self.queues.read();
        queues.iter().any(|queue| queue.outlives())
    }

    /// Adds an event of libvirt.
    pub(super) fn add(&self, event: Event) {
        self.tell(Some(&event));
        let event = Arc::new(event);
        if event.kind == "lifecycle" {
            let mut recent = self.recent.lock();
            recent.push_back(Arc::clone(&event));
            if recent.len() > KEPT {
                recent.pop_front();
            }
        }
        let mut view = self.view();
        if let Some(held) = &mut view.held {
            match held.events.len() < HELD {
                true => held.events.push(event),
                false => held.lost += 1,
            }
            return;
        }
        view.picture.learn(&event);
        // Under the lock: no other thread can begin to hold events in between.
        self.for_each_queue(|queue| queue.add(&event));
    }

    /// Records that the connection broke, and the reason.
    pub(super) fn lose(&self, why: &str) {
        if self.lost.swap(true, Ordering::SeqCst) {
            return;
        }
        self.view().lost_at = Some(Instant::now());
        self.tell(None);
        let close = Arc::new(Event {
            at: Timestamp::now(),
            kind: CLOSE,
            noun: "connection",
            name: self.uri.clone(),
            uuid: String::new(),
            fields: vec![("reason".to_owned(), Scalar::Text(why.to_owned()))],
        });
        self.for_each_queue(|queue| {
            queue.add(&close);
            queue.lose();
        });
        if self.outlives()
            && let Some(open_again) = self.open_again.get()
        {
            open_again();
        }
    }

    /// Holds events back until [`Self::release`].
    pub(super) fn hold(&self) {
        self.view().held.get_or_insert_default();
    }

    /// Passes the held events to the queues.
    pub(super) fn release(&self) {
        self.give_out(self.view());
    }

    /// Stores the states of the host's objects, and gives the held events to the queues.
    pub(super) fn begin_with(&self, picture: Picture) {
        let mut view = self.view();
        view.picture.take(picture);
        self.give_out(view);
    }

    /// The sorts of object whose states are known.
    pub(super) fn known_nouns(&self) -> Vec<&'static str> {
        self.view().picture.nouns()
    }

    /// Continues with a new connection: gives the queues the changes since the loss, and the held events.
    pub(super) fn go_on(&self, picture: Picture) {
        let mut view = self.view();
        let changes = view.unreported(&picture);
        let lost_at = view.lost_at.take();
        let gap = Gap {
            at: Timestamp::now(),
            seconds: lost_at.map_or(0.0, |lost_at| lost_at.elapsed().as_secs_f64()),
            changes,
        };
        view.picture.take(picture);
        self.lost.store(false, Ordering::SeqCst);
        self.for_each_queue(|queue| queue.bridge(&gap));
        self.give_out(view);
    }

    /// The changes in `picture` that no event reported.
    pub(super) fn unreported(&self, picture: &Picture) -> Vec<Change> {
        self.view().unreported(picture)
    }

    /// Passes those of `changes` that `picture` still shows and no event reported to the queues, and the held events.
    pub(super) fn catch_up(&self, changes: &[Change], picture: &Picture) {
        let mut view = self.view();
        let mut lasting = view.unreported(picture);
        lasting.retain(|change| changes.contains(change));
        view.picture.adopt(picture, &lasting);
        if !lasting.is_empty() {
            let gap = Gap {
                at: Timestamp::now(),
                seconds: 0.0,
                changes: lasting,
            };
            self.for_each_queue(|queue| queue.bridge(&gap));
        }
        self.give_out(view);
    }

    fn give_out(&self, mut view: MutexGuard<'_, View>) {
        let Some(held) = view.held.take() else {
            return;
        };
        for event in &held.events {
            view.picture.learn(event);
            self.for_each_queue(|queue| queue.add(event));
        }
        if held.lost > 0 {
            let now = Timestamp::now();
            self.for_each_queue(|queue| queue.miss(now, held.lost));
        }
    }

    /// Ends all queues.
    pub(super) fn close(&self) {
        self.for_each_queue(|queue| queue.close());
    }

    /// The result of `pick` for the newest recent event for which it returns one.
    pub(super) fn latest<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let recent = self.recent.lock();
        recent.iter().rev().find_map(|event| pick(event))
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock()
    }

    fn for_each_queue(&self, action: impl Fn(&Arc<Queue>)) {
        let queues = self.queues.read();
        queues.iter().for_each(action);
    }

    fn tell(&self, event: Option<&Event>) {
        let listeners = self.listeners.read();
        listeners.iter().for_each(|listener| listener(event));
    }
}
