//! What is around a place in a script: the chain before it, the call and the map it is in.

use super::cursor::{Argument, Call, Place, Step};
use crate::syntax::lexer::{Class, Piece};

/// The pieces before a place.
pub(super) struct Around<'a> {
    text: &'a str,
    pieces: &'a [Piece],
}

impl<'a> Around<'a> {
    pub(super) fn new(text: &'a str, pieces: &'a [Piece]) -> Self {
        Self { text, pieces }
    }

    /// The letters of the piece `back` places before the end, the last one being 1.
    fn back(&self, back: usize) -> &'a str {
        let index = self.pieces.len().checked_sub(back);
        index
            .and_then(|index| self.pieces.get(index))
            .map_or("", |piece| piece.of(self.text))
    }

    /// What a string is a part of.
    pub(super) fn text(&self) -> Place {
        if self.back(1) == "import" {
            return Place::Import;
        }
        let compared = matches!(self.back(1), "==" | "!=")
            .then(|| receiver(self.text, &self.pieces[..self.pieces.len() - 1]));
        Place::Text {
            argument: self.argument(),
            compared,
        }
    }

    /// What a name is a part of, or what can stand where there is none yet.
    pub(super) fn name(&self) -> Place {
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

    /// The argument that the place is in.
    pub(super) fn argument(&self) -> Option<Argument> {
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
