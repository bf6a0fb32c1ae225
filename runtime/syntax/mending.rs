//! Scripts with a syntax error, made readable for the parser: a missing semicolon is added, or the statement with the error
//! is left out.

use std::ops::Range;

use super::brackets;
use super::keywords;
use super::lexer::{self, Token, TokenClass};

/// A text that may have one syntax error less. All of its tokens are in the same lines and columns as before.
pub(crate) struct Mended {
    pub text: String,
    /// The names in the statement that was left out.
    pub names: Vec<String>,
}

/// `text` after each attempt to mend the error at which the parser stopped, at the byte `stopped`; the most likely one
/// first.
pub(crate) fn mended(text: &str, stopped: usize) -> impl Iterator<Item = Mended> {
    let tokens = lexer::code(text);
    let index = tokens.partition_point(|token| token.span.start < stopped);
    let with = with_semicolon(text, &tokens[..index], stopped);
    let without = without_statement(text, &tokens, index);
    with.into_iter().chain(without)
}

/// `text` with a semicolon behind the tokens `before`, if the parser stopped at the beginning of a later line.
fn with_semicolon(text: &str, before: &[Token], stopped: usize) -> Option<Mended> {
    let before = before.last()?;
    let end = before.span.end;
    let between = text.get(end..stopped)?;
    let is_wanted = before.of(text) != ";" && between.contains('\n');
    is_wanted.then(|| Mended {
        text: format!("{};{}", &text[..end], &text[end..]),
        names: Vec::new(),
    })
}

/// `text` without the statement in which the parser stopped at the token `stopped`.
fn without_statement(text: &str, tokens: &[Token], stopped: usize) -> Vec<Mended> {
    // The parser often stops at the first token of the next statement.
    let before = stopped.checked_sub(1);
    let before = before.filter(|before| !matches!(tokens[*before].of(text), ";" | "{"));
    let here = Some(stopped).filter(|here| *here < tokens.len());
    let partners = brackets::partners(text, tokens);
    let mut ranges = Vec::new();
    for inside in before.into_iter().chain(here) {
        for is_short in [true, false] {
            let range = statement(text, tokens, &partners, inside, is_short);
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
    }
    let ranges = ranges.into_iter();
    ranges.map(|range| without(text, &tokens[range])).collect()
}

/// `text` with blanks in place of `tokens`.
fn without(text: &str, tokens: &[Token]) -> Mended {
    let names = tokens
        .iter()
        .filter(|token| token.class == TokenClass::Name);
    let names = names.map(|token| token.of(text).to_owned()).collect();
    let bytes = match tokens {
        [] => 0..0,
        [one] => one.span.clone(),
        [first, .., last] => first.span.start..last.span.end,
    };
    // Each character has one blank, so that the columns stay.
    let blanks = text[bytes.clone()].chars();
    let blanks: String = blanks
        .map(|letter| if letter == '\n' { '\n' } else { ' ' })
        .collect();
    let mut without = text.to_owned();
    without.replace_range(bytes, &blanks);
    Mended {
        text: without,
        names,
    }
}

/// The tokens of the statement with the token `inside`. `is_short` ends a statement with open brackets before the next
/// line that is not indented more.
fn statement(
    text: &str,
    tokens: &[Token],
    partners: &[Option<usize>],
    inside: usize,
    is_short: bool,
) -> Range<usize> {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    let begins_line = |index: usize| {
        let before = match index.checked_sub(1) {
            Some(before) => tokens[before].span.end,
            None => 0,
        };
        index == 0 || text[before..tokens[index].span.start].contains('\n')
    };
    let is_begin =
        |index: usize| begins_line(index) && keywords::begins_only_a_statement(word(index));
    let mut begin = match tokens[inside].class {
        TokenClass::Close => partners[inside].unwrap_or(inside),
        _ => inside,
    };
    while begin > 0 && !is_begin(begin) {
        let before = begin - 1;
        match word(before) {
            ";" | "{" => break,
            "}" if begins_line(begin) && tokens[begin].class == TokenClass::Name => break,
            ")" | "]" | "}" => {
                begin = partners[before].unwrap_or(before);
            }
            _ => begin = before,
        }
    }
    let indentation = |index: usize| {
        let start = tokens[index].span.start;
        start - text[..start].rfind('\n').map_or(0, |end| end + 1)
    };
    let is_next = |index: usize| {
        let is_word = matches!(tokens[index].class, TokenClass::Name | TokenClass::Keyword);
        is_word && begins_line(index) && indentation(index) <= indentation(begin)
    };
    let mut end = begin;
    while end < tokens.len() {
        let is_end = end > begin && is_short && is_next(end);
        let is_behind = end > inside && (is_begin(end) || tokens[end].class == TokenClass::Close);
        if is_end || is_behind {
            break;
        }
        if tokens[end].class == TokenClass::Open {
            end = partners[end].unwrap_or(end);
        }
        end += 1;
        if word(end - 1) == ";" {
            break;
        }
    }
    begin..end.max(begin + 1)
}

#[cfg(test)]
mod tests {
    use super::mended;

    fn first_with(text: &str, stopped: &str) -> Vec<String> {
        let at = text.find(stopped).unwrap_or(text.len());
        mended(text, at).map(|mended| mended.text).collect()
    }

    #[test]
    fn a_missing_semicolon_is_tried_first() {
        let found = first_with("let a = 1\nlet b = 2;", "let b");
        assert_eq!(found[0], "let a = 1;\nlet b = 2;");
    }

    #[test]
    fn the_statement_with_the_error_becomes_blanks() {
        for (text, stopped, expected) in [
            ("let ü = ;\nprint(1);", "=", "         \nprint(1);"),
            (
                "print(1); let a = 1 2; print(2);",
                "2;",
                "print(1);              print(2);",
            ),
            ("f(1,\nlet b = 2;", "let", "    \nlet b = 2;"),
            ("f(|x| { x +; });", "; }", "f(|x| {      });"),
            ("f(1)); g();", "); g", "       g();"),
        ] {
            let found = first_with(text, stopped);
            assert!(
                found.iter().any(|found| found == expected),
                "{text}: {found:?}"
            );
        }
    }
}
