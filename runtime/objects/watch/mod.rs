//! libvirt's events: one path from its callbacks to all queues, on a separate connection if calls could delay it.

mod board;
mod filter;
mod picture;
mod queue;
mod reopen;
mod subscription;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use virt::connect::Connect;

use crate::libvirt::event_loop;
use crate::libvirt::events::{self, CLOSE, CloseGuard, Event, EventKind, Registration};
use crate::libvirt::{Failure, Result};
use crate::objects::call_thread::{self, Patience};
use crate::run::interrupt::Interrupt;
use board::Board;
pub(crate) use filter::{ANY, keys, kinds_of};
pub use filter::{Filter, Given, Refusal, nouns};
pub(crate) use picture::Change;
use picture::Picture;
pub(crate) use queue::{Bounds, Queue};
pub use queue::{Outcome, Told};
pub(crate) use reopen::Reopen;
pub use subscription::{Options, Subscription};

/// The number of events that a wait may have to look back at.
const OF_A_WAIT: usize = 4096;

/// Time for libvirt's event loop to deliver pending events.
const SETTLING: Duration = Duration::from_secs(5);

/// Time for a host to stop sending events: virhai does not need the answer.
const ENDING: Patience = Patience {
    limit: Some(Duration::from_secs(5)),
    after_stop: Duration::from_secs(2),
};

/// A connection's events, given to queues as they arrive.
pub(crate) struct Watch {
    board: Arc<Board>,
    link: Mutex<Option<Link>>,
    /// Time limit for the host's answer; `None` if it is this process.
    patience: Option<Patience>,
    interrupt: Interrupt,
    /// Only one thread at a time holds events back.
    holding: Mutex<()>,
}

/// The connection to the host and its callbacks. The callbacks end before the connection.
struct Link {
    followed: HashMap<&'static str, Followed>,
    close: Option<CloseGuard>,
    connect: Arc<Connect>,
}

/// A kind of event that libvirt sends.
struct Followed {
    _registration: Registration,
    /// The number of feeds that want it.
    feeds: usize,
    /// True if libvirt keeps sending it without a feed: the next wait comes soon.
    stays: bool,
}

impl Watch {
    /// Watches the host behind `connect`; `patience` is the time limit for replies, `None` for a
    /// driver within the process, whose connection cannot break.
    pub(crate) fn new(
        connect: Arc<Connect>,
        uri: &str,
        patience: Option<Patience>,
        interrupt: Interrupt,
    ) -> Self {
        let board = Arc::new(Board::new(uri));
        let closing = Arc::clone(&board);
        // If this fails, keepalive and the wait's own timeout still end the wait.
        let close = patience
            .and_then(|_| events::on_close(&connect, Arc::new(move |why| closing.lose(why))).ok());
        Self {
            board,
            link: Mutex::new(Some(Link {
                followed: HashMap::new(),
                close,
                connect,
            })),
            patience,
            interrupt,
            holding: Mutex::default(),
        }
    }

    /// Passes every followed event from now on to `listener`, and `None` when the connection is lost. It runs on the
    /// event thread and must not block.
    pub(crate) fn listen(&self, listener: impl Fn(Option<&Event>) + Send + Sync + 'static) {
        self.board.listen(Box::new(listener));
    }

    /// Finds a loss that came before the callback for it was registered.
    pub(crate) fn look(&self) {
        let connect = self.link().as_ref().map(|link| Arc::clone(&link.connect));
        if connect.is_some_and(|connect| !connect.is_alive().unwrap_or(false)) {
            self.board.lose("error");
        }
    }

