//! Going on after a lost connection, for those who asked for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use virt::connect::Connect;

use super::picture::Picture;
use super::{Followed, Link, Watch};
use crate::libvirt::Result;
use crate::libvirt::events;

/// How a lost connection is opened again.
pub(crate) trait Reopen: Send + Sync {
    /// Opens the connection for watching.
    fn open(&self) -> Result<Connect>;

    /// Gets the script's own connection back, if that was lost as well.
    fn renew(&self) -> Result<()>;
}

/// How long to wait between two attempts, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// When to look again at the host: a daemon that was started again finds out after its first answers which guests still
/// run, and sends no events of the others.
const LOOKS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(25),
];

impl Watch {
    /// Has a lost connection opened again by `reopen`, as long as a queue wants to go on then.
    pub(crate) fn reopens(self: &Arc<Self>, reopen: Arc<dyn Reopen>) {
        let watch = Arc::downgrade(self);
        self.board.when_lost(move || {
            let (watch, reopen) = (Weak::clone(&watch), Arc::clone(&reopen));
            // Without the thread, the subscription waits in vain; its own time still ends it.
            let _ = thread::Builder::new()
                .name("reconnect".into())
                .spawn(move || reconnect(&watch, &*reopen));
        });
    }

    /// Goes on with `connect`: has libvirt tell of the same kinds of event as before, and tells the queues what
    /// changed.
    fn go_on(&self, connect: Connect) -> Result<()> {
        let _alone = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let connect = Arc::new(connect);
        let Some(followed) = self.followed() else {
            return Ok(());
        };
        self.board.hold();
        let link = self.link_with(&connect, &followed);
        let nouns = self.board.known_nouns();
        let picture = link.and_then(|link| {
            let picture = self.ask_on(connect, move |connect| Picture::of(connect, &nouns))?;
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
        // It may have broken before libvirt was asked to tell of that.
        self.look();
        Ok(())
    }

    /// Tells the queues of changes that no event told.
    fn catch_up(&self) {
        let _alone = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let nouns = self.board.known_nouns();
        self.board.hold();
        match self.ask(move |connect| Picture::of(connect, &nouns)) {
            Ok(picture) => self.board.catch_up(picture),
            Err(_) => self.board.release(),
        }
    }

    /// The names of the kinds that are followed; none where the watch was closed.
    fn followed(&self) -> Option<Vec<&'static str>> {
        let link = self.link();
        let link = link.as_ref()?;
        Some(link.followed.keys().copied().collect())
    }

    /// What leads to the host over `connect`, with the kinds `names`. Kinds that the host does not have any more are left
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

    /// Puts `new` in the place of `old`, for those who follow now; returns what is to be dropped.
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

/// Opens the connection again and again until it is there, or nobody waits for it.
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
            // Lost once more, it is opened again by another thread.
            _ => return,
        }
    }
}
