//! `--report`: writes a report of a run to a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use virhai::runbook::journal::{self, End, Journal, Past};
use virhai::runbook::report;
use virhai::{files, redact};

use super::record::minimal_header;
use super::traces;
use crate::args::{Args, Command, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};

/// The maximum number of remembered errors: a prompt can have any number.
const MOST_ERRORS: usize = 20;

/// The formats of a report.
#[derive(Debug, Clone, Copy)]
enum Form {
    Html,
    Json,
    Junit,
}

/// A file to write a report to.
#[derive(Debug, Clone)]
pub(crate) struct ReportFile {
    path: PathBuf,
    form: Form,
}

/// The file `text` for a report; the end of its name chooses the format.
pub(crate) fn report_file(text: &str) -> Result<ReportFile, String> {
    let ending = Path::new(text).extension().and_then(|end| end.to_str());
    let form = match ending {
        Some("html") => Form::Html,
        Some("json") => Form::Json,
        Some("xml") => Form::Junit,
        _ => return Err("the name must end in .html, .json or .xml (JUnit)".into()),
    };
    named(text, form)
}

/// The file `text` for an HTML page; its name can have any end.
pub(super) fn page_file(text: &str) -> Result<ReportFile, String> {
    named(text, Form::Html)
}

/// An absolute path: a run can change the current folder.
fn named(text: &str, form: Form) -> Result<ReportFile, String> {
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    Ok(ReportFile { path, form })
}

impl ReportFile {
    /// Writes the report. `alive` says whether a process works on the run.
    fn write(&self, past: &Past, alive: bool) -> Result<(), String> {
        let text = match self.form {
            Form::Html => report::html(past, alive),
            Form::Json => report::json(past, alive).to_string() + "\n",
            Form::Junit => report::junit(past, alive)?,
        };
        files::replace(&self.path, text).map_err(|error| files::reason(&error))
    }

    /// Writes the report, or reports why that is not possible. Returns whether it was written.
    pub(super) fn is_written(&self, options: &Options, past: &Past, alive: bool) -> bool {
        let written = self.write(past, alive);
        if let Err(why) = &written {
            self.cannot_write(why).report_plain(options);
        }
        written.is_ok()
    }

    fn cannot_write(&self, why: &str) -> Diagnostic {
        Diagnostic::plain(format!(
            "cannot write the report {}: {why}",
            self.path.display()
        ))
    }
}

/// The data for a report besides the command line; copies share it.
#[derive(Clone, Default)]
pub(crate) struct Reporting(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    journal: Option<Journal>,
    errors: Vec<String>,
    undoes: bool,
}

impl std::fmt::Debug for Reporting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Reporting")
    }
}

impl Reporting {
    fn with<T>(&self, use_it: impl FnOnce(&mut Known) -> T) -> T {
        use_it(&mut self.0.lock())
    }

    /// Builds the report from `journal`. If the process `undoes` the run, the report has the recorded end of the run.
    pub(crate) fn follow(&self, journal: &Journal, undoes: bool) {
        self.with(|known| {
            known.journal = Some(journal.clone());
            known.undoes = undoes;
        });
    }

    /// Remembers an error that was reported.
    pub(crate) fn add_error(&self, text: &str) {
        self.with(|known| {
            if known.errors.len() < MOST_ERRORS {
                known.errors.push(redact::without_kept(text).into_owned());
            }
        });
    }

    /// The errors that were reported.
    pub(crate) fn errors(&self) -> Option<String> {
        let errors = self.with(|known| known.errors.join("\n\n"));
        (!errors.is_empty()).then_some(errors)
    }
}

/// Checks that the reports that the command line asks for can be written. Old files stay until then.
///
/// # Errors
///
/// The exit status, after the reason was reported.
pub(crate) fn prepare(args: &Args) -> Result<(), u8> {
    let options = &args.options;
    if options.report.is_empty() {
        return Ok(());
    }
    let refuse = |wrong: Diagnostic| {
        wrong.report_plain(options);
        Err(WRONG_USAGE)
    };
    let is_prompt = || matches!(args.source(), Ok(Source::Prompt));
    let wrong = match &args.command {
        Some(Command::Run { .. } | Command::Resume(_) | Command::Undo(_) | Command::Show(_)) => {
            None
        }
        None if !is_prompt() => None,
        _ => Some("`--report` works only with scripts and with `virhai resume`, `undo` and `show`"),
    };
    let wrong = wrong.or(match options.rehearse || options.against.is_some() {
        true => Some("a rehearsal prints a plan and has no report"),
        false => None,
    });
    let wrong = wrong.or(match options.no_journal {
        true => Some("`--report` needs the journal: remove `--no-journal`"),
        false => None,
    });
    if let Some(wrong) = wrong {
        return refuse(Diagnostic::wrong_usage(wrong));
    }
    if journal::of_all_runs().is_none() {
        return super::folder(options).map(drop);
    }
    for file in &options.report {
        if let Err(error) = files::check_writable(&file.path) {
            return refuse(file.cannot_write(&files::reason(&error)));
        }
    }
    Ok(())
}

/// Writes the reports of the run of the script `name`, which ended with that exit status. Returns the exit status.
pub(crate) fn write(options: &Options, name: &str, status: u8) -> u8 {
    if options.report.is_empty() && !traces::are_wanted() {
        return status;
    }
    let (journal, undoes) = options
        .reporting
        .with(|known| (known.journal.clone(), known.undoes));
    let past = journal.and_then(|journal| journal.past().ok());
    // A rehearsal and a script that does not compile have no trace.
    let has_trace = past.is_some() && !undoes && traces::are_wanted();
    let mut past = past.unwrap_or_else(|| Past::new(minimal_header(name)));
    if past.end.is_none() && !undoes {
        let message = match status {
            DONE => None,
            _ => options.reporting.errors(),
        };
        past.end = Some(End {
            status,
            error: message
                .as_ref()
                .and_then(|text| Some(text.lines().next()?.to_owned())),
            message,
            time: Timestamp::now(),
            undone: past.undone,
        });
    }
    if has_trace && let Err(why) = traces::send(&past) {
        Diagnostic::plain(format!("cannot send the trace of the run: {why}")).report_plain(options);
    }
    let written = options
        .report
        .iter()
        .map(|file| file.is_written(options, &past, false));
    match (written.fold(true, |all, one| all & one), status) {
        (false, DONE) => FAILED,
        _ => status,
    }
}
