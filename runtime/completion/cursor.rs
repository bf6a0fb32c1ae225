//! What is being written where the cursor is: a member, an argument, a key, text.

use std::ops::Range;

use crate::lexer::{Class, Piece, pieces};

/// The word at the cursor, and what it is a part of.
#[derive(Debug, PartialEq)]
pub(super) struct Cursor {
    /// The bytes of the text, from the word's beginning to the cursor.
    pub(super) word: Range<usize>,
    pub(super) place: Place,
}

/// What a word is a part of.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// A comment, a number, or a name that is being made.
    Nowhere,
    /// What follows a dot; the expression before it is that text.
    Member { receiver: String },
    /// What follows `alias::`.
    Module { alias: String },
    /// The text of an `import`.
    Import,
    /// A string, between its quotes.
    Text { argument: Option<Argument> },
    /// A key of a map that has the keys `given` already.
    Key {
        argument: Option<Argument>,
        given: Vec<String>,
    },
    /// Anything that has a value; `begins` where a statement can stand.
    Value {
        argument: Option<Argument>,
        begins: bool,
    },
}

/// An argument of a call, and where in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) call: Call,
    /// Its number, from 0, without the receiver.
    pub(super) number: usize,
    /// The first argument of the call, where this is a later one.
    pub(super) first: String,
    /// The maps and arrays that lead from the argument to the place, outermost first.
    pub(super) within: Vec<Step>,
}

/// A function that is being called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    /// The expression before the dot, of a method.
    pub(super) receiver: Option<String>,
    /// The module's name, of a function in a module.
    pub(super) module: Option<String>,
}

/// A step into a map or an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Item,
}

impl Cursor {
    /// What stands at the end of `text`, whose rest is not there yet.
    pub(super) fn at_end_of(text: &str) -> Self {
        let pieces = pieces(text);
        let end = text.len();
        let nowhere = Self {
            word: end..end,
            place: Place::Nowhere,
        };
        let Some(last) = pieces.last() else {
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
            Class::Comment { open } if open || touches => nowhere,
            Class::Number if touches => nowhere,
            Class::Text { open: true } => {
                let quote = last.of(text);
                let begin = quote.trim_start_matches('#');
                let quotes = quote.len() - begin.len() + usize::from(begin.starts_with(QUOTES));
                let word = last.span.start + quotes..end;
                let before = without_comments(&pieces[..pieces.len() - 1]);
                let place = Around::new(text, &before).text();
                Self { word, place }
            }
            Class::Name | Class::Keyword if touches => {
                let before = without_comments(&pieces[..pieces.len() - 1]);
                Self {
                    word: last.span.clone(),
                    place: Around::new(text, &before).name(),
                }
            }
            _ => Self {
                word: end..end,
                place: Around::new(text, &without_comments(&pieces)).name(),
            },
        }
    }

    /// The call around the end of `text`, innermost first, whatever is being written there.
    pub(super) fn argument_at_end_of(text: &str) -> Option<Argument> {
        let pieces = pieces(text);
        // What is being written at the end is no part of what is around it.
        let unfinished = |piece: &Piece| match piece.class {
            Class::Text { open } => open,
            Class::Name | Class::Keyword => piece.span.end == text.len(),
            _ => false,
        };
        let count = pieces.len() - usize::from(pieces.last().is_some_and(unfinished));
        Around::new(text, &without_comments(&pieces[..count])).argument()
    }
}

const QUOTES: [char; 3] = ['"', '`', '\''];

fn without_comments(pieces: &[Piece]) -> Vec<Piece> {
    pieces
        .iter()
        .filter(|piece| !matches!(piece.class, Class::Comment { .. }))
        .cloned()
        .collect()
}

/// The pieces before a place.
struct Around<'a> {
    text: &'a str,
    pieces: &'a [Piece],
}

impl<'a> Around<'a> {
    fn new(text: &'a str, pieces: &'a [Piece]) -> Self {
        Self { text, pieces }
    }

