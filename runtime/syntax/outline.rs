//! The parts of a script, found in its tokens: functions, imports, statements. The script need not compile.

use std::ops::Range;

use crate::syntax::brackets;
use crate::syntax::doc_comment;
use crate::syntax::lexer::{self, Token, TokenClass};

/// The parts of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The opening comment, without its slashes.
    pub docs: String,
    /// The functions, in the order of the text.
    pub functions: Vec<Function>,
    /// The imports, in the order of the text.
    pub imports: Vec<Import>,
    /// The statements outside of brackets, each to its semicolon. One that ends with its block and has no semicolon
    /// is a part of the next one.
    pub statements: Vec<Range<usize>>,
}

/// A function that a script defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The type of the values that it is a method of, if it is one.
    pub this_type: Option<String>,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// True if other files cannot call the function.
    pub private: bool,
    /// The doc comment, without its slashes.
    pub docs: String,
    /// The bytes of its name.
    pub name_span: Range<usize>,
    /// The bytes from `fn`, or `private` before it, to the end of its body, or of the text where it has none.
    pub span: Range<usize>,
    /// The end of the text before it: between are only blanks and comments.
    pub after: usize,
}

/// An `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The path, if it is written out.
    pub path: Option<String>,
    /// The name that the script gives it.
    pub alias: Option<String>,
    /// The byte at which it begins.
    pub begin: usize,
}

impl Outline {
    /// The parts of `text`.
    pub fn of(text: &str) -> Self {
        let all = lexer::tokens(text);
        let code: Vec<Token> = all
            .iter()
            .filter(|token| !token.is_comment())
            .cloned()
            .collect();
        let mut outline = Self {
            docs: docs_of_file(text, all.iter().cloned()),
            statements: statements(text, &code),
            ..Self::default()
        };
        let partners = brackets::partners(text, &code);
        for (index, token) in code.iter().enumerate() {
            match token.of(text) {
                "fn" if token.class == TokenClass::Keyword => {
                    let function = function(text, &all, &code, &partners, index);
                    outline.functions.extend(function);
                }
                "import" if token.class == TokenClass::Keyword => {
                    outline.imports.push(import(text, &code, index));
                }
                _ => {}
            }
        }
        outline
    }

    /// The opening comment of `text`, whose other parts are not read.
    pub fn docs_of(text: &str) -> String {
        docs_of_file(text, lexer::stream(text))
    }

    /// The path that the script imports as `alias`.
    pub fn path_of_alias(&self, alias: &str) -> Option<&str> {
        let mut imports = self.imports.iter();
        let import = imports.find(|import| import.alias.as_deref() == Some(alias))?;
        import.path.as_deref()
    }

    /// The names of the functions that other files can call, each once.
    pub fn public_names(&self) -> Vec<String> {
        let public = self.functions.iter().filter(|function| !function.private);
        let mut names: Vec<String> = public.map(|function| function.name.clone()).collect();
        names.dedup();
        names
    }
}

/// The text between the quotes of a path; nothing if it is not a text.
pub(super) fn path(text: &str, token: &Token) -> Option<String> {
    let is_text = matches!(token.class, TokenClass::Text { .. });
    let path = token.of(text);
    is_text.then(|| path.trim_matches('#').trim_matches(['"', '`']).to_owned())
}

/// The import that begins with the token `index`.
fn import(text: &str, code: &[Token], index: usize) -> Import {
    let word = |index: usize| code.get(index).map(|token| token.of(text));
    let alias = word(index + 3).filter(|_| word(index + 2) == Some("as"));
    Import {
        path: code.get(index + 1).and_then(|token| path(text, token)),
        alias: alias.map(str::to_owned),
        begin: code[index].span.start,
    }
}

