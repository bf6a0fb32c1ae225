//! `virhai resume` and `virhai undo`: resume or undo a run.

use std::collections::HashSet;
use std::ffi::OsString;

use clap::{Args as ClapArgs, Parser};
use virhai::person::{Answer, is_yes};
use virhai::runbook::journal::{self, Change, End, File, Header, Journal, Past, StepState};

use super::{Which, find};
use crate::args::{self, Args, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::output::print_line;
use crate::question;
use crate::rehearse;
use crate::run::{self, Earlier};
use crate::script::{self, Recorded, STANDARD_INPUT, Script};

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
    let opened = match open(options, &resume.which, Purpose::Resume(resume.repeat)) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    if let Some(End { status: 0, .. }) = opened.past.end {
        let Past {
            changes, undone, ..
        } = &opened.past;
        let end = match *undone > 0 && changes.is_empty() {
            true => "undone",
            false => "done",
        };
        Diagnostic::wrong_usage(format!("the run {} is {end}", opened.past.header.run))
            .report_plain(options);
        return WRONG_USAGE;
    }
    let mut script = opened.script;
    script.recorded = Some(Recorded {
        values: opened.past.header.inputs.clone(),
        secrets: opened.past.header.secrets.clone(),
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
    let opened = match open(options, &undo.which, Purpose::Undo) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let past = opened.past;
    let changes: Vec<Change> = past.changes.iter().rev().cloned().collect();
    warn_of_interrupted(options, &past);
    if changes.is_empty() {
        let nothing = format!("the run {} has nothing to undo", past.header.run);
        match options.json {
            true => eprintln!("{nothing}"),
            false => print_line(&nothing),
        }
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

/// Names the interrupted steps with changes that no undo list records.
fn warn_of_interrupted(options: &Options, past: &Past) {
    for step in &past.steps {
        if matches!(step.state, StepState::Begun) && step.touched {
            let what = format!(
                "the step `{}` was interrupted, and is not undone: it made a change that no undo list records",
                step.title
            );
            Diagnostic::plain(what)
                .with_hint("look at its objects on the host")
                .report_plain(options);
        }
    }
}

/// Asks whether to undo a successful run. Without a terminal, the answer is yes.
fn is_confirmed(options: &Options, past: &Past, changes: usize) -> bool {
    if options.yes || !question::is_possible() {
        return true;
    }
    let question = format!(
        "The run {} is done. Undo its {changes} change{}? (yes or no): ",
        past.header.run,
        if changes == 1 { "" } else { "s" }
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

/// Why a run is reopened.
#[derive(Clone, Copy)]
enum Purpose {
    /// To run its script again; true to repeat an interrupted step.
    Resume(bool),
    /// To undo its changes.
    Undo,
}

fn open(options: &Options, which: &Which, purpose: Purpose) -> Result<Opened, u8> {
    let failed = |why: String, status: u8| {
        Diagnostic::wrong_usage(why).report_plain(options);
        status
    };
    if rehearse::is_asked(options) {
        let why = "`virhai resume` and `virhai undo` change the hosts of the run: they cannot be rehearsed";
        return Err(failed(why.into(), WRONG_USAGE));
    }
    let (all, run) = find(options, which)?;
    let may_repeat = matches!(purpose, Purpose::Resume(true));
    let opened = Journal::reopen(&all, &run.name, may_repeat).map_err(|why| failed(why, FAILED))?;
    let mut past = opened.past;
    if opened.cut > 0 {
        eprintln!(
            "the last record in the journal of the run {} was incomplete: removed {} bytes",
            run.name, opened.cut
        );
    }
    let needs_script = match purpose {
        Purpose::Resume(_) => true,
        Purpose::Undo => past.changes.iter().any(virhai::needs_script),
    };
    let header = &mut past.header;
    if let Err(error) = std::env::set_current_dir(&header.folder)
        && needs_script
    {
        let why = format!(
            "cannot change to {}, the folder of the run: {error}",
            header.folder.display()
        );
        return Err(failed(why, FAILED));
    }
    let given = args::given();
    let line = command_of(header, purpose, needs_script, &given).map_err(|(why, hint)| {
        Diagnostic::wrong_usage(why)
            .with_hint(hint)
            .report_plain(options);
        FAILED
    })?;
    let args = Args::try_parse_from(args::insert_run_subcommand(line, &crate::inputs::declares))
        .map_err(|error| {
            let why = format!("cannot read the command line of the run: {error}");
            failed(why, FAILED)
        })?;
    let source = args.source().map_err(|why| failed(why, FAILED))?;
    let script = if !needs_script {
        // Recipes undo all changes, so the script may be gone.
        header.files = vec![journal::file(&header.script, "")];
        script::kept(&header.script, String::new(), Vec::new())
    } else if header.script == STANDARD_INPUT {
        let text = journal::script_of(&run.folder).map_err(|error| {
            let why = format!("cannot read the script of the run: {error}");
            failed(why, FAILED)
        })?;
        let args = match source {
            Source::Stdin(args) => args,
            _ => Vec::new(),
        };
        script::kept(STANDARD_INPUT, text, args)
    } else {
        script::read(source).map_err(|wrong| {
            wrong.report_plain(options);
            FAILED
        })?
    };
    let mut own = args.options.clone();
    own.take_over(options, &given);
    if own.connect.is_none() {
        own.connect = default_host(header).map_err(|why| {
            Diagnostic::wrong_usage(why)
                .with_hint("name the host with `-c URI`")
                .report_plain(options);
            FAILED
        })?;
    }
    Ok(Opened {
        journal: opened.journal,
        past,
        options: own,
        script,
    })
}

/// The command line of the run, without inputs that had a secret: those are given again. If another part had a secret
/// that is needed, the reason why the run cannot go on, and a hint.
fn command_of(
    header: &Header,
    purpose: Purpose,
    needs_script: bool,
    given: &dyn Fn(&str) -> bool,
) -> Result<Vec<OsString>, (String, String)> {
    let lost = |what: &str| format!("{what} of the run had a secret, which no journal contains");
    let mut left_out = HashSet::new();
    for &place in &header.hidden {
        let word = header.command.get(place).map_or("", String::as_str);
        let before = place
            .checked_sub(1)
            .and_then(|place| header.command.get(place));
        let before = before.map_or("", String::as_str);
        let has = |names: &[&str]| {
            let mut own = names.iter();
            own.any(|name| before == *name || word.starts_with(&format!("{name}=")))
        };
        let is_input = header.secrets.iter().any(|name| {
            let option = format!("--{}", name.replace('_', "-"));
            has(&[&option])
        });
        if has(&["-c", "--connect"]) {
            if !given("connect") {
                let hint = "give the URI again with `-c`".to_owned();
                return Err((lost("the URI"), hint));
            }
        } else if has(&["-e", "--eval"]) {
            if needs_script {
                let hint = "write a script with secrets to a file".to_owned();
                return Err((lost("the code"), hint));
            }
        } else if is_input || has(&["--allow-connect"]) {
            // Both are given again where they are needed.
            left_out.insert(place);
            if !word.starts_with("--") {
                left_out.insert(place - 1);
            }
        } else if matches!(purpose, Purpose::Resume(_)) {
            let hint = "declare a secret as an input of the type `secret`, and start a new run";
            return Err((lost("the command line"), hint.to_owned()));
        }
    }
    let words = header.command.iter().enumerate();
    let kept = words.filter(|(place, _)| !left_out.contains(place));
    Ok(kept.map(|(_, word)| word.into()).collect())
}

/// The host that `connect()` opened in the run: that of LIBVIRT_DEFAULT_URI then, which may be another one now.
fn default_host(header: &Header) -> Result<Option<String>, String> {
    let now = super::record::default_uri();
    if header.default_uri == now {
        return Ok(None);
    }
    match &header.default_uri {
        Some(uri) if !uri.contains(virhai::redact::HIDDEN) => Ok(Some(uri.clone())),
        Some(_) => Err(
            "LIBVIRT_DEFAULT_URI had a password when the run began, and is another host now".into(),
        ),
        None => Err("LIBVIRT_DEFAULT_URI was not set when the run began".into()),
    }
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
