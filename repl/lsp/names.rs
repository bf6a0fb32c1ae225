//! The names in a text: which one stands at a place, and where it is defined.

use std::ops::Range;

use virhai::Imports;
use virhai::lexer::{Class, Piece, pieces};

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// The path of an import.
    Path(&'a str),
    /// A function of the module that is imported as `alias`.
    InModule { alias: &'a str, name: &'a str },
    /// What is behind a dot.
    Member(&'a str),
    /// Any other name.
    Plain(&'a str),
}

/// A function that a text defines.
#[derive(Debug)]
pub(super) struct Defined {
    pub(super) name: String,
    /// The bytes of its name.
    pub(super) place: Range<usize>,
    /// The bytes from its `fn` to the end of its body.
    pub(super) whole: Range<usize>,
}

/// The name at the byte `offset` of `text`, and its bytes.
pub(super) fn at(text: &str, offset: usize) -> Option<(Named<'_>, Range<usize>)> {
    let all: Vec<Piece> = code(text);
    let index = all.iter().position(|piece| {
        let word = matches!(piece.class, Class::Name | Class::Text { .. });
        word && piece.span.start <= offset && offset <= piece.span.end
    })?;
    let piece = &all[index];
    let before = |back: usize| index.checked_sub(back).map(|index| all[index].of(text));
    let word = &text[piece.span.clone()];
    let named = match piece.class {
        Class::Text { .. } if before(1) == Some("import") => Named::Path(word.trim_matches('"')),
        Class::Text { .. } => return None,
        _ => match (before(1), before(2)) {
            (Some("::"), Some(alias)) => Named::InModule { alias, name: word },
            (Some("." | "?."), _) => Named::Member(word),
            _ => Named::Plain(word),
        },
    };
    Some((named, piece.span.clone()))
}

/// The functions that `text` defines.
pub(super) fn functions(text: &str) -> Vec<Defined> {
    let all = code(text);
    let mut found = Vec::new();
    for (index, pair) in all.windows(2).enumerate() {
        if pair[0].of(text) == "fn" && pair[1].class == Class::Name {
            found.push(Defined {
                name: pair[1].of(text).to_owned(),
                place: pair[1].span.clone(),
                whole: pair[0].span.start..body_end(text, &all[index..]),
            });
        }
    }
    found
}

/// The path that `text` imports as `alias`.
pub(super) fn path_of_alias(text: &str, alias: &str) -> Option<String> {
    code(text).windows(4).find_map(|four| {
        let is = |index: usize, word: &str| four[index].of(text) == word;
        (is(0, "import") && is(2, "as") && is(3, alias))
            .then(|| four[1].of(text).trim_matches('"').to_owned())
    })
}

/// The file that `text`, called `from`, imports as `alias`: its name and text.
pub(super) fn module(
    imports: &Imports,
    from: &str,
    text: &str,
    alias: &str,
) -> Option<(String, String)> {
    let path = path_of_alias(text, alias)?;
    imports.source(Some(from), &path).ok()
}

/// The pieces without comments.
fn code(text: &str) -> Vec<Piece> {
    let is_code = |piece: &Piece| !matches!(piece.class, Class::Comment { .. });
    pieces(text).into_iter().filter(is_code).collect()
}

/// The end of the block after a function's head, or of the text where it has none.
fn body_end(text: &str, from: &[Piece]) -> usize {
    let mut depth = 0;
    for piece in from {
        match piece.of(text) {
            "{" | "#{" => depth += 1,
            "}" => depth -= 1,
            _ => continue,
        }
        if depth <= 0 {
            return piece.span.end;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Named, at, functions, path_of_alias};

    const TEXT: &str = "import \"std/guest\" as guest; // guest::no\n/// Runs.\nfn run(dom) { let m = #{ a: 1 }; dom.create() }\nguest::create(1); run(2)";

    #[test]
    fn a_name_is_told_by_what_stands_before_it() {
        let seen = |word: &str| {
            at(TEXT, TEXT.rfind(word).expect("it is there") + 1).map(|(named, _)| named)
        };
        assert_eq!(seen("std/guest"), Some(Named::Path("std/guest")));
        assert_eq!(
            seen("create(1"),
            Some(Named::InModule {
                alias: "guest",
                name: "create"
            })
        );
        assert_eq!(seen("create()"), Some(Named::Member("create")));
        assert_eq!(seen("run(2"), Some(Named::Plain("run")));
        assert_eq!(seen("no"), None);
    }

    #[test]
    fn functions_and_imports_are_found_in_any_text() {
        let found = functions(TEXT);
        assert_eq!(found.len(), 1);
        assert_eq!(&TEXT[found[0].place.clone()], "run");
        assert!(TEXT[found[0].whole.clone()].ends_with("dom.create() }"));
        assert_eq!(path_of_alias(TEXT, "guest").as_deref(), Some("std/guest"));
        assert_eq!(functions("fn broken( {").len(), 1);
    }
}
