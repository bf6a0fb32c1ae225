//! The cases of a `switch`: Rhai keeps only their hashes.

use std::ops::Range;

use crate::syntax::lexer::{self, TokenClass};

/// The texts among the cases of the `switch` at the byte `begin` of `text`, without their quotes, with their bytes.
pub fn texts(text: &str, begin: usize) -> Vec<(String, Range<usize>)> {
    let rest = text.get(begin..).unwrap_or_default();
    let mut found = Vec::new();
    // The number of open brackets, and whether the body of the `switch` is one of them.
    let (mut depth, mut inside) = (0_usize, false);
    // Whether a case is being written, and whether a block would be its value.
    let (mut in_case, mut after_arrow, mut in_block) = (true, false, false);
    for token in lexer::code(rest) {
        let word = token.of(rest);
        match token.class {
            TokenClass::Open => {
                if depth == 0 && word == "{" {
                    inside = true;
                } else if inside && depth == 1 && after_arrow && word == "{" {
                    in_block = true;
                }
                depth += 1;
            }
            TokenClass::Close => {
                depth = depth.saturating_sub(1);
                if inside && depth == 0 {
                    break;
                }
                if inside && depth == 1 && std::mem::take(&mut in_block) {
                    in_case = true;
                }
            }
            _ if !inside || depth != 1 => {}
            TokenClass::Text { open: false } if in_case => {
                let letters = word
                    .strip_prefix('"')
                    .and_then(|word| word.strip_suffix('"'));
                if let Some(letters) = letters.filter(|letters| !letters.contains('\\')) {
                    let span = begin + token.span.start..begin + token.span.end;
                    found.push((letters.to_owned(), span));
                }
            }
            _ if word == "," => in_case = true,
            _ if word == "=>" || word == "if" => in_case = false,
            _ => {}
        }
        after_arrow = word == "=>";
    }
    found
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn the_texts_of_cases_are_found_and_no_others() {
        let text = r#"let x = 1; switch dom.get("key", #{ a: 1 }) {
            "one" | "two" => { print("no"); f("no", 1) }
            "three" if x == "no" => #{ a: "no", b: "no" },
            "four" => switch y { "no" => "no", _ => 2 },
            _ => "no",
        }
        "no""#;
        let begin = text.find("switch").expect("it is there");
        let found = texts(text, begin);
        let words: Vec<&str> = found.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(words, ["one", "two", "three", "four"]);
        for (word, span) in &found {
            assert_eq!(&text[span.clone()], format!("{word:?}"));
        }
    }
}
