//! What a script waits for, told after two seconds: on a terminal in a row that goes away, else in
//! a line if the user asked for more with `-v`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::termios::{LocalFlags, tcgetattr};
use parking_lot::{Condvar, Mutex, MutexGuard};
use virhai::{LONG_WAIT, WaitObserver};

use crate::args::Options;
use crate::{columns, outlet, terminal};

/// How often the row tells the time anew.
const TICK: Duration = Duration::from_secs(1);

/// How long the end of a wait may take to remove the row: a terminal can be stopped.
const REMOVAL: Duration = Duration::from_millis(300);

/// Whether something else has the terminal, such as the prompt that reads an input.
static HELD_BACK: AtomicBool = AtomicBool::new(false);

/// Tells of no waits while something else has the terminal.
pub(crate) fn hold_back(held_back: bool) {
    HELD_BACK.store(held_back, Ordering::SeqCst);
    outlet::hold_row_back(held_back);
}

/// Tells the user of waits.
pub(crate) struct Waits(Arc<Shared>);

struct Shared {
    style: Style,
    state: Mutex<State>,
    changed: Condvar,
}

/// How waits are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In a row of the terminal that is replaced, and removed at last.
    Row { faint: bool },
    /// In a line each.
    Lines,
    /// Not at all.
    Silence,
}

#[derive(Default)]
struct State {
    next: u64,
    waits: BTreeMap<u64, Wait>,
    /// The wait that the row tells of.
    shown: Option<u64>,
    started: bool,
}

struct Wait {
    what: String,
    since: Instant,
    may_ask: bool,
    /// Whether it was told in a line.
    told: bool,
}

impl Waits {
    pub(crate) fn new(options: &Options) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let style = match () {
            () if options.quiet => Style::Silence,
            () if terminal && !dumb => Style::Row {
                faint: options.colors(),
            },
            () if terminal || options.verbose => Style::Lines,
            () => Style::Silence,
        };
        Self(Arc::new(Shared {
            style,
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }
}

impl WaitObserver for Waits {
    fn listens(&self) -> bool {
        self.0.style != Style::Silence
    }

    fn begins(&self, what: &str, since: Instant, may_ask: bool) -> u64 {
        let mut state = self.0.lock();
        state.next += 1;
        let number = state.next;
        let wait = Wait {
            what: terminal::visible_line(what).into_owned(),
            since,
            may_ask,
            told: false,
        };
        state.waits.insert(number, wait);
        if !state.started {
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("waits".into());
            // Without the thread waits are not told.
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
        let is_shown = |state: &mut State| state.shown == Some(number);
        self.0.changed.wait_while_for(&mut state, is_shown, REMOVAL);
    }
}

/// What is to be done next.
enum Step {
    Show(u64, String),
    Remove,
    Line(String),
    Nothing,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn serve(&self) {
        loop {
            let step = self.lock().step(self.style, Instant::now());
            // Not under the lock: a terminal that is stopped must not hold up the script.
            match &step {
                Step::Show(_, row) => outlet::show_row(row),
                Step::Remove => outlet::remove_row(),
                Step::Line(line) => outlet::stderr().line_now(line),
                Step::Nothing => {}
            }
            let mut state = self.lock();
            match step {
                Step::Show(number, _) => state.shown = Some(number),
                Step::Remove => state.shown = None,
                Step::Line(_) | Step::Nothing => {}
            }
            self.changed.notify_all();
            match state.pause(Instant::now()) {
                Some(pause) => {
                    self.changed.wait_for(&mut state, pause);
                }
                None => self.changed.wait(&mut state),
            }
        }
    }
}

impl State {
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
            match style {
                Style::Row { faint } if !wait.may_ask => {
                    return Step::Show(*number, wait.row(now, long.len(), faint));
                }
                // What another program asks must stay on the terminal.
                Style::Row { .. } | Style::Lines if !wait.told => {
                    wait.told = true;
                    return Step::Line(format!("waiting: {}", wait.what));
                }
                _ => {}
            }
        }
        match self.shown {
            Some(_) => Step::Remove,
            None => Step::Nothing,
        }
    }

    /// How long there is nothing to do; `None` until a wait begins.
    fn pause(&self, now: Instant) -> Option<Duration> {
        if let Some(shown) = self.shown {
            return Some(match self.waits.contains_key(&shown) {
                true => TICK,
                false => Duration::ZERO,
            });
        }
        let untold = self.waits.values().filter(|wait| !wait.told);
        let next = untold.map(|wait| wait.since + LONG_WAIT).min()?;
        // What is due could not be shown now.
        Some(match next.saturating_duration_since(now) {
            Duration::ZERO => TICK,
            left => left,
        })
    }
}

impl Wait {
    fn row(&self, now: Instant, waits: usize, faint: bool) -> String {
        let seconds = now.saturating_duration_since(self.since).as_secs();
        let others = match waits {
            0 | 1 => String::new(),
            waits => format!(" (and {} more)", waits - 1),
        };
        let row = format!("waiting {seconds} s: {}{others}", self.what);
        // The terminal shows `^C` behind it.
        let row = columns::fitted(&row, columns::columns().saturating_sub(3));
        match faint {
            true => format!("\x1b[2m{row}\x1b[0m"),
            false => row,
        }
    }
}

/// Whether another program, such as `ssh`, reads a password on the terminal.
fn is_password_read() -> bool {
    tcgetattr(std::io::stderr())
        .is_ok_and(|terminal| !terminal.local_flags.contains(LocalFlags::ECHO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds_ago: u64, now: Instant, may_ask: bool) -> Wait {
        Wait {
            what: "start domain `web`".into(),
            since: now - Duration::from_secs(seconds_ago),
            may_ask,
            told: false,
        }
    }

    #[test]
    fn a_wait_is_told_after_two_seconds_and_its_row_removed_at_its_end() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut state = State::default();
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
        assert_eq!(state.pause(later), Some(Duration::ZERO));
        assert!(matches!(state.step(style, later), Step::Remove));
    }

    #[test]
    fn a_wait_in_which_another_program_may_ask_is_told_in_a_line_once() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut state = State::default();
        state.waits.insert(1, wait(5, now, true));
        for style in [Style::Row { faint: false }, Style::Lines] {
            state.waits.insert(1, wait(5, now, true));
            assert!(matches!(state.step(style, now), Step::Line(_)));
            assert!(matches!(state.step(style, now), Step::Nothing));
        }
    }
}
