//! A script as Rhai's own lexer sees it, with the place of each piece in the text.
//!
//! Text that does not compile has pieces too, down to a string that is not closed yet: what is
//! being typed is highlighted and completed by them.

use std::ops::Range;

use rhai::{InputStream, Position, Token, TokenizeState, get_next_token};

/// What a piece of a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A word of the language, or one that it keeps to itself.
    Keyword,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A string or a character, with its quotes, or a part of a string with `${...}` in it.
    Text {
        /// Whether its end is missing.
        open: bool,
    },
    /// A comment.
    Comment {
        /// Whether its end is missing.
        open: bool,
    },
    /// A bracket that opens: `(`, `[`, `{` or `#{`.
    Open,
    /// A bracket that closes.
    Close,
    /// An operator or another sign.
    Sign,
    /// What Rhai cannot read.
    Wrong,
}

/// A piece of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub class: Class,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

impl Piece {
    /// Its letters in `text`, which it was taken from.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.span.clone()).unwrap_or_default()
    }
}

/// The pieces of `text`, without the blanks between them.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut stream = Stream::new(text);
    let mut state = TokenizeState {
        include_comments: true,
        ..TokenizeState::default()
    };
    let mut position = Position::START;
    let mut pieces = Vec::new();
    // For each open brace, whether it belongs to a `${` within text.
    let mut braces: Vec<bool> = Vec::new();
    let mut interpolates = false;
    loop {
        let within = state.is_within_text_terminated_by.is_some();
        if !within {
            stream.skip_blanks(&mut position);
        }
        let start = stream.offset();
        // Rhai puts the opening comment of a file aside, and goes on with what follows it.
        if !within && text[start..].starts_with("//!") {
            stream.skip_line(&mut position);
            pieces.push(Piece {
                class: Class::Comment { open: false },
                span: start..stream.offset(),
            });
            continue;
        }
        let (token, _) = get_next_token(&mut stream, &mut state, &mut position);
        let end = stream.offset();
        if matches!(token, Token::EOF) || end <= start {
            break;
        }
        let open = state.is_within_text_terminated_by.is_some();
        match token {
            Token::LeftBrace => braces.push(std::mem::take(&mut interpolates)),
            Token::MapStart => braces.push(false),
            Token::RightBrace if braces.pop() == Some(true) => {
                state.is_within_text_terminated_by = Some("`".into());
            }
            Token::InterpolatedString(_) => interpolates = true,
            _ => {}
        }
        // A line comment has its line's end in it.
        let end = start + text[start..end].trim_end_matches('\n').len();
        if matches!(token, Token::Unit) {
            // The brackets of a call without arguments are one to Rhai.
            let middle = start + 1;
            pieces.push(Piece {
                class: Class::Open,
                span: start..middle,
            });
            pieces.push(Piece {
                class: Class::Close,
                span: middle..end,
            });
            continue;
        }
        let class = class(&token, open, &text[start..end]);
        pieces.push(Piece {
            class,
            span: start..end,
        });
    }
    pieces
}

fn class(token: &Token, open: bool, letters: &str) -> Class {
    match token {
        Token::Comment(_) => Class::Comment {
            open: letters.starts_with("/*") && !is_closed(letters),
        },
        Token::StringConstant(_) => Class::Text { open },
        Token::InterpolatedString(_) | Token::CharConstant(_) => Class::Text { open: false },
        Token::LexError(_) if letters.starts_with(['"', '\'', '`']) => Class::Text { open: true },
        Token::LexError(_) => Class::Wrong,
        Token::Identifier(_) => Class::Name,
        // As the engine has it.
        Token::Reserved(word) if **word == *"call" => Class::Name,
        Token::IntegerConstant(_) | Token::FloatConstant(_) => Class::Number,
        Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => Class::Open,
        Token::RightParen | Token::RightBracket | Token::RightBrace => Class::Close,
        _ if letters.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') => {
            Class::Keyword
        }
        _ => Class::Sign,
    }
}

/// Whether a block comment, which may hold others, has its end.
fn is_closed(comment: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = comment;
    while let Some(at) = rest.find(['/', '*']) {
        rest = &rest[at..];
        if let Some(inner) = rest.strip_prefix("/*") {
            (depth, rest) = (depth + 1, inner);
        } else if let Some(outer) = rest.strip_prefix("*/") {
            (depth, rest) = (depth.saturating_sub(1), outer);
        } else {
            rest = &rest[1..];
        }
    }
    depth == 0
}

