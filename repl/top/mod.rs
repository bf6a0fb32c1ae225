//! A live view of a host's guests: their use of processors, memory, disks and network.

mod rates;
mod sample;
mod screen;
mod source;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Terminal};
use rhai::Engine;
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use virhai::{Connection, Imports, engine, redact};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::{exit_status, session};
use crate::{terminal, waits};
use rates::Order;
use sample::Sample;
use screen::View;
use source::Source;

/// Interval between two requests to the host.
const INTERVAL: Duration = Duration::from_secs(2);

/// Interval at which keys are read.
const TICK: Duration = Duration::from_millis(100);

/// `virhai top`: shows the guests of the host that the command line names; answers the exit status.
pub(crate) fn run(options: &Options) -> u8 {
    let session = session::session(options);
    let imports = Imports::default();
    let engine = Arc::new(engine::build(&session, &options.limits(), imports.clone()));
    let connection = match engine.eval::<Connection>("connect()") {
        Ok(connection) => connection,
        Err(error) => {
            Diagnostic::of_error(&engine, &imports, "top", &error).report(options, &imports);
            return exit_status::status_of(&error);
        }
    };
    match show(engine, &connection, options.colors()) {
        Ok(()) => exit_status::DONE,
        Err(message) => {
            Diagnostic::plain(message).report_plain(options);
            exit_status::FAILED
        }
    }
}

/// Shows the guests of `connection` until the user leaves.
pub(crate) fn show(
    engine: Arc<Engine>,
    connection: &Connection,
    colors: bool,
) -> Result<(), String> {
    if !std::io::stdout().is_terminal()
        || !std::io::stdin().is_terminal()
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
    {
        return Err("the view needs a terminal that can move the cursor".into());
    }
    let source = Source::new(engine, connection.clone(), INTERVAL)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let mut top = Top::new(connection.uri(), colors);
    let mut screen =
        OnScreen::new().map_err(|error| format!("cannot use the terminal: {error}"))?;
    waits::hold_back(true);
    let ended = top.run(&mut screen.terminal, &source);
    waits::hold_back(false);
    ended.map_err(|error| format!("cannot use the terminal: {error}"))
}

/// The terminal while the view is on it; it is given back as it was, also by a panic or a signal.
struct OnScreen {
    terminal: DefaultTerminal,
    signals: Handle,
}

impl OnScreen {
    fn new() -> std::io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGHUP])?;
        let handle = signals.handle();
        std::thread::Builder::new()
            .name("top signals".into())
            .spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    // Not here: a stopped terminal accepts no output.
                    let (restored, done) = mpsc::channel();
                    let restoring = std::thread::Builder::new().name("restore".into());
                    let _ = restoring.spawn(move || {
                        ratatui::restore();
                        let _ = restored.send(());
                    });
                    let _ = done.recv_timeout(Duration::from_secs(1));
                    crate::leave_now(exit_status::killed_by(signal));
                }
            })?;
        // Restores the terminal before a panic prints its message.
        ratatui::try_init().map(|terminal| Self {
            terminal,
            signals: handle,
        })
    }
}

impl Drop for OnScreen {
    fn drop(&mut self) {
        self.signals.close();
        ratatui::restore();
    }
}

/// The state of the view.
struct Top {
    before: Option<Sample>,
    now: Option<Sample>,
    answered: Instant,
    view: View,
}

impl Top {
    fn new(host: &str, colors: bool) -> Self {
        Self {
            before: None,
            now: None,
            answered: Instant::now(),
            view: View {
                host: terminal::visible_line(&redact::hide_uri(host)).into_owned(),
                rows: Vec::new(),
                order: Order::Cpu,
                reversed: false,
                first: 0,
                trouble: None,
                colors,
            },
        }
    }

    fn run(&mut self, terminal: &mut DefaultTerminal, source: &Source) -> std::io::Result<()> {
        // Draws only after changes: a remote terminal has little bandwidth.
        let mut changed = true;
        loop {
            loop {
                match source.samples.try_recv() {
                    Ok(answer) => {
                        changed = true;
                        self.take(answer);
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        self.view.trouble = Some("internal error (please report this)".into());
                        break;
                    }
                }
            }
            changed |= self.watch_silence();
            if std::mem::take(&mut changed) {
                self.draw(terminal)?;
            }
            if !event::poll(TICK)? {
                continue;
            }
            changed = true;
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                if leaves(key) {
                    return Ok(());
                }
                if key.code == KeyCode::Char(' ') {
                    source.again();
                }
                let room = screen::room(terminal.get_frame().area());
                self.press(key.code, room);
            }
        }
    }

    fn draw<B: ratatui::backend::Backend>(
        &mut self,
        terminal: &mut Terminal<B>,
    ) -> Result<(), B::Error> {
        terminal
            .draw(|frame| screen::draw(frame, &self.view))
            .map(drop)
    }

    /// Takes the host's answer.
    fn take(&mut self, answer: Result<Sample, String>) {
        self.answered = Instant::now();
        match answer {
            Ok(sample) => {
                self.before = self.now.replace(sample);
                self.view.trouble = None;
                self.sort();
            }
            Err(message) => {
                self.view.trouble = Some(terminal::visible_line(&message).into_owned());
            }
        }
    }

    fn sort(&mut self) {
        if let Some(now) = &self.now {
            self.view.rows = rates::rows(self.before.as_ref(), now);
        }
        rates::sort(&mut self.view.rows, self.view.order, self.view.reversed);
    }

    /// Reports when the host has not answered for a while; returns whether that is new.
    fn watch_silence(&mut self) -> bool {
        let silent = self.answered.elapsed();
        if silent <= 3 * INTERVAL {
            return false;
        }
        let trouble = Some(format!("no answer for {} s", silent.as_secs()));
        let changed = self.view.trouble != trouble;
        self.view.trouble = trouble;
        changed
    }

    fn press(&mut self, key: KeyCode, room: usize) {
        let last = self.view.rows.len().saturating_sub(room);
        let view = &mut self.view;
        match key {
            KeyCode::Char('c') => view.order = Order::Cpu,
            KeyCode::Char('m') => view.order = Order::Memory,
            KeyCode::Char('d') => view.order = Order::Disk,
            KeyCode::Char('n') => view.order = Order::Network,
            KeyCode::Char('a') => view.order = Order::Name,
            KeyCode::Char('r') => view.reversed = !view.reversed,
            KeyCode::Down => view.first += 1,
            KeyCode::Up => view.first = view.first.saturating_sub(1),
            KeyCode::PageDown => view.first += room,
            KeyCode::PageUp => view.first = view.first.saturating_sub(room),
            KeyCode::Home => view.first = 0,
            KeyCode::End => view.first = last,
            _ => {}
        }
        view.first = view.first.min(last);
        self.sort();
    }
}

