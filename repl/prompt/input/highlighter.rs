//! Highlights the input with Rhai's own lexer, and matching brackets.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use rustyline::CompletionType;
use rustyline::highlight::{CmdKind, Highlighter};
use virhai::syntax::brackets::partner;
use virhai::syntax::lexer::{self, Token, TokenClass};

use super::Input;
use super::command_line::CommandLine;
use crate::columns::{column_after, columns};
use crate::terminal;

const KEYWORD: &str = "35";
const TEXT: &str = "32";
const NUMBER: &str = "36";
const CONSTANT: &str = "33";
const CALLED: &str = "34";
const WRONG: &str = "31";
const FAINT: &str = "90";
const MATCH: &str = "1;4;36";

/// The state of the last display of the line.
#[derive(Default)]
pub(super) struct Shown {
    /// True if the line is shown in its final form, without the helps for typing.
    last: Cell<bool>,
    /// The brackets that were marked.
    marked: Cell<Option<(usize, usize)>>,
    /// True if a row was added for the cursor.
    has_row: Cell<bool>,
}

impl Highlighter for Input {
    fn highlight<'l>(&self, line: &'l str, cursor: usize) -> Cow<'l, str> {
        let tokens = lexed(line);
        let brackets = match self.shown.last.get() || !self.colors {
            true => None,
            false => brackets(line, &tokens, cursor),
        };
        self.shown.marked.set(brackets);
        let row = self.row_for_cursor(line, cursor);
        self.shown.has_row.set(row.is_some());
        let name = CommandLine::of(line).map_or(0, |command| command.name.len());
        let (name, rest) = line.split_at(name);
        let shown = Painter {
            line,
            colors: self.colors,
            row,
        };
        let shown = shown.whole(rest, &tokens, brackets);
        let shown = terminal::for_stdout(&shown).into_owned();
        Cow::Owned(match name {
            "" => shown,
            name if self.colors => format!("{}{shown}", painted(KEYWORD, name)),
            name => format!("{name}{shown}"),
        })
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        match self.colors {
            true => Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m")),
            false => Cow::Borrowed(prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colors {
            true => Cow::Owned(painted(FAINT, hint)),
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        // The part after the name is dimmed.
        let name = candidate.find(['(', ':', ' ']).unwrap_or(candidate.len());
        let (name, rest) = candidate.split_at(name);
        match rest {
            "" => Cow::Borrowed(candidate),
            _ if !self.colors => Cow::Borrowed(candidate),
            _ => Cow::Owned(format!("{name}{}", painted(FAINT, rest))),
        }
    }

    fn highlight_char(&self, line: &str, cursor: usize, kind: CmdKind) -> bool {
        self.shown.last.set(kind == CmdKind::ForcedRefresh);
        let has_row = self.shown.has_row.get();
        match kind {
            CmdKind::MoveCursor => {
                has_row
                    || self.row_for_cursor(line, cursor).is_some()
                    || (self.colors
                        && brackets(line, &lexed(line), cursor) != self.shown.marked.get())
            }
            CmdKind::Other => true,
            CmdKind::ForcedRefresh => has_row || self.shown.marked.get().is_some(),
        }
    }
}

impl Input {
    /// The byte of `line` before which a row is added for the cursor: the editor places a cursor
    /// behind a full row into the next row, but a line feed at that point does not create that row.
    fn row_for_cursor(&self, line: &str, cursor: usize) -> Option<usize> {
        if !line.get(cursor..)?.starts_with('\n') || line[..cursor].ends_with('\n') {
            return None;
        }
        let before = format!("{}{}", self.prompt, &line[..cursor]);
        (column_after(&before, columns()) == 0).then_some(cursor)
    }
}

fn painted(color: &str, text: &str) -> String {
    format!("\x1b[{color}m{text}\x1b[0m")
}

/// The tokens of the Rhai code in `line`.
fn lexed(line: &str) -> Vec<Token> {
    let Some(command) = CommandLine::of(line) else {
        return lexer::tokens(line);
    };
    let Some(start) = command.code() else {
        return Vec::new();
    };
    let mut code = lexer::tokens(&line[start..]);
    for token in &mut code {
        token.span = token.span.start + start..token.span.end + start;
    }
    code
}

/// Shows a line.
struct Painter<'a> {
    line: &'a str,
    colors: bool,
    /// The byte before which a row is added.
    row: Option<usize>,
}

