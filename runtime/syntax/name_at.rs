//! The name at a place of a script, and how it is used there.

use std::ops::Range;

use crate::syntax::lexer::{self, TokenClass};

/// A name at a place.
#[derive(Debug, PartialEq, Eq)]
pub enum NameAt<'t> {
    /// The path of an import.
    Path(&'t str),
    /// A function of the module that is imported as `alias`.
    InModule {
        /// The name of the module.
        alias: &'t str,
        /// The name of the function.
        name: &'t str,
    },
    /// A name behind a dot.
    Member(&'t str),
    /// Any other name.
    Plain(&'t str),
}

/// The name at the byte `byte` of `text`, and its bytes.
pub fn name_at(text: &str, byte: usize) -> Option<(NameAt<'_>, Range<usize>)> {
    let code = lexer::code(text);
    let index = code.iter().position(|token| {
        let word = matches!(token.class, TokenClass::Name | TokenClass::Text { .. });
        word && token.span.start <= byte && byte <= token.span.end
    })?;
    let token = &code[index];
    let before = |back: usize| index.checked_sub(back).map(|index| code[index].of(text));
    let word = token.of(text);
    let found = match token.class {
        TokenClass::Text { .. } if before(1) == Some("import") => {
            NameAt::Path(word.trim_matches('"'))
        }
        TokenClass::Text { .. } => return None,
        _ => match (before(1), before(2)) {
            (Some("::"), Some(alias)) => NameAt::InModule { alias, name: word },
            (Some("." | "?."), _) => NameAt::Member(word),
            _ => NameAt::Plain(word),
        },
    };
    Some((found, token.span.clone()))
}

#[cfg(test)]
mod tests {
    use super::{NameAt, name_at};

    #[test]
    fn a_name_is_told_by_what_stands_before_it() {
        let text = "import \"std/guest\" as guest; // guest::no\nfn run(dom) { dom.create() }\nguest::create(1); run(2)";
        let seen = |word: &str| {
            name_at(text, text.rfind(word).expect("it is there") + 1).map(|(found, _)| found)
        };
        assert_eq!(seen("std/guest"), Some(NameAt::Path("std/guest")));
        assert_eq!(
            seen("create(1"),
            Some(NameAt::InModule {
                alias: "guest",
                name: "create"
            })
        );
        assert_eq!(seen("create()"), Some(NameAt::Member("create")));
        assert_eq!(seen("run(2"), Some(NameAt::Plain("run")));
        assert_eq!(seen("no"), None);
    }
}
