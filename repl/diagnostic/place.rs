//! Places in scripts: files, positions, and the text there.

use std::ops::Range;

use rhai::Position;
use virhai::check::Span;
use virhai::syntax::text::Text;

/// A stretch of a line in a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file, as positions call it.
    pub(super) file: String,
    /// The line, from 1; `None` if the place is unknown.
    pub(super) line: Option<usize>,
    /// The first character, from 1; `None` for the line itself.
    pub(super) column: Option<usize>,
    /// The number of characters; `None` for the token at the place.
    width: Option<usize>,
}

impl Place {
    /// The place of the token at `position` of `file`.
    pub(crate) fn new(file: impl Into<String>, position: Position) -> Self {
        Self {
            file: file.into(),
            line: position.line(),
            column: position.position(),
            width: None,
        }
    }

    /// The stretch `span` of `file`.
    pub(crate) fn of_span(file: impl Into<String>, span: Span) -> Self {
        Self {
            file: file.into(),
            line: Some(span.line),
            column: Some(span.column),
            width: Some(span.width),
        }
    }

    /// True if both begin at the same position.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        (self.line, self.column) == (other.line, other.column) && self.file == other.file
    }

    /// The line of `text`, the file's, that this is in: its number, the line, and the bytes of it.
    pub(super) fn excerpt<'t>(&self, text: &'t Text) -> Option<(usize, &'t str, Range<usize>)> {
        let number = self.line?;
        let column = self.column.unwrap_or(1).saturating_sub(1);
        let (_, line) = text.line(number)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let offset = text.column(number, column).min(line.len());
        let width = match self.width {
            Some(width) => width,
            None => text.token_width(number, column + 1),
        };
        let end = text.column(number, column + width).min(line.len());
        Some((number, line, offset..end))
    }
}

/// The maximum number of shown places of a trail.
pub(super) const SHOWN: usize = 8;

/// Keeps the ends of a long trail, such as a recursion leaves; returns how many places it took out.
pub(super) fn shorten(trail: &mut Vec<(String, Place)>) -> usize {
    let too_many = trail.len().saturating_sub(SHOWN);
    if too_many > 0 {
        trail.drain(SHOWN / 2..SHOWN / 2 + too_many);
    }
    too_many
}

#[cfg(test)]
mod tests {
    use virhai::syntax::lexer;

    use super::*;

    /// A failure underlines `token` at `column`, and so does a finding.
    fn underlined(text: &Text, column: u16, token: &str) {
        let position = Position::new(1, column);
        let span = Span::at(text, position);
        for place in [
            Place::new("main.rhai", position),
            Place::of_span("main.rhai", span),
        ] {
            let (_, line, bytes) = place.excerpt(text).expect("the line is there");
            assert_eq!(&line[bytes], token, "{place:?}");
        }
    }

    #[test]
    fn a_failure_and_a_finding_underline_the_same_token() {
        let text = Text::from("print(\"a\\\"b\" == 1.5, `ü ${\"}\"}`, 'c', #{ é: 1 });\n");
        for (column, token) in [
            (1, "print"),
            (7, "\"a\\\"b\""),
            (14, "=="),
            (17, "1.5"),
            (22, "`ü ${\"}\"}`"),
            (34, "'c'"),
            (39, "#{"),
            (42, "é"),
        ] {
            underlined(&text, column, token);
        }
    }

    #[test]
    fn each_token_of_a_line_is_underlined_as_the_lexer_has_it() {
        let line = "let a = [f(1.5, \"x\"), 0xff, 1..=2, b ?? #{ c: 'd' }]; // end";
        let text = Text::from(line);
        for token in lexer::code(line) {
            let (_, column) = text.line_and_column(token.span.start);
            underlined(
                &text,
                u16::try_from(column).expect("a short line"),
                token.of(line),
            );
        }
    }

    #[test]
    fn a_finding_beyond_the_columns_that_rhai_counts_keeps_its_place() {
        let text = Text::from(format!("{}x", " ".repeat(70_000)));
        let span = text.span(&(70_000..70_001));
        let (_, line, bytes) = Place::of_span("main.rhai", span)
            .excerpt(&text)
            .expect("the line is there");
        assert_eq!(&line[bytes], "x");
    }
}
