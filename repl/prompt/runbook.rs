//! Writes a session's inputs as a script.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::ops::Range;

use rhai::{Engine, Position};
use virhai::redact;
use virhai::syntax::keywords;
use virhai::syntax::lexer::{TokenClass, code};
use virhai::syntax::outline::{Function, Outline};
use virhai::syntax::text::Text;

use super::transcript::{End, Entry};

/// The script: `head` and the successful inputs, without features that only the prompt has.
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
            let _ = writeln!(script, "{}{text}", blank_between(&script, head, &text));
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

/// A blank line separates inputs of several lines.
fn blank_between(script: &str, head: &str, text: &str) -> &'static str {
    let first = code(text).into_iter().next();
    let is_function = first.is_some_and(|token| matches!(token.of(text), "fn" | "private"));
    let after_block = script.ends_with("}\n") || script == head;
    let several = is_function || after_block || text.contains('\n');
    if several { "\n" } else { "" }
}

/// The inputs for the script: those that ran, and of those that failed the statements before the failure, if they
/// defined variables.
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

/// The length of the part of `text` that ran for certain before it failed at `position`.
pub(super) fn ran_before(text: &str, position: Position) -> usize {
    let Some(failed) = Text::from(text).byte_at(position) else {
        return 0;
    };
    let mut statements = Outline::of(text).statements.into_iter();
    let ran = statements
        .rfind(|statement| statement.end <= failed && text[statement.clone()].ends_with(';'));
    ran.map_or(0, |statement| statement.end)
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
    let tokens = code(text);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let letters = |at: usize| tokens.get(at).map_or("", |token| token.of(text));
        let after_dot = index > 0 && [".", "?.", "::"].contains(&letters(index - 1));
        let is_key = letters(index + 1) == ":";
        if token.class != TokenClass::Name || after_dot || is_key {
            continue;
        }
        match token.of(text) {
            "ans" => found.push(Reference {
                span: token.span.clone(),
                number: None,
            }),
            "out" if letters(index + 1) == "(" && letters(index + 3) == ")" => {
                if let Ok(number) = letters(index + 2).parse() {
                    found.push(Reference {
                        span: token.span.start..tokens[index + 3].span.end,
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
    let Some(last) = Outline::of(text).statements.pop() else {
        return text.to_owned();
    };
    let (before, rest) = text.split_at(last.start);
    let (code, comment) = rest.split_at(last.end - last.start);
    let code = code.trim_end_matches(';').trim_end();
    let name = variable(number);
    let named = format!("{before}let {name} = {code};{comment}");
    match engine.compile(&named) {
        Ok(_) => named,
        Err(_) => format!("let {name} = {{ {before}{code} }};{comment}"),
    }
}

/// An input with a semicolon if the next statement needs one.
fn ended(text: &str) -> String {
    let Some(last) = code(text).pop().map(|token| token.span) else {
        return text.to_owned();
    };
    let is_ended = match &text[last.clone()] {
        ";" => true,
        "}" => is_block(text),
        _ => false,
    };
    match is_ended {
        true => text.to_owned(),
        false => format!("{};{}", &text[..last.end], &text[last.end..]),
    }
}

/// True if the last statement ends with a block.
fn is_block(text: &str) -> bool {
    let last = &text[last_statement(text)..];
    let first = code(last).into_iter().next();
    first.is_some_and(|token| keywords::ends_with_block(token.of(last)))
}

/// The beginning of the last statement.
fn last_statement(text: &str) -> usize {
    let statements = Outline::of(text).statements;
    statements.last().map_or(0, |statement| statement.start)
}

/// The text without the functions that later inputs define again: a script can have only one.
fn without_redefined(text: &str, later: &[Entry]) -> String {
    let key = |function: Function| (function.this_type, function.name, function.parameters.len());
    let later = later
        .iter()
        .flat_map(|entry| Outline::of(&entry.text).functions);
    let again: HashSet<_> = later.map(key).collect();
    let mut out = String::new();
    let mut from = 0;
    for function in Outline::of(text).functions {
        // Its comments go with it.
        let span = function.after..function.span.end;
        if again.contains(&key(function)) {
            out.push_str(&text[from..span.start]);
            from = span.end;
        }
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use rhai::Engine;
    use virhai::syntax::text::Text;

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
                        ran: ran_before(
                            &text[1..],
                            Text::from(&text[1..]).position(text.find("nosuch").unwrap_or(0)),
                        ),
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
    fn a_comment_behind_a_value_stays_behind_it() {
        assert_eq!(
            saved(&["?1 // why", "?let a = 1; a; // so", "?ans + out(1)"]),
            "let value_1 = 1; // why\nlet a = 1; let value_2 = a; // so\nvalue_2 + value_1;"
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
