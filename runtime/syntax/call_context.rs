//! The context of a place in a script: the chain before it, the call and the map it is in.

use super::cursor::{Argument, Call, Place, Step};
use crate::syntax::brackets;
use crate::syntax::keywords;
use crate::syntax::lexer::{Token, TokenClass};

/// The tokens before a place.
pub(super) struct Context<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl<'a> Context<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens }
    }

    /// The letters of the token `back` places before the end, the last one being 1.
    fn back(&self, back: usize) -> &'a str {
        let index = self.tokens.len().checked_sub(back);
        index
            .and_then(|index| self.tokens.get(index))
            .map_or("", |token| token.of(self.text))
    }

    /// The place that a string belongs to.
    pub(super) fn text(&self) -> Place {
        if self.back(1) == "import" {
            return Place::Import;
        }
        Place::Text {
            argument: self.argument(),
            compared: self.compared(),
        }
    }

    /// The expression that a string is compared with: by `==`, as an item of `x in [...]`, or as a case of `switch x`.
    fn compared(&self) -> Option<String> {
        let last = self.tokens.len().checked_sub(1)?;
        if matches!(self.back(1), "==" | "!=") {
            return Some(receiver(self.text, &self.tokens[..last]));
        }
        let open = self.innermost_open()?;
        match self.tokens[open].of(self.text) {
            // `for x in [...]` makes `x`.
            "[" if self.word_before(open, 1) == "in" && self.word_before(open, 3) != "for" => {
                let not = usize::from(self.word_before(open, 2) == "!");
                Some(receiver(self.text, &self.tokens[..open - 1 - not]))
            }
            "[" if self.word_before(open, 1) == "!in" => {
                Some(receiver(self.text, &self.tokens[..open - 1]))
            }
            "{" if matches!(self.back(1), "{" | "}" | "," | "|") => self.switched(open),
            _ => None,
        }
    }

    /// The expression of the `switch` whose cases begin with the bracket `open`.
    fn switched(&self, open: usize) -> Option<String> {
        let mut index = open;
        while index > 0 {
            index -= 1;
            let token = &self.tokens[index];
            match (token.class, token.of(self.text)) {
                (TokenClass::Close, _) => index = brackets::partner(self.text, self.tokens, index)?,
                (TokenClass::Keyword, "switch") => {
                    let (begin, end) = (token.span.end, self.tokens[open].span.start);
                    return Some(self.text[begin..end].trim().to_owned());
                }
                (TokenClass::Open | TokenClass::Keyword, _)
                | (TokenClass::Sign, ";" | "," | "=>") => return None,
                _ => {}
            }
        }
        None
    }

    /// The innermost bracket that is open at the place.
    fn innermost_open(&self) -> Option<usize> {
        let mut index = self.tokens.len();
        while index > 0 {
            index -= 1;
            match self.tokens[index].class {
                TokenClass::Close => index = brackets::partner(self.text, self.tokens, index)?,
                TokenClass::Open => return Some(index),
                _ => {}
            }
        }
        None
    }

    /// The place that a name, or a missing name, belongs to.
    pub(super) fn name(&self) -> Place {
        match self.back(1) {
            "." | "?." => Place::Member {
                receiver: receiver(self.text, &self.tokens[..self.tokens.len() - 1]),
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
        // The beginning of the map or array entry that contains the place.
        let mut entry = None;
        let mut index = self.tokens.len();
        while index > 0 {
            index -= 1;
            let token = &self.tokens[index];
            match (token.class, token.of(self.text)) {
                (TokenClass::Close, _) => match brackets::partner(self.text, self.tokens, index) {
                    Some(opener) => index = opener,
                    None => return scan,
                },
                (TokenClass::Sign, ",") => {
                    commas += 1;
                    entry.get_or_insert(index + 1);
                }
                (TokenClass::Sign, ";") => return scan,
                (TokenClass::Open, "(") => {
                    let before = &self.tokens[..index];
                    let called = before.last().is_some_and(is_name_of_call(self.text));
                    if !called {
                        // A group within an expression, unless it belongs to the language.
                        if before
                            .last()
                            .is_some_and(|token| token.class == TokenClass::Keyword)
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
                (TokenClass::Open, "[") => {
                    let before = index.checked_sub(1).map(|before| &self.tokens[before]);
                    if before.is_some_and(|token| {
                        matches!(
                            token.class,
                            TokenClass::Name | TokenClass::Close | TokenClass::Text { .. }
                        )
                    }) {
                        return scan;
                    }
                    within.push(Step::Item);
                }
                (TokenClass::Open, "#{") => {
                    let first = entry.unwrap_or(index + 1);
                    let colon = self.tokens.get(first + 1);
                    match colon.map(|colon| colon.of(self.text)) {
                        Some(":") => {
                            let key = self.tokens[first].of(self.text);
                            within.push(Step::Key(key.trim_matches('"').to_owned()));
                        }
                        _ if within.is_empty() && first >= self.tokens.len() => {
                            scan.keys = Some(self.keys_from(index + 1));
                        }
                        _ => return scan,
                    }
                }
                (TokenClass::Open, _) => return scan,
                _ => continue,
            }
            if token.class == TokenClass::Open {
                (commas, entry) = (0, None);
            }
        }
        scan
    }

    /// The first argument behind the bracket `open`, if `commas` follow it.
    fn first_argument(&self, open: usize, commas: usize) -> String {
        let mut depth = 0_usize;
        for index in open + 1..self.tokens.len() {
            let token = &self.tokens[index];
            match (token.class, token.of(self.text)) {
                (TokenClass::Open, _) => depth += 1,
                (TokenClass::Close, _) => depth = depth.saturating_sub(1),
                (TokenClass::Sign, ",") if depth == 0 && commas > 0 => {
                    let begin = self.tokens[open].span.end;
                    return self.text[begin..token.span.start].trim().to_owned();
                }
                _ => {}
            }
        }
        String::new()
    }

    /// The keys of the map that begins with the token `start`.
    fn keys_from(&self, start: usize) -> Vec<String> {
        let mut depth = 0_usize;
        let mut keys = Vec::new();
        for (index, token) in self.tokens.iter().enumerate().skip(start) {
            match (token.class, token.of(self.text)) {
                (TokenClass::Open, _) => depth += 1,
                (TokenClass::Close, _) => depth = depth.saturating_sub(1),
                (TokenClass::Sign, ":") if depth == 0 => {
                    keys.push(
                        self.tokens[index - 1]
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

    /// The token `back` places before the token `index`.
    fn word_before(&self, index: usize, back: usize) -> &'a str {
        index
            .checked_sub(back)
            .map_or("", |index| self.tokens[index].of(self.text))
    }
}

#[derive(Default)]
struct Scan {
    argument: Option<Argument>,
    /// The other keys of the map whose key is being written.
    keys: Option<Vec<String>>,
    /// True if it is the name of a parameter.
    declares: bool,
}

/// The call whose name is the last of `tokens`.
fn call(text: &str, tokens: &[Token]) -> Call {
    let (name, before) = match tokens.split_last() {
        Some((name, before)) => (name.of(text).to_owned(), before),
        None => (String::new(), tokens),
    };
    let sign = before.last().map_or("", |token| token.of(text));
    let before = &before[..before.len().saturating_sub(1)];
    Call {
        name,
        receiver: matches!(sign, "." | "?.").then(|| receiver(text, before)),
        module: (sign == "::").then(|| {
            let alias = before.last();
            alias.map_or("", |token| token.of(text)).to_owned()
        }),
    }
}

/// True if a token can be the name of a function that is called.
fn is_name_of_call(text: &str) -> impl Fn(&Token) -> bool {
    move |token| {
        token.class == TokenClass::Name
            || token.class == TokenClass::Keyword && keywords::is_function(token.of(text))
    }
}

/// The expression that ends with the last of `tokens`, and of which members are asked.
fn receiver(text: &str, tokens: &[Token]) -> String {
    let Some(last) = tokens.last() else {
        return String::new();
    };
    let mut index = tokens.len();
    let start = loop {
        let Some(at) = index.checked_sub(1) else {
            break 0;
        };
        // The last part of the chain before `index`: a name, text, or a bracketed part.
        let begin = match tokens[at].class {
            TokenClass::Close => match brackets::partner(text, tokens, at) {
                Some(opener) => opener,
                None => return String::new(),
            },
            TokenClass::Name
            | TokenClass::Text { .. }
            | TokenClass::Number
            | TokenClass::Keyword => at,
            _ => return String::new(),
        };
        let before = begin.checked_sub(1).map(|before| &tokens[before]);
        let sign = before.map_or("", |token| token.of(text));
        let bracket = tokens[begin].of(text);
        match before {
            // The owner of the brackets: the called function, or the indexed value.
            Some(token) if bracket == "(" && is_name_of_call(text)(token) => index = begin,
            Some(token)
                if matches!(bracket, "[" | "?[")
                    && matches!(
                        token.class,
                        TokenClass::Name | TokenClass::Close | TokenClass::Text { .. }
                    ) =>
            {
                index = begin;
            }
            _ if matches!(sign, "." | "?." | "::") => index = begin - 1,
            _ => break begin,
        }
    };
    text[tokens[start].span.start..last.span.end].to_owned()
}
