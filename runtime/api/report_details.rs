//! Records of the journal for a report: how steps changed definitions, and the screens and consoles
//! of guests when a step failed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value as Json};

use super::step;
use crate::redact;
use crate::run::interrupt;
use crate::run::report_details::{
    ConsoleEnd, DefinitionChange, Documents, ReportDetails, UsedGuest,
};
use crate::run::session::Session;
use crate::runbook::journal::{Difference, Journal, Record};
use crate::runbook::report::small_png;
use crate::runbook::twin;

/// The bytes of all details of a run.
const LARGEST: usize = 4 * 1024 * 1024;

/// The differences of one change that are recorded.
const MOST_DIFFERENCES: usize = 100;

/// The characters of the longest value of a difference.
const LONGEST_VALUE: usize = 500;

/// The guests and consoles that are remembered.
const MOST_GUESTS: usize = 64;

/// The guests that are shown for one failure.
const MOST_SHOWN: usize = 3;

/// The lines of a console that are shown.
const LINES: usize = 20;

/// The details of the run of a session.
struct Details {
    journal: Journal,
    guests: Mutex<Vec<(Option<u64>, UsedGuest)>>,
    consoles: Mutex<HashMap<(String, String), Arc<ConsoleEnd>>>,
    written: AtomicUsize,
}

/// Records details for a report of the run of `session` in its journal.
pub fn follow(session: &Session) {
    if let Some(journal) = Journal::of(session) {
        let details = Arc::new(Details {
            journal,
            guests: Mutex::default(),
            consoles: Mutex::default(),
            written: AtomicUsize::new(0),
        });
        session.follow_details(details);
    }
}

impl ReportDetails for Details {
    fn follows(&self) -> bool {
        !interrupt::shielded()
    }

    fn definition_changed(&self, change: DefinitionChange) {
        let Some(step) = step::current_number() else {
            return;
        };
        let word = match (&change.before, &change.after) {
            (None, None) => return,
            (None, Some(_)) => "defined",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let all = match (&change.before, &change.after) {
            (Some(before), Some(after)) => differences(before, after),
            _ => Vec::new(),
        };
        if word == "changed" && all.is_empty() {
            return;
        }
        let more = all.len().saturating_sub(MOST_DIFFERENCES);
        let differences: Vec<Difference> = all.into_iter().take(MOST_DIFFERENCES).collect();
        let value = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size = differences
            .iter()
            .map(|one| one.path.len() + value(&one.from) + value(&one.to) + 64);
        self.write(
            size.sum(),
            Record::Definition {
                step,
                host: change.host,
                kind: change.kind.into(),
                name: redact::hide(&change.name).into_owned(),
                call: change.call.into(),
                change: word.into(),
                differences,
                more,
                time: Timestamp::now(),
            },
        );
    }

    fn guest_used(&self, guest: UsedGuest) {
        let step = step::current_number();
        let mut guests = self.guests();
        guests.retain(|(_, known)| (&known.host, &known.name) != (&guest.host, &guest.name));
        if guests.len() == MOST_GUESTS {
            guests.remove(0);
        }
        guests.push((step, guest));
    }

    fn failed(&self, why: &str) {
        self.show_guests(why);
    }

    fn console(&self, host: &str, name: &str) -> Arc<ConsoleEnd> {
        let mut consoles = self.consoles();
        let key = (host.to_owned(), name.to_owned());
        if consoles.len() >= MOST_GUESTS && !consoles.contains_key(&key) {
            return Arc::default();
        }
        Arc::clone(consoles.entry(key).or_default())
    }
}

impl Details {
    fn guests(&self) -> MutexGuard<'_, Vec<(Option<u64>, UsedGuest)>> {
        self.guests.lock()
    }

