//! Positions of text in the rows of the terminal, by the editor's count.

use rustyline::GraphemeClusterMode;
use terminal_size::{Width, terminal_size};

/// The columns between two tab stops.
const TAB: usize = 8;

/// The terminal's present number of columns.
pub(crate) fn columns() -> usize {
    match terminal_size() {
        Some((Width(columns), _)) if columns > 0 => columns.into(),
        _ => 80,
    }
}

/// The column after `text`, which begins in the first one of a row of `columns`; 0 if the text
/// fills its last row.
pub(crate) fn column_after(text: &str, columns: usize) -> usize {
    let mut column = 0;
    for letter in text.chars() {
        column = match letter {
            '\n' => 0,
            '\t' => next_column(column, TAB - column % TAB, columns),
            letter => next_column(column, width(letter), columns),
        };
    }
    column % columns.max(1)
}

/// The column after a letter of that width; `columns` if it fills the row.
fn next_column(column: usize, width: usize, columns: usize) -> usize {
    match column + width {
        next if next > columns => width,
        next => next,
    }
}

/// Cuts `text` to `room` columns; a cut text ends with an ellipsis.
pub(crate) fn fitted(text: &str, room: usize) -> String {
    let mut left = room;
    for (at, letter) in text.char_indices() {
        let width = width(letter);
        if width > left {
            let mut kept = text[..at].to_owned();
            while total(&kept) >= room && kept.pop().is_some() {}
            kept.push('…');
            return kept;
        }
        left -= width;
    }
    text.to_owned()
}

/// `text` with line breaks between words, so that no word goes on in the next row of `columns`.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = total(word);
        // A word that is longer than a row begins where it is.
        if column > 0 && column + 1 + length > columns && length <= columns {
            lines.push('\n');
            column = length;
        } else {
            if column > 0 {
                lines.push(' ');
                column += 1;
            }
            column += length;
        }
        lines.push_str(word);
    }
    lines
}

/// The number of columns that `text` takes in one row.
pub(crate) fn total(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(letter: char) -> usize {
    GraphemeClusterMode::WcWidth
        .width(letter.encode_utf8(&mut [0; 4]))
        .into()
}

#[cfg(test)]
mod tests {
    use super::{column_after, fitted, wrapped};

    #[test]
    fn lines_break_between_words() {
        for (text, expected) in [
            ("a bc def", "a bc\ndef"),
            ("abcde f", "abcde\nf"),
            ("a bcdefg h", "a bcdefg\nh"),
            ("", ""),
        ] {
            assert_eq!(wrapped(text, 5), expected);
        }
    }

    #[test]
    fn text_goes_on_in_the_next_row() {
        for (text, column) in [
            ("", 0),
            ("abc", 3),
            ("abcde", 0),
            ("abcdef", 1),
            ("ab\nc", 1),
            ("abcde\n", 0),
            ("abcd中", 2),
            ("abc中", 0),
            ("e\u{301}", 1),
        ] {
            assert_eq!(column_after(text, 5), column, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(fitted("abc", 3), "abc");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(fitted("中中", 4), "中中");
        assert_eq!(fitted("中中", 3), "中…");
        assert_eq!(fitted("abc", 1), "…");
    }
}
