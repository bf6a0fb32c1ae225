//! Where libvirt's callbacks bring events, to be given to the queues that want them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::Queue;
use crate::libvirt::events::{CLOSE, Event};
use crate::libvirt::typed_params::Scalar;

/// More events than any wait looks back over; older ones are dropped.
const KEPT: usize = 4096;

type Listener = Box<dyn Fn(Option<&Event>) + Send + Sync>;

/// The queues of one watch.
pub(super) struct Board {
    uri: String,
    queues: RwLock<Vec<Arc<Queue>>>,
    listeners: RwLock<Vec<Listener>>,
    /// Lifecycle events of domains: why one stopped is known from nothing else.
    recent: Mutex<VecDeque<Arc<Event>>>,
    lost: AtomicBool,
}

impl Board {
    pub(super) fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            queues: RwLock::default(),
            listeners: RwLock::default(),
            recent: Mutex::default(),
            lost: AtomicBool::new(false),
        }
    }

    /// The host that it is about.
    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Gives `queue` what it wants from now on.
    pub(super) fn attach(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.push(Arc::clone(queue));
        if self.is_lost() {
            queue.lose();
        }
    }

    /// Gives `queue` nothing more.
    pub(super) fn detach(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|known| !Arc::ptr_eq(known, queue));
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Takes an event from libvirt.
    pub(super) fn add(&self, event: Event) {
        self.tell(Some(&event));
        let event = Arc::new(event);
        if event.kind == "lifecycle" {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.push_back(Arc::clone(&event));
            if recent.len() > KEPT {
                recent.pop_front();
            }
        }
        self.for_each_queue(|queue| queue.add(&event));
    }

    /// Learns that the connection broke, and why.
    pub(super) fn lose(&self, why: &str) {
        if self.lost.swap(true, Ordering::SeqCst) {
            return;
        }
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
    }

    /// Ends all queues.
    pub(super) fn close(&self) {
        self.for_each_queue(|queue| queue.close());
    }

    /// What `pick` takes of the newest of the recent events that it takes anything of.
    pub(super) fn latest<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().find_map(|event| pick(event))
    }

    fn for_each_queue(&self, action: impl Fn(&Arc<Queue>)) {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.iter().for_each(action);
    }

    fn tell(&self, event: Option<&Event>) {
        let listeners = self.listeners.read();
        let listeners = listeners.unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(event));
    }
}
