//! Waits for a script on its thread, stops it at its time limit, and gives up if it does not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use virhai::Session;
use virhai::interrupt::Stop;

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{FAILED, status_of_stop};
use crate::outlet;

/// Time for a stopped script to end by itself, and for one that undoes after its time limit.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// An event of the script's thread.
pub(super) enum Event {
    /// It ended, with an exit status unless that was a defect.
    Ended(Option<u8>),
    /// It is being stopped, or undoing began, ended or ran out of time.
    Changed,
}

/// The phase of a script. Before it runs, there are no changes to undo.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

const PREPARES: u8 = 0;
const RUNS: u8 = 1;
const ABANDONED: u8 = 2;
const ENDED: u8 = 3;

impl Progress {
    /// Begins to run, unless the script was abandoned before.
    pub(super) fn begin_to_run(&self) -> bool {
        self.moves_to(RUNS)
    }

    /// Marks the run as ended; only its outcome has to be reported.
    pub(super) fn end(&self) {
        self.0.store(ENDED, Ordering::SeqCst);
    }

    fn has_ended(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ENDED
    }

    /// Abandons the script, unless it runs.
    pub(super) fn abandon(&self) -> bool {
        self.moves_to(ABANDONED)
    }

    fn moves_to(&self, next: u8) -> bool {
        let moved = self
            .0
            .compare_exchange(PREPARES, next, Ordering::SeqCst, Ordering::SeqCst);
        moved.is_ok()
    }
}

/// Waits for the script's thread.
pub(super) struct Supervisor<'a> {
    options: &'a Options,
    session: Session,
    deadline: Option<Instant>,
    progress: Progress,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl<'a> Supervisor<'a> {
    /// A supervisor for a script of `session`; its time limit starts now.
    pub(super) fn new(options: &'a Options, session: &Session) -> Self {
        let (sender, events) = mpsc::channel();
        let changed = sender.clone();
        session.interrupt().on_change(move || {
            let _ = changed.send(Event::Changed);
        });
        let timeout = options.timeout;
        Self {
            options,
            session: session.clone(),
            deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            progress: Progress::default(),
            sender,
            events,
        }
    }

    /// The sender for the event that the script ended.
    pub(super) fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// The phase of the script.
    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits for the end of the script and returns the exit status.
    pub(super) fn wait(&self) -> u8 {
        let interrupt = self.session.interrupt();
        let mut deadline = self.deadline;
        loop {
            if let Some(stop) = interrupt.stopping()
                && self.progress.abandon()
            {
                Diagnostic::of_stop(stop, self.options).report_plain(self.options);
                return status_of_stop(stop);
            }
            match self.next_event(self.leave_at().into_iter().chain(deadline).min()) {
                Some(Event::Ended(Some(status))) => return status,
                Some(Event::Ended(None)) => {
                    Diagnostic::of_defect("").report_plain(self.options);
                    return FAILED;
                }
                Some(Event::Changed) => {}
                None if is_over(self.leave_at()) => return self.give_up(),
                None if is_over(deadline) => {
                    deadline = None;
                    interrupt.stop(Stop::TimedOut);
                    outlet::hurry();
                }
                None => {}
            }
        }
    }

    /// The time at which to stop waiting for a script that must end.
    fn leave_at(&self) -> Option<Instant> {
        let runs = !self.progress.has_ended();
        runs.then(|| self.session.interrupt().leave_at(GRACE))
            .flatten()
    }

    /// The next event, or `None` if none comes before `until`.
    fn next_event(&self, until: Option<Instant>) -> Option<Event> {
        let Some(until) = until else {
            return self.events.recv().ok();
        };
        let left = until.saturating_duration_since(Instant::now());
        self.events.recv_timeout(left).ok()
    }

    /// Abandons the script's thread; reports the reason, and its known state.
    fn give_up(&self) -> u8 {
        outlet::hurry();
        let interrupt = self.session.interrupt();
        let (stop, status) = match interrupt.stopping() {
            Some(stop) => (stop, status_of_stop(stop)),
            None => (Stop::UndoTimedOut, FAILED),
        };
        let busy = match interrupt.is_in_call() {
            true => "a libvirt call did not return; its outcome is unknown",
            false => {
                "the script did not stop: it is inside a computation that cannot be interrupted"
            }
        };
        let undo = match interrupt.is_undo_overdue() {
            true => {
                let time = virhai::plain_duration(interrupt.undo_time());
                format!("undoing timed out after {time}; changes that were not undone remain")
            }
            false => "changes that were not undone remain".to_owned(),
        };
        let diagnostic = Diagnostic::of_stop(stop, self.options)
            .with_note(busy)
            .with_note(undo);
        let not_undone = self.session.not_undone();
        diagnostic.not_undone(not_undone).report_plain(self.options);
        status
    }
}

fn is_over(moment: Option<Instant>) -> bool {
    moment.is_some_and(|moment| moment <= Instant::now())
}
