//! Advice for scripts that do not compile, for users who know another language.

use rhai::{LexError, ParseErrorType, Position};

use crate::advice::{suggest, virsh};
use crate::syntax::keywords;
use crate::syntax::lexer::{self, Token, TokenClass};
use crate::syntax::text::Text;

/// True if statements of other languages begin with `word`, and advice exists for it.
pub fn is_word_elsewhere(word: &str) -> bool {
    FIRST.iter().any(|(words, _)| words.contains(&word))
}

/// Words that begin a statement in other languages, with their counterparts in Rhai.
const FIRST: &[(&[&str], &str)] = &[
    (
        &["def", "func", "function", "sub", "proc"],
        "a function is defined by `fn name(a, b) { ... }`",
    ),
    (&["foreach", "each"], "a loop is `for item in list { ... }`"),
    (&["unless"], "use `if !condition { ... }`"),
    (&["raise", "die"], "`throw` throws an error"),
    (
        &["assert"],
        "a call needs its brackets: `assert(condition)`",
    ),
    (
        &["echo", "printf", "puts", "print"],
        "a call needs its brackets: `print(value)`",
    ),
    (
        &["var", "local", "my", "set", "auto", "mut"],
        "`let name = value;` declares a variable",
    ),
    (
        &[
            "include", "require", "source", "from", "use", "using", "package", "module",
        ],
        "`import \"path\" as name;` imports a script",
    ),
    (
        &["with"],
        "use `let` instead of `with`; `read_text(path)` reads a file",
    ),
    (&["struct", "class"], "use a map: `#{ name: value }`"),
    (
        &["case", "match", "select"],
        "`switch value { 1 => ..., \"x\" => ..., _ => ... }` chooses",
    ),
    (
        &["virsh"],
        "use methods instead of virsh's commands, such as `connect().list_all_domains()`; `virhai doc` lists them",
    ),
];

/// Operators that are elsewhere in the language, with their counterparts.
const WITHIN: &[(&[&str], &str)] = &[
    (&["and"], "`&&` means that both are true"),
    (&["or"], "`||` means that one of them is true"),
    (&["not"], "`!` means that it is not true"),
    (&["is"], "`==` compares"),
    (&["then", "do"], "put the statements in `{ ... }`"),
    (&["elif", "elsif", "elseif"], "use `else if`"),
    (
        &["except", "rescue", "finally"],
        "`try { ... } catch (err) { ... }` catches an error",
    ),
    (&["lambda"], "`|x| x + 1` is a function without a name"),
    (
        &["null", "nil", "None", "void", "undefined"],
        "`()` stands for no value",
    ),
];

const UNTYPED: &str = "parameters and results of functions have no types, and parameters no default: `fn name(a, b) { ... }`";

const CASES: &str = "a case of `switch` is a literal, such as `1` or `\"x\"`: use `if a == b { ... } else if a == c { ... }`";

const LONG_TEXT: &str = "write text over several lines in backquotes";

const INTERPOLATED: &str = "between backquotes, `${x}` puts a value into text";

