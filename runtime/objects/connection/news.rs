//! Events of a host for observers, and the loss of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Connection;
use crate::libvirt::Failure;
use crate::libvirt::events::{self, Event, FAMILIES};
use crate::libvirt::typed_params::Scalar;
use crate::objects::uri::{Reading, in_process};
use crate::objects::watch::Watch;

/// A message that a host sent without a request.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Something happened to an object of the host's.
    Happened {
        /// The noun for the object, such as `domain`.
        noun: &'static str,
        /// The object's name.
        name: String,
        /// The event, such as `stopped`.
        event: String,
        /// The reason, if libvirt gives one.
        detail: Option<String>,
    },
    /// The connection broke.
    Lost,
}

/// Events that an operator wants to know besides the lifecycle of objects.
const OTHERS: [&str; 3] = ["reboot", "watchdog", "io_error"];

/// Facts that are known without asking the host.
#[derive(Default)]
pub(super) struct Known {
    followed: AtomicBool,
    lost: Arc<AtomicBool>,
}

impl Connection {
    /// Calls `sink` for events of the host until the connection ends; a second call has no effect. `sink` runs on the
    /// thread of all libvirt events and must not block.
    pub fn follow(&self, sink: impl Fn(News) + Send + Sync + 'static) {
        if self.0.known.followed.swap(true, Ordering::AcqRel) {
            return;
        }
        let Ok(watch) = self.own_watch() else { return };
        let lost = Arc::clone(&self.0.known.lost);
        watch.listen(move |event| match event {
            Some(event) => sink(news(event)),
            None if lost.swap(true, Ordering::AcqRel) => {}
            None => sink(News::Lost),
        });
        for kind in FAMILIES.iter().map(|family| family.lifecycle).chain(OTHERS) {
            // A host without such objects has no such events either.
            let _ = events::kind(kind).map(|kind| watch.follow(kind));
        }
        watch.look();
        let mut slot = self.following();
        if !self.is_closed() {
            *slot = Some(watch);
        }
    }

    /// A watch on this connection itself, so that it reports the loss of this connection; the watch
    /// of waits may use another connection.
    fn own_watch(&self) -> Result<Arc<Watch>, Failure> {
        match self.is_in_process() {
            // libvirt calls one function for one kind of event only once.
            true => self.watch(),
            false => Ok(Arc::new(self.watch_on(self.connect()?))),
        }
    }

    /// True if its driver works within this process, so that no call waits for another machine.
    pub fn is_in_process(&self) -> bool {
        self.0.in_process
    }

    /// True if libvirt opens files of calls in this process, with the user's rights. An embedded hypervisor does too,
    /// but a script that may run one may do that anyway.
    pub(crate) fn opens_files_here(&self) -> bool {
        let uri = self.uri();
        in_process(uri) && !Reading::of(uri).is_some_and(|reading| reading.is_embedded())
    }

    /// True if it already has an observer.
    pub fn is_followed(&self) -> bool {
        self.0.known.followed.load(Ordering::Acquire)
    }

    /// True if the connection broke, as far as its observers were [told](Self::follow).
    pub fn is_lost(&self) -> bool {
        self.0.known.lost.load(Ordering::Acquire)
    }

    /// True if it was closed by a script.
    pub fn is_closed(&self) -> bool {
        self.connect().is_err()
    }

    /// True if it was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.0.target.read_only
    }
}

fn news(event: &Event) -> News {
    let text = |value: &Scalar| match value {
        Scalar::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        _ => None,
    };
    let field = |wanted: &str| {
        let found = event.fields.iter().find(|(name, _)| name == wanted);
        found.and_then(|(_, value)| text(value))
    };
    let others = || {
        let texts: Vec<String> = event
            .fields
            .iter()
            .filter_map(|(_, value)| text(value))
            .collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    };
    let named = field("event");
    let detail = match named {
        Some(_) => field("detail"),
        None => others(),
    };
    News::Happened {
        noun: event.noun,
        name: event.name.clone(),
        event: named.unwrap_or_else(|| event.kind.replace('_', " ")),
        detail,
    }
}
