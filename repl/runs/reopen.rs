//! `virhai resume` and `virhai undo`: resume or undo a run.

use clap::{Args as ClapArgs, Parser};
use virhai::person::{Answer, is_yes};
use virhai::runbook::journal::{self, Change, End, File, Journal, Past};

use super::{Which, find};
use crate::args::{self, Args, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::output::print_line;
use crate::question;
use crate::run::{self, Earlier};
use crate::script::{self, Recorded, Script};

/// The options of `virhai resume`.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Resume {
    #[command(flatten)]
    which: Which,

    /// Resume the run even if the script, an input or virhai has changed
    #[arg(long)]
    pub(crate) changed: bool,

    /// Repeat an interrupted step even if its effect is unknown
    #[arg(long)]
    repeat: bool,
}

/// The options of `virhai undo`.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Undo {
    #[command(flatten)]
    which: Which,

    /// Undo the run even if the script or virhai has changed
    #[arg(long)]
    changed: bool,
}

/// Resumes a run, and returns the exit status.
pub(crate) fn resume(options: &Options, resume: &Resume) -> u8 {
    let opened = match open(options, &resume.which, resume.repeat) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    if let Some(End { status: 0, .. }) = opened.past.end {
        Diagnostic::wrong_usage(format!("the run {} is done", opened.past.header.run))
            .report_plain(options);
        return WRONG_USAGE;
    }
    let mut script = opened.script;
    script.recorded = Some(Recorded {
        values: opened.past.header.inputs.clone(),
        may_differ: resume.changed,
    });
    let earlier = Earlier {
        journal: opened.journal,
        header: Box::new(opened.past.header),
        changed_is_fine: resume.changed,
        undoes: None,
    };
    run::run_again(&opened.options, script, earlier)
}

/// Undoes the changes of a run, the last change first, and returns the exit status.
pub(crate) fn undo(options: &Options, undo: &Undo) -> u8 {
    let opened = match open(options, &undo.which, false) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let past = opened.past;
    let changes: Vec<Change> = past.changes.iter().rev().cloned().collect();
    if changes.is_empty() {
        print_line(&format!("the run {} has nothing to undo", past.header.run));
        return DONE;
    }
    if matches!(past.end, Some(End { status: 0, .. }))
        && !is_confirmed(options, &past, changes.len())
    {
        Diagnostic::plain("nothing was undone").report_plain(options);
        return FAILED;
    }
    let earlier = Earlier {
        journal: opened.journal,
        header: Box::new(past.header),
        changed_is_fine: undo.changed,
        undoes: Some(changes),
    };
    run::run_again(&opened.options, opened.script, earlier)
}

/// Asks whether to undo a successful run. Without a terminal, the answer is yes.
fn is_confirmed(options: &Options, past: &Past, changes: usize) -> bool {
    if options.yes || !question::is_possible() {
        return true;
    }
    let question = format!(
        "The run {} is done. Undo its {changes} changes? (yes or no): ",
        past.header.run
    );
    matches!(question::ask(&[&question], || false), Answer::Line(answer) if is_yes(&answer))
}

/// A reopened run, with the command line of its first process.
struct Opened {
    journal: Journal,
    past: Past,
    options: Options,
    script: Script,
}

fn open(options: &Options, which: &Which, may_repeat: bool) -> Result<Opened, u8> {
    let failed = |why: String, status: u8| {
        Diagnostic::wrong_usage(why).report_plain(options);
        status
    };
    let (all, run) = find(options, which)?;
    let opened = Journal::reopen(&all, &run.name, may_repeat).map_err(|why| failed(why, FAILED))?;
    let past = opened.past;
    if opened.cut > 0 {
        eprintln!(
            "the last record in the journal of the run {} was incomplete: removed {} bytes",
            run.name, opened.cut
        );
    }
    let header = &past.header;
    std::env::set_current_dir(&header.folder).map_err(|error| {
        let why = format!(
            "cannot change to {}, the folder of the run: {error}",
            header.folder
        );
        failed(why, FAILED)
    })?;
    let line = header.command.iter().map(Into::into).collect();
    let args = Args::try_parse_from(args::insert_run_subcommand(line, &crate::inputs::declares))
        .map_err(|error| {
            let why = format!("cannot read the command line of the run: {error}");
            failed(why, FAILED)
        })?;
    let source = args.source().map_err(|why| failed(why, FAILED))?;
    let script = match source {
        Source::Stdin(args) => {
            let text = journal::script_of(&run.folder).map_err(|error| {
                failed(
                    format!("cannot read the script of the run: {error}"),
                    FAILED,
                )
            })?;
            Ok(script::of_standard_input(text, args))
        }
        other => script::read(other),
    };
    let script = script.map_err(|wrong| {
        wrong.report_plain(options);
        FAILED
    })?;
    let mut own = args.options.clone();
    own.take_over(options);
    Ok(Opened {
        journal: opened.journal,
        past,
        options: own,
        script,
    })
}

/// The changes since the run began, one line for each.
pub(crate) fn changes_since(before: &[File], now: &[File], version: (&str, &str)) -> Vec<String> {
    let mut changes = Vec::new();
    let (then, today) = version;
    if then != today {
        changes.push(format!("virhai was {then} and is {today}"));
    }
    for file in before {
        match now.iter().find(|other| other.name == file.name) {
            None => changes.push(format!("the script no longer imports {}", file.name)),
            Some(other) if other.sha256 != file.sha256 => {
                changes.push(format!("{} has changed", file.name));
            }
            Some(_) => {}
        }
    }
    let known = |file: &&File| before.iter().any(|other| other.name == file.name);
    let added = now.iter().filter(|file| !known(file));
    changes.extend(added.map(|file| format!("the script now imports {}", file.name)));
    changes
}
