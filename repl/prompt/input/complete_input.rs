//! Decides whether an input is complete or continues on the next line.

use rhai::{Engine, LexError, ParseErrorType};
use virhai::syntax::brackets::last_open;
use virhai::syntax::source::open_comment;
use virhai::syntax::text::Text;

/// True if the input so far should run.
///
/// An input with an open bracket never runs, even with other errors: lines that are typed or pasted
/// one by one must not run without the lines around them. Other unfinished input ends with an empty
/// line.
pub(super) fn is_complete(parser: &Engine, text: &str) -> bool {
    if last_open(text).is_some() {
        return false;
    }
    text.ends_with('\n') || !is_unfinished(parser, text)
}

/// True if the input is unfinished: the parser reports the end of the text.
fn is_unfinished(parser: &Engine, text: &str) -> bool {
    let Err(error) = parser.compile(text) else {
        return open_comment(text).is_some();
    };
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => true,
        ParseErrorType::BadInput(LexError::UnterminatedString) => !text.ends_with('\n'),
        _ => at_end(text, error.position()),
    }
}

/// True if `position` is at the end of `text`. White space at the end of `text` does not count.
fn at_end(text: &str, position: rhai::Position) -> bool {
    let end = text.trim_end().len();
    let text = Text::from(text);
    let at = text.byte_at(position);
    at.is_none_or(|at| at >= end)
}

#[cfg(test)]
mod tests {
    use super::is_complete;
    use virhai::engine::parser;

    #[test]
    fn an_open_bracket_text_or_comment_goes_on_after_empty_lines_and_errors() {
        let parser = parser();
        for text in [
            "fn f() {",
            "if true {\n  1;",
            "let x = [1,",
            "conn.lookup_by_name(",
            "let x = `a\nb",
            "/* open",
            "print(`${f(",
            "print(`${f} a",
            "let x = `${f}é",
            "print(\"open",
        ] {
            for more in ["", "\n", "\n\n\n", "\n\n  "] {
                let text = format!("{text}{more}");
                assert!(!is_complete(&parser, &text), "{text:?}");
            }
        }
        assert!(!is_complete(&parser, "fn f() {\n  let 5 = x;\n\n  g();"));
    }

    #[test]
    fn an_empty_line_ends_what_is_unfinished_otherwise() {
        let parser = parser();
        for text in ["1 +", "let x =", "if x"] {
            assert!(!is_complete(&parser, text), "{text:?}");
            assert!(is_complete(&parser, &format!("{text}\n")), "{text:?}");
        }
    }

    #[test]
    fn complete_and_wrong_inputs_are_run() {
        let parser = parser();
        for text in [
            "1 + 1",
            "let x = 1;",
            "fn f() { 1 }",
            "fn f() {\n\n  1\n\n}",
            "let 5 = x",
            ") (",
            "f(]",
            "a b c",
            "\"{\"",
            "let x = \"open\n",
            "1 // {",
            "`{`",
        ] {
            assert!(is_complete(&parser, text), "{text:?}");
        }
    }
}