    fn consoles(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<ConsoleEnd>>> {
        self.consoles.lock()
    }

    /// Writes `record`, which has about `size` bytes, if the run has room for it.
    fn write(&self, size: usize, record: Record) {
        let before = self.written.fetch_add(size, Ordering::Relaxed);
        if before.saturating_add(size) <= LARGEST {
            self.journal.write_lightly(&record);
        }
    }

    /// Records the guests that this step used or that `why` names. Each is recorded once for a failure.
    fn show_guests(&self, why: &str) {
        let step = step::current_number();
        let mut shown: Vec<UsedGuest> = self
            .guests()
            .extract_if(.., |(own, guest)| {
                *own == step || why.contains(&format!("`{}`", guest.name))
            })
            .map(|(_, guest)| guest)
            .collect();
        // The last ones are nearest to the failure.
        let surplus = shown.len().saturating_sub(MOST_SHOWN);
        for guest in shown.drain(..).skip(surplus) {
            let key = (guest.host.clone(), guest.name.clone());
            let console = self.consoles().get(&key).map(|end| last_lines(&end.text()));
            let console = console.filter(|text| !text.is_empty());
            let picture = (guest.screenshot)().and_then(|data| small_png(&data));
            let screen = picture.map(|png| STANDARD.encode(png));
            if console.is_none() && screen.is_none() {
                continue;
            }
            let size =
                console.as_ref().map_or(0, String::len) + screen.as_ref().map_or(0, String::len);
            self.write(
                size,
                Record::Guest {
                    step,
                    host: guest.host,
                    name: redact::hide(&guest.name).into_owned(),
                    console,
                    screen,
                    time: Timestamp::now(),
                },
            );
        }
    }
}

/// The differences between two states of a definition, without secrets.
fn differences(before: &Documents, after: &Documents) -> Vec<Difference> {
    let mut all: Vec<Difference> = Vec::new();
    let live = before.live.as_ref().zip(after.live.as_ref());
    let documents = [
        Some((&before.defined, &after.defined, false)),
        live.map(|(before, after)| (before, after, true)),
    ];
    for (before, after, live) in documents.into_iter().flatten() {
        for one in twin::differences(before, after, live) {
            let found = Difference {
                from: one.from.map(|text| value(&one.path, text)),
                to: one.to.map(|text| value(&one.path, text)),
                path: shortened(&redact::hide(&one.path)),
                live,
            };
            // A pool that is used has other figures each time.
            let is_figure = ["capacity", "allocation", "available"].contains(&found.path.as_str());
            let told = all
                .iter()
                .any(|known| (&known.path, &known.to) == (&found.path, &found.to));
            if !is_figure && !told {
                all.push(found);
            }
        }
    }
    all
}

/// A value at `path` without secrets. The value at a path such as `graphics/@passwd` is a secret.
fn value(path: &str, text: String) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = last.split('[').next().unwrap_or_default();
    let mut json = Json::Object(Map::from_iter([(
        name.trim_start_matches('@').to_owned(),
        Json::String(text),
    )]));
    redact::hide_in_json(&mut json);
    let hidden = json
        .as_object()
        .and_then(|map| map.values().next())
        .and_then(Json::as_str)
        .unwrap_or_default();
    shortened(&redact::hide(hidden))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last lines of a console without its colours and movements of the cursor, and without secrets.
fn last_lines(text: &str) -> String {
    let plain = without_sequences(text);
    let plain = plain.trim_end();
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    let lines = lines[lines.len().saturating_sub(LINES)..].join("\n");
    redact::hide(&lines).into_owned()
}

/// `text` without the sequences that control a terminal.
fn without_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' if letters.next_if_eq(&'[').is_some() => {
                // Parameters, up to a letter.
                while letters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
                letters.next();
            }
            '\x1b' => {
                letters.next();
            }
            '\r' | '\0' => {}
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{last_lines, value};

    #[test]
    fn the_end_of_a_console_is_plain_text() {
        let text = "\x1b[2J\x1b[01;01Hfirst\r\n\x1b[1;32mok\x1b[0m done\x1bc\r\n\0login: ";
        assert_eq!(last_lines(text), "first\nok done\nlogin:");
        let many: Vec<String> = (0..30).map(|line| line.to_string()).collect();
        assert_eq!(last_lines(&many.join("\n")).lines().count(), 20);
        assert_eq!(last_lines("\x1b["), "");
        assert_eq!(last_lines("password=hunter22"), "password=***");
    }

    #[test]
    fn a_difference_shows_no_secret() {
        let path = "devices/graphics[@type='vnc']/@passwd";
        assert_eq!(value(path, "hunter22".into()), "***");
        assert_eq!(
            value("devices/disk", "<a passwd='hunter22'/>".into()),
            "<a passwd='***'/>"
        );
        assert_eq!(value("memory", "1024".into()), "1024");
    }
}
