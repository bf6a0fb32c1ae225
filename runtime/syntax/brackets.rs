//! Brackets that belong together, and those that are still open.

use crate::syntax::lexer::{self, Token, TokenClass};

/// True if the bracket `close` closes `open`.
pub(super) fn fits(open: &str, close: &str) -> bool {
    matches!(
        (open, close),
        ("(", ")") | ("[" | "?[", "]") | ("{" | "#{", "}")
    )
}

/// The bracket that belongs to the one at `index`, by its index in `tokens`.
pub fn partner(text: &str, tokens: &[Token], index: usize) -> Option<usize> {
    let opens = match tokens.get(index)?.class {
        TokenClass::Open => true,
        TokenClass::Close => false,
        _ => return None,
    };
    let mut depth = 0_usize;
    let mut closes = |other: &usize| {
        match (tokens[*other].class, opens) {
            (TokenClass::Open, true) | (TokenClass::Close, false) => depth += 1,
            (TokenClass::Open, false) | (TokenClass::Close, true) => depth -= 1,
            _ => return false,
        }
        depth == 0
    };
    let (open, close) = match opens {
        true => (index, (index..tokens.len()).find(closes)?),
        false => ((0..=index).rev().find(|other| closes(other))?, index),
    };
    let fits = fits(tokens[open].of(text), tokens[close].of(text));
    fits.then_some(if opens { close } else { open })
}

/// For each bracket of `tokens`, what [`partner`] gives for it.
pub fn partners(text: &str, tokens: &[Token]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.class {
            TokenClass::Open => open.push(index),
            TokenClass::Close => {
                let opener = open.pop();
                let opener =
                    opener.filter(|opener: &usize| fits(tokens[*opener].of(text), token.of(text)));
                if let Some(opener) = opener {
                    (partners[opener], partners[index]) = (Some(index), Some(opener));
                }
            }
            _ => {}
        }
    }
    partners
}

/// The last bracket, quote or comment of `text` that is still open, and the byte at which it begins.
pub fn last_open(text: &str) -> Option<(&str, usize)> {
    let tokens = lexer::tokens(text);
    let mut open: Vec<&Token> = Vec::new();
    for token in &tokens {
        match token.class {
            TokenClass::Open => open.push(token),
            // A bracket that closes another, or none, is an error, which more text does not mend.
            TokenClass::Close if !fits(open.pop()?.of(text), token.of(text)) => return None,
            _ => {}
        }
    }
    let last = tokens.last()?;
    match last.class {
        TokenClass::Comment { open: true } => return Some(("/*", last.span.start)),
        TokenClass::Text { open: true } => {
            if let Some(quote) = multiline_quote(last.of(text)) {
                return Some((quote, last.span.start));
            }
        }
        _ => {}
    }
    let last = open.pop()?;
    Some((last.of(text), last.span.start))
}

/// The quote of the open text `letters`, if it can continue on the next line.
fn multiline_quote(letters: &str) -> Option<&'static str> {
    match letters.chars().next()? {
        '"' if letters.trim_end_matches('\n').ends_with('\\') => Some("\""),
        '"' | '\'' => None,
        '#' => Some("#\""),
        // A part of a text after `${...}` can begin with any character.
        _ => Some("`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{last_open, partner, partners};
    use crate::syntax::lexer::tokens;

    #[test]
    fn brackets_are_paired() {
        let found = |text: &str, index: usize| {
            let tokens = tokens(text);
            let found = partner(text, &tokens, index);
            let all = partners(text, &tokens);
            assert_eq!(all.get(index).copied().flatten(), found, "{text} {index}");
            found
        };
        // a ?[ ( 1 ] ...
        assert_eq!(found("a?[(1)]", 1), Some(5));
        assert_eq!(found("a?[(1)]", 4), Some(2));
        assert_eq!(found("#{ a: [1] }", 0), Some(6));
        assert_eq!(found("(]", 1), None);
        assert_eq!(found("(", 0), None);
        assert_eq!(found("a", 0), None);
        assert_eq!(found("a", 7), None);
    }

    #[test]
    fn the_last_open_bracket_is_named_with_its_place() {
        for (text, open) in [
            ("fn f() {\n  g(1,\n", Some(("(", 12))),
            ("fn f() {\n  g(1);\n", Some(("{", 7))),
            ("#{ a: `x\ny", Some(("`", 6))),
            ("f(#{", Some(("#{", 2))),
            ("f() /* (", Some(("/*", 4))),
            ("f(\"(", Some(("(", 1))),
            ("f(\"a \\\n", Some(("\"", 2))),
            ("f(`${a} b\n", Some(("`", 7))),
            ("a?[1", Some(("?[", 1))),
            ("f()", None),
        ] {
            assert_eq!(last_open(text), open, "{text:?}");
        }
    }
}
