//! Checks the rest of a script that has a syntax error.

use std::collections::HashSet;
use std::ops::Range;

use rhai::Engine;

use super::Finding;
use crate::script::imports::Imports;
use crate::script::program::{CompileError, Program};
use crate::syntax::brackets;
use crate::syntax::lexer::{self, Token, TokenClass};
use crate::syntax::span::Span;
use crate::syntax::text::Text;

/// The maximum number of syntax errors in one script that are worked around.
const MOST_ERRORS: usize = 8;

/// The length of the longest script whose errors are worked around, in bytes: each one is compiled again.
const LONGEST: usize = 256 * 1024;

/// The keywords with which only a statement begins.
const BEGIN: [&str; 12] = [
    "let", "const", "fn", "private", "import", "export", "for", "while", "loop", "return", "throw",
    "try",
];

/// A script without its syntax errors.
pub(super) struct Rest {
    /// The program. Its positions are those of the script.
    pub program: Program,
    /// The names in the statements that were left out.
    left_out: HashSet<String>,
}

impl Rest {
    /// The rest of the script `text`, which does not compile because of `error`; nothing if the errors cannot be worked
    /// around.
    pub(super) fn of(
        engine: &Engine,
        imports: &Imports,
        name: &str,
        text: &str,
        error: CompileError,
    ) -> Option<Self> {
        let mut mended = text.to_owned();
        let mut left_out = HashSet::new();
        let mut error = error;
        let mut program = None;
        for _ in 0..MOST_ERRORS {
            if error.import || error.source != name || text.len() > LONGEST {
                break;
            }
            let attempts = with_semicolon(&mended, &error).into_iter();
            let mut attempts = attempts.chain(without_statement(&mended, &error));
            let progress = attempts.find_map(|(next, names)| {
                let result = Program::compile(engine, imports, name, &next);
                let is_further = match &result {
                    Ok(_) => true,
                    Err(other) => place(other) > place(&error),
                };
                is_further.then_some((next, names, result))
            });
            let Some((next, names, result)) = progress else {
                break;
            };
            left_out.extend(names);
            match result {
                Ok(compiled) => {
                    program = Some(compiled);
                    break;
                }
                Err(other) => (mended, error) = (next, other),
            }
        }
        // Hints and positions come from the script as it is.
        imports.remember(name, text);
        program.map(|program| Self { program, left_out })
    }

    /// True if `finding`, in the script `text`, can be a consequence of the statements that were left out.
    pub(super) fn is_doubtful(&self, finding: &Finding, text: &Text) -> bool {
        let Span {
            line,
            column,
            width,
        } = finding.span;
        let Some((_, content)) = text.line(line) else {
            return true;
        };
        let from = text.column(line, column.saturating_sub(1));
        let to = text.column(line, column.saturating_sub(1) + width);
        let marked = &content[from..to];
        let tokens = lexer::code(marked);
        tokens
            .iter()
            .any(|token| self.left_out.contains(token.of(marked)))
    }
}

/// The line and the column of `error`; an error at the end of the script has no position.
fn place(error: &CompileError) -> (usize, usize) {
    let line = error.position.line().unwrap_or(usize::MAX);
    (line, error.position.position().unwrap_or(usize::MAX))
}

/// The byte at which `error` was found.
fn byte_of(text: &Text, error: &CompileError) -> usize {
    text.byte_at(error.position).unwrap_or(text.len())
}

/// `text` with a semicolon at the end of the line before `error`, if the parser stopped at the beginning of a line.
fn with_semicolon(text: &str, error: &CompileError) -> Option<(String, Vec<String>)> {
    let tokens = lexer::code(text);
    let at = byte_of(&Text::from(text), error);
    let before = tokens[..tokens.partition_point(|token| token.span.start < at)].last()?;
    let end = before.span.end;
    let is_wanted = before.of(text) != ";" && text[end..at].contains('\n');
    is_wanted.then(|| (format!("{};{}", &text[..end], &text[end..]), Vec::new()))
}

/// `text` with blanks in place of the statement that `error` may be in, and the names in that statement; the most
/// likely statement first.
fn without_statement(text: &str, error: &CompileError) -> Vec<(String, Vec<String>)> {
    let tokens = lexer::code(text);
    let at = byte_of(&Text::from(text), error);
    let stopped = tokens.partition_point(|token| token.span.start < at);
    // The parser often stops at the first token of the next statement.
    let before = stopped.checked_sub(1);
    let before = before.filter(|before| !matches!(tokens[*before].of(text), ";" | "{"));
    let here = Some(stopped).filter(|here| *here < tokens.len());
    let mut ranges = Vec::new();
    for inside in before.into_iter().chain(here) {
        for is_short in [true, false] {
            let range = statement(text, &tokens, inside, is_short);
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
    }
    let ranges = ranges.into_iter();
    ranges.map(|range| without(text, &tokens[range])).collect()
}

/// `text` with blanks in place of `tokens`, and the names among them.
fn without(text: &str, tokens: &[Token]) -> (String, Vec<String>) {
    let names = tokens
        .iter()
        .filter(|token| token.class == TokenClass::Name);
    let names = names.map(|token| token.of(text).to_owned()).collect();
    let bytes = match tokens {
        [] => 0..0,
        [first, .., last] => first.span.start..last.span.end,
        [one] => one.span.clone(),
    };
    // Each character has one blank, so that the columns stay.
    let blanks = text[bytes.clone()].chars();
    let blanks: String = blanks
        .map(|letter| if letter == '\n' { '\n' } else { ' ' })
        .collect();
    let mut without = text.to_owned();
    without.replace_range(bytes, &blanks);
    (without, names)
}

/// The tokens of the statement with the token `inside`. `is_short` ends a statement with open brackets before the next
/// line that is not indented more.
fn statement(text: &str, tokens: &[Token], inside: usize, is_short: bool) -> Range<usize> {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    let begins_line = |index: usize| {
        let before = match index.checked_sub(1) {
            Some(before) => tokens[before].span.end,
            None => 0,
        };
        index == 0 || text[before..tokens[index].span.start].contains('\n')
    };
    let is_begin = |index: usize| begins_line(index) && BEGIN.contains(&word(index));
    let mut begin = match tokens[inside].class {
        TokenClass::Close => brackets::partner(text, tokens, inside).unwrap_or(inside),
        _ => inside,
    };
    while begin > 0 && !is_begin(begin) {
        let before = begin - 1;
        match word(before) {
            ";" | "{" => break,
            "}" if begins_line(begin) && tokens[begin].class == TokenClass::Name => break,
            ")" | "]" | "}" => {
                begin = brackets::partner(text, tokens, before).unwrap_or(before);
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
            end = brackets::partner(text, tokens, end).unwrap_or(end);
        }
        end += 1;
        if word(end - 1) == ";" {
            break;
        }
    }
    begin..end.max(begin + 1)
}
