//! A live view of the guests of hosts: their use of processors, memory, disks and network.

mod rates;
mod sample;
mod screen;
mod source;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Terminal};
use rhai::{Array, Dynamic, Engine, EvalAltResult, Scope};
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use virhai::{Connection, Imports, engine, redact};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::{exit_status, session};
use crate::{terminal, waits};
use rates::Order;
use sample::Sample;
use screen::View;
use source::{Answer, Source, Target};

/// Interval between two requests to a host.
const INTERVAL: Duration = Duration::from_secs(2);

/// Interval at which keys are read.
const TICK: Duration = Duration::from_millis(100);

/// The options of `virhai top`.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Hosts of virhai.toml and --inventory, by name, group or pattern such as 'web:&prod:!old'; without HOSTS, the host of -c
    #[arg(value_name = "HOSTS")]
    hosts: Option<String>,
}

/// `virhai top`: shows the guests of the hosts that the command line names, and returns the exit status.
pub(crate) fn run(options: &Options, which: &Which) -> u8 {
    let mut options = options.clone();
    if which.hosts.is_some() {
        match Project::load(&options, Path::new(".")) {
            Ok(project) => options.project = project,
            Err(wrong) => {
                wrong.report_plain(&options);
                return exit_status::WRONG_USAGE;
            }
        }
    }
    let session = session::session(&options);
    let imports = Imports::default();
    let engine = Arc::new(engine::build(&session, &options.limits(), imports.clone()));
    let failed = |error: &EvalAltResult| {
        Diagnostic::of_error(&engine, &imports, "top", error).report(&options, &imports);
        exit_status::status_of(error)
    };
    let shown = match &which.hosts {
        Some(pattern) => match names(&engine, pattern) {
            Ok(names) => show_hosts(Arc::clone(&engine), pattern, &names, options.colors()),
            Err(error) => return failed(&error),
        },
        None => match engine.eval::<Connection>("connect()") {
            Ok(connection) => show(Arc::clone(&engine), &connection, options.colors()),
            Err(error) => return failed(&error),
        },
    };
    match shown {
        Ok(()) => exit_status::DONE,
        Err(message) => {
            Diagnostic::plain(message).report_plain(&options);
            exit_status::FAILED
        }
    }
}

/// The names of the hosts that match `pattern`.
fn names(engine: &Engine, pattern: &str) -> Result<Vec<String>, Box<EvalAltResult>> {
    let mut scope = Scope::new();
    scope.push_constant("pattern", pattern.to_owned());
    let names = engine.eval_with_scope::<Array>(&mut scope, "hosts(pattern).map(|host| host.name)");
    Ok(names?.iter().map(Dynamic::to_string).collect())
}

/// Shows the guests of `connection` until the user leaves.
pub(crate) fn show(
    engine: Arc<Engine>,
    connection: &Connection,
    colors: bool,
) -> Result<(), String> {
    let title = redact::hide_uri(connection.uri());
    let targets = vec![Target::Open(connection.clone())];
    view(&engine, targets, Top::new(&title, None, colors))
}

/// Shows the guests of the hosts `names`, which match `pattern`, until the user leaves.
pub(crate) fn show_hosts(
    engine: Arc<Engine>,
    pattern: &str,
    names: &[String],
    colors: bool,
) -> Result<(), String> {
    let targets = names.iter().cloned().map(Target::Named).collect();
    view(&engine, targets, Top::new(pattern, Some(names), colors))
}

fn view(engine: &Arc<Engine>, targets: Vec<Target>, mut top: Top) -> Result<(), String> {
    if !std::io::stdout().is_terminal()
        || !std::io::stdin().is_terminal()
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
    {
        return Err("the view needs a terminal that can move the cursor".into());
    }
    let source = Source::new(engine, targets, INTERVAL)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let mut screen =
        OnScreen::new().map_err(|error| format!("cannot use the terminal: {error}"))?;
    waits::hold_back(true);
    let ended = top.run(&mut screen.terminal, &source);
    waits::hold_back(false);
    ended.map_err(|error| format!("cannot use the terminal: {error}"))
}

/// The terminal while it shows the view; its state is restored afterwards, also after a panic or a
/// signal.
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

/// The data of a host in the view.
struct Host {
    /// Its name in the list of hosts; empty in a view of one host.
    name: String,
    before: Option<Sample>,
    now: Option<Sample>,
    answered: Instant,
    trouble: Option<String>,
}

impl Host {
    fn new(name: &str) -> Self {
        Self {
            name: terminal::visible_line(name).into_owned(),
            before: None,
            now: None,
            answered: Instant::now(),
            trouble: None,
        }
    }

    fn rows(&self, by_host: bool) -> Vec<rates::Row> {
        if by_host && let Some(why) = &self.trouble {
            return vec![rates::Row::silent(&self.name, why)];
        }
        let now = self.now.iter();
        let rows = now.flat_map(|now| rates::rows(self.before.as_ref(), now));
        rows.map(|row| rates::Row {
            host: self.name.clone(),
            ..row
        })
        .collect()
    }
}

