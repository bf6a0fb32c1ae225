//! A wrong command line, as a diagnostic.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Diagnostic;
use crate::args::Args;
use virhai::advice::virsh;
use virhai::files;
use virhai::plain::plain_message;

impl Diagnostic {
    /// The diagnostic of a wrong command line; `None` if it asked for help.
    pub(crate) fn of_usage(error: &clap::Error) -> Option<Self> {
        let help = [
            ErrorKind::DisplayHelp,
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ErrorKind::DisplayVersion,
        ];
        if help.contains(&error.kind()) {
            return None;
        }
        let text = error.render().to_string();
        let mut parts = text.split("\n\n").map(one_line);
        let title = parts.next().unwrap_or_default();
        let title = title.strip_prefix("error: ").unwrap_or(&title);
        let diagnostic = Self::plain(plain_message(title)).of_kind("usage");
        let (mut tip, mut usage) = (None, None);
        for part in parts {
            if let Some(text) = part.strip_prefix("tip: ") {
                // Further tips are less likely ones.
                tip = text.split(" tip: ").next().map(plain_message);
            } else if part.starts_with("Usage: ") || part.starts_with('[') {
                usage = Some(part.replacen("Usage: ", "usage: ", 1));
            }
        }
        let diagnostic = match usage {
            Some(usage) => diagnostic.with_note(usage),
            None => diagnostic,
        };
        Some(diagnostic.with_hint(tip.unwrap_or_else(|| "see `virhai --help`".into())))
    }

    /// The hint for a command of virsh, `word` with the words after it, on the command line of virhai.
    pub(crate) fn hint_of_virsh(word: &str, words: &[String]) -> Option<String> {
        let command = virsh::first_word(word).filter(|command| {
            command.name == word && command.has_counterpart() && !command.is_of_the_prompt()
        })?;
        // `virhai events` is meant by `virhai event`.
        if Args::command()
            .find_subcommand(format!("{word}s"))
            .is_some()
        {
            return None;
        }
        let name = command.in_words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match command.code(&words, &|_| false) {
            Ok(code) => {
                let code = code.replace("conn.", "connect().").replace('\'', r"'\''");
                format!(
                    "{name} is `virhai -e '{code}'` here; the prompt, `virhai` alone, takes virsh's commands"
                )
            }
            Err(unknown) => {
                format!(
                    "`{unknown}` after {name} has no translation; `virhai doc {word}` explains the command"
                )
            }
        })
    }

    /// The same for a command line that only this program finds wrong.
    pub(crate) fn wrong_usage(message: impl Into<String>) -> Self {
        Self::plain(message).of_kind("usage")
    }

    /// A file or a folder that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let why = files::reason(error);
        let diagnostic = Self::wrong_usage(format!("cannot read {}: {why}", path.display()));
        if let Some(command) = command_like(path) {
            return diagnostic.with_hint(format!("did you mean the command `{command}`?"));
        }
        match beside(path).filter(|_| error.kind() == std::io::ErrorKind::NotFound) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{}`?", near.display())),
            None => diagnostic,
        }
    }
}

/// The command of virhai that was most likely meant by a file's name.
fn command_like(path: &Path) -> Option<String> {
    let word = path.to_str().filter(|word| !word.contains(['.', '/']))?;
    let command = Args::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let near = virhai::suggest::nearest(word, names.into_iter())?;
    Some(near.to_owned())
}

/// The script in the folder of `path` whose name is nearest to that of `path`.
fn beside(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    // A link of that very name leads nowhere.
    if names.iter().any(|name| name == wanted) {
        return None;
    }
    let near = virhai::suggest::nearest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
