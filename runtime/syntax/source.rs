//! The text of a script before it is compiled.

use std::borrow::Cow;

use crate::syntax::lexer::{self, TokenClass};

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

/// The beginning of an unclosed comment that ends `text`; the parser takes it for a complete one and drops the rest of
/// the script.
pub fn open_comment(text: &str) -> Option<usize> {
    if !text.contains("/*") {
        return None;
    }
    let last = lexer::tokens(text).pop()?;
    matches!(last.class, TokenClass::Comment { open: true }).then_some(last.span.start)
}

#[cfg(test)]
mod tests {
    use super::open_comment;

    #[test]
    fn a_comment_without_an_end_is_told_from_text_that_looks_like_one() {
        assert_eq!(open_comment("1; /* and so on"), Some(3));
        assert_eq!(open_comment("1; /* a /* b */"), Some(3));
        for whole in ["/* a */ 1", "`${1}/*`", "\"/*\"", "1 // /*"] {
            assert_eq!(open_comment(whole), None, "{whole}");
        }
    }
}
