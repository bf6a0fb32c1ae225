//! Finds the texts in an expression of Rhai, JSON or XML.

use std::ops::Range;

use crate::syntax::keywords;

/// A text in quotes.
pub(super) struct Literal {
    /// The text between the quotes.
    pub(super) inner: Range<usize>,
    /// The start of the text behind it.
    pub(super) end: usize,
}

/// The text that begins at `at`: `"x"`, `'x'`, `` `x` ``, `#"x"#`, or `\"x\"` within another text.
pub(super) fn at(text: &str, at: usize) -> Option<Literal> {
    let rest = &text[at..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if hashes > 0 {
        let raw = rest[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let begin = at + hashes + 1;
        let end = raw.find(&close).map_or(text.len(), |length| begin + length);
        return Some(Literal {
            inner: begin..end,
            end: (end + close.len()).min(text.len()),
        });
    }
    let slashes = rest.len() - rest.trim_start_matches('\\').len();
    let quote = rest[slashes..].chars().next()?;
    let apostrophe = quote == '\'' && text[..at].ends_with(char::is_alphanumeric);
    if !"\"'`".contains(quote) || apostrophe {
        return None;
    }
    let begin = at + slashes + 1;
    let (length, closed) = closing(&text[begin..], quote, slashes);
    Some(Literal {
        inner: begin..begin + length,
        end: begin + length + closed,
    })
}

/// The length of the text up to the `quote` that ends it, and the length of that end. `slashes` are before the quote
/// that begins the text.
fn closing(text: &str, quote: char, slashes: usize) -> (usize, usize) {
    let (mut run, mut at) = (0, 0);
    while let Some(letter) = text[at..].chars().next() {
        let ends = match (quote, slashes) {
            ('`', 0) => true,
            (_, 0) => run % 2 == 0,
            _ => run <= slashes,
        };
        // In Rhai, a doubled quote is part of the text.
        let double = slashes == 0 && text[at + letter.len_utf8()..].starts_with(quote);
        if letter == quote && ends && double {
            (run, at) = (0, at + 2);
            continue;
        }
        if letter == quote && ends {
            let before = if slashes == 0 { 0 } else { run };
            return (at - before, before + 1);
        }
        run = if letter == '\\' { run + 1 } else { 0 };
        at += match interpolation(&text[at..]) {
            Some(length) if quote == '`' => length,
            _ => letter.len_utf8(),
        };
    }
    (text.len(), 0)
}

/// The length of the `${...}` that `text` begins with. It can contain texts.
fn interpolation(text: &str) -> Option<usize> {
    let mut begin = text.strip_prefix("${").map(|_| 2)?;
    let mut depth = 1_usize;
    while let Some(letter) = text[begin..].chars().next() {
        if let Some(literal) = at(text, begin) {
            begin = literal.end;
            continue;
        }
        begin += letter.len_utf8();
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(begin),
            '}' => depth -= 1,
            _ => {}
        }
    }
    Some(text.len())
}

/// The kind of the last token of an expression.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// An operator or a keyword after which an operand must follow, or the beginning.
    Open,
    /// A name, a number or a closing bracket.
    Value,
    Text,
}

/// All texts, and all numbers with at least four digits, in the expression that begins at `at`; returns its end.
pub(super) fn in_expression(text: &str, mut at: usize, found: &mut Vec<Range<usize>>) -> usize {
    let (mut depth, mut last, mut comment) = (0_usize, Last::Open, false);
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some(literal) = self::at(text, at) {
            if depth == 0 && last == Last::Text {
                return at;
            }
            found.push(literal.inner);
            at = literal.end;
            last = if comment { last } else { Last::Text };
            continue;
        }
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = match rest.find(|letter| !is_word(letter)) {
            Some(0) => letter.len_utf8(),
            length => length.unwrap_or(rest.len()),
        };
        let begin = at;
        at += length;
        let top = depth == 0 && !comment;
        match letter {
            '\n' if top && last != Last::Open && !continues(rest) => return begin,
            '\n' => comment = false,
            _ if letter.is_whitespace() => {}
            _ if comment => {}
            _ if top && last == Last::Text && (is_word(letter) || ends_a_tag(rest)) => {
                return begin;
            }
            ',' | ';' | ')' | ']' | '}' if depth == 0 => return begin,
            '/' if rest.starts_with("//") => comment = true,
            '(' | '[' | '{' => {
                depth += 1;
                last = Last::Open;
            }
            ')' | ']' | '}' => {
                depth -= 1;
                last = Last::Value;
            }
            _ if is_word(letter) => {
                let word = &text[begin..at];
                let digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
                if length >= 4 && letter.is_ascii_digit() && word.bytes().all(digit) {
                    found.push(begin..at);
                }
                last = match keywords::precedes_expression(word) {
                    true => Last::Open,
                    false => Last::Value,
                };
            }
            _ => last = Last::Open,
        }
    }
    text.len()
}

/// True if the next line belongs to the same expression.
fn continues(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with(['+', '.', '?', '|', '&']) || rest.starts_with("else")
}

/// True if `rest` ends a tag of XML.
fn ends_a_tag(rest: &str) -> bool {
    ["/>", ">", "?>"].iter().any(|end| rest.starts_with(end))
}
