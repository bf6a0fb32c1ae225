//! `virhai prune`: removes the journals of runs that have ended.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use virhai::runbook::journal::{self, Run};

use crate::args::{self, Options};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED};
use crate::output::print_line;

/// The options of `virhai prune`.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Remove only runs that are older than this, such as 30d
    #[arg(long, value_name = "TIME", value_parser = args::duration, default_value = "30d")]
    older_than: Duration,

    /// Keep the newest N runs
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep: usize,

    /// Remove failed and killed runs too; virhai can then neither resume nor undo them
    #[arg(long)]
    failed: bool,
}

impl Prune {
    fn removes(&self, run: &Run, now: Timestamp) -> bool {
        let state = run.state();
        let ended = ["done", "undone"].contains(&state);
        let age = run
            .past
            .as_ref()
            .map(|past| now.duration_since(past.header.time))
            .ok();
        let is_old = age.is_none_or(|age| age.unsigned_abs() >= self.older_than);
        is_old && state != "running" && (ended || self.failed)
    }
}

/// Removes runs, prints their number, and returns the exit status.
pub(crate) fn prune(options: &Options, prune: &Prune) -> u8 {
    let all = match super::folder(options) {
        Ok(all) => all,
        Err(status) => return status,
    };
    let runs = journal::runs(&all);
    let (now, mut removed, mut status) = (Timestamp::now(), 0, DONE);
    let candidates = runs.len().saturating_sub(prune.keep);
    for run in runs.iter().take(candidates) {
        if !prune.removes(run, now) {
            continue;
        }
        match std::fs::remove_dir_all(&run.folder) {
            Ok(()) => removed += 1,
            Err(error) => {
                status = FAILED;
                Diagnostic::plain(format!("cannot remove {}: {error}", run.folder.display()))
                    .report_plain(options);
            }
        }
    }
    if !options.quiet {
        print_line(&format!("removed {removed} of {} runs", runs.len()));
    }
    status
}
