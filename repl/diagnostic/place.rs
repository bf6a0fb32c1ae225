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
        let width = match self.width {
            Some(width) => width,
            None => text.token_width(self.position),
        };
        let end = text.column(number, column + width).min(line.len());
        Some((number, line, offset..end))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_underlines_the_token_that_the_check_underlines() {
        let text = Text::from("print(\"a\\\"b\" == 1);\n");
        for (column, token) in [(7, "\"a\\\"b\""), (14, "=="), (1, "print")] {
            let position = Position::new(1, column);
            let (_, line, bytes) = Place::new("main.rhai", position)
                .excerpt(&text)
                .expect("the line is there");
            assert_eq!(&line[bytes], token);
            assert_eq!(text.token_width(position), token.chars().count());
        }
    }
}
