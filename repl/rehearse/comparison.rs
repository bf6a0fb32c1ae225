//! Prints the differences between a run and its plan.

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
            without_uuids(&entry.name),
        )
    })
    .collect()
}

/// `name` with a fixed text in place of UUIDs: recipes choose a new UUID in each run.
fn without_uuids(name: &str) -> String {
    let found = name.char_indices().find_map(|(at, _)| {
        let end = at + Hyphenated::LENGTH;
        let text = name.get(at..end)?;
        Uuid::try_parse(text).is_ok().then_some((at, end))
    });
    match found {
        Some((at, end)) => format!("{}UUID{}", &name[..at], without_uuids(&name[end..])),
        None => name.to_owned(),
    }
}

/// The changes, grouped by object: the threads of `parallel` change objects in any order.
fn sorted(rehearsal: &Rehearsal) -> Vec<Entry> {
    let mut entries = rehearsal.log().entries();
    entries
        .sort_by_cached_key(|entry| (entry.host.clone(), entry.kind, without_uuids(&entry.name)));
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
    format!("{} {} {}{place}", entry.verb.word(), entry.kind, entry.name)
}
