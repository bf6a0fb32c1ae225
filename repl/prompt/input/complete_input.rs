//! Whether what is typed is complete, or goes on in the next line.

use rhai::{Engine, LexError, ParseErrorType};
use virhai::lexer::{Class, Piece, pieces};
use virhai::source::ends_in_comment;

/// Whether what was typed so far is to be run.
///
/// An open bracket keeps it from that, whatever else is wrong: lines that are typed or pasted one
/// by one must not run without those around them. Other unfinished input ends with an empty line.
pub(super) fn is_complete(parser: &Engine, text: &str) -> bool {
    if open_bracket(text).is_some() {
        return false;
    }
    text.ends_with('\n') || !is_unfinished(parser, text)
}

/// The last bracket, quote or comment of `text` that is still open, and the number of its line.
pub(super) fn open_bracket(text: &str) -> Option<(&str, usize)> {
    let pieces = pieces(text);
    let mut open: Vec<&Piece> = Vec::new();
    for piece in &pieces {
        match piece.class {
            Class::Open => open.push(piece),
            // A bracket that closes another, or none, is an error, which more text does not mend.
            Class::Close => {
                let pair = (open.pop()?.of(text), piece.of(text));
                if !matches!(pair, ("(", ")") | ("[", "]") | ("{" | "#{", "}")) {
                    return None;
                }
            }
            _ => {}
        }
    }
    let line = |piece: &Piece| text[..piece.span.start].matches('\n').count() + 1;
    let last = pieces.last()?;
    match last.class {
        Class::Comment { open: true } => return Some(("/*", line(last))),
        Class::Text { open: true } => {
            if let Some(quote) = multiline_quote(last.of(text)) {
                return Some((quote, line(last)));
            }
        }
        _ => {}
    }
    open.pop().map(|piece| (piece.of(text), line(piece)))
}

/// The quote of the open text `letters`, if it can go on in the next line.
fn multiline_quote(letters: &str) -> Option<&'static str> {
    match letters.chars().next()? {
        '"' if letters.trim_end_matches('\n').ends_with('\\') => Some("\""),
        '"' | '\'' => None,
        '#' => Some("#\""),
        // The part of a text behind a `${...}` begins with any letter.
        _ => Some("`"),
    }
}

/// Whether more has to come: the parser fails for want of text.
fn is_unfinished(parser: &Engine, text: &str) -> bool {
    let Err(error) = parser.compile(text) else {
        return ends_in_comment(parser, text);
    };
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => true,
        ParseErrorType::BadInput(LexError::UnterminatedString) => !text.ends_with('\n'),
        _ => at_end(text, error.position()),
    }
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
    use super::{is_complete, open_bracket};
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

    #[test]
    fn the_last_open_bracket_is_named_with_its_line() {
        for (text, open) in [
            ("fn f() {\n  g(1,\n", Some(("(", 2))),
            ("fn f() {\n  g(1);\n", Some(("{", 1))),
            ("#{ a: `x\ny", Some(("`", 1))),
            ("f(#{", Some(("#{", 1))),
            ("f() /* (", Some(("/*", 1))),
            ("f(\"(", Some(("(", 1))),
            ("f(\"a \\\n", Some(("\"", 1))),
            ("f(`${a} b\n", Some(("`", 1))),
            ("f()", None),
        ] {
            assert_eq!(open_bracket(text), open, "{text:?}");
        }
    }
}
