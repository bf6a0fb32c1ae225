//! The recorded runs: listed, shown, resumed, undone and removed.

mod list;
mod prune;
mod record;
mod reopen;
pub(crate) mod report;
mod show;
mod traces;

use std::path::PathBuf;

use clap::Args;
use virhai::runbook::journal::{self, Run};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::exit_status::WRONG_USAGE;
pub(crate) use list::list;
pub(crate) use prune::{Prune, prune};
pub(crate) use record::{begin, files};
pub(crate) use reopen::{Resume, Undo, changes_since, resume, undo};
pub(crate) use show::{Show, show};

/// Names a run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// The name of the run, the beginning of the name, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
}

/// The folder of all runs.
fn folder(options: &Options) -> Result<PathBuf, u8> {
    journal::of_all_runs().ok_or_else(|| {
        Diagnostic::wrong_usage(
            "there is no folder for the runs: neither XDG_STATE_HOME nor HOME is an absolute path",
        )
        .report_plain(options);
        WRONG_USAGE
    })
}

/// The names of all runs, the oldest first, and `last`.
pub(crate) fn names() -> Vec<String> {
    let all = journal::of_all_runs();
    let mut names = all.map_or_else(Vec::new, |all| journal::matching(&all, ""));
    names.push("last".to_owned());
    names
}

/// The run that `which` names; reports if there is none, or more than one.
fn find(options: &Options, which: &Which) -> Result<(PathBuf, Run), u8> {
    let all = folder(options)?;
    let mut names = journal::matching(&all, &which.run);
    match names.len() {
        1 => {
            let run = journal::run(&all, names.remove(0));
            Ok((all, run))
        }
        0 => {
            let why = match which.run.as_str() {
                "last" => "no run is recorded".to_owned(),
                name => format!("no run is called `{name}`"),
            };
            Diagnostic::wrong_usage(why)
                .with_hint(format!("`virhai runs` lists the runs in {}", all.display()))
                .report_plain(options);
            Err(WRONG_USAGE)
        }
        _ => {
            Diagnostic::wrong_usage(format!("more than one run begins with `{}`", which.run))
                .with_hint(names.join(", "))
                .report_plain(options);
            Err(WRONG_USAGE)
        }
    }
}
