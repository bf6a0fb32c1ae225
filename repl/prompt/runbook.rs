//! A session's inputs as a script that does the same.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::ops::Range;

use rhai::Engine;
use virhai::lexer::{Class, Piece, pieces};
use virhai::redact;

use super::transcript::{End, Entry};

/// The script: `head` and what ran after it, without what only a prompt has.
pub(super) fn script(engine: &Engine, entries: &[Entry], head: &str) -> String {
    let steps = kept(entries);
    let wanted = wanted(&steps);
    let mut script = head.to_owned();
    let mut last_value = None;
    for (index, entry) in steps.iter().enumerate() {
        let text = without_redefined(&entry.text, &steps[index + 1..]);
        let text = renamed(text.trim(), last_value);
        let text = match wanted.contains(&entry.number) {
            true => bound(engine, &text, entry.number),
            false => ended(&text),
        };
        let text = without_secrets(text);
        if !text.is_empty() {
            let _ = writeln!(script, "{}{text}", blank_between(&script, &text));
        }
        if matches!(entry.end, End::Ran { has_value: true }) {
            last_value = Some(entry.number);
        }
    }
    script
}

/// An input with a secret becomes comments that hide it: run as code, it would set `***` as a password.
fn without_secrets(text: String) -> String {
    match redact::hide(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(hidden) => std::iter::once("left out because it contains a secret:")
            .chain(hidden.lines())
            .map(|line| format!("// {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// Inputs of several lines stand apart.
fn blank_between(script: &str, text: &str) -> &'static str {
    let is_function = text.starts_with("fn ") || text.starts_with("private ");
    let after_block = script.ends_with("}\n") || is_head(script);
    let several = is_function || after_block || text.contains('\n');
    if several { "\n" } else { "" }
}

/// Whether `script` holds no input yet.
fn is_head(script: &str) -> bool {
    script
        .lines()
        .skip_while(|line| line.starts_with("//!"))
        .count()
        <= 2
}

/// What the script needs: what ran, and of what failed the statements before the failure, where
/// they left variables.
fn kept(entries: &[Entry]) -> Vec<Entry> {
    entries
        .iter()
        .filter_map(|entry| match entry.end {
            End::Ran { .. } => Some(entry.clone()),
            End::Failed { ran: 0 } => None,
            End::Failed { ran } => Some(Entry {
                text: entry.text[..ran].to_owned(),
                ..entry.clone()
            }),
        })
        .collect()
}

/// How much of `text` ran for certain before it failed in that line and column, counted from 1.
pub(super) fn ran_before(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    let letters = text[start..].chars().take(column.saturating_sub(1));
    let failed = start + letters.map(char::len_utf8).sum::<usize>();
    let mut ends = statement_ends(text).into_iter();
    ends.rfind(|end| *end <= failed).unwrap_or(0)
}

/// The inputs whose values later ones use as `ans` or `out(n)`.
fn wanted(steps: &[Entry]) -> BTreeSet<usize> {
    let mut wanted = BTreeSet::new();
    let mut last_value = None;
    for entry in steps {
        for found in references(&entry.text) {
            wanted.extend(found.number.or(last_value));
        }
        if matches!(entry.end, End::Ran { has_value: true }) {
            last_value = Some(entry.number);
        }
    }
    wanted
}

/// A place where an input uses the value of another: that of `out(number)`, or the last.
struct Reference {
    span: Range<usize>,
    number: Option<usize>,
}

fn references(text: &str) -> Vec<Reference> {
    let pieces = code(text);
    let mut found = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let letters = |at: usize| pieces.get(at).map_or("", |piece| piece.of(text));
        let after_dot = index > 0 && [".", "?.", "::"].contains(&letters(index - 1));
        let is_key = letters(index + 1) == ":";
        if piece.class != Class::Name || after_dot || is_key {
            continue;
        }
        match piece.of(text) {
            "ans" => found.push(Reference {
                span: piece.span.clone(),
                number: None,
            }),
            "out" if letters(index + 1) == "(" && letters(index + 3) == ")" => {
                if let Ok(number) = letters(index + 2).parse() {
                    found.push(Reference {
                        span: piece.span.start..pieces[index + 3].span.end,
                        number: Some(number),
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// The text with the names that a script has for the values of earlier inputs.
fn renamed(text: &str, last_value: Option<usize>) -> String {
    let mut out = String::new();
    let mut from = 0;
    for found in references(text) {
        if let Some(number) = found.number.or(last_value) {
            out.push_str(&text[from..found.span.start]);
            out.push_str(&variable(number));
            from = found.span.end;
        }
    }
    out.push_str(&text[from..]);
    out
}

fn variable(number: usize) -> String {
    format!("value_{number}")
}

/// An input whose value gets a name.
fn bound(engine: &Engine, text: &str, number: usize) -> String {
    let text = text.trim_end().trim_end_matches(';').trim_end();
    let start = last_statement(text);
    let named = format!(
        "{}let {} = {};",
        &text[..start],
        variable(number),
        &text[start..]
    );
    match engine.compile(&named) {
        Ok(_) => named,
        Err(_) => format!("let {} = {{ {text} }};", variable(number)),
    }
}

/// An input with a semicolon where the next statement needs one.
fn ended(text: &str) -> String {
    let Some(last) = code(text).last().map(|piece| piece.span.end) else {
        return text.to_owned();
    };
    match text[..last].chars().next_back() {
        Some(';') => text.to_owned(),
        Some('}') if is_block(text) => text.to_owned(),
        _ => format!("{};{}", &text[..last], &text[last..]),
    }
}

/// Whether the last statement is one that ends with its block.
fn is_block(text: &str) -> bool {
    let text = text[last_statement(text)..].trim_start();
    let first = code(text).into_iter().next();
    first.is_some_and(|piece| {
        [
            "fn", "private", "if", "for", "while", "loop", "switch", "try", "{",
        ]
        .contains(&piece.of(text))
    })
}

/// Where the last statement begins.
fn last_statement(text: &str) -> usize {
    let ends = statement_ends(text);
    let text = text.trim_end();
    ends.into_iter()
        .rev()
        .find(|end| *end < text.len() && !code(&text[*end..]).is_empty())
        .map_or(0, |end| {
            let blanks = text[end..].len() - text[end..].trim_start().len();
            end + blanks
        })
}

/// Behind each semicolon that is in no bracket.
fn statement_ends(text: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut ends = Vec::new();
    for piece in code(text) {
        match (piece.class, piece.of(text)) {
            (Class::Open, _) => depth += 1,
            (Class::Close, _) => depth = depth.saturating_sub(1),
            (_, ";") if depth == 0 => ends.push(piece.span.end),
            _ => {}
        }
    }
    ends
}

/// The pieces of `text` but for its comments.
fn code(text: &str) -> Vec<Piece> {
    let mut pieces = pieces(text);
    pieces.retain(|piece| !matches!(piece.class, Class::Comment { .. }));
    pieces
}

/// The text without the functions that later inputs define again: a script can have only one.
fn without_redefined(text: &str, later: &[Entry]) -> String {
    let later = later.iter().flat_map(|entry| functions(&entry.text));
    let again: HashSet<(String, usize)> = later.map(|(key, _)| key).collect();
    let mut out = String::new();
    let mut from = 0;
    for (key, span) in functions(text) {
        if again.contains(&key) {
            out.push_str(&text[from..span.start]);
            from = span.end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// The functions that a text defines: name, number of parameters, and where.
fn functions(text: &str) -> Vec<((String, usize), Range<usize>)> {
    let pieces = code(text);
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut index = 0;
    while index < pieces.len() {
        let piece = &pieces[index];
        match (piece.class, piece.of(text)) {
            (Class::Open, _) => depth += 1,
            (Class::Close, _) => depth = depth.saturating_sub(1),
            (_, "fn") if depth == 0 => {
                if let Some((key, last)) = function(text, &pieces[index..]) {
                    let start = start_of_function(text, &pieces, index);
                    found.push((key, start..pieces[index + last].span.end));
                    index += last;
                }
            }
            _ => {}
        }
        index += 1;
    }
    found
}

/// Name and number of parameters of the function that begins `pieces`, and its last piece.
fn function(text: &str, pieces: &[Piece]) -> Option<((String, usize), usize)> {
    let open = pieces.iter().position(|piece| piece.of(text) == "(")?;
    let close = open
        + pieces[open..]
            .iter()
            .position(|piece| piece.of(text) == ")")?;
    let name = pieces[1..open].iter().map(|piece| piece.of(text)).collect();
    let names = pieces[open..close]
        .iter()
        .filter(|piece| piece.class == Class::Name);
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate().skip(close + 1) {
        match piece.class {
            Class::Open => depth += 1,
            Class::Close if depth == 1 => return Some(((name, names.count()), index)),
            Class::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Where a function begins: with `private`, if that stands before it, and its comments.
fn start_of_function(text: &str, pieces: &[Piece], index: usize) -> usize {
    let before = index
        .checked_sub(1)
        .map(|before| &pieces[before])
        .filter(|piece| piece.of(text) == "private");
    let start = before.map_or(pieces[index].span.start, |piece| piece.span.start);
    // What stands between is comments, which are the function's.
    let previous = pieces[..index]
        .iter()
        .rev()
        .find(|piece| piece.span.end <= start && piece.of(text) != "private");
    previous.map_or(0, |piece| piece.span.end)
}

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::{End, Entry, ran_before, script};

    /// The script without its head for inputs, of which those with a `?` have a value, and those
    /// with a `!` fail.
    fn saved(inputs: &[&str]) -> String {
        let entries: Vec<Entry> = inputs
            .iter()
            .enumerate()
            .map(|(index, text)| Entry {
                number: index + 1,
                text: text.trim_start_matches(['?', '!']).to_owned(),
                end: match text.chars().next() {
                    Some('!') => End::Failed {
                        ran: ran_before(&text[1..], 1, text.find("nosuch").unwrap_or(0)),
                    },
                    first => End::Ran {
                        has_value: first == Some('?'),
                    },
                },
            })
            .collect();
        let head = "//! A test.\n\nlet conn = connect();\n";
        let script = script(&Engine::new(), &entries, head);
        Engine::new().compile(&script).expect(&script);
        let body = script.strip_prefix(head);
        body.expect("the head").trim().to_owned()
    }

    #[test]
    fn what_ran_is_kept_and_ends_with_semicolons() {
        assert_eq!(
            saved(&[
                "let dom = 1",
                "?dom + 1;",
                "!dom.nosuch()",
                "for n in 1..2 {\n  n;\n}",
                "?dom // why"
            ]),
            "let dom = 1;\ndom + 1;\n\nfor n in 1..2 {\n  n;\n}\n\ndom; // why"
        );
    }

    #[test]
    fn values_that_are_used_later_get_names() {
        assert_eq!(
            saved(&[
                "?(1 + 2) * 3",
                "?let a = 5; ans + a",
                "?out(1) + ans",
                "let m = #{ ans: 1 }; m.ans"
            ]),
            "let value_1 = (1 + 2) * 3;\nlet a = 5; let value_2 = value_1 + a;\nvalue_1 + value_2;\nlet m = #{ ans: 1 }; m.ans;"
        );
    }

    #[test]
    fn a_value_inside_of_text_is_found_too() {
        assert_eq!(
            saved(&["?1", "print(`${ans} and ${out(1)}, ans`)"]),
            "let value_1 = 1;\nprint(`${value_1} and ${value_1}, ans`);"
        );
    }

    #[test]
    fn only_the_last_definition_of_a_function_is_kept() {
        assert_eq!(
            saved(&[
                "/// Doubles.\nfn twice(x) { x * 3 }",
                "fn twice(x, y) { x }",
                "fn twice(x) { x * 2 }",
                "?twice(2)"
            ]),
            "fn twice(x, y) { x }\n\nfn twice(x) { x * 2 }\n\ntwice(2);"
        );
    }

    #[test]
    fn variables_that_a_failed_input_left_are_kept() {
        assert_eq!(saved(&["!let a = 1; a.nosuch()", "?a"]), "let a = 1;\na;");
    }
}