/// The function whose `fn` is the token `index` of `code`, if it has a name.
fn function(
    text: &str,
    all: &[Token],
    code: &[Token],
    partners: &[Option<usize>],
    index: usize,
) -> Option<Function> {
    let head = head(text, code, index)?;
    let name = &code[head.name];
    let before = index.checked_sub(1).map(|before| &code[before]);
    let private = before.filter(|before| before.of(text) == "private");
    let first = index - usize::from(private.is_some());
    let begin = code[first].span.start;
    let after = first
        .checked_sub(1)
        .map_or(0, |before| code[before].span.end);
    let from = all.partition_point(|token| token.span.start < after);
    let to = all.partition_point(|token| token.span.start < begin);
    let comments = all[from..to].iter().map(|token| token.of(text));
    let comments: Vec<&str> = comments
        .filter(|comment| doc_comment::is_of_function(comment))
        .collect();
    let end = head.body.and_then(|open| partners[open]);
    Some(Function {
        name: name.of(text).to_owned(),
        this_type: head.this_type,
        parameters: head.parameters,
        private: private.is_some(),
        docs: doc_comment::plain_docs(&comments),
        name_span: name.span.clone(),
        span: begin..end.map_or(text.len(), |end| code[end].span.end),
        after,
    })
}

/// The part between `fn` and the body of a function.
struct Head {
    this_type: Option<String>,
    /// The token that is the name.
    name: usize,
    parameters: Vec<String>,
    /// The brace that opens the body.
    body: Option<usize>,
}

/// The head of the function whose `fn` is the token `index`.
fn head(text: &str, code: &[Token], index: usize) -> Option<Head> {
    let word = |index: usize| code.get(index).map_or("", |token| token.of(text));
    let is_method = word(index + 2) == ".";
    let name = index + if is_method { 3 } else { 1 };
    if code.get(name)?.class != TokenClass::Name {
        return None;
    }
    let mut next = name + 1;
    let mut parameters = Vec::new();
    if word(next) == "(" {
        let listed = code[next + 1..]
            .iter()
            .take_while(|token| matches!(token.class, TokenClass::Name | TokenClass::Sign))
            .inspect(|_| next += 1);
        let names = listed.filter(|token| token.class == TokenClass::Name);
        parameters = names.map(|token| token.of(text).to_owned()).collect();
        next += 2;
    }
    Some(Head {
        this_type: is_method.then(|| word(index + 1).trim_matches('"').to_owned()),
        name,
        parameters,
        body: (word(next) == "{").then_some(next),
    })
}

/// The statements of `code` outside of brackets.
fn statements(text: &str, code: &[Token]) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    let mut depth = 0_usize;
    let mut begin = None;
    for token in code {
        match (token.class, token.of(text)) {
            (TokenClass::Open, _) => depth += 1,
            (TokenClass::Close, _) => depth = depth.saturating_sub(1),
            (_, ";") if depth == 0 => {
                let begin = begin.take().unwrap_or(token.span.start);
                statements.push(begin..token.span.end);
                continue;
            }
            _ => {}
        }
        begin.get_or_insert(token.span.start);
    }
    if let (Some(begin), Some(last)) = (begin, code.last()) {
        statements.push(begin..last.span.end);
    }
    statements
}

