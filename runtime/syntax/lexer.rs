//! The tokens of a script from Rhai's own lexer, with their positions.
//!
//! Text that does not compile has tokens too, down to a string that is not closed yet: text that is being typed is
//! highlighted and completed by them.

use std::ops::Range;

use rhai::{InputStream, Position, TokenizeState, get_next_token};

/// The class of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// A keyword, or a word that the language reserves.
    Keyword,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A string or a character, with its quotes, or a part of a string with `${...}` in it.
    Text {
        /// True if its end is missing.
        open: bool,
    },
    /// A comment.
    Comment {
        /// True if its end is missing.
        open: bool,
    },
    /// An opening bracket: `(`, `[`, `?[`, `{` or `#{`.
    Open,
    /// A closing bracket.
    Close,
    /// An operator or another sign.
    Sign,
    /// Text that Rhai cannot read.
    Wrong,
}

/// A token of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The class.
    pub class: TokenClass,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

impl Token {
    /// Its letters in `text`, which it was taken from.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.span.clone()).unwrap_or_default()
    }

    /// True if it is a comment.
    pub fn is_comment(&self) -> bool {
        matches!(self.class, TokenClass::Comment { .. })
    }
}

/// The tokens of `text`, comments included.
pub fn tokens(text: &str) -> Vec<Token> {
    Tokens::new(text).collect()
}

/// The tokens of `text`, comments included, each read when it is wanted.
pub(super) fn stream(text: &str) -> impl Iterator<Item = Token> {
    Tokens::new(text)
}

/// The tokens of `text` without its comments.
pub fn code(text: &str) -> Vec<Token> {
    Tokens::new(text)
        .filter(|token| !token.is_comment())
        .collect()
}

/// The length in bytes of the token that `text` begins with. A string is a single token here, with all that it
/// contains; of a comment, only its two first letters count.
pub(crate) fn first_length(text: &str) -> usize {
    let mut tokens = Tokens::new(text);
    // The token before is unknown: a sign is an operator.
    tokens.state.next_token_cannot_be_unary = true;
    let first = match tokens.next() {
        Some(first) if first.span.start == 0 => first,
        _ => return text.chars().next().map_or(0, char::len_utf8),
    };
    let is_text = |token: &Token| matches!(token.class, TokenClass::Text { .. });
    let goes_on =
        |token: &Token| token.of(text).ends_with('$') && text[token.span.end..].starts_with('{');
    if first.is_comment() {
        return 2;
    }
    if !(is_text(&first) && goes_on(&first)) {
        return first.span.end;
    }
    let mut depth = 0_usize;
    for token in tokens {
        match token.class {
            TokenClass::Open => depth += 1,
            TokenClass::Close => depth = depth.saturating_sub(1),
            TokenClass::Text { .. } if depth == 0 && !goes_on(&token) => return token.span.end,
            _ => {}
        }
    }
    text.len()
}

/// Reads the tokens of a text one by one.
struct Tokens<'t> {
    stream: Stream<'t>,
    state: TokenizeState,
    position: Position,
    /// For each open brace, whether it belongs to a `${` within text.
    braces: Vec<bool>,
    /// True if the next brace belongs to a `${`.
    interpolates: bool,
    /// The second half of a token that Rhai takes for one.
    second: Option<Token>,
}

impl<'t> Tokens<'t> {
    fn new(text: &'t str) -> Self {
        let next = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        Self {
            stream: Stream { text, next },
            state: TokenizeState {
                include_comments: true,
                ..TokenizeState::default()
            },
            position: Position::START,
            braces: Vec::new(),
            interpolates: false,
            second: None,
        }
    }

    /// A comment that Rhai's lexer does not show: the shebang, or documentation of the file.
    fn hidden_comment(&mut self, start: usize) -> Option<Token> {
        let rest = &self.stream.text[start..];
        let is_shebang = start == 0 && rest.starts_with("#!");
        if !is_shebang && !rest.starts_with("//!") {
            return None;
        }
        self.stream.skip_line(&mut self.position);
        Some(Token {
            class: TokenClass::Comment { open: false },
            span: start..self.stream.next,
        })
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(second) = self.second.take() {
            return Some(second);
        }
        let within = self.state.is_within_text_terminated_by.is_some();
        if !within {
            self.stream.skip_blanks(&mut self.position);
        }
        let start = self.stream.next;
        if !within && let Some(comment) = self.hidden_comment(start) {
            return Some(comment);
        }
        let (token, _) = get_next_token(&mut self.stream, &mut self.state, &mut self.position);
        let end = self.stream.next;
        if matches!(token, rhai::Token::EOF) || end <= start {
            return None;
        }
        let open = self.state.is_within_text_terminated_by.is_some();
        match token {
            rhai::Token::LeftBrace => self.braces.push(std::mem::take(&mut self.interpolates)),
            rhai::Token::MapStart => self.braces.push(false),
            rhai::Token::RightBrace if self.braces.pop() == Some(true) => {
                self.state.is_within_text_terminated_by = Some("`".into());
            }
            rhai::Token::InterpolatedString(_) => self.interpolates = true,
            _ => {}
        }
        let letters = &self.stream.text[start..end];
        if matches!(token, rhai::Token::Unit) {
            // Rhai takes the brackets of a call without arguments for one token.
            let middle = start + 1;
            self.second = Some(Token {
                class: TokenClass::Close,
                span: middle..end,
            });
            return Some(Token {
                class: TokenClass::Open,
                span: start..middle,
            });
        }
        // Rhai's line comments include the end of the line.
        let letters = letters.trim_end_matches('\n');
        Some(Token {
            class: class(&token, open, letters),
            span: start..start + letters.len(),
        })
    }
}

