//! `virhai doc` and `virhai definitions`: the reference of the calls for scripts.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Args;
use rhai::Engine;
use virhai::catalog::Catalog;
use virhai::engine::{self, Limits};
use virhai::reference::{self, Reference};
use virhai::{Imports, Rule, Session, SessionOptions, suggest};

use crate::args::Options;
use crate::columns::columns;
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED, WRONG_USAGE};
use crate::output::print_line;

/// Arguments of `virhai doc`.
#[derive(Debug, Args)]
pub(crate) struct Doc {
    /// A function, a type, a constant, a recipe (`create`, `Domain.create`,
    /// `VIR_DOMAIN_START_PAUSED`, `std/guest`), or a folder of scripts
    #[arg(value_name = "NAME|FOLDER")]
    what: Option<String>,

    /// Print everything as Markdown
    #[arg(long, conflicts_with = "html")]
    markdown: bool,

    /// Write everything to FILE as one HTML page with search
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Arguments of `virhai definitions`.
#[derive(Debug, Args)]
pub(crate) struct Definitions {
    /// Folder for the files, created if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the requested description and returns the exit status.
pub(crate) fn doc(all: &Options, options: &Doc) -> u8 {
    let engine = engine();
    let folder = options.what.as_deref().map(Path::new);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        let (reference, faults) = reference::of_folder(&engine, folder);
        for fault in &faults {
            Diagnostic::plain(fault.to_string()).report_plain(all);
        }
        let status = written(all, options, &reference);
        return if faults.is_empty() { status } else { FAILED };
    }
    let catalog = Catalog::new(&engine);
    let Some(name) = &options.what else {
        return match options.markdown || options.html.is_some() {
            true => written(all, options, &Reference::of(&catalog)),
            false => {
                print_line(&contents(&Reference::of(&catalog)));
                DONE
            }
        };
    };
    if options.markdown || options.html.is_some() {
        let message = format!("{name} is not a folder");
        Diagnostic::wrong_usage(message)
            .with_hint("`--markdown` and `--html` need a folder, or no argument for everything")
            .report_plain(all);
        return WRONG_USAGE;
    }
    if let Some(text) = reference::help(&catalog, name) {
        let terminal = std::io::stdout().is_terminal();
        print_line(&reference::wrapped(&text, terminal.then(columns)));
        return DONE;
    }
    let hint = near(&catalog, name).unwrap_or_else(|| "`virhai doc` lists all names".into());
    Diagnostic::plain(format!(
        "virhai has no function, type, constant or recipe called `{name}`"
    ))
    .with_hint(hint)
    .report_plain(all);
    FAILED
}

/// Writes the definitions and returns the exit status.
pub(crate) fn definitions(all: &Options, options: &Definitions) -> u8 {
    let catalog = Catalog::new(&engine());
    for file in reference::definitions(&catalog) {
        let path = options.folder.join(&file.path);
        let folder = path.parent().unwrap_or(&options.folder);
        let done =
            std::fs::create_dir_all(folder).and_then(|()| virhai::files::write(&path, &file.text));
        if let Err(error) = done {
            Diagnostic::plain(format!("cannot write {}: {error}", path.display()))
                .report_plain(all);
            return FAILED;
        }
    }
    DONE
}

/// An engine without a host, whose functions are read.
pub(crate) fn engine() -> Engine {
    let session = Session::new(SessionOptions::default());
    engine::build(&session, &Limits::default(), Imports::default())
}

/// The rule that `text` describes.
pub(crate) fn rule(text: &str) -> Result<Rule, String> {
    static NAMES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let catalog = Catalog::new(&engine());
        let functions = catalog.functions().iter();
        let pairs = functions.flat_map(|function| {
            let calls = function.calls();
            calls.map(|call| (call.to_owned(), function.name.clone()))
        });
        pairs.collect()
    });
    Rule::parse(text, virhai::classified_calls(), names)
}

fn written(all: &Options, options: &Doc, reference: &Reference) -> u8 {
    let Some(file) = &options.html else {
        print_line(reference::markdown(reference).trim_end());
        return DONE;
    };
    if let Err(error) = virhai::files::write(file, reference::html(reference)) {
        Diagnostic::plain(format!("cannot write {}: {error}", file.display())).report_plain(all);
        return FAILED;
    }
    DONE
}

/// The names of all parts, group by group.
fn contents(reference: &Reference) -> String {
    let mut text = format!("{}\n\n{}", reference.title, reference.docs);
    let mut group = "";
    // The titles of the guide are long, and its files are in `docs/`.
    for part in reference.parts.iter().filter(|part| !part.is_chapter()) {
        if part.group != group {
            group = part.group;
            text.push_str(&format!("\n\n{group}\n "));
        }
        match part.name == part.group {
            true => {
                let names: Vec<&str> = part
                    .entries
                    .iter()
                    .map(|entry| entry.name.as_str())
                    .collect();
                text.push_str(&format!(" {}", names.join(" ")));
            }
            false => text.push_str(&format!(" {}", part.name)),
        }
    }
    text.push_str("\n\n`virhai doc NAME` shows more about each.");
    text
}

/// The name that was most likely meant.
fn near(catalog: &Catalog, name: &str) -> Option<String> {
    let reference = Reference::of(catalog);
    let parts = reference.parts.iter().map(|part| part.name.as_str());
    let entries = reference.parts.iter().flat_map(|part| &part.entries);
    let names = parts.chain(entries.map(|entry| entry.name.as_str()));
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    let near = suggest::nearest(last, names)?;
    Some(format!("did you mean `{near}`?"))
}
