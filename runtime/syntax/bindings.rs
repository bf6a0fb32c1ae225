//! The names that a script defines, in the order of its text, and the code that gives them their values.

use crate::syntax::brackets;
use crate::syntax::lexer::{self, Token, TokenClass};
use crate::syntax::outline;

/// A place that defines names.
#[derive(Debug, PartialEq, Eq)]
pub enum Binding<'t> {
    /// `let name = value;` or `const name = value;`
    Variable {
        /// The name.
        name: &'t str,
        /// The code of its value, if all of it is there.
        value: Option<&'t str>,
    },
    /// `for name in values {` or `for (name, index) in values {`
    Loop {
        /// The names.
        names: Vec<&'t str>,
        /// The code of the iterated value, if it is complete.
        values: Option<&'t str>,
    },
    /// `import "path" as alias`
    Import {
        /// The path.
        path: String,
        /// The name.
        alias: &'t str,
    },
    /// `fn name(parameters) {`
    Function {
        /// The name.
        name: &'t str,
        /// The names of its parameters.
        parameters: Vec<&'t str>,
    },
    /// `catch (name) {`
    Caught {
        /// The name.
        name: &'t str,
    },
    /// `|parameters| ...` as an argument of a call
    Closure {
        /// The names of its parameters.
        parameters: Vec<&'t str>,
        /// The byte at which it begins.
        begin: usize,
    },
}

/// The names that `text` defines. It need not compile.
pub fn bindings(text: &str) -> Vec<Binding<'_>> {
    let code = lexer::code(text);
    let word = |index: usize| code.get(index).map_or("", |token| token.of(text));
    let name = |index: usize| {
        let named = code
            .get(index)
            .filter(|token| token.class == TokenClass::Name)?;
        Some(named.of(text))
    };
    let binding = |index: usize| {
        Some(match word(index) {
            "let" | "const" => Binding::Variable {
                name: name(index + 1)?,
                value: match word(index + 2) {
                    "=" => until(text, &code, index + 3, ";"),
                    _ => None,
                },
            },
            "for" => for_loop(text, &code, index),
            "import" if word(index + 2) == "as" => Binding::Import {
                path: outline::path(text, &code[index + 1])?,
                alias: name(index + 3)?,
            },
            "fn" => Binding::Function {
                name: name(index + 1)?,
                parameters: match word(index + 2) {
                    "(" => names(text, &code[index + 3..], |token| {
                        token.class == TokenClass::Close
                    }),
                    _ => Vec::new(),
                },
            },
            "catch" if word(index + 1) == "(" => Binding::Caught {
                name: name(index + 2)?,
            },
            "|" if index > 0 && matches!(word(index - 1), "(" | ",") => Binding::Closure {
                parameters: names(text, &code[index + 1..], |token| token.of(text) == "|"),
                begin: code[index].span.start,
            },
            _ => return None,
        })
    };
    (0..code.len()).filter_map(binding).collect()
}

/// The names that variables, functions and modules have in `text`.
pub fn defined_names(text: &str) -> Vec<String> {
    let names = bindings(text)
        .into_iter()
        .flat_map(|binding| match binding {
            Binding::Variable { name, .. } | Binding::Function { name, .. } => vec![name],
            Binding::Import { alias, .. } => vec![alias],
            Binding::Loop { names, .. } => names,
            Binding::Caught { .. } | Binding::Closure { .. } => Vec::new(),
        });
    names.map(str::to_owned).collect()
}

/// The names among `code` before the first token that `ends` is true of.
fn names<'t>(text: &'t str, code: &[Token], ends: impl Fn(&Token) -> bool) -> Vec<&'t str> {
    let listed = code.iter().take_while(|token| !ends(token));
    listed
        .filter(|token| token.class == TokenClass::Name)
        .map(|token| token.of(text))
        .collect()
}

/// The loop whose `for` is the token `start`.
fn for_loop<'t>(text: &'t str, code: &[Token], start: usize) -> Binding<'t> {
    let head = &code[start + 1..code.len().min(start + 6)];
    let is_in = |token: &Token| token.of(text) == "in";
    let length = head.iter().take_while(|token| !is_in(token)).count();
    Binding::Loop {
        names: names(text, head, is_in),
        values: until(text, code, start + length + 2, "{"),
    }
}

/// The code from the token `start` to the first `end` outside of brackets.
fn until<'t>(text: &'t str, code: &[Token], start: usize, end: &str) -> Option<&'t str> {
    let mut open = Vec::new();
    for token in code.get(start..)? {
        if open.is_empty() && token.of(text) == end {
            return text.get(code[start].span.start..token.span.start);
        }
        match token.class {
            TokenClass::Open => open.push(token.of(text)),
            // A bracket that closes more than was opened ends the statement as well.
            TokenClass::Close if !brackets::fits(open.pop()?, token.of(text)) => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Binding, bindings, defined_names};

    #[test]
    fn names_are_found_with_their_values() {
        let text = "let a = f(1; 2); const b; for (x, i) in [1] { } import \"m\" as n; fn g(p, q) {} \
            try {} catch (e) {} l.map(|y| y); // let no = 1;\nlet c = \"let no = 1;";
        assert_eq!(
            bindings(text),
            [
                Binding::Variable {
                    name: "a",
                    value: Some("f(1; 2)")
                },
                Binding::Variable {
                    name: "b",
                    value: None
                },
                Binding::Loop {
                    names: vec!["x", "i"],
                    values: Some("[1] ")
                },
                Binding::Import {
                    path: "m".into(),
                    alias: "n"
                },
                Binding::Function {
                    name: "g",
                    parameters: vec!["p", "q"]
                },
                Binding::Caught { name: "e" },
                Binding::Closure {
                    parameters: vec!["y"],
                    begin: text.find("|y").expect("it is there")
                },
                Binding::Variable {
                    name: "c",
                    value: None
                },
            ]
        );
        assert_eq!(defined_names(text), ["a", "b", "x", "i", "n", "g", "c"]);
    }

    #[test]
    fn text_that_is_cut_off_anywhere_is_read() {
        let text = "let a = for (x, i) in import `m` as fn (catch (|y, x| let b = ) ] }";
        for (end, _) in text.char_indices() {
            bindings(&text[..end]);
        }
    }
}
