//! The place that is being written at the cursor: a member, an argument, a key, text.

use std::ops::Range;

use crate::syntax::call_context::Context;
use crate::syntax::lexer::{self, Token, TokenClass};

/// The word at the cursor, and its context.
#[derive(Debug, PartialEq)]
pub(crate) struct Cursor {
    /// The bytes of the text, from the word's beginning to the cursor.
    pub(crate) word: Range<usize>,
    pub(crate) place: Place,
}

/// The place of a word.
#[derive(Debug, PartialEq)]
pub(crate) enum Place {
    /// A comment, a number, or a name that is being made.
    Nowhere,
    /// After a dot; `receiver` is the expression before it.
    Member { receiver: String },
    /// After `alias::`.
    Module { alias: String },
    /// The text of an `import`.
    Import,
    /// A string, between its quotes; `compared` is the expression that it is compared with.
    Text {
        argument: Option<Argument>,
        compared: Option<String>,
    },
    /// A key of a map that has the keys `given` already.
    Key {
        argument: Option<Argument>,
        given: Vec<String>,
    },
    /// Any expression; `begins` is true where a statement can begin.
    Value {
        argument: Option<Argument>,
        begins: bool,
    },
}

/// An argument of a call, and the position in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) call: Call,
    /// Its number, from 0, without the receiver.
    pub(crate) number: usize,
    /// The first argument of the call, where this is a later one.
    pub(crate) first: String,
    /// The maps and arrays that lead from the argument to the place, outermost first.
    pub(crate) within: Vec<Step>,
}

/// A function that is being called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The expression before the dot, of a method.
    pub(crate) receiver: Option<String>,
    /// The module's name, of a function in a module.
    pub(crate) module: Option<String>,
}

/// A step into a map or an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Key(String),
    Item,
}

impl Cursor {
    /// The place at the end of `text`, whose rest does not exist yet.
    pub(crate) fn at_end_of(text: &str) -> Self {
        let tokens = lexer::tokens(text);
        let end = text.len();
        let nowhere = Self {
            word: end..end,
            place: Place::Nowhere,
        };
        let Some(last) = tokens.last() else {
            let place = Place::Value {
                argument: None,
                begins: true,
            };
            return Self {
                word: end..end,
                place,
            };
        };
        let touches = last.span.end == end;
        match last.class {
            TokenClass::Comment { open } if open || touches => nowhere,
            TokenClass::Number if touches => nowhere,
            TokenClass::Text { open: true } => {
                let quote = last.of(text);
                let begin = quote.trim_start_matches('#');
                let quotes = quote.len() - begin.len() + usize::from(begin.starts_with(QUOTES));
                let word = last.span.start + quotes..end;
                let before = without_comments(&tokens[..tokens.len() - 1]);
                let place = Context::new(text, &before).text();
                Self { word, place }
            }
            TokenClass::Name | TokenClass::Keyword if touches => {
                let before = without_comments(&tokens[..tokens.len() - 1]);
                Self {
                    word: last.span.clone(),
                    place: Context::new(text, &before).name(),
                }
            }
            _ => Self {
                word: end..end,
                place: Context::new(text, &without_comments(&tokens)).name(),
            },
        }
    }

    /// The call around the end of `text`, innermost first, whatever is being written there.
    pub(crate) fn argument_at_end_of(text: &str) -> Option<Argument> {
        let tokens = lexer::tokens(text);
        // The unfinished token at the end is not part of its surroundings.
        let unfinished = |token: &Token| match token.class {
            TokenClass::Text { open } => open,
            TokenClass::Name | TokenClass::Keyword => token.span.end == text.len(),
            _ => false,
        };
        let count = tokens.len() - usize::from(tokens.last().is_some_and(unfinished));
        Context::new(text, &without_comments(&tokens[..count])).argument()
    }
}

const QUOTES: [char; 3] = ['"', '`', '\''];