/// The letters of a text, of which the lexer may put some back.
struct Stream {
    letters: Vec<(usize, char)>,
    next: usize,
    end: usize,
}

impl Stream {
    fn new(text: &str) -> Self {
        Self {
            letters: text.char_indices().collect(),
            next: 0,
            end: text.len(),
        }
    }

    /// The byte of the text that comes next.
    fn offset(&self) -> usize {
        self.letters
            .get(self.next)
            .map_or(self.end, |(offset, _)| *offset)
    }

    fn skip_line(&mut self, position: &mut Position) {
        while self.peek_next().is_some_and(|letter| letter != '\n') {
            self.eat_next_and_advance(position);
        }
    }

    fn skip_blanks(&mut self, position: &mut Position) {
        while self
            .peek_next()
            .is_some_and(|letter| letter.is_ascii_whitespace())
        {
            self.eat_next_and_advance(position);
        }
    }
}

impl InputStream for Stream {
    fn unget(&mut self, _: char) {
        self.next = self.next.saturating_sub(1);
    }

    fn get_next(&mut self) -> Option<char> {
        let (_, letter) = self.letters.get(self.next)?;
        self.next += 1;
        Some(*letter)
    }

    fn peek_next(&mut self) -> Option<char> {
        self.letters.get(self.next).map(|(_, letter)| *letter)
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, pieces};

    fn shown(text: &str) -> Vec<(Class, &str)> {
        pieces(text)
            .iter()
            .map(|piece| (piece.class, piece.of(text)))
            .collect()
    }

    #[test]
    fn a_script_is_cut_where_rhai_cuts_it() {
        use Class::{Close, Comment, Keyword, Name, Number, Open, Sign, Text};
        assert_eq!(
            shown("let a = f(1.5, \"x\\\"y\", #{ b: [] }); // end"),
            [
                (Keyword, "let"),
                (Name, "a"),
                (Sign, "="),
                (Name, "f"),
                (Open, "("),
                (Number, "1.5"),
                (Sign, ","),
                (Text { open: false }, "\"x\\\"y\""),
                (Sign, ","),
                (Open, "#{"),
                (Name, "b"),
                (Sign, ":"),
                (Open, "["),
                (Close, "]"),
                (Close, "}"),
                (Close, ")"),
                (Sign, ";"),
                (Comment { open: false }, "// end"),
            ]
        );
        assert_eq!(
            shown("//! docs\n/// more\nf()"),
            [
                (Comment { open: false }, "//! docs"),
                (Comment { open: false }, "/// more"),
                (Name, "f"),
                (Open, "("),
                (Close, ")"),
            ]
        );
        assert_eq!(
            shown("0..3"),
            [(Number, "0"), (Sign, ".."), (Number, "3")],
            "what the lexer puts back is not lost"
        );
        assert_eq!(
            shown("é.ü\n/* a /* b */ c */ 'x'").last(),
            Some(&(Text { open: false }, "'x'"))
        );
    }

    #[test]
    fn code_within_text_is_code() {
        use Class::{Close, Name, Open, Sign, Text};
        assert_eq!(
            shown("`a ${dom.name} {b} ${#{x: `${y}`}}`; z"),
            [
                (Text { open: false }, "`a $"),
                (Open, "{"),
                (Name, "dom"),
                (Sign, "."),
                (Name, "name"),
                (Close, "}"),
                (Text { open: false }, " {b} $"),
                (Open, "{"),
                (Open, "#{"),
                (Name, "x"),
                (Sign, ":"),
                (Text { open: false }, "`$"),
                (Open, "{"),
                (Name, "y"),
                (Close, "}"),
                (Text { open: false }, "`"),
                (Close, "}"),
                (Close, "}"),
                (Text { open: false }, "`"),
                (Sign, ";"),
                (Name, "z"),
            ]
        );
    }

    #[test]
    fn what_is_not_closed_yet_is_open() {
        for (text, class) in [
            ("f(\"te", Class::Text { open: true }),
            ("f(`te\nx", Class::Text { open: true }),
            ("f(`${a} te", Class::Text { open: true }),
            ("f(#\"te", Class::Text { open: true }),
            ("1 /* te", Class::Comment { open: true }),
            ("1 /* a /* te */ ", Class::Comment { open: true }),
            ("1 // te", Class::Comment { open: false }),
        ] {
            let last = pieces(text).pop().expect(text);
            assert_eq!(last.class, class, "{text}");
            assert_eq!(last.span.end, text.len(), "{text}");
        }
    }
}
