//! Reopens a lost connection for subscriptions with `reconnect`.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use virt::connect::Connect;

use super::picture::Picture;
use super::{Followed, Link, SETTLING, Watch};
use crate::libvirt::Result;
use crate::libvirt::{event_loop, events};

/// Reopens a lost connection.
pub(crate) trait Reopen: Send + Sync {
    /// Opens the connection for watching.
    fn open(&self) -> Result<Connect>;

    /// Reopens the script's own connection, if it was lost too.
    fn renew(&self) -> Result<()>;
}

/// Time between two attempts, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Times at which to check the host again: a restarted daemon finds out only after its first answers which guests still
/// run, and sends no events about the others.
const LOOKS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(25),
];

/// Time by which an event can come after the answer to a call that shows its change.
const LATENESS: Duration = Duration::from_millis(300);

impl Watch {
    /// Reopens a lost connection by `reopen`, if a queue wants to continue.
    pub(crate) fn reopens(self: &Arc<Self>, reopen: Arc<dyn Reopen>) {
        let watch = Arc::downgrade(self);
        self.board.when_lost(move || {
            let (watch, reopen) = (Weak::clone(&watch), Arc::clone(&reopen));
            // Without the thread, the subscription gets no events; its own timeout still ends it.
            let _ = thread::Builder::new()
                .name("reconnect".into())
                .spawn(move || reconnect(&watch, &*reopen));
        });
    }

    /// Reopens the connections after the script's own was lost, if a queue wants to continue.
    pub(crate) fn renew(&self) {
        if self.board.outlives() {
            self.board.lose("keepalive");
        }
    }

    /// Continues with `connect`: subscribes to the same kinds of event as before, and gives the queues the changes.
    fn go_on(&self, connect: Connect) -> Result<()> {
        let _alone = self.holding.lock();
        let connect = Arc::new(connect);
        let Some(followed) = self.followed() else {
            return Ok(());
        };
        self.board.hold();
        let link = self.link_with(&connect, &followed);
        let nouns = self.board.known_nouns();
        let picture = link.and_then(|link| {
            let picture = self.ask_on(connect, move |connect| Picture::of(connect, &nouns))?;
            event_loop::settle(SETTLING);
            Ok((link, picture))
        });
        let (link, picture) = picture.inspect_err(|_| self.board.release())?;
        let mut current = self.link();
        let Some(old) = current.as_mut() else {
            self.board.release();
            return Ok(());
        };
        let lost = self.exchange(old, link);
        drop(current);
        self.board.go_on(picture);
        self.let_go(move || drop(lost));
        // It may have broken before the callback for that was registered.
        self.look();
        Ok(())
    }

    /// Passes the changes that no event reported to the queues.
    fn catch_up(&self) {
        let _alone = self.holding.lock();
        self.board.hold();
        if self.catch_up_with_host().is_err() {
            self.board.release();
        }
    }

    /// An event can come after an answer that shows its change already: only changes that last without one are passed.
    fn catch_up_with_host(&self) -> Result<()> {
        let picture = self.picture()?;
        let changes = self.board.unreported(&picture);
        if changes.is_empty() {
            self.board.release();
            return Ok(());
        }
        thread::sleep(LATENESS);
        let picture = self.picture()?;
        self.board.catch_up(&changes, &picture);
        Ok(())
    }

    /// The states of the host's objects now, after all events that the host sent before have arrived.
    fn picture(&self) -> Result<Picture> {
        let nouns = self.board.known_nouns();
        let picture = self.ask(move |connect| Picture::of(connect, &nouns))?;
        event_loop::settle(SETTLING);
        Ok(picture)
    }

    /// The names of the followed kinds; `None` if the watch was closed.
    fn followed(&self) -> Option<Vec<&'static str>> {
        let link = self.link();
        let link = link.as_ref()?;
        Some(link.followed.keys().copied().collect())
    }

    /// Connects to the host's events over `connect`, for the kinds `names`. Kinds that the host no longer has are left
    /// out.
    fn link_with(&self, connect: &Arc<Connect>, names: &[&'static str]) -> Result<Link> {
        let board = Arc::clone(&self.board);
        let close = move |connect: &Connect| {
            events::on_close(connect, Arc::new(move |why: &str| board.lose(why)))
        };
        let close = self.ask_on(Arc::clone(connect), close)?;
        let mut link = Link {
            followed: HashMap::new(),
            close: Some(close),
            connect: Arc::clone(connect),
        };
        for kind in super::named(names) {
            match self.register(connect, kind) {
                Ok(registration) => {
                    let followed = Followed {
                        _registration: registration,
                        feeds: 0,
                        stays: false,
                    };
                    link.followed.insert(kind.name, followed);
                }
                Err(failure) if failure.lost_connection() => return Err(failure),
                Err(_) => {}
            }
        }
        Ok(link)
    }

    /// Replaces `old` with `new` for the present feeds; returns the values to drop.
    fn exchange(&self, old: &mut Link, mut new: Link) -> (Link, Vec<Followed>) {
        let mut unwanted = Vec::new();
        for (name, mut followed) in std::mem::take(&mut new.followed) {
            match old.followed.get(name) {
                Some(before) => {
                    (followed.feeds, followed.stays) = (before.feeds, before.stays);
                    new.followed.insert(name, followed);
                }
                None => unwanted.push(followed),
            }
        }
        (std::mem::replace(old, new), unwanted)
    }
}

/// Tries to open the connection until it succeeds or no queue waits for it.
fn reconnect(watch: &Weak<Watch>, reopen: &dyn Reopen) {
    let (mut pause, longest) = PAUSES;
    let wanted = || watch.upgrade().filter(|watch| watch.board.outlives());
    while wanted().is_some() {
        let opened = reopen.open().and_then(|connect| {
            reopen.renew()?;
            match wanted() {
                Some(watch) => watch.go_on(connect),
                None => Ok(()),
            }
        });
        if opened.is_ok() {
            break;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
    for look in LOOKS {
        thread::sleep(look);
        match wanted() {
            Some(watch) if !watch.is_lost() => watch.catch_up(),
            // If it is lost again, another thread reopens it.
            _ => return,
        }
    }
}
