//! Places in scripts: files, positions, and the text that stands there.

use rhai::Position;
use virhai::Imports;

/// A position in a file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) position: Position,
}

impl Place {
    /// Where an error that happened at `position` of `file` is in the text as it was written.
    pub(super) fn of_error(imports: &Imports, file: &str, position: Position) -> Self {
        Self {
            file: file.to_owned(),
            position: imports.as_written(file, position),
        }
    }
}

/// The bytes of the token at `position`, which Rhai knows only as a point.
pub(super) fn span(text: &str, position: Position) -> Option<std::ops::Range<usize>> {
    let line_number = position.line()?;
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line_number - 1)
        .map(str::len)
        .sum();
    let line = text.get(line_start..)?.lines().next().unwrap_or_default();
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    let rest = &line[offset..];
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let length = match rest.chars().next() {
        Some(first) if is_name(first) => rest
            .chars()
            .take_while(|letter| is_name(*letter))
            .map(char::len_utf8)
            .sum(),
        Some(quote @ ('"' | '`')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        Some(other) => other.len_utf8(),
        None => 0,
    };
    let start = line_start + offset;
    Some(start..start + length)
}

/// How many places of a trail are worth showing.
pub(super) const SHOWN: usize = 8;

/// Keeps the ends of a long trail, such as a recursion leaves; answers how many places it took out.
pub(super) fn shorten(trail: &mut Vec<(String, Place)>) -> usize {
    let too_many = trail.len().saturating_sub(SHOWN);
    if too_many > 0 {
        trail.drain(SHOWN / 2..SHOWN / 2 + too_many);
    }
    too_many
}
