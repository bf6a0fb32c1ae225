//! Waiting for libvirt's events, on a connection of its own where calls could starve it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use virt::connect::Connect;

use crate::libvirt::events::{self, CloseGuard, Event, Registration};
use crate::libvirt::{Failure, Result};
use crate::objects::call_thread::{self, Patience};
use crate::run::interrupt::Interrupt;

/// More events than any wait looks back over; older ones are dropped.
const KEPT: usize = 4096;

/// A connection's events as they arrive.
pub(crate) struct Watch {
    connect: Arc<Connect>,
    board: Arc<Board>,
    _close: Option<CloseGuard>,
    registrations: Mutex<HashMap<&'static str, Registration>>,
    /// How long the host may take for an answer; none where it is this process.
    patience: Option<Patience>,
    interrupt: Interrupt,
}

/// How a wait ended.
pub(crate) enum Outcome<T> {
    /// With what it waited for.
    Found(T),
    /// Its time is up.
    TimedOut,
    /// The connection broke.
    Lost,
    /// The script is being stopped.
    Stopped,
}

impl Watch {
    /// Watches the host behind `connect`; `patience` is how long it may take for an answer, none
    /// for a driver within the process, whose connection cannot break either.
    pub(crate) fn new(
        connect: Arc<Connect>,
        patience: Option<Patience>,
        interrupt: Interrupt,
    ) -> Self {
        let board = Arc::new(Board::default());
        let closing = Arc::clone(&board);
        // Without it, keepalive and the wait's own timeout still end the wait.
        let close = patience
            .and_then(|_| events::on_close(&connect, Arc::new(move || closing.lose())).ok());
        Self {
            connect,
            board,
            _close: close,
            registrations: Mutex::default(),
            patience,
            interrupt,
        }
    }

    /// Tells `listener` of every event that is followed from now on, and of the loss of the
    /// connection as nothing. It runs on the thread that serves all events: it must not block.
    pub(crate) fn listen(&self, listener: impl Fn(Option<&Event>) + Send + Sync + 'static) {
        self.board
            .listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(listener));
    }

    /// Finds a loss that came before libvirt was asked to tell of it.
    pub(crate) fn look(&self) {
        if !self.connect.is_alive().unwrap_or(false) {
            self.board.lose();
        }
    }

    /// Asks the host through this watch's connection, which the script's calls cannot starve.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connect) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let connect = Arc::clone(&self.connect);
        let work = move || work(&connect);
        match self.patience {
            None => work(),
            Some(patience) => call_thread::run(&self.interrupt, patience, None, work)
                .unwrap_or_else(|why| Err(why.failure(patience.limit))),
        }
    }

    /// Whether the connection broke, so that nothing more will arrive.
    pub(crate) fn is_lost(&self) -> bool {
        self.board.lock().lost
    }

    /// Begins to collect events of `kind`, if that has not been done before.
    pub(crate) fn follow(&self, kind: &str) -> Result<()> {
        let mut registrations = self
            .registrations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = events::kinds().find(|known| *known == kind) else {
            return Err(Failure::new(
                virt_sys::VIR_ERR_INVALID_ARG,
                format!("there is no kind of event `{kind}`"),
            ));
        };
        if !registrations.contains_key(kind) {
            let board = Arc::clone(&self.board);
            let sink = Arc::new(move |event| board.add(event));
            let register = move |connect: &Connect| events::register(connect, kind, sink);
            registrations.insert(kind, self.ask(register)?);
        }
        Ok(())
    }

    /// The place after the newest event.
    pub(crate) fn now(&self) -> u64 {
        self.board.lock().next
    }

    /// What `pick` takes of the newest event that it takes anything of.
    pub(crate) fn latest<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let state = self.board.lock();
        state.events.iter().rev().find_map(|(_, event)| pick(event))
    }

    /// Waits for the first event at or after `from` that `pick` takes.
    pub(crate) fn wait<T>(
        &self,
        from: &mut u64,
        deadline: Option<Instant>,
        interrupt: &Interrupt,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> Outcome<T> {
        let board = Arc::clone(&self.board);
        let _guard = interrupt.on_stop(move || {
            // A waiter that holds the lock has not gone to sleep yet and would miss the call.
            drop(board.lock());
            board.changed.notify_all();
        });
        let mut state = self.board.lock();
        loop {
            for (number, event) in &state.events {
                if *number >= *from {
                    *from = number + 1;
                    if let Some(found) = pick(event) {
                        return Outcome::Found(found);
                    }
                }
            }
            if interrupt.stopping().is_some() {
                return Outcome::Stopped;
            }
            if state.lost {
                return Outcome::Lost;
            }
            state = match deadline {
                None => self
                    .board
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Outcome::TimedOut;
                    }
                    let waited = self.board.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[derive(Default)]
struct Board {
    state: Mutex<State>,
    changed: Condvar,
    listeners: RwLock<Vec<Listener>>,
}

type Listener = Box<dyn Fn(Option<&Event>) + Send + Sync>;

#[derive(Default)]
struct State {
    events: VecDeque<(u64, Event)>,
    next: u64,
    lost: bool,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Option<&Event>) {
        let listeners = self.listeners.read();
        let listeners = listeners.unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(event));
    }

    fn add(&self, event: Event) {
        self.tell(Some(&event));
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.events.push_back((number, event));
        if state.events.len() > KEPT {
            state.events.pop_front();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lose(&self) {
        self.tell(None);
        self.lock().lost = true;
        self.changed.notify_all();
    }
}