/// The state of the view.
struct Top {
    hosts: Vec<Host>,
    view: View,
}

impl Top {
    /// A view of the one host `title`, or of the hosts `names`.
    fn new(title: &str, names: Option<&[String]>, colors: bool) -> Self {
        let hosts: Vec<Host> = match names {
            Some(names) => names.iter().map(|name| Host::new(name)).collect(),
            None => vec![Host::new("")],
        };
        Self {
            view: View {
                title: terminal::visible_line(title).into_owned(),
                hosts: names.map(|names| (0, names.len())),
                rows: Vec::new(),
                order: Order::Cpu,
                reversed: false,
                first: 0,
                trouble: None,
                colors,
            },
            hosts,
        }
    }

    fn run(&mut self, terminal: &mut DefaultTerminal, source: &Source) -> std::io::Result<()> {
        // Draws only after changes: a remote terminal has little bandwidth.
        let mut changed = true;
        loop {
            loop {
                match source.answers.try_recv() {
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

    /// Takes the answer of a host.
    fn take(&mut self, answer: Answer) {
        let host = &mut self.hosts[answer.host];
        host.answered = Instant::now();
        match answer.sample {
            Ok(sample) => {
                host.before = host.now.replace(sample);
                host.trouble = None;
            }
            Err(message) => {
                host.trouble = Some(terminal::visible_line(&message).into_owned());
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        let by_host = self.view.hosts.is_some();
        let hosts = self.hosts.iter();
        self.view.rows = hosts.flat_map(|host| host.rows(by_host)).collect();
        match &mut self.view.hosts {
            Some((answering, _)) => {
                let answers = |host: &&Host| host.trouble.is_none() && host.now.is_some();
                *answering = self.hosts.iter().filter(answers).count();
            }
            None => self.view.trouble = self.hosts.first().and_then(|host| host.trouble.clone()),
        }
        rates::sort(&mut self.view.rows, self.view.order, self.view.reversed);
    }

    /// Reports which hosts have not answered for a while; returns whether that is new.
    fn watch_silence(&mut self) -> bool {
        let mut changed = false;
        for host in &mut self.hosts {
            let silent = host.answered.elapsed();
            if silent <= 3 * INTERVAL {
                continue;
            }
            let trouble = Some(format!("no answer for {} s", silent.as_secs()));
            changed |= host.trouble != trouble;
            host.trouble = trouble;
        }
        if changed {
            self.sort();
        }
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

    use super::sample::{Guest, Sample};
    use super::{Answer, Top};

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

    fn answers(top: &mut Top, host: usize, sample: Result<Sample, String>) {
        top.take(Answer { host, sample });
    }

    fn top() -> Top {
        let mut top = Top::new("qemu:///system", None, false);
        let at = Instant::now();
        answers(&mut top, 0, Ok(sample(at, 0)));
        answers(&mut top, 0, Ok(sample(at, 2)));
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
                "q quits  sort: c CPU  m memory  d disk  n network  a name  r reverse",
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
        answers(&mut top, 0, Err("connection refused".into()));
        let shown = drawn(&mut top, 60, 6);
        assert_eq!(shown[0], "qemu:///system: connection refused");
        assert!(shown[2].starts_with("database"));
        top.hosts[0].answered -= Duration::from_secs(12);
        top.watch_silence();
        assert_eq!(
            drawn(&mut top, 60, 6)[0],
            "qemu:///system: no answer for 12 s"
        );
    }

    #[test]
    fn guests_of_several_hosts_stand_with_their_hosts_and_a_silent_host_first() {
        let names = ["web1", "web2", "we\u{1b}b3"].map(str::to_owned);
        let mut top = Top::new("web:&prod", Some(&names), false);
        let at = Instant::now();
        for seconds in [0, 2] {
            answers(&mut top, 0, Ok(sample(at, seconds)));
            answers(&mut top, 1, Err("connection\nrefused".into()));
        }
        assert_eq!(
            drawn(&mut top, 60, 8),
            [
                "web:&prod: 2 of 3 guests running, 1 of 3 hosts answer",
                "HOST         NAME                 CPU%* STATE         MEMORY",
                "web2         connection␊refused",
                "web1         database             100.0 running      4.0 GiB",
                "web1         old                   50.0 shutoff      2.0 GiB",
                "web1         web                   25.0 running      1.0 GiB",
                "",
                "q quits  sort: c CPU  m memory  d disk  n network  a name  r",
            ]
        );
        // A host that never answered is shown as soon as it is late, and the others go on.
        top.hosts[2].answered -= Duration::from_secs(12);
        assert!(top.watch_silence());
        answers(&mut top, 1, Ok(sample(at, 4)));
        let shown = drawn(&mut top, 60, 10);
        assert_eq!(shown[2], "we␛b3        no answer for 12 s");
        assert!(shown[0].ends_with("2 of 3 hosts answer"), "{shown:?}");
        assert!(shown.iter().any(|row| row.starts_with("web2         web ")));
    }
}