/// Advice on a failure of the sort `kind` at `position` of `text`, if it is of a usual sort.
pub(crate) fn advice(kind: &ParseErrorType, position: Position, text: &str) -> Option<String> {
    let text = Text::from(text);
    let tokens = Tokens::around(&text, position)?;
    let fixed = tokens
        .of_a_key(kind)
        .or_else(|| tokens.of_a_literal(kind))
        .or_else(|| tokens.of_delete())
        .or_else(|| tokens.of_virsh())
        .or_else(|| tokens.of_words())
        .or_else(|| tokens.of_signs());
    if let Some(advice) = fixed {
        return Some(advice);
    }
    match kind {
        ParseErrorType::MissingToken(token, _) => tokens.of_missing(token),
        ParseErrorType::ExprExpected(what) if what == "a literal" => Some(CASES.into()),
        ParseErrorType::PropertyExpected if tokens.is_text(0) => Some("`+` joins two texts".into()),
        ParseErrorType::FnMissingBody(_) if tokens.word(0) == "->" => Some(UNTYPED.into()),
        ParseErrorType::AssignmentToConstant(_) => {
            Some("a constant cannot change; declare a variable with `let`".into())
        }
        ParseErrorType::Reserved(word)
            if !matches!(tokens.word(-1), "let" | "const" | "fn")
                && of_reserved(word).is_some() =>
        {
            of_reserved(word).map(str::to_owned)
        }
        ParseErrorType::Reserved(word) if word.chars().all(char::is_alphabetic) => {
            Some("this word is reserved: choose another name".into())
        }
        ParseErrorType::VariableExpected if matches!(tokens.word(0), "{" | "[") => {
            Some("declare one variable in each statement: `let name = map.name;`".into())
        }
        ParseErrorType::VariableExpected if tokens.word(-2) == "for" && tokens.word(-1) == "(" => {
            Some("a loop is `for i in 0..3 { ... }`".into())
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => Some(format!(
            "text in double quotes ends on its line; {LONG_TEXT}"
        )),
        ParseErrorType::VariableExpected if tokens.class(0) == Some(TokenClass::Keyword) => Some(
            format!("`{}` is a keyword: choose another name", tokens.word(0)),
        ),
        _ => None,
    }
}

/// Advice for a reserved word that is not used as a name.
fn of_reserved(word: &str) -> Option<&'static str> {
    match word {
        "new" => Some("remove `new`: there are no classes; `throw \"text\"` throws an error"),
        "async" | "await" => Some(
            "remove the word: each call waits for its result; `parallel(list, 8, |item| ...)` works on 8 items at the same time",
        ),
        _ => None,
    }
}

/// The tokens of a script around the place of a failure.
struct Tokens<'a> {
    text: &'a Text,
    list: Vec<Token>,
    /// The token that the failure is at; the length if it is at the end of the text.
    at: usize,
}

impl<'a> Tokens<'a> {
    fn around(text: &'a Text, position: Position) -> Option<Self> {
        position.position()?;
        let offset = text.byte_at(position).unwrap_or(text.len());
        let list = lexer::code(text);
        let at = list.partition_point(|token| token.span.end <= offset);
        Some(Self { text, list, at })
    }

