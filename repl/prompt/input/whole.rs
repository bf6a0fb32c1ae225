//! Whether what is typed is whole, or goes on in the next line.

use rhai::{Engine, LexError, ParseErrorType};
use virhai::source::ends_in_comment;

/// Whether more has to come: the parser fails for want of text.
pub(super) fn is_unfinished(parser: &Engine, text: &str) -> bool {
    let Err(error) = parser.compile(text) else {
        return ends_in_comment(parser, text);
    };
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => true,
        ParseErrorType::BadInput(LexError::UnterminatedString) => !text.ends_with('\n'),
        _ => at_end(text, error.position()),
    }
}

/// Whether what was typed so far is to be run. An empty line ends any input, so that nobody is
/// caught in one.
pub(super) fn is_whole(parser: &Engine, text: &str) -> bool {
    text.ends_with('\n') || !is_unfinished(parser, text)
}

/// Whether `position` is behind the last thing in `text`.
fn at_end(text: &str, position: rhai::Position) -> bool {
    let trimmed = text.trim_end();
    let lines = trimmed.lines().count();
    let last = trimmed.lines().last().unwrap_or_default().chars().count();
    match (position.line(), position.position()) {
        (Some(line), column) => line > lines || (line == lines && column.unwrap_or(0) > last),
        (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::is_unfinished;
    use virhai::engine::parser;

    #[test]
    fn an_open_block_string_or_call_is_unfinished() {
        let parser = parser();
        for text in [
            "fn f() {",
            "if true {\n  1;",
            "let x = [1,",
            "conn.lookup_by_name(",
            "let x = `a\nb",
            "1 +",
            "/* open",
        ] {
            assert!(is_unfinished(&parser, text), "{text:?}");
        }
    }

    #[test]
    fn whole_and_wrong_inputs_are_finished() {
        let parser = parser();
        for text in [
            "1 + 1",
            "let x = 1;",
            "fn f() { 1 }",
            "let 5 = x",
            ") (",
            "a b c",
            "\"{\"",
        ] {
            assert!(!is_unfinished(&parser, text), "{text:?}");
        }
    }
}
