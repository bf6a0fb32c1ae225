//! Places in a text: as editors count them, in UTF-16, as the language does, in characters, and as
//! bytes.

use std::ops::Range;

use lsp_types::{Position, Range as Stretch};
use virhai::check::Span;
use virhai::text::Text;

/// The byte of `text` at an editor's position; the end of its line where that is shorter.
pub(super) fn byte(text: &str, position: Position) -> usize {
    let Some(begin) = line_begin(text, position.line as usize) else {
        return text.len();
    };
    let line = text[begin..].split('\n').next().unwrap_or_default();
    let mut units = 0;
    for (offset, letter) in line.char_indices() {
        if units >= position.character as usize {
            return begin + offset;
        }
        units += letter.len_utf16();
    }
    begin + line.len()
}

/// An editor's position of the byte `offset` of `text`.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: number(before.matches('\n').count()),
        character: number(before[begin..].encode_utf16().count()),
    }
}

/// An editor's stretch of the bytes `bytes` of `text`.
pub(super) fn stretch(text: &str, bytes: &Range<usize>) -> Stretch {
    Stretch::new(position(text, bytes.start), position(text, bytes.end))
}

/// An editor's stretch of what a check found in `text`.
pub(super) fn of_span(text: &Text, span: Span) -> Stretch {
    let line = text.line(span.line).map(|(_, line)| line);
    let Some(line) = line else {
        return stretch(text, &(text.len()..text.len()));
    };
    let first = span.column.saturating_sub(1);
    let place = |column: usize| {
        let before = &line[..text.column(span.line, column)];
        Position::new(number(span.line - 1), number(before.encode_utf16().count()))
    };
    Stretch::new(place(first), place(first + span.width))
}

/// The byte at which the line `number`, counted from 0, begins.
fn line_begin(text: &str, number: usize) -> Option<usize> {
    match number {
        0 => Some(0),
        _ => text
            .match_indices('\n')
            .nth(number - 1)
            .map(|(at, _)| at + 1),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;
    use virhai::check::Span;

    use super::{byte, of_span, position};

    const TEXT: &str = "let a = 1;\nlet 🦀é = \"x\";\n";

    #[test]
    fn places_are_the_same_both_ways() {
        for (offset, _) in TEXT.char_indices() {
            assert_eq!(byte(TEXT, position(TEXT, offset)), offset);
        }
        assert_eq!(
            position(TEXT, TEXT.find('é').expect("it is there")),
            Position::new(1, 6)
        );
        assert_eq!(byte(TEXT, Position::new(1, 99)), TEXT.len() - 1);
        assert_eq!(byte(TEXT, Position::new(9, 0)), TEXT.len());
    }

    #[test]
    fn what_is_found_is_shown_in_the_units_of_editors() {
        let span = Span {
            line: 2,
            column: 6,
            width: 1,
        };
        let stretch = of_span(&TEXT.into(), span);
        assert_eq!(stretch.start, Position::new(1, 6));
        assert_eq!(stretch.end, Position::new(1, 7));
        let beyond = Span {
            line: 7,
            column: 1,
            width: 3,
        };
        assert_eq!(
            of_span(&TEXT.into(), beyond).start,
            position(TEXT, TEXT.len())
        );
    }
}
