//! Places in scripts: files, positions, and the text that stands there.

use std::ops::Range;

use rhai::Position;
use virhai::text::Text;

/// A stretch of a line in a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file, as positions call it.
    pub(super) file: String,
    pub(super) position: Position,
    /// How many characters; nothing for the whole of what stands there.
    width: Option<usize>,
}

impl Place {
    /// What stands at `position` of `file`.
    pub(crate) fn new(file: impl Into<String>, position: Position) -> Self {
        Self {
            file: file.into(),
            position,
            width: None,
        }
    }

    /// The same with a known number of characters.
    pub(crate) fn with_width(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// Whether it begins where `other` does.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.position == other.position && self.file == other.file
    }

    /// The line of `text`, the file's, that this is in: its number, the line, and the bytes of it.
    pub(super) fn excerpt<'t>(&self, text: &'t Text) -> Option<(usize, &'t str, Range<usize>)> {
        let number = self.position.line()?;
        let column = self.position.position().unwrap_or(1).saturating_sub(1);
        let (_, line) = text.line(number)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let offset = text.column(number, column).min(line.len());
        let end = match self.width {
            Some(width) => text.column(number, column + width).min(line.len()),
            None => offset + token(&line[offset..]),
        };
        Some((number, line, offset..end))
    }
}

/// The bytes of the token that `line` begins with; Rhai knows it only as a point.
fn token(line: &str) -> usize {
    let is_name = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    let mut letters = line.chars();
    match letters.next() {
        Some(first) if is_name(&first) => {
            let rest = letters.take_while(is_name);
            first.len_utf8() + rest.map(char::len_utf8).sum::<usize>()
        }
        Some(quote @ ('"' | '`')) => line[1..].find(quote).map_or(line.len(), |end| end + 2),
        Some(other) => other.len_utf8(),
        None => 0,
    }
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