fn without_comments(tokens: &[Token]) -> Vec<Token> {
    let code = tokens.iter().filter(|token| !token.is_comment());
    code.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Place};

    fn place(text: &str) -> Place {
        Cursor::at_end_of(text).place
    }

    fn member(text: &str) -> String {
        match place(text) {
            Place::Member { receiver } => receiver,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_receiver_reaches_back_to_its_beginning() {
        for (text, receiver) in [
            ("dom.", "dom"),
            ("let x = dom.na", "dom"),
            (
                "f(conn.lookup_by_name(\"a, (\").",
                "conn.lookup_by_name(\"a, (\")",
            ),
            ("1 + list[0].x.", "list[0].x"),
            ("for d in conn.list_all_domains()[", ""),
            ("if x { y } else { dom.", "dom"),
            (
                "guest::create(conn, #{ name: \"x\" }).",
                "guest::create(conn, #{ name: \"x\" })",
            ),
            ("a; \"text\".", "\"text\""),
            ("[1, 2].", "[1, 2]"),
            ("!(a + b).", "(a + b)"),
            ("`${dom.", "dom"),
            ("x?.y?.", "x?.y"),
            ("conn // what\n  .", "conn"),
        ] {
            if text.ends_with('[') {
                assert!(!matches!(place(text), Place::Member { .. }), "{text}");
            } else {
                assert_eq!(member(text), receiver, "{text}");
            }
        }
    }

    #[test]
    fn a_place_knows_the_call_around_it() {
        let shown = |text: &str| match place(text) {
            Place::Text { argument, .. } => ("text", argument),
            Place::Key { argument, .. } => ("key", argument),
            Place::Value { argument, .. } => ("value", argument),
            Place::Import => ("import", None),
            Place::Nowhere => ("nowhere", None),
            Place::Module { .. } => ("module", None),
            Place::Member { .. } => ("member", None),
        };
        for (text, expected) in [
            ("conn.lookup_by_name(\"te", "text lookup_by_name@0 of conn"),
            ("dom.create(VIR_", "value create@0 of dom"),
            ("dom.migrate(other, a | VIR_", "value migrate@1 of dom"),
            ("dom.migrate(other, (a | ", "value migrate@1 of dom"),
            ("f(g(1, 2), [3, 4], ", "value f@2"),
            ("guest::create(conn, #{ na", "key guest::create@1"),
            (
                "guest::create(conn, #{ name: \"x, y\", ",
                "key guest::create@1",
            ),
            (
                "guest::create(conn, #{ pool: \"",
                "text guest::create@1 pool",
            ),
            ("f(#{ disks: [#{ si", "key f@0 disks []"),
            ("f(#{ disks: [\"a\", \"", "text f@0 disks []"),
            ("f(|x| { x + ", "value"),
            ("f(1); g", "value"),
            ("let na", "nowhere"),
            ("fn f(a, ", "nowhere"),
            ("// some", "nowhere"),
            ("1.5", "nowhere"),
            ("import \"std/", "import"),
            ("guest::cre", "module"),
            ("", "value"),
            ("if a { b } else { ", "value"),
            ("print(`${f(", "value f@0"),
        ] {
            let (word, argument) = shown(text);
            let mut found = word.to_owned();
            if let Some(argument) = argument {
                let call = argument.call;
                let module = call
                    .module
                    .map_or(String::new(), |name| format!("{name}::"));
                found += &format!(" {module}{}@{}", call.name, argument.number);
                if let Some(receiver) = call.receiver {
                    found += &format!(" of {receiver}");
                }
                for step in argument.within {
                    match step {
                        super::Step::Key(key) => found += &format!(" {key}"),
                        super::Step::Item => found += " []",
                    }
                }
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_text_knows_what_it_is_compared_with() {
        for (text, with) in [
            ("if dom.state() == \"", Some("dom.state()")),
            ("if dom.state() in [\"", Some("dom.state()")),
            ("if x.y in [\"a\", \"", Some("x.y")),
            ("if !(dom.state() !in [\"", Some("dom.state()")),
            ("switch dom.state() { \"", Some("dom.state()")),
            (
                "switch f(x, #{ a: 1 }) { \"a\" => 1, \"",
                Some("f(x, #{ a: 1 })"),
            ),
            ("switch s { \"a\" | \"", Some("s")),
            ("switch s { \"a\" => { f() } \"", Some("s")),
            ("switch s { \"a\" => \"", None),
            ("for name in [\"", None),
            ("f([\"", None),
            ("if s { \"", None),
        ] {
            let Place::Text { compared, .. } = place(text) else {
                panic!("{text}: it is text");
            };
            assert_eq!(compared.as_deref(), with, "{text}");
        }
    }

    #[test]
    fn a_key_knows_those_before_it() {
        let Place::Key { given, argument } = place("f(conn, #{ a: #{ x: 1 }, \"b\": 2, ") else {
            panic!("it is a key");
        };
        assert_eq!(given, ["a", "b"]);
        assert_eq!(argument.expect("it is in a call").first, "conn");
    }

    #[test]
    fn the_word_is_what_is_replaced() {
        for (text, word) in [
            ("dom.sta", "sta"),
            ("f(\"te st", "te st"),
            ("f(`te", "te"),
            ("f(#\"te", "te"),
            ("f(", ""),
            ("a ", ""),
        ] {
            let cursor = Cursor::at_end_of(text);
            assert_eq!(&text[cursor.word], word, "{text}");
        }
    }
}
