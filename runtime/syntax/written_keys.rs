//! The names in a script's text that can be keys of maps.

use crate::syntax::lexer::{self, TokenClass};

/// True if `text` has `name` as a key of a map, as a whole string, or as a property that is set.
pub fn has_key(text: &str, name: &str) -> bool {
    let places = text.match_indices(name).map(|(place, _)| place);
    // Few texts have such a place, so that few are read.
    let mut places = places
        .filter(|place| looks_like_key(text, *place, name))
        .peekable();
    if places.peek().is_none() {
        return false;
    }
    let tokens = lexer::tokens(text);
    places.any(|place| {
        let token = tokens.partition_point(|token| token.span.end <= place);
        tokens.get(token).is_some_and(|token| match token.class {
            TokenClass::Comment { .. } => false,
            // Between the quotes of a string; not a word of a sentence.
            TokenClass::Text { .. } => token.span.start + 1 == place,
            _ => true,
        })
    })
}

/// True if the letters around `name` at the byte `place` are those of a key, a string or a property that is set.
fn looks_like_key(text: &str, place: usize, name: &str) -> bool {
    let before = text[..place].chars().next_back();
    let after = &text[place + name.len()..];
    match before {
        Some(quote @ ('"' | '`')) => after.starts_with(quote),
        Some('.') => after.starts_with(" = "),
        Some(' ' | '{') => after.starts_with(':') && !after.starts_with("::"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::has_key;

    #[test]
    fn words_of_sentences_are_no_keys() {
        for text in [
            "#{ up: 1 }",
            "#{up: 1}",
            "map.up = 1;",
            "map[\"up\"]",
            "f(`up`)",
            "// the guest is up: wait\n#{ up: 1 }",
        ] {
            assert!(has_key(text, "up"), "{text}");
        }
        for text in [
            "/// The guest is up: nothing waits.\nfn f() {}",
            "/* `up` */",
            "print(\"the guest is up: go on\");",
            "up::now()",
            "a.up == 1",
            "f(\"up and down\")",
        ] {
            assert!(!has_key(text, "up"), "{text}");
        }
    }
}
