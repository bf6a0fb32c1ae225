//! Shows what a script waits for, after two seconds: on a terminal in a row that disappears, otherwise on a line if the
//! user gave `-v`. The row includes the progress of jobs; without a terminal, lines report it from time to time.

mod progress;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::termios::{LocalFlags, tcgetattr};
use parking_lot::{Condvar, Mutex, MutexGuard};
use virhai::{Begun, LONG_WAIT, ReadProgress, WaitObserver};

use self::progress::Progress;
use crate::args::{Log, Options};
use crate::{columns, outlet, terminal};

/// Interval at which the row updates the time.
const TICK: Duration = Duration::from_secs(1);

/// Interval at which the row updates the progress.
const PROGRESS_TICK: Duration = Duration::from_millis(250);

/// Interval of the progress lines.
const LINE: Duration = Duration::from_secs(30);

/// Interval of the progress entries in a JSON log.
const ENTRY: Duration = Duration::from_secs(5);

/// Time before a report at which the progress is read: a host needs time to answer.
const AHEAD: Duration = Duration::from_secs(1);

/// Time limit for removing the row at the end of a wait: a terminal can be stopped.
const REMOVAL: Duration = Duration::from_millis(300);

/// True if another part of the program has the terminal, such as the prompt that reads an input.
static HELD_BACK: AtomicBool = AtomicBool::new(false);

/// Shows no waits while another part of the program has the terminal.
pub(crate) fn hold_back(held_back: bool) {
    HELD_BACK.store(held_back, Ordering::SeqCst);
    outlet::hold_row_back(held_back);
}

/// Shows waits to the user.
pub(crate) struct Waits(Arc<Shared>);

struct Shared {
    style: Style,
    state: Mutex<WaitsState>,
    changed: Condvar,
    /// Notified when a wait for a job begins.
    job_begun: Condvar,
}

/// The style in which waits are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A row of the terminal that is replaced, and removed at the end.
    Row { faint: bool },
    /// Lines: with `all`, one line for each wait; the progress of jobs as text or JSON.
    Lines { all: bool, json: bool },
    /// Not at all.
    Silence,
}

#[derive(Default)]
struct WaitsState {
    next: u64,
    waits: BTreeMap<u64, Wait>,
    /// The wait in the row.
    shown: Option<u64>,
    started: bool,
    /// True if the thread that reads the progress was started.
    reads: bool,
}

struct Wait {
    what: String,
    since: Instant,
    may_ask: bool,
    /// The time of its next line.
    next_line: Option<Instant>,
    read: Option<ReadProgress>,
    progress: Progress,
}

impl Waits {
    pub(crate) fn new(options: &Options) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let style = match () {
            () if options.quiet => Style::Silence,
            () if terminal && !dumb && options.log != Log::Json => Style::Row {
                faint: options.colors(),
            },
            () => Style::Lines {
                all: terminal || options.verbose,
                json: options.log == Log::Json,
            },
        };
        Self(Arc::new(Shared {
            style,
            state: Mutex::default(),
            changed: Condvar::new(),
            job_begun: Condvar::new(),
        }))
    }
}

impl WaitObserver for Waits {
    fn listens(&self, for_a_job: bool) -> bool {
        match self.0.style {
            Style::Row { .. } => true,
            Style::Lines { all, .. } => all || for_a_job,
            Style::Silence => false,
        }
    }

    fn begins(&self, wait: Begun) -> u64 {
        let mut state = self.0.lock();
        state.next += 1;
        let number = state.next;
        let is_job = wait.progress.is_some();
        state.waits.insert(number, Wait::new(wait, self.0.style));
        if is_job && !state.reads {
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("progress".into());
            // Without the thread, only the time is shown.
            state.reads = thread.spawn(move || shared.read()).is_ok();
        }
        if is_job {
            self.0.job_begun.notify_all();
        }
        if !state.started {
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("waits".into());
            // Without the thread, waits are not reported.
            state.started = thread.spawn(move || shared.serve()).is_ok();
        }
        drop(state);
        self.0.changed.notify_all();
        number
    }

