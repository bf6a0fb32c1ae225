//! Places in a text as editors count them: lines from 0, columns in UTF-16.

use std::ops::Range;

use lsp_types::{Position, Range as Stretch};
use virhai::check::Span;
use virhai::syntax::text::Text;

/// The byte of `text` at an editor's position; the end of its line if that is shorter.
pub(super) fn byte(text: &Text, position: Position) -> usize {
    text.byte_at_utf16(position.line as usize, position.character as usize)
}

/// An editor's position of the byte `byte` of `text`.
pub(super) fn position(text: &Text, byte: usize) -> Position {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (line, column) = text.utf16(byte);
    Position::new(number(line), number(column))
}

/// An editor's range of the bytes `bytes` of `text`.
pub(super) fn stretch(text: &Text, bytes: &Range<usize>) -> Stretch {
    Stretch::new(position(text, bytes.start), position(text, bytes.end))
}

/// An editor's range of a finding's place in `text`.
pub(super) fn of_span(text: &Text, span: Span) -> Stretch {
    let Some((begin, _)) = text.line(span.line) else {
        return stretch(text, &(text.len()..text.len()));
    };
    let first = span.column.saturating_sub(1);
    let byte = |column: usize| begin + text.column(span.line, column);
    stretch(text, &(byte(first)..byte(first + span.width)))
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;
    use virhai::check::Span;
    use virhai::syntax::text::Text;

    use super::{byte, of_span, position};

    const TEXT: &str = "let a = 1;\nlet 🦀é = \"x\";\n";

    #[test]
    fn places_are_the_same_both_ways() {
        let text = Text::from(TEXT);
        for (offset, _) in TEXT.char_indices() {
            assert_eq!(byte(&text, position(&text, offset)), offset);
        }
        assert_eq!(
            position(&text, TEXT.find('é').expect("it is there")),
            Position::new(1, 6)
        );
        assert_eq!(byte(&text, Position::new(1, 99)), TEXT.len() - 1);
        assert_eq!(byte(&text, Position::new(9, 0)), TEXT.len());
    }

    #[test]
    fn findings_are_shown_in_the_units_of_editors() {
        let text = Text::from(TEXT);
        let span = Span {
            line: 2,
            column: 6,
            width: 1,
        };
        let stretch = of_span(&text, span);
        assert_eq!(stretch.start, Position::new(1, 6));
        assert_eq!(stretch.end, Position::new(1, 7));
        let beyond = Span {
            line: 7,
            column: 1,
            width: 3,
        };
        assert_eq!(of_span(&text, beyond).start, position(&text, TEXT.len()));
    }
}
