//! Events of the hosts, shown above the input line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use nix::sys::termios::{LocalFlags, tcgetattr};
use parking_lot::{Condvar, Mutex};
use rustyline::ExternalPrinter;
use virhai::{Connection, News};

use super::{Prompt, hosts, input, prompt_string};
use crate::args::Options;
use crate::terminal;

/// Receives events of the hosts and prints them while the prompt is shown.
pub(super) struct EventPrinter {
    told: Sender<Told>,
    wanted: Arc<AtomicBool>,
    gate: Arc<PromptGate>,
}

/// A message to print.
enum Told {
    /// An event of the host with that URI.
    News(String, News),
    /// A text as it is.
    Line(String),
}

/// Open while the prompt waits for input, so that news does not disturb a running script or a
/// pager.
#[derive(Default)]
struct PromptGate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl EventPrinter {
    /// An event printer that prints through `printer` on a thread of its own: a printer may block,
    /// and the reporters of news must not.
    pub(super) fn new(
        printer: Option<impl ExternalPrinter + Send + 'static>,
        options: &Options,
    ) -> Self {
        let (told, news) = mpsc::channel::<Told>();
        let wanted = Arc::new(AtomicBool::new(!options.quiet));
        let gate = Arc::new(PromptGate::default());
        let (is_wanted, until_open) = (Arc::clone(&wanted), Arc::clone(&gate));
        let colors = options.colors();
        let thread = move || {
            let Some(mut printer) = printer else { return };
            for told in news {
                until_open.pass();
                while !takes_lines() {
                    std::thread::sleep(Duration::from_millis(5));
                    until_open.pass();
                }
                let text = match told {
                    Told::Line(text) => format!("{text}\n"),
                    Told::News(uri, news) => {
                        if news != News::Lost && !is_wanted.load(Ordering::Relaxed) {
                            continue;
                        }
                        line(&uri, &news, colors)
                    }
                };
                let _ = printer.print(text);
            }
        };
        // Without the thread, the session works, but shows no news.
        let _ = std::thread::Builder::new()
            .name("news".into())
            .spawn(thread);
        Self { told, wanted, gate }
    }

    /// Prints texts above the input.
    pub(super) fn line(&self) -> impl Fn(String) + Send + 'static {
        let told = self.told.clone();
        move |text| drop(told.send(Told::Line(text)))
    }

    /// Sets whether events may be shown now.
    pub(super) fn allow(&self, open: bool) {
        *self.gate.open.lock() = open;
        self.gate.changed.notify_all();
    }

    /// True if events are shown.
    pub(super) fn wanted(&self) -> &AtomicBool {
        &self.wanted
    }

    /// Subscribes to the events of `connection`'s host. A remote host may take a while; the prompt does not wait.
    fn follow(&self, connection: Connection) {
        let near = connection.is_in_process();
        let told = self.told.clone();
        let uri = connection.uri().to_owned();
        let follow = move || {
            connection.follow(move |news| {
                let _ = told.send(Told::News(uri.clone(), news));
            });
        };
        if near {
            return follow();
        }
        let _ = std::thread::Builder::new()
            .name("follow".into())
            .spawn(follow);
    }
}

/// True if a line can be printed above the input now: the printer would write it into the editor's drawing, unless the
/// editor already has the terminal.
fn takes_lines() -> bool {
    let raw = tcgetattr(std::io::stdin())
        .is_ok_and(|terminal| !terminal.local_flags.contains(LocalFlags::ICANON));
    raw || input::is_plain()
}

impl PromptGate {
    /// Waits until it is open.
    fn pass(&self) {
        let mut open = self.open.lock();
        self.changed.wait_while(&mut open, |open| !*open);
    }
}

impl Prompt {
    /// Follows the connections that are new.
    pub(super) fn follow(&self) {
        for (_, connection) in hosts::all(self.worker.scope()) {
            if !connection.is_followed() {
                self.news.follow(connection);
            }
        }
    }
}

/// A line, or two, of news.
fn line(uri: &str, news: &News, colors: bool) -> String {
    let host = prompt_string::host(uri);
    let host = terminal::visible_line(&host);
    let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    let (line, color) = match news {
        News::Lost => (
            "the connection is lost; `:reconnect` opens another".to_owned(),
            "\x1b[31m",
        ),
        News::Happened {
            noun,
            name,
            event,
            detail,
        } => {
            let noun = noun.replace('_', " ");
            let detail = detail
                .as_ref()
                .map_or_else(String::new, |detail| format!(": {detail}"));
            let line = format!("{noun} `{name}` {event}{detail}");
            (terminal::visible_line(&line).into_owned(), "\x1b[2m")
        }
    };
    match colors {
        true => format!("{color}{time} {host}: {line}\x1b[0m\n"),
        false => format!("{time} {host}: {line}\n"),
    }
}

#[cfg(test)]
mod tests {
    use virhai::News;

    use super::line;

    #[test]
    fn news_name_the_host_and_the_object() {
        let news = News::Happened {
            noun: "storage_pool",
            name: "default".into(),
            event: "started".into(),
            detail: None,
        };
        let line = line("qemu+ssh://kvm1/system", &news, false);
        assert!(
            line.ends_with(" kvm1: storage pool `default` started\n"),
            "{line}"
        );
    }
}
