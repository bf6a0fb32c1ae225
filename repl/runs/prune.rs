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
    /// True if `run` is to be removed. A run that is alive, or of an unknown age, stays.
    fn removes(&self, run: &Run, now: Timestamp) -> bool {
        let ended = ["done", "undone"].contains(&run.state());
        let age = run.began.map(|began| now.duration_since(began));
        let is_old = age.is_some_and(|age| age.as_secs_f64() >= self.older_than.as_secs_f64());
        is_old && !run.alive && (ended || self.failed)
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