fn class(token: &rhai::Token, open: bool, letters: &str) -> TokenClass {
    use rhai::Token;
    match token {
        Token::Comment(_) => TokenClass::Comment {
            open: letters.starts_with("/*") && !is_closed(letters),
        },
        Token::StringConstant(_) => TokenClass::Text { open },
        Token::InterpolatedString(_) | Token::CharConstant(_) => TokenClass::Text { open: false },
        Token::LexError(_) if letters.starts_with(['"', '\'', '`']) => {
            TokenClass::Text { open: true }
        }
        Token::LexError(_) => TokenClass::Wrong,
        Token::Identifier(_) => TokenClass::Name,
        // As the engine has it.
        Token::Reserved(word) if **word == *"call" => TokenClass::Name,
        Token::IntegerConstant(_) | Token::FloatConstant(_) => TokenClass::Number,
        Token::LeftParen
        | Token::LeftBracket
        | Token::QuestionBracket
        | Token::LeftBrace
        | Token::MapStart => TokenClass::Open,
        Token::RightParen | Token::RightBracket | Token::RightBrace => TokenClass::Close,
        _ if letters.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') => {
            TokenClass::Keyword
        }
        _ => TokenClass::Sign,
    }
}

/// True if a block comment, which may contain others, has its end.
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
struct Stream<'t> {
    text: &'t str,
    /// The byte of the text that comes next.
    next: usize,
}

impl Stream<'_> {
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

impl InputStream for Stream<'_> {
    fn unget(&mut self, _: char) {
        let last = self.text[..self.next].chars().next_back();
        self.next -= last.map_or(0, char::len_utf8);
    }

    fn get_next(&mut self) -> Option<char> {
        let letter = self.peek_next()?;
        self.next += letter.len_utf8();
        Some(letter)
    }

    fn peek_next(&mut self) -> Option<char> {
        self.text[self.next..].chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::{TokenClass, first_length, tokens};

    fn shown(text: &str) -> Vec<(TokenClass, &str)> {
        tokens(text)
            .iter()
            .map(|token| (token.class, token.of(text)))
            .collect()
    }

    #[test]
    fn a_script_is_cut_where_rhai_cuts_it() {
        use TokenClass::{Close, Comment, Keyword, Name, Number, Open, Sign, Text};
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
        use TokenClass::{Close, Name, Open, Sign, Text};
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
            ("f(\"te", TokenClass::Text { open: true }),
            ("f(`te\nx", TokenClass::Text { open: true }),
            ("f(`${a} te", TokenClass::Text { open: true }),
            ("f(#\"te", TokenClass::Text { open: true }),
            ("1 /* te", TokenClass::Comment { open: true }),
            ("1 /* a /* te */ ", TokenClass::Comment { open: true }),
            ("1 // te", TokenClass::Comment { open: false }),
        ] {
            let last = tokens(text).pop().expect(text);
            assert_eq!(last.class, class, "{text}");
            assert_eq!(last.span.end, text.len(), "{text}");
        }
    }

    #[test]
    fn a_shebang_and_a_byte_order_mark_move_no_token() {
        use TokenClass::{Comment, Name};
        assert_eq!(
            shown("#!/usr/bin/env virhai's\na"),
            [
                (Comment { open: false }, "#!/usr/bin/env virhai's"),
                (Name, "a")
            ]
        );
        assert_eq!(shown("\u{feff}a"), [(Name, "a")]);
    }

    #[test]
    fn the_first_token_of_a_text_is_measured() {
        for (text, first) in [
            ("name(1)", "name"),
            ("1.5 + x", "1.5"),
            ("\"a\\\"b\" == 1", "\"a\\\"b\""),
            ("'c', 1", "'c'"),
            ("#\"a\"b\"#;", "#\"a\"b\"#"),
            ("`a ${`{${x}`} b` + 1", "`a ${`{${x}`} b`"),
            ("`a ${b", "`a ${b"),
            ("`${a}` `b`", "`${a}`"),
            ("#{ a: 1 }", "#{"),
            ("() + 1", "("),
            ("-1", "-"),
            ("...", "..."),
            ("??= 1", "??"),
            ("// a", "//"),
            ("/* a", "/*"),
            (" a", " "),
            ("é + 1", "é"),
            ("", ""),
        ] {
            assert_eq!(&text[..first_length(text)], first, "{text}");
        }
    }
}
