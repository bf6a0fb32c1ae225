//! `virhai show RUN`: shows a recorded run.

use std::fmt::Write;
use std::time::Duration;

use clap::{Args, ValueHint};
use jiff::tz::TimeZone;
use virhai::plain_millis;
use virhai::runbook::journal::{Past, Run, StepState};
use virhai::runbook::report;

use super::report::{ReportFile, page_file};
use super::{Which, find};
use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED};
use crate::output::print_line;
use crate::terminal;

/// The options of `virhai show`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,

    /// Write the run to this file as an HTML page, and do not print it
    #[arg(long, value_name = "FILE", value_parser = page_file, value_hint = ValueHint::FilePath)]
    html: Option<ReportFile>,
}

/// Shows the run, and returns the exit status.
pub(crate) fn show(options: &Options, show: &Show) -> u8 {
    let run = match find(options, &show.which) {
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
    let files: Vec<&ReportFile> = show.html.iter().chain(&options.report).collect();
    if !files.is_empty() {
        let written = files
            .iter()
            .map(|file| file.is_written(options, past, run.alive));
        return match written.fold(true, |all, one| all & one) {
            true => DONE,
            false => FAILED,
        };
    }
    match options.json {
        true => print_line(&report::json(past, run.alive).to_string()),
        false => {
            for line in text(&run, past).lines() {
                print_line(&terminal::visible_line(line));
            }
        }
    }
    DONE
}

fn text(run: &Run, past: &Past) -> String {
    let mut out = String::new();
    let header = &past.header;
    let began = header.time.to_zoned(TimeZone::system());
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<9} {value}");
    };
    line("run", &run.name);
    line("state", past.state(run.alive));
    line("script", &header.script);
    line("began", &began.strftime("%Y-%m-%d %H:%M:%S").to_string());
    line("user", &header.user);
    line("folder", &header.folder.to_string_lossy());
    line("command", &header.command.join(" "));
    if past.resumed > 0 {
        line("resumed", &times(past.resumed));
    }
    if let Some(end) = &past.end {
        line("status", &end.status.to_string());
        if let Some(error) = &end.error {
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
                format!("done in {}", plain_millis(took))
            }
            StepState::Failed(error) => format!("failed: {error}"),
            _ => step.word(alive).to_owned(),
        };
        let _ = writeln!(out, "{indent}{}: {how}", step.title);
        for note in &step.notes {
            let _ = writeln!(out, "{indent}  {note}");
        }
        children(out, past, Some(step.number), depth + 1, alive);
    }
}