    /// The letters of the piece `back` places before the end, the last one being 1.
    fn back(&self, back: usize) -> &'a str {
        let index = self.pieces.len().checked_sub(back);
        index
            .and_then(|index| self.pieces.get(index))
            .map_or("", |piece| piece.of(self.text))
    }

    fn text(&self) -> Place {
        if self.back(1) == "import" {
            return Place::Import;
        }
        Place::Text {
            argument: self.argument(),
        }
    }

    fn name(&self) -> Place {
        match self.back(1) {
            "." | "?." => Place::Member {
                receiver: receiver(self.text, &self.pieces[..self.pieces.len() - 1]),
            },
            "::" => Place::Module {
                alias: self.back(2).to_owned(),
            },
            "let" | "const" | "fn" | "for" | "as" => Place::Nowhere,
            "import" => Place::Import,
            before => match self.scan() {
                Scan {
                    keys: Some(given),
                    argument,
                    ..
                } => Place::Key { argument, given },
                Scan { declares: true, .. } => Place::Nowhere,
                Scan { argument, .. } => {
                    let begins = matches!(before, "" | ";" | "{" | "}");
                    Place::Value { argument, begins }
                }
            },
        }
    }

    fn argument(&self) -> Option<Argument> {
        self.scan().argument
    }

    /// Goes outwards from the place to the call that it is an argument of.
    fn scan(&self) -> Scan {
        let mut scan = Scan::default();
        let mut within = Vec::new();
        let mut commas = 0;
        // Where the entry of the map or array begins that the place is in.
        let mut entry = None;
        let mut index = self.pieces.len();
        while index > 0 {
            index -= 1;
            let piece = &self.pieces[index];
            match (piece.class, piece.of(self.text)) {
                (Class::Close, _) => match opener(self.text, self.pieces, index) {
                    Some(opener) => index = opener,
                    None => return scan,
                },
                (Class::Sign, ",") => {
                    commas += 1;
                    entry.get_or_insert(index + 1);
                }
                (Class::Sign, ";") => return scan,
                (Class::Open, "(") => {
                    let before = &self.pieces[..index];
                    let called = before.last().is_some_and(is_name_of_call(self.text));
                    if !called {
                        // A group within an expression, unless it belongs to the language.
                        if before
                            .last()
                            .is_some_and(|piece| piece.class == Class::Keyword)
                        {
                            return scan;
                        }
                    } else {
                        scan.declares = self.word_before(index, 2) == "fn";
                        if !scan.declares {
                            scan.argument = Some(Argument {
                                call: call(self.text, before),
                                number: commas,
                                first: self.first_argument(index, commas),
                                within: within.into_iter().rev().collect(),
                            });
                        }
                        return scan;
                    }
                }
                (Class::Open, "[") => {
                    let before = index.checked_sub(1).map(|before| &self.pieces[before]);
                    if before.is_some_and(|piece| {
                        matches!(piece.class, Class::Name | Class::Close | Class::Text { .. })
                    }) {
                        return scan;
                    }
                    within.push(Step::Item);
                }
                (Class::Open, "#{") => {
                    let first = entry.unwrap_or(index + 1);
                    let colon = self.pieces.get(first + 1);
                    match colon.map(|colon| colon.of(self.text)) {
                        Some(":") => {
                            let key = self.pieces[first].of(self.text);
                            within.push(Step::Key(key.trim_matches('"').to_owned()));
                        }
                        _ if within.is_empty() && first >= self.pieces.len() => {
                            scan.keys = Some(self.keys_from(index + 1));
                        }
                        _ => return scan,
                    }
                }
                (Class::Open, _) => return scan,
                _ => continue,
            }
            if piece.class == Class::Open {
                (commas, entry) = (0, None);
            }
        }
        scan
    }

    /// The first argument behind the bracket `open`, if `commas` follow it.
    fn first_argument(&self, open: usize, commas: usize) -> String {
        let mut depth = 0_usize;
        for index in open + 1..self.pieces.len() {
            let piece = &self.pieces[index];
            match (piece.class, piece.of(self.text)) {
                (Class::Open, _) => depth += 1,
                (Class::Close, _) => depth = depth.saturating_sub(1),
                (Class::Sign, ",") if depth == 0 && commas > 0 => {
                    let begin = self.pieces[open].span.end;
                    return self.text[begin..piece.span.start].trim().to_owned();
                }
                _ => {}
            }
        }
        String::new()
    }

    /// The keys of the map that begins with the piece `start`.
    fn keys_from(&self, start: usize) -> Vec<String> {
        let mut depth = 0_usize;
        let mut keys = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate().skip(start) {
            match (piece.class, piece.of(self.text)) {
                (Class::Open, _) => depth += 1,
                (Class::Close, _) => depth = depth.saturating_sub(1),
                (Class::Sign, ":") if depth == 0 => {
                    keys.push(
                        self.pieces[index - 1]
                            .of(self.text)
                            .trim_matches('"')
                            .to_owned(),
                    );
                }
                _ => {}
            }
        }
        keys
    }

    /// The piece `back` places before the piece `index`.
    fn word_before(&self, index: usize, back: usize) -> &'a str {
        index
            .checked_sub(back)
            .map_or("", |index| self.pieces[index].of(self.text))
    }
}