    fn ends(&self, number: u64) {
        let mut state = self.0.lock();
        if state.waits.remove(&number).is_none() || state.shown != Some(number) {
            return;
        }
        self.0.changed.notify_all();
        let is_shown = |state: &mut WaitsState| state.shown == Some(number);
        self.0.changed.wait_while_for(&mut state, is_shown, REMOVAL);
    }
}

/// The next action.
enum Step {
    Show(u64, String),
    Remove,
    Line(String),
    /// An entry of the JSON log.
    Entry(serde_json::Value),
    Nothing,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, WaitsState> {
        self.state.lock()
    }

    /// Reads the progress of the shown jobs. A host that does not answer blocks only this thread.
    fn read(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = state.to_read(self.style, now);
            drop(state);
            for (number, read) in &due {
                // Not under the lock: the host can take its time.
                let read = read();
                let (mut state, now) = (self.lock(), Instant::now());
                if let (Some(read), Some(wait)) = (read, state.waits.get_mut(number)) {
                    wait.progress.add(read, wait.since, now);
                }
            }
            drop(due);
            state = self.lock();
            let jobs = state.waits.values().any(|wait| wait.read.is_some());
            let pause = match (self.style, jobs) {
                (_, false) => None,
                (Style::Row { .. }, true) => Some(PROGRESS_TICK),
                (_, true) => Some(TICK),
            };
            match pause {
                Some(pause) => {
                    self.job_begun.wait_for(&mut state, pause);
                }
                None => self.job_begun.wait(&mut state),
            }
        }
    }

    fn serve(&self) {
        loop {
            let step = self.lock().step(self.style, Instant::now());
            // Not under the lock: a terminal that is stopped must not hold up the script.
            match &step {
                Step::Show(_, row) => outlet::show_row(row),
                Step::Remove => outlet::remove_row(),
                Step::Line(line) => outlet::stderr().line_now(line),
                Step::Entry(entry) => outlet::log(entry.clone(), false),
                Step::Nothing => {}
            }
            let mut state = self.lock();
            match step {
                Step::Show(number, _) => state.shown = Some(number),
                Step::Remove => state.shown = None,
                Step::Line(_) | Step::Entry(_) | Step::Nothing => {}
            }
            self.changed.notify_all();
            match state.pause(self.style, Instant::now()) {
                Some(pause) => {
                    self.changed.wait_for(&mut state, pause);
                }
                None => self.changed.wait(&mut state),
            }
        }
    }
}

impl WaitsState {
    fn step(&mut self, style: Style, now: Instant) -> Step {
        if is_password_read() {
            return Step::Nothing;
        }
        let blocked = HELD_BACK.load(Ordering::SeqCst) || outlet::is_in_a_hurry();
        let long: Vec<u64> = self
            .waits
            .iter()
            .filter(|(_, wait)| !blocked && wait.since + LONG_WAIT <= now)
            .map(|(number, _)| *number)
            .collect();
        // The latest is the one that the user has caused last.
        for number in long.iter().rev() {
            let Some(wait) = self.waits.get_mut(number) else {
                continue;
            };
            if let Style::Row { faint } = style
                && !wait.may_ask
            {
                return Step::Show(*number, wait.row(now, long.len(), faint));
            }
            if wait.next_line.is_some_and(|next| next <= now) {
                return wait.tell(style, now);
            }
        }
        match self.shown {
            Some(_) => Step::Remove,
            None => Step::Nothing,
        }
    }

    /// The time until the next action; `None` until a wait begins.
    fn pause(&self, style: Style, now: Instant) -> Option<Duration> {
        if let Some(shown) = self.shown {
            return Some(match self.waits.get(&shown) {
                Some(wait) if wait.read.is_some() => PROGRESS_TICK,
                Some(_) => TICK,
                None => Duration::ZERO,
            });
        }
        let next = self.waits.values().filter_map(|wait| wait.next(style));
        let next = next.min()?;
        // A due report could not be shown now.
        Some(match next.saturating_duration_since(now) {
            Duration::ZERO => TICK,
            left => left,
        })
    }
}