    /// Asks the host through this watch's connection, which the script's calls cannot starve.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let connect = self.link().as_ref().map(|link| Arc::clone(&link.connect));
        self.ask_on(connect.ok_or_else(|| self.closed())?, work)
    }

    fn ask_on<T: Send + 'static>(
        &self,
        connect: Arc<Connect>,
        work: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = move || work(&connect);
        match self.patience {
            None => work(),
            Some(patience) => call_thread::run(&self.interrupt, patience, None, work)
                .unwrap_or_else(|why| Err(why.failure(patience.limit))),
        }
    }

    /// True if the connection broke, so that nothing more will arrive.
    pub(crate) fn is_lost(&self) -> bool {
        self.board.is_lost()
    }

    /// Makes libvirt send the events of `kind` until the connection ends.
    pub(crate) fn follow(&self, kind: &'static EventKind) -> Result<()> {
        self.follow_for(kind, 0)
    }

    /// The same for `feeds` more feeds; with 0, the events continue without a feed.
    fn follow_for(&self, kind: &'static EventKind, feeds: usize) -> Result<()> {
        let mut link = self.link();
        let link = link.as_mut().ok_or_else(|| self.closed())?;
        if kind.name == CLOSE {
            return match link.close {
                Some(_) => Ok(()),
                None => Err(events::unsupported(kind)),
            };
        }
        if let Some(followed) = link.followed.get_mut(kind.name) {
            followed.feeds += feeds;
            followed.stays |= feeds == 0;
            return Ok(());
        }
        let followed = Followed {
            _registration: self.register(&link.connect, kind)?,
            feeds,
            stays: feeds == 0,
        };
        link.followed.insert(kind.name, followed);
        Ok(())
    }

    /// Makes libvirt send the board the events of `kind` over `connect`.
    fn register(&self, connect: &Arc<Connect>, kind: &'static EventKind) -> Result<Registration> {
        let board = Arc::clone(&self.board);
        let sink = Arc::new(move |event| board.add(event));
        self.ask_on(Arc::clone(connect), move |connect| {
            events::register(connect, kind, sink)
        })
    }

    /// Makes libvirt stop sending the events of `kind` if no other feed wants them.
    fn unfollow(&self, kind: &'static EventKind) {
        let mut link = self.link();
        let Some(link) = link.as_mut() else { return };
        let Some(followed) = link.followed.get_mut(kind.name) else {
            return;
        };
        followed.feeds = followed.feeds.saturating_sub(1);
        if followed.feeds == 0 && !followed.stays {
            let ended = link.followed.remove(kind.name);
            self.let_go(move || drop(ended));
        }
    }

    /// Runs `work`, which may need an answer from the host, and does not wait long for it.
    fn let_go(&self, work: impl FnOnce() + Send + 'static) {
        match self.patience {
            None => work(),
            Some(_) => drop(call_thread::run(&self.interrupt, ENDING, None, work)),
        }
    }

    /// Passes the events of `kinds` that are `wanted` to the queue of a wait from now on. With `any`, kinds that the
    /// host does not have are left out.
    pub(crate) fn collect(
        self: &Arc<Self>,
        kinds: &[&'static EventKind],
        any: bool,
        wanted: impl Fn(&Event) -> bool + Send + Sync + 'static,
    ) -> std::result::Result<Feed, Unfed> {
        let bounds = Bounds::of(OF_A_WAIT);
        let queue = Arc::new(Queue::new(bounds, None, Box::new(wanted)));
        let feed = Feed::new(self, queue);
        each_of(kinds, any, |kind| self.follow(kind))?;
        Ok(feed)
    }

    /// Passes the events of `kinds` that `queue` wants to it from now on. With `any`, kinds that the host does not have
    /// are left out.
    pub(crate) fn feed(
        self: &Arc<Self>,
        kinds: &[&'static EventKind],
        any: bool,
        queue: Arc<Queue>,
    ) -> std::result::Result<Feed, Unfed> {
        let mut feed = Feed::new(self, queue);
        each_of(kinds, any, |kind| {
            self.follow_for(kind, 1)?;
            feed.kinds.push(kind);
            Ok(())
        })?;
        Ok(feed)
    }

    /// The result of `pick` for the newest lifecycle event of a domain for which it returns one.
    pub(crate) fn latest<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.board.latest(pick)
    }

    /// Keeps the states of objects of the kinds `nouns` from now on, to report changes after a loss. Their lifecycles
    /// must be followed.
    pub(crate) fn keep_picture(&self, nouns: &[&'static str]) -> Result<()> {
        let _alone = self.holding.lock();
        let known = self.board.known_nouns();
        let new = nouns.iter().copied().filter(|noun| !known.contains(noun));
        let new: Vec<&'static str> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        self.board.hold();
        match self.ask(move |connect| Picture::of(connect, &new)) {
            Ok(picture) => {
                self.board.begin_with(picture);
                Ok(())
            }
            Err(failure) => {
                self.board.release();
                Err(failure)
            }
        }
    }

    /// Waits until all events that the host sent before this moment have arrived.
    pub(crate) fn settle(&self) {
        if self.is_lost() {
            return;
        }
        // A host's answer comes after the events that it sent before.
        if self.ask(|connect| Ok(connect.lib_version()?)).is_ok() {
            event_loop::settle(SETTLING);
        }
    }

    /// Ends all queues, and drops the watch's reference to the connection.
    pub(crate) fn close(&self) {
        self.board.close();
        let link = self.link().take();
        drop(link);
    }

    fn closed(&self) -> Failure {
        Failure::new(
            virt_sys::VIR_ERR_INVALID_CONN,
            format!("the connection to {} is closed", self.board.uri()),
        )
    }

    fn link(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock()
    }
}

/// Calls `follow` for each of `kinds`. With `any`, one success is enough.
fn each_of(
    kinds: &[&'static EventKind],
    any: bool,
    mut follow: impl FnMut(&'static EventKind) -> Result<()>,
) -> std::result::Result<(), Unfed> {
    let (mut done, mut refused) = (false, None);
    for kind in kinds {
        match follow(kind) {
            Ok(()) => done = true,
            Err(failure) => {
                let lost = failure.lost_connection();
                refused = Some((failure, kind.family.call));
                if !any || lost {
                    break;
                }
            }
        }
    }
    match refused {
        Some(refused) if !any || !done || refused.0.lost_connection() => Err(refused),
        _ => Ok(()),
    }
}

/// The kinds of event called `names`.
pub(crate) fn named(names: &[&str]) -> Vec<&'static EventKind> {
    names.iter().filter_map(|name| events::kind(name)).collect()
}

/// The reason why there is no feed, and the failed libvirt call.
pub(crate) type Unfed = (Failure, &'static str);

/// A queue that a watch fills until this is dropped.
pub(crate) struct Feed {
    watch: Arc<Watch>,
    queue: Arc<Queue>,
    kinds: Vec<&'static EventKind>,
}

impl Feed {
    fn new(watch: &Arc<Watch>, queue: Arc<Queue>) -> Self {
        watch.board.attach(&queue);
        Self {
            watch: Arc::clone(watch),
            queue,
            kinds: Vec::new(),
        }
    }

    /// Makes the watch record the states of objects with the `nouns`, as far as the host has them.
    fn keep_picture(&mut self, nouns: &[&'static str]) -> std::result::Result<(), Unfed> {
        let families = events::FAMILIES.iter();
        let families = families.filter(|family| nouns.contains(&family.noun));
        let lifecycles: Vec<&str> = families.clone().map(|family| family.lifecycle).collect();
        each_of(&named(&lifecycles), true, |kind| {
            self.watch.follow_for(kind, 1)?;
            self.kinds.push(kind);
            Ok(())
        })?;
        let call = families.map(|family| family.call).next();
        let kept = self.watch.keep_picture(nouns);
        kept.map_err(|failure| (failure, call.unwrap_or_default()))
    }

    /// The watch that fills it.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Waits for the first event that `pick` takes.
    pub(crate) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        interrupt: &Interrupt,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Outcome<T> {
        loop {
            return match self.queue.wait(deadline, interrupt) {
                Outcome::Found(Told::Event(event)) => match pick(&event) {
                    Some(found) => Outcome::Found(found),
                    None => continue,
                },
                // A wait checks all conditions whenever it is woken.
                Outcome::Found(Told::Overflow { .. } | Told::Gap(_)) => continue,
                Outcome::TimedOut => Outcome::TimedOut,
                Outcome::Lost => Outcome::Lost,
                Outcome::Closed => Outcome::Closed,
                Outcome::Stopped => Outcome::Stopped,
            };
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.watch.board.detach(&self.queue);
        self.queue.close();
        for kind in &self.kinds {
            self.watch.unfollow(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::{connection, event_loop};

    fn watch() -> Arc<Watch> {
        event_loop::start();
        let uri = "test:///default";
        let connect = connection::open_auth(Some(uri), &connection::Credentials::default(), 0);
        let connect = Arc::new(connect.expect("the test driver is there"));
        Arc::new(Watch::new(connect, uri, None, Interrupt::default()))
    }

    fn followed(watch: &Watch) -> usize {
        watch.link().as_ref().map_or(0, |link| link.followed.len())
    }

    #[test]
    fn feeds_that_end_leave_neither_queues_nor_callbacks() {
        let watch = watch();
        let kinds = named(&["lifecycle", "network_lifecycle"]);
        let feed = || {
            let queue = Queue::new(Bounds::of(1), None, Box::new(|_| true));
            watch.feed(&kinds, false, Arc::new(queue)).expect("a feed")
        };
        let feeds: Vec<Feed> = (0..100).map(|_| feed()).collect();
        assert_eq!((followed(&watch), watch.board.queues()), (2, 100));
        drop(feeds);
        assert_eq!((followed(&watch), watch.board.queues()), (0, 0));
        // Events for waits continue for the next wait.
        let wait = watch.collect(&named(&["lifecycle"]), false, |_| true);
        drop((wait.expect("a feed"), feed()));
        assert_eq!((followed(&watch), watch.board.queues()), (1, 0));
        watch.close();
        assert_eq!(followed(&watch), 0);
        assert!(watch.follow(kinds[0]).is_err());
    }
}
