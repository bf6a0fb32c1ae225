//! Prints the plan of a rehearsal.

use serde_json::{Value, json};
use virhai::redact;
use virhai::runbook::twin::Rehearsal;
use virhai::runbook::twin::log::{Difference, Entry, Note};

use crate::args::Options;
use crate::exit_status::DONE;
use crate::output::print_line;

/// The maximum number of differences that are shown for one change.
const MOST_DIFFERENCES: usize = 12;

/// The longest value that is shown in full.
const LONGEST_VALUE: usize = 60;

/// Prints the plan of `rehearsal`, which ended with the exit status `status`.
pub(super) fn print(options: &Options, rehearsal: &Rehearsal, status: u8) {
    let (entries, notes) = (rehearsal.log().entries(), rehearsal.log().notes());
    match options.json {
        true => {
            let mut plan = as_json(&entries, &notes, status);
            redact::hide_in_json(&mut plan);
            print_line(&plan.to_string());
        }
        false => as_text(&entries, &notes, status)
            .iter()
            .for_each(|line| print_line(line)),
    }
}

fn as_json(entries: &[Entry], notes: &[Note], status: u8) -> Value {
    json!({
        "rehearsed": true,
        "complete": status == DONE,
        "status": status,
        "plan": entries,
        "not_as_on_the_host": notes,
    })
}

fn as_text(entries: &[Entry], notes: &[Note], status: u8) -> Vec<String> {
    let mut lines = vec![String::new(), "Plan".into()];
    if entries.is_empty() {
        lines.push("  no changes".into());
    }
    let mut hosts: Vec<&str> = entries.iter().map(|entry| entry.host.as_str()).collect();
    hosts.retain(|host| !host.is_empty());
    let several = hosts.windows(2).any(|pair| pair[0] != pair[1]);
    let width = entries
        .iter()
        .map(|entry| subject(entry).chars().count())
        .max()
        .unwrap_or(0);
    for entry in entries {
        let host = if several {
            format!("  {}", redact::hide_uri(&entry.host))
        } else {
            String::new()
        };
        let place = entry
            .place
            .as_ref()
            .map(|place| format!("  {place}"))
            .unwrap_or_default();
        let subject = subject(entry);
        lines.push(
            format!("  {:<9} {subject:<width$}{host}{place}", entry.verb.word())
                .trim_end()
                .to_owned(),
        );
        lines.extend(differences(&entry.differences));
    }
    if !notes.is_empty() {
        lines.push(String::new());
        lines.push("Not as on the host".into());
        lines.extend(notes.iter().map(note));
    }
    lines.push(String::new());
    lines.push(summary(entries, status));
    lines
}

fn subject(entry: &Entry) -> String {
    let to = entry
        .to
        .as_ref()
        .map(|to| format!(" to {}", redact::hide_uri(to)));
    format!("{} {}{}", entry.kind, entry.name, to.unwrap_or_default())
        .trim_start()
        .to_owned()
}

fn differences(all: &[Difference]) -> Vec<String> {
    let shown = all.iter().take(MOST_DIFFERENCES).map(|one| {
        let live = if one.live { " (running)" } else { "" };
        let change = match (&one.from, &one.to) {
            (None, Some(to)) => format!("+ {}", short(to)),
            (Some(from), None) => format!("- {}", short(from)),
            (from, to) => format!(
                "{} -> {}",
                short(from.as_deref().unwrap_or_default()),
                short(to.as_deref().unwrap_or_default())
            ),
        };
        redact::hide(&format!("              {}{live}: {change}", one.path)).into_owned()
    });
    let mut lines: Vec<String> = shown.collect();
    if let Some(more) = all
        .len()
        .checked_sub(MOST_DIFFERENCES)
        .filter(|more| *more > 0)
    {
        lines.push(format!("              and {more} more"));
    }
    lines
}

/// `text` on one line, cut if it is long.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn note(note: &Note) -> String {
    let call = if note.call.is_empty() {
        String::new()
    } else {
        format!("{}: ", note.call)
    };
    let places: Vec<String> = note.places.iter().map(ToString::to_string).collect();
    let places = if places.is_empty() {
        String::new()
    } else {
        format!(" ({})", places.join(", "))
    };
    format!("  {call}{}{places}", note.text)
}

fn summary(entries: &[Entry], status: u8) -> String {
    let changes = match entries.len() {
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    };
    match status {
        DONE => format!(
            "The rehearsal reached the end of the script: {changes}. The host did not change."
        ),
        _ => format!(
            "The rehearsal did not reach the end of the script: {changes} up to there. The host did not change."
        ),
    }
}
