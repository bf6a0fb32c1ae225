//! `virhai list`: the scripts of a folder, each with the first line of its comment.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use virhai::files::scripts_below;
use virhai::runbook::inputs::Inputs;
use virhai::syntax::outline::Outline;
use virhai::{Imports, redact};

use crate::args::Options;
use crate::columns::{columns, fitted};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::output::print_line;
use crate::{script, terminal};

/// How long the inputs of a script are read at most.
const LONGEST: Duration = Duration::from_secs(2);

/// The characters of the longest comment that is listed.
const LONGEST_LINE: usize = 1_000;

/// The options of `virhai list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The folder
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

/// A script, with the first line of its comment and the names of its inputs.
struct Entry {
    path: String,
    about: String,
    inputs: Vec<String>,
}

/// Lists the scripts below the folder, and returns the exit status.
pub(crate) fn list(options: &Options, list: &List) -> u8 {
    if !list.folder.is_dir() {
        let why = format!("{} is not a folder", list.folder.display());
        Diagnostic::wrong_usage(why).report_plain(options);
        return WRONG_USAGE;
    }
    let mut status = DONE;
    let mut entries = Vec::new();
    for found in scripts_below(&list.folder) {
        let read = found
            .map_err(|(path, error)| {
                let why = format!("cannot list {}: {error}", path.display());
                Box::new(Diagnostic::plain(why))
            })
            .and_then(|path| Ok((script::text_of(&path)?, path)));
        match read {
            Ok((_, path)) if path.to_string_lossy().ends_with("_test.rhai") => {}
            Ok((text, path)) => {
                let (entry, in_time) = entry(&list.folder, &path, &text);
                if !in_time {
                    let why = format!(
                        "cannot list the inputs of {}: reading them takes too long",
                        path.display()
                    );
                    Diagnostic::plain(why).report_plain(options);
                    status = FAILED;
                }
                entries.push(entry);
            }
            Err(wrong) => {
                wrong.report_plain(options);
                status = FAILED;
            }
        }
    }
    match options.json {
        true => print_line(&as_json(&entries)),
        false => print(&entries),
    }
    status
}

/// The entry of a script, and whether its inputs were read in time.
fn entry(folder: &Path, path: &Path, text: &str) -> (Entry, bool) {
    let docs = Outline::docs_of(text);
    let about: String = docs
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(2 * LONGEST_LINE)
        .collect();
    let name = path.display().to_string();
    let inputs = Inputs::of_within(LONGEST, &Imports::default(), &name, text);
    let in_time = inputs.is_some();
    let inputs = inputs.and_then(Result::ok).flatten();
    let keys = inputs.iter().flat_map(Inputs::keys);
    let path = path.strip_prefix(folder).unwrap_or(path);
    let entry = Entry {
        path: path.display().to_string(),
        // A secret that is cut is not recognised, so it is hidden first.
        about: redact::hide(&about).chars().take(LONGEST_LINE).collect(),
        inputs: keys.map(|key| key.name.clone()).collect(),
    };
    (entry, in_time)
}

fn as_json(entries: &[Entry]) -> String {
    let entries = entries
        .iter()
        .map(|entry| json!({ "path": entry.path, "about": entry.about, "inputs": entry.inputs }));
    serde_json::Value::from_iter(entries).to_string()
}

fn print(entries: &[Entry]) {
    let widest = entries.iter().map(|entry| entry.path.chars().count()).max();
    let width = widest.unwrap_or_default();
    let room = std::io::stdout().is_terminal().then(columns);
    for entry in entries {
        let line = format!("{:width$}  {}", entry.path, entry.about);
        let line = terminal::visible_line(line.trim_end());
        match room {
            Some(room) => print_line(&fitted(&line, room)),
            None => print_line(&line),
        }
    }
}