/// The comments that document the file, without their slashes.
fn docs_of_file(text: &str, tokens: impl Iterator<Item = Token>) -> String {
    let lines = tokens
        .map(|token| token.of(text))
        .skip_while(|comment| comment.starts_with("#!"))
        .map_while(doc_comment::of_file);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use rhai::FnAccess;

    use super::Outline;
    use crate::engine::parser;
    use crate::syntax::{doc_comment, source, written_names};

    const TEXT: &str = "#!/usr/bin/env virhai\n//! Runs\n//!   things.\n\nimport \"std/guest\" as guest; // fn no() {}\n\
        // Not of it.\n/// Runs.\n///\n/// Twice.\nfn run(dom, n) { let m = #{ a: `}` }; dom.create() }\n\
        private fn hidden() {}\nfn Domain.boot() { this.create() }\nlet x = \"fn text() {}\"; run(2)";

    #[test]
    fn functions_imports_and_statements_are_found() {
        let outline = Outline::of(TEXT);
        assert_eq!(outline.docs, "Runs\n  things.");
        assert_eq!(outline.path_of_alias("guest"), Some("std/guest"));
        let names: Vec<&str> = outline
            .functions
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        assert_eq!(names, ["run", "hidden", "boot"]);
        let [run, hidden, boot] = &outline.functions[..] else {
            panic!("three functions");
        };
        assert_eq!(run.docs, "Runs.\n\nTwice.");
        assert_eq!(run.parameters, ["dom", "n"]);
        assert_eq!(&TEXT[run.name_span.clone()], "run");
        assert!(TEXT[run.span.clone()].starts_with("fn run("));
        assert!(TEXT[run.span.clone()].ends_with("dom.create() }"));
        assert!(TEXT[..run.after].ends_with("as guest;"));
        assert!(hidden.private && TEXT[hidden.span.clone()].starts_with("private fn"));
        assert_eq!(boot.this_type.as_deref(), Some("Domain"));
        assert_eq!(outline.public_names(), ["run", "boot"]);
        let last = outline.statements.last().expect("there are some");
        assert_eq!(&TEXT[last.clone()], "run(2)");
        assert_eq!(outline.statements.len(), 3);
    }

    #[test]
    fn text_that_does_not_compile_has_parts_too() {
        for text in [
            "fn broken( {",
            "fn broken(a, b",
            "fn broken",
            "fn broken(a) { let x = (1; }",
            "import; fn broken() {",
        ] {
            let outline = Outline::of(text);
            assert_eq!(outline.functions.len(), 1, "{text}");
            assert_eq!(outline.functions[0].name, "broken", "{text}");
        }
        for text in [
            "fn",
            "fn (",
            "fn 1()",
            "import",
            "import \"",
            "import x as",
            "private",
            "",
        ] {
            assert!(Outline::of(text).functions.is_empty(), "{text}");
        }
    }

    /// Name, type of `this`, parameters, access and docs of a function.
    type Parts = (String, Option<String>, Vec<String>, bool, String);

    /// The functions that Rhai's parser finds in `text`; nothing if it does not compile.
    fn compiled(text: &str) -> Option<Vec<Parts>> {
        let ast = parser().compile(source::without_shebang(text)).ok()?;
        let named = ast
            .iter_fn_def()
            .filter(|function| !written_names::is_closure(&function.name));
        let parts = named.map(|function| {
            (
                function.name.to_string(),
                // Rhai has its own name for the type of whole numbers.
                function
                    .this_type
                    .as_ref()
                    .map(|name| name.replace("i64", "int")),
                function.params.iter().map(ToString::to_string).collect(),
                function.access == FnAccess::Private,
                doc_comment::plain_docs(&function.comments),
            )
        });
        let mut parts: Vec<Parts> = parts.collect();
        parts.sort();
        Some(parts)
    }

    #[test]
    fn the_functions_of_every_script_are_those_that_rhai_compiles() {
        let mut count = 0;
        for folder in ["stdlib", "scripts", "tests/data/check"] {
            for entry in walkdir::WalkDir::new(folder) {
                let path = entry.expect("the folder can be listed").into_path();
                if path.extension().is_none_or(|end| end != "rhai") {
                    continue;
                }
                let Ok(text) = std::fs::read_to_string(&path) else {
                    continue;
                };
                let Some(expected) = compiled(&text) else {
                    continue;
                };
                let functions = Outline::of(&text).functions.into_iter();
                let mut found: Vec<Parts> = functions
                    .map(|function| {
                        (
                            function.name,
                            function.this_type,
                            function.parameters,
                            function.private,
                            function.docs,
                        )
                    })
                    .collect();
                found.sort();
                assert_eq!(found, expected, "{}", path.display());
                count += found.len();
            }
        }
        assert!(count > 100, "{count} functions");
    }
}