impl Painter<'_> {
    /// The `rest` of the line with its colours, and the two `brackets` marked.
    fn whole(&self, rest: &str, tokens: &[Token], brackets: Option<(usize, usize)>) -> String {
        let line = self.line;
        let mut shown = String::with_capacity(line.len() * 2);
        let mut done = line.len() - rest.len();
        for (index, token) in tokens.iter().enumerate() {
            shown.push_str(&self.part(done..token.span.start));
            done = token.span.end;
            let next = tokens.get(index + 1).map_or("", |token| token.of(line));
            let is_marked =
                brackets.is_some_and(|(one, other)| [one, other].contains(&token.span.start));
            let text = self.part(token.span.clone());
            match color(token, token.of(line), next, is_marked).filter(|_| self.colors) {
                Some(color) => shown.push_str(&painted(color, &text)),
                None => shown.push_str(&text),
            }
        }
        shown.push_str(&self.part(done..line.len()));
        shown
    }

    /// The bytes `span` of the line, with the row that is added there.
    fn part(&self, span: Range<usize>) -> Cow<'_, str> {
        let text = &self.line[span.clone()];
        match self.row.filter(|row| span.contains(row)) {
            Some(row) => {
                let (before, after) = text.split_at(row - span.start);
                Cow::Owned(format!("{before}\n{after}"))
            }
            None => Cow::Borrowed(text),
        }
    }
}

/// The colour of a `token` whose letters are `text`, before the token `next`.
fn color(token: &Token, text: &str, next: &str, is_marked: bool) -> Option<&'static str> {
    match token.class {
        _ if is_marked => Some(MATCH),
        TokenClass::Keyword => Some(KEYWORD),
        TokenClass::Text { .. } => Some(TEXT),
        TokenClass::Number => Some(NUMBER),
        TokenClass::Comment { .. } => Some(FAINT),
        TokenClass::Wrong => Some(WRONG),
        TokenClass::Name if text.starts_with("VIR_") => Some(CONSTANT),
        TokenClass::Name if next == "(" => Some(CALLED),
        TokenClass::Name | TokenClass::Open | TokenClass::Close | TokenClass::Sign => None,
    }
}

/// The positions of the bracket at or before the cursor and of its counterpart. Brackets in text and comments do not
/// count.
fn brackets(line: &str, tokens: &[Token], cursor: usize) -> Option<(usize, usize)> {
    let is_bracket =
        |token: &&(usize, &Token)| matches!(token.1.class, TokenClass::Open | TokenClass::Close);
    let numbered: Vec<(usize, &Token)> = tokens.iter().enumerate().collect();
    let at = numbered
        .iter()
        .filter(is_bracket)
        .find(|(_, token)| token.span.start == cursor);
    let before = numbered
        .iter()
        .filter(is_bracket)
        .find(|(_, token)| token.span.end == cursor);
    let (index, _) = at.or(before)?;
    let other = partner(line, tokens, *index)?;
    Some((tokens[*index].span.start, tokens[other].span.start))
}

#[cfg(test)]
mod tests {
    use virhai::syntax::lexer::tokens;

    use super::brackets;

    #[test]
    fn brackets_in_text_and_comments_belong_to_nothing() {
        let found = |line: &str, cursor| brackets(line, &tokens(line), cursor);
        assert_eq!(found("f(\")\", g(1))", 12), Some((11, 1)));
        assert_eq!(found("f(\")\", g(1))", 1), Some((1, 11)));
        assert_eq!(found("f(\")\")", 4), None);
        assert_eq!(found("#{ a: [1] } /* } */", 0), Some((0, 10)));
        assert_eq!(found("`${f(1)}`", 8), Some((7, 2)));
        assert_eq!(found("(]", 2), None);
        assert_eq!(found("(", 1), None);
        assert_eq!(found("a b", 1), None);
    }
}
