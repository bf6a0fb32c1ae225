//! `virhai show RUN`: what a journal tells of its run.

use std::fmt::Write;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;
use virhai::plain_duration;
use virhai::runbook::journal::{Past, Run, Step, StepState};

use super::{Which, find, state_of};
use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED};
use crate::output::print_line;
use crate::terminal;

/// Shows the run, and returns the exit status.
pub(crate) fn show(options: &Options, which: &Which) -> u8 {
    let run = match find(options, which) {
        Ok((_, run)) => run,
        Err(status) => return status,
    };
    let past = match &run.past {
        Ok(past) => past,
        Err(why) => {
            Diagnostic::plain(format!(
                "cannot read the journal of the run {}: {why}",
                run.name
            ))
            .report_plain(options);
            return FAILED;
        }
    };
    match options.json {
        true => print_line(&as_json(&run, past).to_string()),
        false => {
            for line in text(&run, past).lines() {
                print_line(&terminal::visible_line(line));
            }
        }
    }
    DONE
}

fn as_json(run: &Run, past: &Past) -> serde_json::Value {
    let steps = past.steps.iter().map(|step| {
        let (seconds, error) = match &step.state {
            StepState::Done { seconds, .. } => (Some(*seconds), None),
            StepState::Failed(error) => (None, Some(error)),
            StepState::Begun | StepState::Undone => (None, None),
        };
        json!({
            "number": step.number, "parent": step.parent, "title": step.title,
            "state": word(step, run.alive), "seconds": seconds, "error": error,
            "file": step.at.file, "line": step.at.line, "time": step.began, "notes": step.notes,
        })
    });
    let changes = past.changes.iter().map(|change| {
        json!({
            "number": change.number, "step": change.step, "file": change.at.file,
            "line": change.at.line, "error": change.failure,
        })
    });
    let answers = past.answers.iter().map(
        |(question, answer, user)| json!({ "question": question, "answer": answer, "user": user }),
    );
    json!({
        "run": run.name, "state": state_of(run), "header": past.header,
        "steps": steps.collect::<Vec<_>>(), "changes": changes.collect::<Vec<_>>(),
        "undone": past.undone, "notes": past.notes, "answers": answers.collect::<Vec<_>>(),
        "resumed": past.resumed,
        "end": past.end.as_ref().map(|(status, error, time)| json!({ "status": status, "error": error, "time": time })),
    })
}

fn word(step: &Step, alive: bool) -> &'static str {
    match (&step.state, alive) {
        (StepState::Done { .. }, _) => "done",
        (StepState::Failed(_), _) => "failed",
        (StepState::Undone, _) => "undone",
        (StepState::Begun, true) => "running",
        (StepState::Begun, false) => "interrupted",
    }
}

fn text(run: &Run, past: &Past) -> String {
    let mut out = String::new();
    let header = &past.header;
    let began = header.time.to_zoned(TimeZone::system());
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<9} {value}");
    };
    line("run", &run.name);
    line("state", state_of(run));
    line("script", &header.script);
    line("began", &began.strftime("%Y-%m-%d %H:%M:%S").to_string());
    line("user", &header.user);
    line("folder", &header.folder);
    line("command", &header.command.join(" "));
    if past.resumed > 0 {
        line("resumed", &times(past.resumed));
    }
    if let Some((status, error, _)) = &past.end {
        line("status", &status.to_string());
        if let Some(error) = error {
            line("error", error);
        }
    }
    if !header.inputs.is_empty() || !header.secrets.is_empty() {
        let _ = writeln!(out, "\ninputs");
        for (name, value) in &header.inputs {
            let _ = writeln!(out, "  {name}: {value}");
        }
        for name in &header.secrets {
            let _ = writeln!(out, "  {name}: ***");
        }
    }
    if !past.steps.is_empty() {
        let _ = writeln!(out, "\nsteps");
        children(&mut out, past, None, 1, run.alive);
    }
    if !past.answers.is_empty() {
        let _ = writeln!(out, "\nanswers");
        for (question, answer, user) in &past.answers {
            let _ = writeln!(out, "  {question}{answer} ({user})");
        }
    }
    if !past.changes.is_empty() || past.undone > 0 {
        let _ = writeln!(out, "\nchanges");
        if past.undone > 0 {
            let _ = writeln!(out, "  {} undone", past.undone);
        }
        for change in &past.changes {
            let at = format!("line {} of {}", change.at.line, change.at.file);
            let why = change
                .failure
                .iter()
                .map(|why| format!("; not undone: {why}"));
            let _ = writeln!(out, "  {at}{}", why.collect::<String>());
        }
    }
    out
}

fn times(count: usize) -> String {
    match count {
        1 => "once".into(),
        count => format!("{count} times"),
    }
}

fn children(out: &mut String, past: &Past, parent: Option<u64>, depth: usize, alive: bool) {
    for step in past.steps.iter().filter(|step| step.parent == parent) {
        let indent = "  ".repeat(depth);
        let how = match &step.state {
            StepState::Done { seconds, .. } => {
                let took = Duration::try_from_secs_f64(*seconds).unwrap_or_default();
                let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                format!("done in {}", plain_duration(Duration::from_millis(millis)))
            }
            StepState::Failed(error) => format!("failed: {error}"),
            _ => word(step, alive).to_owned(),
        };
        let _ = writeln!(out, "{indent}{}: {how}", step.title);
        for note in &step.notes {
            let _ = writeln!(out, "{indent}  {note}");
        }
        children(out, past, Some(step.number), depth + 1, alive);
    }
}
