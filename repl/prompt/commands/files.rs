//! `:history`, `:save`, `:load` and `:edit`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use virhai::{files, redact};

use super::Done;
use crate::prompt::input::outside;
use crate::prompt::transcript::{End, Entry};
use crate::prompt::{Prompt, hosts, runbook};
use crate::terminal;

/// The session's inputs with their numbers.
pub(super) fn history(prompt: &mut Prompt) -> Done {
    let entries = prompt.transcript.entries();
    let last = entries.last().map_or(0, |entry| entry.number);
    let width = last.to_string().len();
    let lines: Vec<String> = entries.iter().map(|entry| line(entry, width)).collect();
    if lines.is_empty() {
        return Err("this session has no inputs yet".into());
    }
    prompt.show(&lines.join("\n"));
    Ok(None)
}

fn line(entry: &Entry, width: usize) -> String {
    let mark = match entry.end {
        End::Ran { .. } => ' ',
        End::Failed { .. } => '!',
    };
    let indent = format!("\n{:width$}   ", "");
    let text = redact::hide(entry.text.trim());
    let text = terminal::script_text(&text).replace('\n', &indent);
    format!("{:width$} {mark} {text}", entry.number)
}

/// Writes the successful inputs as a runbook.
pub(super) fn save(prompt: &mut Prompt, arguments: &str) -> Done {
    let (over, file) = match arguments.strip_prefix('!') {
        Some(file) => (true, file.trim()),
        None => (false, arguments),
    };
    let (file, inputs) = file_and_inputs(file)?;
    if file.is_empty() {
        return Err("`:save FILE` needs a file".into());
    }
    let entries: Vec<Entry> = prompt
        .transcript
        .entries()
        .iter()
        .filter(|entry| {
            inputs
                .as_ref()
                .is_none_or(|inputs| inputs.contains(&entry.number))
        })
        .cloned()
        .collect();
    let ran = |entry: &Entry| matches!(entry.end, End::Ran { .. });
    if !entries.iter().any(ran) {
        return Err(match inputs {
            None => "this session has run no inputs yet".into(),
            Some(_) => "none of these inputs ran; `:history` lists them".into(),
        });
    }
    let host = hosts::current(prompt.worker.scope()).map_or_else(String::new, |conn| {
        format!(" on {}", redact::hide_uri(conn.uri()))
    });
    let connects = match prompt.connects {
        true => "\nlet conn = connect();\n",
        false => "",
    };
    let head =
        format!("//! Saved from a session{host}.\n//!\n//! Usage: virhai run {file}\n{connects}");
    let script = runbook::script(prompt.worker.engine(), &entries, &head);
    let path = path(file);
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(over)
        .create_new(!over)
        // Does not wait for a pipe without a reader.
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(&path)
        .and_then(|mut opened| opened.write_all(script.as_bytes()));
    match written {
        Ok(()) => {
            eprintln!("wrote {}", path.display());
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(format!(
            "{} already exists; `:save! {file}` overwrites it",
            path.display()
        )),
        Err(error) => Err(format!("cannot write {}: {error}", path.display())),
    }
}

/// The file, and the numbers of the inputs behind it, such as `40-43` or `7`.
fn file_and_inputs(arguments: &str) -> Result<(&str, Option<RangeInclusive<usize>>), String> {
    let Some((file, last)) = arguments.rsplit_once(char::is_whitespace) else {
        return Ok((arguments, None));
    };
    let (from, to) = last.split_once('-').unwrap_or((last, last));
    match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if from <= to => Ok((file.trim_end(), Some(from..=to))),
        (Ok(from), Ok(to)) => Err(format!(
            "`{from}-{to}` is not a range of inputs: its first number is larger than its last"
        )),
        _ => Ok((arguments, None)),
    }
}

/// Runs a file as if it were typed.
pub(super) fn load(prompt: &mut Prompt, file: &str) -> Done {
    if file.is_empty() {
        return Err("`:load FILE` needs a file".into());
    }
    let text = read(&path(file))?;
    Ok(prompt.evaluate(virhai::syntax::source::without_shebang(&text).trim_end()))
}

/// Opens the last input, or a file, in the user's editor, and runs the result.
pub(super) fn edit(prompt: &mut Prompt, file: &str) -> Done {
    let cannot = |error: std::io::Error| format!("no input was run: {error}");
    if !file.is_empty() {
        let path = path(file);
        outside::edit_file(&path).map_err(cannot)?;
        return match path.exists() {
            true => load(prompt, file),
            false => Ok(None),
        };
    }
    let last = prompt.transcript.entries().last();
    let text = last.map_or_else(String::new, |entry| entry.text.clone());
    let text = outside::edit(&text).map_err(cannot)?;
    let text = text.trim();
    if text.is_empty() {
        return Err("the input is empty: no input was run".into());
    }
    prompt.show(text);
    if !prompt.confirmed(text) {
        return Ok(None);
    }
    Ok(prompt.evaluate(text))
}

fn read(path: &Path) -> Result<String, String> {
    files::read_script(path).map_err(|error| {
        let why = files::reason(&error);
        format!("cannot read {}: {why}", path.display())
    })
}

/// A path as it was typed, where `~` is the user's home.
fn path(typed: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => typed.into(),
    }
}
