//! The keywords of the language, spelled as Rhai's lexer spells them.

use rhai::Token;

/// Keywords that a statement can begin with.
const STATEMENTS: &[Token] = &[
    Token::Let,
    Token::Const,
    Token::If,
    Token::For,
    Token::While,
    Token::Loop,
    Token::Do,
    Token::Switch,
    Token::Fn,
    Token::Return,
    Token::Throw,
    Token::Try,
    Token::Import,
    Token::Private,
    Token::Export,
];

/// Keywords within statements, and those that are values.
const WITHIN: &[Token] = &[
    Token::Else,
    Token::In,
    Token::Until,
    Token::Break,
    Token::Continue,
    Token::Catch,
    Token::As,
    Token::True,
    Token::False,
];

/// Keywords of statements that end with their block and need no semicolon.
const BLOCKS: &[Token] = &[
    Token::Fn,
    Token::Private,
    Token::If,
    Token::For,
    Token::While,
    Token::Loop,
    Token::Switch,
    Token::Try,
    Token::LeftBrace,
];

/// Keywords that an expression must follow.
const BEFORE_EXPRESSIONS: &[Token] = &[
    Token::If,
    Token::Else,
    Token::Switch,
    Token::Return,
    Token::In,
];

/// Keywords that continue a statement after its block.
const AFTER_BLOCKS: &[Token] = &[Token::Else, Token::Catch, Token::While];

/// Words that Rhai reserves, but that are called as functions are.
const FUNCTIONS: &[&str] = &[
    "print",
    "debug",
    "type_of",
    "eval",
    "Fn",
    "call",
    "curry",
    "is_shared",
    "is_def_fn",
];

/// The value of a method's object.
pub const THIS: &str = "this";

/// True if only a statement, and no expression, begins with `word`.
pub(crate) fn begins_only_a_statement(word: &str) -> bool {
    let is_expression = |token: &Token| matches!(token, Token::If | Token::Switch);
    let mut statements = STATEMENTS.iter().filter(|token| !is_expression(token));
    statements.any(|token| token.literal_syntax() == word)
}

fn words(tokens: &'static [Token]) -> impl Iterator<Item = &'static str> {
    tokens.iter().map(Token::literal_syntax)
}

/// The keywords that a statement can begin with.
pub fn statements() -> impl Iterator<Item = &'static str> {
    words(STATEMENTS)
}

/// The keywords within statements, and those that are values.
pub fn within() -> impl Iterator<Item = &'static str> {
    words(WITHIN).chain([THIS])
}

/// True if a statement that begins with `word` ends with its block and needs no semicolon.
pub fn ends_with_block(word: &str) -> bool {
    words(BLOCKS).any(|keyword| keyword == word)
}

/// The keywords that continue a statement after its block.
pub fn after_blocks() -> impl Iterator<Item = &'static str> {
    words(AFTER_BLOCKS)
}

/// True if an expression must follow `word`.
pub fn precedes_expression(word: &str) -> bool {
    words(BEFORE_EXPRESSIONS).any(|keyword| keyword == word)
}

/// True if `word` is reserved, but called like a function.
pub fn is_function(word: &str) -> bool {
    FUNCTIONS.contains(&word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rhai::Token;

    use super::{FUNCTIONS, THIS, statements, within};
    use crate::syntax::lexer::{self, TokenClass};

    /// The words of all scripts, examples and documents here.
    fn corpus() -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for folder in ["stdlib", "scripts", "docs", "tests/data/check"] {
            for entry in walkdir::WalkDir::new(folder) {
                let path = entry.expect("the folder can be listed").into_path();
                let is_text = path
                    .extension()
                    .is_some_and(|end| ["rhai", "md"].iter().any(|known| end == *known));
                if !is_text {
                    continue;
                }
                let text = std::fs::read_to_string(path).expect("it is text");
                let split = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                words.extend(split.map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn the_lists_have_every_keyword_of_the_language() {
        let listed: BTreeSet<&str> = statements().chain(within()).collect();
        let words = corpus();
        let words = words.iter().map(String::as_str);
        let known: BTreeSet<&str> = words
            .filter(|word| word.starts_with(char::is_alphabetic))
            .filter(|word| {
                let token = Token::lookup_symbol_from_syntax(word);
                token.is_some_and(|token| !token.is_reserved()) || *word == THIS
            })
            .collect();
        assert!(known.len() > 20, "{known:?}");
        let missing: Vec<_> = known.difference(&listed).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_lexer_takes_each_of_them_for_a_keyword() {
        for word in statements()
            .chain(within())
            .chain(FUNCTIONS.iter().copied())
        {
            let tokens = lexer::tokens(word);
            // `call` is a name to the engine.
            let class = if word == "call" {
                TokenClass::Name
            } else {
                TokenClass::Keyword
            };
            assert_eq!(tokens.len(), 1, "{word}");
            assert_eq!(tokens[0].class, class, "{word}");
        }
    }
}