impl WaitsState {
    /// The jobs whose progress is needed for the next report.
    fn to_read(&self, style: Style, now: Instant) -> Vec<(u64, ReadProgress)> {
        let soon = |at: Option<Instant>| at.is_some_and(|at| at <= now + AHEAD);
        let due = self.waits.iter().rev().filter_map(|(number, wait)| {
            let read = wait.read.as_ref().filter(|_| soon(wait.next(style)))?;
            Some((*number, Arc::clone(read)))
        });
        match style {
            // The row shows one wait.
            Style::Row { .. } => due.take(1).collect(),
            _ => due.collect(),
        }
    }
}

impl Wait {
    fn new(wait: Begun, style: Style) -> Self {
        let next_line = match style {
            // A question of another program must stay on the terminal.
            Style::Row { .. } => wait.may_ask.then_some(LONG_WAIT),
            Style::Lines { json: false, .. } if wait.progress.is_some() => Some(LINE),
            Style::Lines { all, .. } => (all || wait.progress.is_some()).then_some(LONG_WAIT),
            Style::Silence => None,
        };
        Self {
            what: terminal::visible_line(wait.what).into_owned(),
            since: wait.since,
            may_ask: wait.may_ask,
            next_line: next_line.map(|after| wait.since + after),
            read: wait.progress,
            progress: Progress::default(),
        }
    }

    /// The time of its first or next report.
    fn next(&self, style: Style) -> Option<Instant> {
        match style {
            Style::Row { .. } if !self.may_ask => Some(self.since + LONG_WAIT),
            _ => self.next_line,
        }
    }

    /// Reports it on a line.
    fn tell(&mut self, style: Style, now: Instant) -> Step {
        let json = matches!(style, Style::Lines { json: true, .. });
        if self.read.is_none() {
            self.next_line = None;
            return Step::Line(format!("waiting: {}", self.what));
        }
        let took = now.saturating_duration_since(self.since);
        self.next_line = Some(now + if json { ENTRY } else { LINE });
        match json {
            true => Step::Entry(self.progress.json(&self.what, took)),
            false => {
                let progress = self.progress.line(&self.what);
                let time = || format!("waiting {} s: {}", took.as_secs(), self.what);
                Step::Line(progress.unwrap_or_else(time))
            }
        }
    }

    fn row(&self, now: Instant, waits: usize, faint: bool) -> String {
        let seconds = now.saturating_duration_since(self.since).as_secs();
        let others = match waits {
            0 | 1 => String::new(),
            waits => format!(" (and {} more)", waits - 1),
        };
        // The terminal shows `^C` behind it.
        let room = columns::columns().saturating_sub(3);
        let progress = self.progress.row(&format!("{}{others}", self.what), room);
        let time = || {
            let row = format!("waiting {seconds} s: {}{others}", self.what);
            columns::fitted(&row, room)
        };
        let row = progress.unwrap_or_else(time);
        match faint {
            true => format!("\x1b[2m{row}\x1b[0m"),
            false => row,
        }
    }
}

