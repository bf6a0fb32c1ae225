//! Rhai's messages in this program's words.

use rhai::{Array, Dynamic, Map};

use crate::show;

/// The error of `parallel`, with a line for each failure.
pub(super) fn failures(list: &Array) -> Option<Vec<String>> {
    let line = |failure: &Dynamic| {
        let failure = failure.read_lock::<Map>()?;
        let (item, error) = (failure.get("item")?, failure.get("error")?);
        let error = match error.is_string() {
            true => error.to_string(),
            false => show::quoted(error),
        };
        Some(format!("{}: {error}", show::quoted(item)))
    };
    list.iter()
        .map(line)
        .collect::<Option<Vec<_>>>()
        .filter(|lines| !lines.is_empty())
}

/// The first line of libvirt's message about XML, and the other lines without the excerpt that
/// marks the error.
pub(super) fn words_about_xml(message: &str) -> (String, Vec<String>) {
    let mut lines: Vec<&str> = message.lines().map(str::trim_end).collect();
    let pointer =
        |line: &str| line.ends_with('^') && line.trim_end_matches('^').bytes().all(|b| b == b'-');
    if let Some(at) = lines.iter().position(|line| pointer(line)) {
        lines.drain(at.saturating_sub(1).max(1)..=at);
    }
    let mut lines = lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(str::to_owned);
    let title = lines.next().unwrap_or_default();
    (title, lines.collect())
}

/// The alias and the name in the signature of a function of an imported file.
pub(super) fn qualified(signature: &str) -> Option<(&str, &str)> {
    let name = signature.split([' ', '(']).next()?;
    let (alias, name) = name.split_once("::")?;
    (!name.contains("::")).then_some((alias, name))
}
