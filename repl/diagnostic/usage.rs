//! A command line that makes no sense, as a diagnostic.

use clap::error::ErrorKind;

use super::Diagnostic;
use super::words::plain_message;

impl Diagnostic {
    /// What is wrong with the command line; nothing where help was asked for.
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
                tip = Some(plain_message(text));
            } else if part.starts_with("Usage: ") || part.starts_with('[') {
                usage = Some(part.replacen("Usage: ", "usage: ", 1));
            }
        }
        let diagnostic = match usage {
            Some(usage) => diagnostic.with_note(usage),
            None => diagnostic,
        };
        Some(diagnostic.with_hint(tip.unwrap_or_else(|| "`virhai --help` tells more".into())))
    }

    /// The same for a command line that only this program finds wrong.
    pub(crate) fn wrong_usage(message: impl Into<String>) -> Self {
        Self::plain(message).of_kind("usage")
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