/// True if another program, such as `ssh`, reads a password on the terminal.
fn is_password_read() -> bool {
    tcgetattr(std::io::stderr())
        .is_ok_and(|terminal| !terminal.local_flags.contains(LocalFlags::ECHO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds_ago: u64, now: Instant, may_ask: bool) -> Wait {
        begun(seconds_ago, now, may_ask, None, Style::Row { faint: false })
    }

    fn begun(
        seconds_ago: u64,
        now: Instant,
        may_ask: bool,
        progress: Option<ReadProgress>,
        style: Style,
    ) -> Wait {
        let begun = Begun {
            what: "start domain `web`",
            since: now - Duration::from_secs(seconds_ago),
            may_ask,
            progress,
        };
        Wait::new(begun, style)
    }

    #[test]
    fn a_wait_is_told_after_two_seconds_and_its_row_removed_at_its_end() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut state = WaitsState::default();
        let style = Style::Row { faint: false };
        state.waits.insert(1, wait(1, now, false));
        assert!(matches!(state.step(style, now), Step::Nothing));
        let later = now + Duration::from_secs(2);
        state.waits.insert(2, wait(0, now, false));
        let Step::Show(2, row) = state.step(style, later) else {
            panic!("the latest is shown");
        };
        assert_eq!(row, "waiting 2 s: start domain `web` (and 1 more)");
        state.shown = Some(2);
        state.waits.clear();
        assert_eq!(state.pause(style, later), Some(Duration::ZERO));
        assert!(matches!(state.step(style, later), Step::Remove));
    }

    #[test]
    fn a_wait_in_which_another_program_may_ask_is_told_in_a_line_once() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut state = WaitsState::default();
        let lines = Style::Lines {
            all: true,
            json: false,
        };
        for style in [Style::Row { faint: false }, lines] {
            state.waits.insert(1, begun(5, now, true, None, style));
            assert!(matches!(state.step(style, now), Step::Line(_)));
            assert!(matches!(state.step(style, now), Step::Nothing));
        }
    }

    #[test]
    fn the_progress_of_a_job_is_told_in_lines_again_and_again() {
        let half = virhai::JobProgress {
            done: 1 << 20,
            total: 2 << 20,
            left: Some(Duration::from_secs(20)),
        };
        let now = Instant::now() + Duration::from_secs(100);
        for (json, first, pause) in [(false, 30, LINE), (true, 2, ENTRY)] {
            let style = Style::Lines { all: false, json };
            let read: ReadProgress = Arc::new(move || Some(half));
            let mut state = WaitsState::default();
            let mut wait = begun(first, now, false, Some(read), style);
            wait.progress.add(half, wait.since, now);
            state.waits.insert(1, wait);
            let before = now - Duration::from_secs(1);
            assert_eq!(state.to_read(style, before).len(), 1);
            assert_eq!(state.pause(style, before), Some(Duration::from_secs(1)));
            assert!(matches!(state.step(style, before), Step::Nothing));
            match state.step(style, now) {
                Step::Line(line) => assert_eq!(
                    line,
                    "start domain `web`: 50 %, 1.0 MiB of 2.0 MiB, 34.1 KiB/s, 20s left"
                ),
                Step::Entry(entry) => {
                    assert_eq!(entry["kind"], "progress");
                    assert_eq!(entry["percent"], 50);
                    assert_eq!(entry["seconds_left"], 20);
                }
                _ => panic!("it is due"),
            }
            assert!(matches!(state.step(style, now), Step::Nothing));
            assert_eq!(state.pause(style, now), Some(pause));
        }
    }

    #[test]
    fn a_host_that_does_not_answer_delays_neither_the_end_of_a_wait_nor_the_next_one() {
        let waits = Waits(Arc::new(Shared {
            style: Style::Lines {
                all: false,
                json: false,
            },
            state: Mutex::default(),
            changed: Condvar::new(),
            job_begun: Condvar::new(),
        }));
        let (asked, was_asked) = std::sync::mpsc::channel();
        let (_never, answer) = std::sync::mpsc::channel::<()>();
        let answer = Mutex::new(answer);
        let read: ReadProgress = Arc::new(move || {
            let _ = asked.send(());
            let _ = answer.lock().recv();
            None
        });
        let began = Instant::now();
        let begin = |read: &ReadProgress| {
            waits.begins(Begun {
                what: "save domain `web`",
                // Its line is due soon.
                since: began - LINE + AHEAD,
                may_ask: false,
                progress: Some(Arc::clone(read)),
            })
        };
        let number = begin(&read);
        was_asked
            .recv_timeout(Duration::from_secs(60))
            .expect("the host is asked");
        waits.ends(number);
        waits.ends(begin(&read));
        assert!(waits.0.lock().waits.is_empty());
        assert!(began.elapsed() < LINE, "nobody waits for the host");
    }
}