    /// The letters of the token `steps` after the failure's, or before it.
    fn word(&self, steps: isize) -> &'a str {
        let token = self.at.checked_add_signed(steps);
        let token = token.and_then(|index| self.list.get(index));
        token.map_or("", |token| token.of(self.text))
    }

    fn class(&self, steps: isize) -> Option<TokenClass> {
        let token = self.at.checked_add_signed(steps);
        token
            .and_then(|index| self.list.get(index))
            .map(|token| token.class)
    }

    fn line(&self, index: usize) -> usize {
        let end = self
            .list
            .get(index)
            .map_or(self.text.len(), |token| token.span.start);
        self.text.line_of(end)
    }

    /// True if the token of the failure directly follows the token before it, without a blank.
    fn adjoins(&self) -> bool {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|index| self.list.get(index));
        let here = self.list.get(self.at);
        before
            .zip(here)
            .is_some_and(|(before, here)| before.span.end == here.span.start)
    }

    fn is_text(&self, steps: isize) -> bool {
        matches!(self.class(steps), Some(TokenClass::Text { .. }))
    }

    /// Text that adjoins a name, such as `f"{x}"`.
    fn of_a_prefixed_text(&self) -> Option<&'static str> {
        let begins_text = self.is_text(0) || self.word(0).starts_with('\'');
        if self.class(-1) != Some(TokenClass::Name) || !begins_text || !self.adjoins() {
            return None;
        }
        match self.word(-1).to_ascii_lowercase().as_str() {
            "f" | "fr" | "rf" => Some(INTERPOLATED),
            "r" => Some("text without escapes is written as `#\"text\"#`"),
            "u" => Some("remove the `u`: text is written as `\"text\"`"),
            "b" => Some("`\"text\".to_blob()` is the bytes of a text"),
            _ => None,
        }
    }

    /// True if the token of the failure is the first on its line.
    fn begins_line(&self) -> bool {
        self.at == 0 || self.line_before().is_some()
    }

    /// The line of the token before, if the failure is on a later one.
    fn line_before(&self) -> Option<usize> {
        let before = self.line(self.at.checked_sub(1)?);
        (before < self.line(self.at)).then_some(before)
    }

    /// The first token of the statement: the first on its line, or after `;`, `{` or `}`.
    fn first(&self) -> usize {
        let mut first = self.at.min(self.list.len().saturating_sub(1));
        while let Some(before) = first.checked_sub(1) {
            let ends = matches!(self.list[before].of(self.text), ";" | "{" | "}");
            if ends || self.line(before) < self.line(first) {
                break;
            }
            first = before;
        }
        first
    }

    /// Words of the language where a key or a property is expected.
    fn of_a_key(&self, kind: &ParseErrorType) -> Option<String> {
        let word = self.word(0);
        if !matches!(kind, ParseErrorType::Reserved(_))
            && self.class(0) != Some(TokenClass::Keyword)
        {
            return None;
        }
        match (self.word(-1), self.word(1)) {
            ("#{" | ",", ":") => Some(format!("write the key in quotes: `\"{word}\": ...`")),
            ("." | "?.", _) => Some(format!("`[\"{word}\"]` reads the property with that name")),
            _ => None,
        }
    }

    /// Signs of other languages in a map or a list that is written out.
    fn of_a_literal(&self, kind: &ParseErrorType) -> Option<String> {
        let first = self.list.get(self.first())?.of(self.text);
        if first == "for" && self.word(0) == "#{" && self.word(-1) == "in" {
            return Some("`for key in map.keys() { ... }` goes through the keys of a map".into());
        }
        let ParseErrorType::MissingToken(_, place) = kind else {
            return None;
        };
        let (in_map, in_list) = (
            place.contains("object map"),
            place.contains("array literal"),
        );
        Some(match self.word(0) {
            "=>" | "=" if in_map => "an entry of a map is `name: value`".into(),
            "..." | ".." if in_map && matches!(self.word(-1), "#{" | ",") => {
                "`map + #{ name: value }` joins two maps".into()
            }
            ":" if in_list && self.class(-1) == Some(TokenClass::Name) => {
                let key = self.at.checked_sub(1)?;
                let before = self.line(key.checked_sub(1)?);
                match before < self.line(key) {
                    true => format!("is `]` missing at the end of line {before}?"),
                    false => format!(
                        "a list has no names: `#{{ {}: ... }}` is a map",
                        self.word(-1)
                    ),
                }
            }
            _ => return None,
        })
    }

    /// `delete map.key` of JavaScript.
    fn of_delete(&self) -> Option<String> {
        let [word, map, dot, key] = self.list.get(self.first()..self.first() + 4)? else {
            return None;
        };
        let [word, map, dot, key] = [word, map, dot, key].map(|token| token.of(self.text));
        let is_declared = self
            .list
            .windows(2)
            .any(|pair| pair[0].of(self.text) == "let" && pair[1].of(self.text) == map);
        (word == "delete" && dot == "." && is_declared)
            .then(|| format!("`{map}.remove({key:?})` removes a key"))
    }

    /// A command of virsh with its arguments, as a script says it.
    fn of_virsh(&self) -> Option<String> {
        let first = self.list.get(self.first())?;
        let line = self.text[first.span.start..].lines().next()?;
        let words = virsh::words(line.trim_end_matches(';'));
        let mut words = words.iter().map(String::as_str);
        let command =
            virsh::first_word(words.next()?).filter(|command| command.has_counterpart())?;
        let words: Vec<&str> = words.collect();
        let is_name = |word: &&str| {
            word.starts_with(|letter: char| letter.is_alphanumeric() || "-/".contains(letter))
        };
        if command.is_of_the_prompt() || !words.first().is_some_and(is_name) {
            return None;
        }
        let name = command.in_words();
        Some(match command.code(&words, &|_| false) {
            Ok(code) => format!("{name} is `{code}` here"),
            Err(word) => format!("`{word}` after {name} has no translation"),
        })
    }

    fn of_words(&self) -> Option<String> {
        let among = |table: &[(&[&str], &str)], word: &str| {
            let entry = table.iter().find(|(words, _)| words.contains(&word));
            entry.map(|(_, advice)| (*advice).to_owned())
        };
        let first = self.first();
        let begins = self.list.get(first + 1).is_some_and(|next| {
            matches!(
                next.class,
                TokenClass::Name
                    | TokenClass::Text { .. }
                    | TokenClass::Number
                    | TokenClass::Keyword
            )
        });
        let statement = self.list.get(first).filter(|_| begins);
        statement
            .and_then(|token| among(FIRST, token.of(self.text)))
            .or_else(|| among(WITHIN, self.word(0)))
            .or_else(|| among(WITHIN, self.word(-1)))
    }

    fn of_signs(&self) -> Option<String> {
        let (before, here) = (self.word(-1), self.word(0));
        if let Some(advice) = self.of_a_prefixed_text() {
            return Some(advice.into());
        }
        if let Some(advice) = self.of_a_module() {
            return Some(advice);
        }
        let advice = match (before, here) {
            _ if here.starts_with('$') => {
                "a variable is written without `$`; between backquotes, `${x}` puts its value into text"
            }
            _ if here.starts_with('#') && here != "#{" => "`//` begins a comment",
            _ if here.starts_with('\'') => "write text in double quotes: `\"text\"`",
            _ if here.starts_with("++") => "`x += 1` adds one",
            _ if here.starts_with('?') => "`if condition { a } else { b }` has a value",
            _ if here == "..." => "`0..3` is 0, 1, 2, and `0..=3` also contains 3",
            ("<", ">") => "`!=` compares values for inequality",
            (_, "=>") => "`|x| x + 1` is a function without a name",
            (_, "<<") => LONG_TEXT,
            (_, "--") if self.begins_line() => "`//` begins a comment",
            (_, "--") if self.class(-1) == Some(TokenClass::Name) => "`x -= 1` subtracts one",
            (_, "--") => {
                "there are no options with `--`: flags are constants such as VIR_DOMAIN_START_PAUSED, joined by `|`"
            }
            (_, ":")
                if self.word(-2) == "{"
                    && (self.class(-1) == Some(TokenClass::Name) || self.is_text(-1)) =>
            {
                "a map begins with `#{`: `#{ name: value }`"
            }
            _ => return None,
        };
        Some(advice.into())
    }

    /// A call of a function of an import with one colon.
    fn of_a_module(&self) -> Option<String> {
        let is_name = |steps| self.class(steps) == Some(TokenClass::Name);
        let next = self.list.get(self.at + 1)?;
        let is_meant = self.word(0) == ":"
            && self.word(2) == "("
            && is_name(-1)
            && is_name(1)
            && self.adjoins()
            && self.list[self.at].span.end == next.span.start;
        let (alias, name) = (self.word(-1), self.word(1));
        is_meant.then(|| format!("write `{alias}::{name}(...)`"))
    }

    /// True if the statement goes on with `word` after the failure.
    fn goes_on_with(&self, word: &str) -> bool {
        let rest = self.list.iter().skip(self.at + 1);
        let mut rest = rest.map(|token| token.of(self.text));
        rest.find(|next| [word, ";", "{"].contains(next)) == Some(word)
    }

    /// Advice if the sign `token` was expected.
    fn of_missing(&self, token: &str) -> Option<String> {
        let first = self
            .list
            .get(self.first())
            .map_or("", |token| token.of(self.text));
        let advice = match (first, token) {
            ("fn" | "private", _) if matches!(self.word(0), ":" | "=") => UNTYPED,
            ("for", _)
                if self
                    .list
                    .get(self.first() + 1)
                    .is_some_and(|next| next.of(self.text) == "(") =>
            {
                "a loop is `for i in 0..10 { ... }`"
            }
            (_, "," | ")")
                if matches!(self.word(0), "=" | ":")
                    && self.class(-1) == Some(TokenClass::Name) =>
            {
                let blank = if self.word(0) == "=" { " " } else { "" };
                return Some(format!(
                    "arguments have no names: remove `{}{blank}{}`, and pass them in order",
                    self.word(-1),
                    self.word(0)
                ));
            }
            (_, ";") if self.word(-2) == "}" && self.word(0) == "{" => {
                let near = suggest::nearest(self.word(-1), keywords::after_blocks())?;
                return Some(format!("did you mean `{near}`?"));
            }
            (_, ",") if self.is_text(-1) && self.is_text(0) => "`+` joins two texts",
            (_, ";") if self.is_text(-1) && self.is_text(0) => "`+` joins two texts",
            (_, ";" | "," | ")") if self.word(0) == "if" && self.goes_on_with("else") => {
                "`if condition { a } else { b }` has a value"
            }
            (_, ")") if self.word(0) == "," && self.word(-2) == "(" => {
                "a list is written in square brackets: `[1, 2]`"
            }
            (_, ")") if self.word(-2) == "(" && self.word(-3) == "catch" => {
                "`catch (err) { ... }` takes one name, without a type"
            }
            (_, ",") if self.word(0) == "for" => {
                "`list.map(|item| ...)` makes a list of a list; `list.filter(|item| ...)` selects items"
            }
            (_, "]") if self.word(0) == ":" => "a range is written with dots: `list[1..3]`",
            ("for", "in") if self.word(0) == "," => {
                "for a map, `for key in map.keys() { let value = map[key]; ... }`; for a list, `for (item, index) in list { ... }`"
            }
            ("let" | "const", ";") if self.word(0) == ":" => {
                "variables have no types: `let name = value;`"
            }
            (_, "{") => "put the statements in `{ ... }`, even a single one",
            (_, ";") if self.line_before().is_some() => {
                return Some(format!(
                    "is `;` missing at the end of line {}?",
                    self.line_before()?
                ));
            }
            (_, "," | ")" | "]" | "}") if self.line_before().is_some() => {
                return Some(format!(
                    "is a comma or a closing bracket missing at the end of line {}?",
                    self.line_before()?
                ));
            }
            (_, "}") if self.word(0) == ";" => "separate the entries of a map with commas",
            (_, ";") => match (self.class(-1)?, self.class(0)?) {
                (TokenClass::Number, TokenClass::Name) if self.adjoins() => {
                    "a size or a time is text: `\"10GiB\"`, `\"5m\"`"
                }
                (TokenClass::Name, TokenClass::Name) => {
                    let (before, here) = (self.word(-1), self.word(0));
                    return Some(format!("a method is called as `{before}.{here}()`"));
                }
                (TokenClass::Name, TokenClass::Text { .. } | TokenClass::Number) => {
                    let (before, here) = (self.word(-1), self.word(0));
                    return Some(format!("a call needs its brackets: `{before}({here})`"));
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(advice.into())
    }
}

#[cfg(test)]
mod tests {
    use rhai::ParseError;

    use crate::engine::{self, Limits};
    use crate::{Imports, Session, SessionOptions};

    /// Scripts that do not compile, each with a part of its advice.
    const SCRIPTS: &[(&str, &str)] = &[
        ("let x = $y;", "without `$`"),
        ("# comment", "`//`"),
        ("let x = 'hello';", "\"text\""),
        ("let s = f\"a{x}\";", "`${x}`"),
        ("print(f\"a{x}\");", "`${x}`"),
        ("throw new Error(\"x\");", "remove `new`"),
        ("let x = await f();", "waits for its result"),
        ("async fn f() {}", "waits for its result"),
        ("with open(\"x\") as f { }", "instead of `with`"),
        ("for i in 0...3 { }", "`0..=3`"),
        ("dom.stop(timeout: 60);", "remove `timeout:`"),
        ("let x = [d for d in list];", "`list.map(|item| ...)`"),
        ("let x = list[1:2];", "`list[1..3]`"),
        ("for k, v in map { }", "`for key in map.keys()"),
        ("let x: int = 5;", "have no types"),
        ("let {a, b} = map;", "in each statement"),
        ("x++;", "`x += 1`"),
        ("let x = a ? b : c;", "`if condition"),
        ("a <> b", "`!=`"),
        ("let f = x => x + 1;", "`|x| x + 1`"),
        ("conn.list_all_domains(--all)", "`--`"),
        ("let m = {a: 1};", "`#{`"),
        ("let m = #{a: 1; b: 2};", "comma"),
        ("let m = #{ match: 1 };", "`\"match\": ...`"),
        ("m.match", "`[\"match\"]`"),
        ("let match = 1;", "another name"),
        ("let x = null;", "`()`"),
        ("def f(x):\n  return x", "`fn name"),
        ("fn f(a: int) {}", "no types"),
        ("fn f() -> int {}", "no types"),
        ("const X = 3; X = 4;", "`let`"),
        ("local x=5", "`let name"),
        ("if x == 1 then { }", "`{ ... }`"),
        ("if (x == 1) print(x);", "even a single one"),
        ("if not x { }", "`!`"),
        ("true and false", "`&&`"),
        ("if a { } elif b { }", "`else if`"),
        ("for (i = 0; i < 3; i++) { }", "`for i in"),
        ("try { } except { }", "catch (err)"),
        ("print \"x\"", "`print(value)`"),
        (
            "connect \"test:///default\"",
            "`connect(\"test:///default\")`",
        ),
        ("dom start", "`dom.start()`"),
        ("start web", "`conn.lookup_by_name(\"web\").create()`"),
        (
            "net-start default;",
            "`conn.network_lookup_by_name(\"default\").create()`",
        ),
        ("list --all", "`conn.list_all_domains()`"),
        ("let until = 1;", "another name"),
        ("if a { } esle { }", "`else`"),
        ("virsh list --all", "`connect().list_all_domains()`"),
        ("dom.create(flags=0);", "remove `flags =`"),
        ("let x = 10G;", "\"10GiB\""),
        (
            "let m = #{ a: 1, b: [1, 2,\n c: 3, };",
            "`]` missing at the end of line 1",
        ),
        ("let l = [1, a: 2];", "`#{ a: ... }`"),
        ("for (let i = 0; i < 3; i += 1) { }", "`for i in"),
        ("for k in #{ a: 1 } { }", "`for key in map.keys()"),
        (
            "let m = #{}; let x = #{ ...m, b: 2 };",
            "`map + #{ name: value }`",
        ),
        ("let m = #{ \"a\" => 1 };", "`name: value`"),
        ("let m = #{ a: 1 }; delete m.a;", "`m.remove(\"a\")`"),
        ("let x = \"\"\"\nabc\"\"\";", "backquotes"),
        ("let x = <<EOF\nabc\nEOF\n", "backquotes"),
        ("let s = f'a {x}';", "`${x}`"),
        ("let s = r\"a\";", "`#\"text\"#`"),
        ("let s = u'a b';", "remove the `u`"),
        ("let s = b\"ab\";", "to_blob"),
        ("let s = \"a\" \"b\";", "`+`"),
        ("print(\"a\" \"b\");", "`+`"),
        ("let s = \"a\" . \"b\";", "`+`"),
        ("let x = 1 if a else 2;", "has a value"),
        ("print(1 if a else 2);", "has a value"),
        ("let x = (1, 2);", "`[1, 2]`"),
        ("try { } catch (Exception e) { }", "one name"),
        ("switch a { b => 1 }", "literal"),
        ("let m = {\"a\": 1};", "`#{`"),
        ("-- comment", "`//`"),
        ("let i = 1; i--;", "`x -= 1`"),
        ("backup:make(dom);", "`backup::make(...)`"),
        ("let a = 1 // one\nlet b = 2", "line 1"),
        ("let x = [1,\n2\nlet y = 3;", "line 2"),
    ];

    #[test]
    fn what_was_most_likely_meant_is_told() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut offenders = Vec::new();
        for (script, wanted) in SCRIPTS {
            let error = engine.compile(script);
            let ParseError(kind, position) = error.expect_err(script);
            let advice = super::advice(&kind, position, script);
            if !advice
                .as_deref()
                .is_some_and(|advice| advice.contains(wanted))
            {
                offenders.push(format!("{script:?} ({kind}): {advice:?}"));
            }
        }
        assert_eq!(offenders, [""; 0], "{offenders:#?}");
    }

    #[test]
    fn what_is_cut_off_anywhere_is_advised_on_without_a_panic() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        for (script, _) in SCRIPTS {
            for (end, _) in script.char_indices() {
                let Err(ParseError(kind, position)) = engine.compile(&script[..end]) else {
                    continue;
                };
                let _ = super::advice(&kind, position, &script[..end]);
            }
        }
    }
}
