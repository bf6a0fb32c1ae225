//! Rehearsals: runs a script on twins of its hosts, and prints its changes as a plan.

mod comparison;
mod plan;
mod twin;

use std::sync::Arc;

use virhai::person::{Answer, is_yes};
use virhai::runbook::twin::{Rehearsal, open_saved};

use crate::args::{Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::question;
use crate::script::text_of;
pub(crate) use twin::{Twin, save};

/// True if the command line asks for a rehearsal.
pub(crate) fn is_asked(options: &Options) -> bool {
    options.rehearse || options.plan_first || options.against.is_some()
}

/// Rehearses a script that `execute` runs, prints the plan, and with `--plan-first` runs the script on its hosts after
/// that. Returns the exit status.
///
/// A rehearsal has no journal and no report: `execute` writes them only if it gets no rehearsal on twins.
pub(crate) fn run(options: &Options, execute: impl Fn(&Options, &Arc<Rehearsal>) -> u8) -> u8 {
    let rehearsal = match &options.against {
        None => Rehearsal::on_twins(),
        Some(path) => {
            let text = match text_of(path) {
                Ok(text) => text,
                Err(wrong) => {
                    wrong.report_plain(options);
                    return WRONG_USAGE;
                }
            };
            match open_saved(&text) {
                Ok(host) => Rehearsal::on_saved(host),
                Err(why) => {
                    let message = format!("cannot use the twin in {}: {why}", path.display());
                    Diagnostic::wrong_usage(message).report_plain(options);
                    return WRONG_USAGE;
                }
            }
        }
    };
    let mut quiet = options.clone();
    quiet.hide_result = true;
    let status = execute(&quiet, &rehearsal);
    rehearsal.end();
    plan::print(options, &rehearsal, status);
    if !options.plan_first || status != DONE {
        return status;
    }
    if let Err(status) = confirmed(options) {
        return status;
    }
    let real = Rehearsal::of_real_hosts();
    let status = execute(options, &real);
    real.end();
    comparison::print(options, &rehearsal, &real);
    status
}

/// Asks whether to run the script after its plan; if not, returns the exit status.
fn confirmed(options: &Options) -> Result<(), u8> {
    if options.yes {
        return Ok(());
    }
    if !question::is_possible() {
        Diagnostic::wrong_usage(
            "the plan was not confirmed: there is no terminal for the question",
        )
        .with_hint("`--yes` runs the script without a question")
        .report_plain(options);
        return Err(WRONG_USAGE);
    }
    match question::ask(&["Run the script on its hosts? [y/N] "], || false) {
        Answer::Line(answer) if is_yes(&answer) => Ok(()),
        _ => {
            eprintln!("not run");
            Err(FAILED)
        }
    }
}

/// True if `source` can be rehearsed.
pub(crate) fn refuse(options: &Options, source: &Source) -> Option<u8> {
    let wrong = match source {
        Source::Prompt if is_asked(options) => "the prompt cannot be rehearsed: name a script",
        _ if options.rehearse && options.plan_first => {
            "`--rehearse` and `--plan-first` exclude each other"
        }
        _ if options.plan_first && options.against.is_some() => {
            "`--plan-first` and `--against` exclude each other: a saved twin has no host to run on"
        }
        _ => return None,
    };
    Diagnostic::wrong_usage(wrong).report_plain(options);
    Some(WRONG_USAGE)
}