fn leaves(key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c' | 'd') => key.modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;

    use super::Top;
    use super::sample::{Guest, Sample};

    /// Three guests that have worked for `seconds`.
    fn sample(at: Instant, seconds: u64) -> Sample {
        let guest = |name: &str, state: &str, busy: u64| Guest {
            name: name.into(),
            state: state.into(),
            vcpus: Some(2),
            memory_kib: Some(1_048_576 * busy),
            cpu_time_ns: Some(seconds * busy * 250_000_000),
            read_bytes: Some(seconds * 4096 / busy),
            written_bytes: Some(0),
            received_bytes: (busy == 1).then_some(seconds * 1_500_000),
            sent_bytes: None,
        };
        let guests = vec![
            guest("web", "running", 1),
            guest("database", "running", 4),
            guest("old", "shutoff", 2),
        ];
        Sample {
            at: at + Duration::from_secs(seconds),
            guests,
        }
    }

    fn top() -> Top {
        let mut top = Top::new("qemu:///system", false);
        let at = Instant::now();
        top.take(Ok(sample(at, 0)));
        top.take(Ok(sample(at, 2)));
        top
    }

    fn drawn(top: &mut Top, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        top.draw(&mut terminal).expect("a frame");
        let buffer = terminal.backend().buffer();
        let rows = buffer.content.chunks(usize::from(width));
        rows.map(|row| {
            let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            text.trim_end().to_owned()
        })
        .collect()
    }

    #[test]
    fn guests_stand_with_their_rates_the_busiest_first() {
        assert_eq!(
            drawn(&mut top(), 100, 6),
            [
                "qemu:///system: 2 of 3 guests running",
                "NAME                    CPU%* STATE         MEMORY     READ/S    WRITE/S       RX/S       TX/S VCPUS",
                "database                100.0 running      4.0 GiB    1.0 KiB        0 B          -          -     2",
                "old                      50.0 shutoff      2.0 GiB    2.0 KiB        0 B          -          -     2",
                "web                      25.0 running      1.0 GiB    4.0 KiB        0 B    1.4 MiB          -     2",
                "q leaves  sort: c CPU  m memory  d disk  n network  a name  r reverse",
            ]
        );
    }

    #[test]
    fn keys_sort_and_scroll() {
        let mut top = top();
        let first = |top: &mut Top, keys: &str| {
            keys.chars()
                .for_each(|key| top.press(KeyCode::Char(key), 3));
            let row = drawn(top, 60, 6).remove(2);
            row.split(' ').next().map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(first(&mut top, "d"), "web");
        assert_eq!(first(&mut top, "m"), "database");
        assert_eq!(first(&mut top, "n"), "web");
        assert_eq!(first(&mut top, "ar"), "web");
        assert_eq!(first(&mut top, "r"), "database");
        top.press(KeyCode::Down, 2);
        assert_eq!(drawn(&mut top, 60, 5)[2].split(' ').next(), Some("old"));
        top.press(KeyCode::PageDown, 2);
        assert_eq!(
            drawn(&mut top, 60, 5)[2].split(' ').next(),
            Some("old"),
            "the last row stays"
        );
    }

    #[test]
    fn a_small_terminal_shows_what_matters_most() {
        let small = drawn(&mut top(), 22, 4);
        assert_eq!(small[1], "NAME             CPU%*");
        assert!(small[2].starts_with("database"), "{small:?}");
        for (width, height) in [(1, 1), (5, 2), (12, 3), (200, 1)] {
            drawn(&mut top(), width, height);
        }
    }

    #[test]
    fn a_host_in_trouble_keeps_the_last_figures() {
        let mut top = top();
        top.take(Err("connection refused".into()));
        let shown = drawn(&mut top, 60, 6);
        assert_eq!(shown[0], "qemu:///system: connection refused");
        assert!(shown[2].starts_with("database"));
        top.answered -= Duration::from_secs(12);
        top.watch_silence();
        assert_eq!(
            drawn(&mut top, 60, 6)[0],
            "qemu:///system: no answer for 12 s"
        );
    }
}
