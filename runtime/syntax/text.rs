//! The text of a script with an index of its lines: every place in it as bytes, as line and column, and in UTF-16.

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use line_index::{LineCol, LineIndex, TextSize, WideEncoding, WideLineCol};
use rhai::Position;

use crate::syntax::lexer;
use crate::syntax::span::Span;

/// A text that is cheap to copy.
#[derive(Debug, Clone, Default)]
pub struct Text(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    text: String,
    index: OnceLock<LineIndex>,
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Arc::new(Inner {
            text,
            index: OnceLock::new(),
        }))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl Text {
    fn index(&self) -> &LineIndex {
        self.0.index.get_or_init(|| LineIndex::new(self))
    }

    /// The byte at which the line `number`, counted from 1, begins, and the line without its end.
    pub fn line(&self, number: usize) -> Option<(usize, &str)> {
        let index = u32::try_from(number.checked_sub(1)?).ok()?;
        let bytes = Range::<usize>::from(self.index().line(index)?);
        let line = &self[bytes.clone()];
        Some((bytes.start, line.strip_suffix('\n').unwrap_or(line)))
    }

    /// The byte within the line `number` at which its character `column`, counted from 0, begins; its end where it
    /// is shorter.
    pub fn column(&self, number: usize, column: usize) -> usize {
        let byte = self.byte(number.saturating_sub(1), column, WideEncoding::Utf32);
        match self.line(number) {
            Some((begin, _)) => byte - begin,
            None => 0,
        }
    }

    /// The byte at `position`; the end of its line if that is shorter.
    pub fn byte_at(&self, position: Position) -> Option<usize> {
        let line = position.line()?;
        let (begin, _) = self.line(line)?;
        let column = position.position().unwrap_or(1).saturating_sub(1);
        Some(begin + self.column(line, column))
    }

    /// The line and the column of a byte, both from 1; the column counts characters.
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let (line, column) = self.wide(byte, WideEncoding::Utf32);
        (line + 1, column + 1)
    }

    /// The number of the line, from 1, that a byte is in.
    pub fn line_of(&self, byte: usize) -> usize {
        self.line_and_column(byte).0
    }

    /// The position of a byte, as far as Rhai can count.
    pub fn position(&self, byte: usize) -> Position {
        let (line, column) = self.line_and_column(byte);
        match (u16::try_from(line), u16::try_from(column)) {
            (Ok(line), Ok(column)) => Position::new(line, column),
            _ => Position::NONE,
        }
    }

    /// The line and the column of a byte, both from 0; the column counts units of UTF-16, as editors do.
    pub fn utf16(&self, byte: usize) -> (usize, usize) {
        self.wide(byte, WideEncoding::Utf16)
    }

    /// The byte at a line and a column in UTF-16, both from 0; the end of the line if the line is
    /// shorter, and the end of the text if it has fewer lines.
    pub fn byte_at_utf16(&self, line: usize, column: usize) -> usize {
        self.byte(line, column, WideEncoding::Utf16)
    }

    /// The place of `bytes`, as far as they are in the line in which they begin.
    pub fn span(&self, bytes: &Range<usize>) -> Span {
        let (line, column) = self.line_and_column(bytes.start);
        let end = match self.line(line) {
            Some((begin, text)) => bytes.end.min(begin + text.len()),
            None => bytes.end,
        };
        let width = self.get(bytes.start..end).unwrap_or_default();
        Span {
            line,
            column,
            width: width.chars().count(),
        }
    }

    /// The number of characters of the token that begins in the column `column`, counted from 1, of the line `line`.
    pub fn token_width(&self, line: usize, column: usize) -> usize {
        let Some((_, text)) = self.line(line) else {
            return 0;
        };
        let rest = &text[self.column(line, column.saturating_sub(1))..];
        rest[..lexer::first_length(rest)].chars().count()
    }

    /// The line and the column of a byte, both from 0.
    fn wide(&self, byte: usize, encoding: WideEncoding) -> (usize, usize) {
        let mut byte = byte.min(self.len());
        while !self.is_char_boundary(byte) {
            byte -= 1;
        }
        let index = self.index();
        let place = u32::try_from(byte).ok();
        let place = place.and_then(|byte| index.try_line_col(TextSize::from(byte)));
        let place = place.and_then(|place| index.to_wide(encoding, place));
        place.map_or((0, 0), |place| (place.line as usize, place.col as usize))
    }

    /// The byte at a line and a column, both from 0.
    fn byte(&self, line: usize, column: usize, encoding: WideEncoding) -> usize {
        let Some((begin, text)) = self.line(line.saturating_add(1)) else {
            return self.len();
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let place = WideLineCol {
            line: number(line),
            col: number(column),
        };
        let place = self.index().to_utf8(encoding, place);
        let within = place.map_or(text.len(), |LineCol { col, .. }| col as usize);
        let mut byte = begin + within.min(text.len());
        // A column may be in the middle of a character that has two units.
        while !self.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use rhai::Position;

    use super::Text;

    #[test]
    fn places_are_those_that_counting_finds() {
        let long: String = "aü漢🦀".repeat(300);
        let text = Text::from(format!("let a = 1;\n\n{long}\nlast"));
        let lines: Vec<&str> = text.split('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let (begin, found) = text.line(index + 1).expect("there is such a line");
            assert_eq!(found, *line);
            assert_eq!(&text[begin..begin + line.len()], *line);
            for column in 0..line.chars().count() + 2 {
                let counted = line
                    .char_indices()
                    .nth(column)
                    .map_or(line.len(), |(at, _)| at);
                assert_eq!(text.column(index + 1, column), counted, "{index}:{column}");
            }
            for (column, (at, _)) in line.char_indices().enumerate() {
                let byte = begin + at;
                assert_eq!(text.line_and_column(byte), (index + 1, column + 1));
                let units = line[..at].encode_utf16().count();
                assert_eq!(text.utf16(byte), (index, units));
                assert_eq!(text.byte_at_utf16(index, units), byte);
                assert_eq!(text.byte_at(text.position(byte)), Some(byte));
            }
        }
        assert_eq!(text.line(lines.len() + 1), None);
        assert_eq!(text.line(0), None);
        assert_eq!(text.byte_at_utf16(0, 99), 10);
        assert_eq!(text.byte_at_utf16(99, 0), text.len());
        assert_eq!(Text::from("a\n").line(2), Some((2, "")));
        assert_eq!(Text::from("").line(1), Some((0, "")));
        assert_eq!(Text::from("").line_and_column(9), (1, 1));
        assert_eq!(text.token_width(1, 5), 1);
        assert_eq!(text.token_width(4, 1), 4);
    }

    #[test]
    fn a_span_ends_with_its_line() {
        let text = Text::from("ü = `a\nb`;\n");
        let span = text.span(&(5..9));
        assert_eq!((span.line, span.column, span.width), (1, 5, 2));
        assert_eq!(text.position(0), Position::new(1, 1));
    }
}
