//! The text of a script before it is compiled.

use std::borrow::Cow;

use rhai::{Engine, Position};

/// The script without the line that Unix reads or the mark of its encoding, and all positions as
/// they were.
pub fn without_shebang(text: &str) -> Cow<'_, str> {
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        return Cow::Owned(format!(" {rest}"));
    }
    match text.strip_prefix("#!") {
        // A third slash, from the path, would make it a doc comment.
        Some(rest) => Cow::Owned(format!("// {rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Whether a comment in `text`, which compiles, has no end; the parser takes it for a whole one
/// and drops the rest of the script.
pub fn ends_in_comment(engine: &Engine, text: &str) -> bool {
    // A parenthesis too many is an error, unless it disappears in the comment as well.
    text.contains("/*") && engine.compile(format!("{text}\n)")).is_ok()
}

/// Where the last block comment of `text` begins.
pub(crate) fn last_comment(text: &str) -> Position {
    position(text, text.rfind("/*").unwrap_or_default())
}

/// The position of the byte `offset` of `text`, as far as Rhai can count.
pub fn position(text: &str, offset: usize) -> Position {
    let (line, column) = line_and_column(text, offset);
    match (u16::try_from(line), u16::try_from(column)) {
        (Ok(line), Ok(column)) => Position::new(line, column),
        _ => Position::NONE,
    }
}

/// The line and the column, both from 1, of the byte `offset` of `text`.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_begin = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_begin..].chars().count() + 1,
    )
}

/// The number of characters of the first token of `line`.
pub(crate) fn token_at(line: &str) -> usize {
    let mut letters = line.chars().peekable();
    let is_name = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    let Some(first) = letters.next() else {
        return 0;
    };
    match first {
        _ if is_name(&first) => 1 + letters.take_while(is_name).count(),
        '"' | '`' => {
            let mut width = 1;
            let mut escaped = false;
            for letter in letters {
                width += 1;
                match letter {
                    _ if escaped => escaped = false,
                    '\\' if first == '"' => escaped = true,
                    _ if letter == first => break,
                    _ => {}
                }
            }
            width
        }
        _ => {
            let rest: String = std::iter::once(first).chain(letters.take(2)).collect();
            let operator = OPERATORS
                .iter()
                .find(|operator| rest.starts_with(**operator));
            operator.map_or(1, |operator| operator.len())
        }
    }
}

/// Rhai's operators of several letters, the longer ones first.
const OPERATORS: &[&str] = &[
    "**=", "..=", "<<=", ">>=", "==", "!=", "<=", ">=", "&&", "||", "??", "**", "..", "<<", ">>",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "?.",
];

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::ends_in_comment;

    #[test]
    fn a_comment_without_an_end_is_told_from_text_that_looks_like_one() {
        let engine = Engine::new();
        assert!(ends_in_comment(&engine, "1; /* and so on"));
        assert!(ends_in_comment(&engine, "1; /* a /* b */"));
        for whole in ["/* a */ 1", "`${1}/*`", "\"/*\"", "1 // /*"] {
            assert!(!ends_in_comment(&engine, whole), "{whole}");
        }
    }
}
