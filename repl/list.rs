//! `virhai list`: the scripts of a folder, each with the first line of its comment.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

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
            Ok((text, path)) => entries.push(entry(&list.folder, &path, &text)),
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

fn entry(folder: &Path, path: &Path, text: &str) -> Entry {
    let docs = Outline::of(text).docs;
    let about = docs.lines().next().unwrap_or_default();
    let name = path.display().to_string();
    let inputs = Inputs::of(&Imports::default(), &name, text).ok().flatten();
    let keys = inputs.iter().flat_map(Inputs::keys);
    Entry {
        path: path
            .strip_prefix(folder)
            .unwrap_or(path)
            .display()
            .to_string(),
        about: redact::hide(about).into_owned(),
        inputs: keys.map(|key| key.name.clone()).collect(),
    }
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