#[derive(Default)]
struct Scan {
    argument: Option<Argument>,
    /// The other keys of the map whose key is being written.
    keys: Option<Vec<String>>,
    /// Whether it is the name of a parameter.
    declares: bool,
}

/// The call whose name is the last of `pieces`.
fn call(text: &str, pieces: &[Piece]) -> Call {
    let (name, before) = match pieces.split_last() {
        Some((name, before)) => (name.of(text).to_owned(), before),
        None => (String::new(), pieces),
    };
    let sign = before.last().map_or("", |piece| piece.of(text));
    let before = &before[..before.len().saturating_sub(1)];
    Call {
        name,
        receiver: matches!(sign, "." | "?.").then(|| receiver(text, before)),
        module: (sign == "::").then(|| {
            let alias = before.last();
            alias.map_or("", |piece| piece.of(text)).to_owned()
        }),
    }
}

/// Whether a piece can be the name of what is called.
fn is_name_of_call(text: &str) -> impl Fn(&Piece) -> bool {
    // Rhai keeps these words to itself, but they are called as functions are.
    const FUNCTIONS: [&str; 9] = [
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
    move |piece| {
        piece.class == Class::Name
            || piece.class == Class::Keyword && FUNCTIONS.contains(&piece.of(text))
    }
}

/// The expression that ends with the last of `pieces`, and of which members are asked.
fn receiver(text: &str, pieces: &[Piece]) -> String {
    let Some(last) = pieces.last() else {
        return String::new();
    };
    let mut index = pieces.len();
    let start = loop {
        let Some(at) = index.checked_sub(1) else {
            break 0;
        };
        // The last part of the chain before `index`: a name, text, or what is in brackets.
        let begin = match pieces[at].class {
            Class::Close => match opener(text, pieces, at) {
                Some(opener) => opener,
                None => return String::new(),
            },
            Class::Name | Class::Text { .. } | Class::Number | Class::Keyword => at,
            _ => return String::new(),
        };
        let before = begin.checked_sub(1).map(|before| &pieces[before]);
        let sign = before.map_or("", |piece| piece.of(text));
        let bracket = pieces[begin].of(text);
        match before {
            // What the brackets belong to: what is called, or what is looked into.
            Some(piece) if bracket == "(" && is_name_of_call(text)(piece) => index = begin,
            Some(piece)
                if bracket == "["
                    && matches!(piece.class, Class::Name | Class::Close | Class::Text { .. }) =>
            {
                index = begin;
            }
            _ if matches!(sign, "." | "?." | "::") => index = begin - 1,
            _ => break begin,
        }
    };
    text[pieces[start].span.start..last.span.end].to_owned()
}

/// The bracket that the one at `close` closes.
pub(super) fn opener(text: &str, pieces: &[Piece], close: usize) -> Option<usize> {
    let mut open = 0_usize;
    for index in (0..=close).rev() {
        match pieces[index].class {
            Class::Close => open += 1,
            Class::Open => {
                open -= 1;
                if open == 0 {
                    return fits(pieces[index].of(text), pieces[close].of(text)).then_some(index);
                }
            }
            _ => {}
        }
    }
    None
}

fn fits(open: &str, close: &str) -> bool {
    matches!((open, close), ("(", ")") | ("[", "]") | ("{" | "#{", "}"))
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
            Place::Text { argument } => ("text", argument),
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
