//! Prints the differences between a run and its plan.

use jiff::civil::DateTime;
use serde_json::json;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use uuid::Uuid;
use uuid::fmt::Hyphenated;
use virhai::redact;
use virhai::runbook::twin::Rehearsal;
use virhai::runbook::twin::log::{Entry, Verb};

use crate::args::Options;
use crate::output::print_line;

/// The parts of a change that are compared. A host adds details to an object that a plan cannot know.
type Key<'a> = (&'a str, Verb, &'a str, String);

fn keys(entries: &[Entry]) -> Vec<Key<'_>> {
    let all = entries.iter();
    all.map(|entry| {
        (
            entry.host.as_str(),
            entry.verb,
            entry.kind,
            without_chosen(&entry.name),
        )
    })
    .collect()
}

/// The form of a time in the names of backups, and its length.
const TIME: (&str, usize) = ("%Y%m%dT%H%M%SZ", "20260101T000000Z".len());

/// `name` with fixed texts in place of UUIDs and times: recipes choose new ones in each run.
fn without_chosen(name: &str) -> String {
    let found = name.char_indices().find_map(|(at, _)| {
        let part = |length: usize| name.get(at..at + length);
        if part(Hyphenated::LENGTH).is_some_and(|text| Uuid::try_parse(text).is_ok()) {
            return Some((at, Hyphenated::LENGTH, "UUID"));
        }
        let (form, length) = TIME;
        let is_time = part(length).is_some_and(|text| DateTime::strptime(form, text).is_ok());
        // A second backup in the same second has a number too.
        is_time.then(|| (at, length + numbered(&name[at + length..]), "TIME"))
    });
    match found {
        Some((at, length, word)) => {
            let rest = without_chosen(&name[at + length..]);
            format!("{}{word}{rest}", &name[..at])
        }
        None => name.to_owned(),
    }
}

/// The length of a number after a time, such as `_2`.
fn numbered(rest: &str) -> usize {
    let digits = rest.strip_prefix('_').map_or(0, |rest| {
        rest.bytes().take_while(u8::is_ascii_digit).count()
    });
    if digits == 0 { 0 } else { digits + 1 }
}

/// The changes, grouped by object: the threads of `parallel` change objects in any order.
fn sorted(rehearsal: &Rehearsal) -> Vec<Entry> {
    let mut entries = rehearsal.log().entries();
    entries
        .sort_by_cached_key(|entry| (entry.host.clone(), entry.kind, without_chosen(&entry.name)));
    entries
}

/// Prints how the run `real` differed from the rehearsal `planned`.
pub(super) fn print(options: &Options, planned: &Rehearsal, real: &Rehearsal) {
    let (planned, real) = (sorted(planned), sorted(real));
    let mut missing = Vec::new();
    let mut unplanned = Vec::new();
    for step in capture_diff_slices(Algorithm::Myers, &keys(&planned), &keys(&real)) {
        if !matches!(step, DiffOp::Equal { .. }) {
            missing.extend(&planned[step.old_range()]);
            unplanned.extend(&real[step.new_range()]);
        }
    }
    if options.json {
        let mut told = json!({
            "as_planned": missing.is_empty() && unplanned.is_empty(),
            "planned_but_not_done": missing,
            "done_but_not_planned": unplanned,
        });
        redact::hide_in_json(&mut told);
        print_line(&told.to_string());
        return;
    }
    if missing.is_empty() && unplanned.is_empty() {
        print_line("The run made the planned changes.");
        return;
    }
    print_line("The run differed from the plan:");
    for entry in missing {
        print_line(&format!("  planned, not done: {}", told(entry)));
    }
    for entry in unplanned {
        print_line(&format!("  done, not planned: {}", told(entry)));
    }
}

fn told(entry: &Entry) -> String {
    let place = entry
        .place
        .as_ref()
        .map(|place| format!(" ({place})"))
        .unwrap_or_default();
    let words = [entry.verb.word(), entry.kind, &entry.name];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{}{place}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_uuids_and_times() {
        let name = "web-20261127T194055Z.vda.7e1a0000-0000-4000-8000-000000000001.qcow2";
        assert_eq!(without_chosen(name), "web-TIME.vda.UUID.qcow2");
        assert_eq!(without_chosen("a-20261127T194055Z_12.json"), "a-TIME.json");
        assert_eq!(
            without_chosen("web-20269999T999999Z é"),
            "web-20269999T999999Z é"
        );
    }
}
