//! Text in the form of other languages: `${name}` between double quotes, where nothing is inserted, and `"""text"""`.

use rhai::Position;

use super::Code;
use super::walk::Walk;

/// Reports text between three quotes: two quotes within text are one quote of it.
pub(super) fn check_quotes(walk: &mut Walk, text: &str, position: Position) {
    let source = &walk.file.text;
    let Some(begin) = source.byte_at(position) else {
        return;
    };
    let is_tripled = source[begin..].starts_with("\"\"\"");
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return;
    };
    if !is_tripled {
        return;
    }
    let message = "the text begins and ends with a quote".to_owned();
    walk.find(Code::TripleQuotes, position, message).hint = Some(format!(
        "write {inner:?}, or `\"\\\"...\\\"\"` for text with quotes; text over several lines is written in backquotes"
    ));
}

/// Reports text in double quotes with `${name`, if `name` is a variable in sight.
pub(super) fn check(walk: &mut Walk, text: &str, position: Position) {
    let meant = text.split("${").skip(1).find_map(|rest| {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = rest.find(|letter| !is_part(letter))?;
        let (name, follows) = rest.split_at(end);
        let inserts = follows.starts_with(['}', '.', '[']);
        (inserts && walk.scope.has(name)).then_some(name)
    });
    let Some(name) = meant else { return };
    walk.scope.read(name);
    let message = format!("text in double quotes does not insert the value of `{name}`");
    walk.find(Code::NotInserted, position, message).hint =
        Some("use backquotes in place of the double quotes".to_owned());
}
