//! Declared options and results in writing.

use std::fmt::Write;

use super::Table;
use crate::spec::{Key, Spec, Type};

/// The width of a terminal that the text fits on.
const WIDTH: usize = 80;

/// The most words that a table lists by themselves.
const MOST_WORDS: usize = 10;

/// The fewest options that are described by naming another map of options.
const FEWEST_SHARED: usize = 6;

/// A map of options as another one with some more, and some less.
struct Difference<'a> {
    /// The name of the other table.
    base: &'a str,
    /// The options of the other that this one lacks.
    without: Vec<&'a str>,
    /// The options that the other lacks, or has in another form.
    more: Vec<&'a Key>,
}

/// The difference between `spec` and one of `before`, if most of its options are the same.
fn difference<'a>(table: &'a Table, before: &'a [Table]) -> Option<Difference<'a>> {
    let spec = &table.spec;
    let shared = |other: &Spec| {
        let keys = spec.keys.iter();
        keys.filter(|key| other.key(&key.name) == Some(key)).count()
    };
    let alike = before
        .iter()
        .filter(|other| other.returned == table.returned);
    let other = alike.max_by_key(|other| shared(&other.spec))?;
    let (label, base) = (&other.label, &other.spec);
    let count = shared(base);
    if count < FEWEST_SHARED || count * 2 < spec.keys.len() || count * 2 < base.keys.len() {
        return None;
    }
    let lacks = base.keys.iter().filter(|key| spec.key(&key.name).is_none());
    let differs = spec.keys.iter();
    Some(Difference {
        base: label,
        without: lacks.map(|key| key.name.as_str()).collect(),
        more: differs
            .filter(|key| base.key(&key.name) != Some(key))
            .collect(),
    })
}

impl Difference<'_> {
    /// The difference in words, `quote` writing names.
    fn in_words(&self, quote: &dyn Fn(&str) -> String) -> String {
        let mut text = format!("those of {}", quote(self.base));
        if !self.without.is_empty() {
            let names: Vec<String> = self
                .without
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            let _ = write!(text, " without {}", names.join(", "));
        }
        if !self.more.is_empty() {
            text.push_str(", and these");
        }
        text
    }
}

/// The keys of `table` for a terminal; those that one of `before` has as well are not described again.
pub(super) fn text(table: &Table, before: &[Table]) -> String {
    let mut text = format!("{}: {}", table.label, heading(table));
    let mut keys: Vec<&Key> = table.spec.keys.iter().collect();
    if let Some(difference) = difference(table, before) {
        let words = difference.in_words(&str::to_owned);
        push_wrapped(&mut text, &format!("  {words}"), "  ");
        keys = difference.more;
    }
    for key in keys {
        let mut line = format!(
            "  {}: {}",
            key.name,
            type_of(key, &|spec| spec.name.clone())
        );
        if let Some(facts) = facts(key) {
            let _ = write!(line, ", {facts}");
        }
        push_wrapped(&mut text, &line, "        ");
        if !key.help.is_empty() {
            push_wrapped(&mut text, &format!("      {}", key.help), "      ");
        }
    }
    if table.spec.open {
        text.push_str("\n  and others");
    }
    text
}

/// The same as a table of Markdown; `link` writes a reference to another table.
pub(super) fn markdown(table: &Table, before: &[Table], link: &dyn Fn(&Spec) -> String) -> String {
    let mut text = format!("{}\n\n", capital(&heading(table)));
    let mut keys: Vec<&Key> = table.spec.keys.iter().collect();
    if let Some(difference) = difference(table, before) {
        let words = difference.in_words(&|name| format!("`{name}`"));
        let end = if difference.more.is_empty() { "." } else { ":" };
        let _ = write!(text, "{}{end}\n\n", capital(&words));
        keys = difference.more;
        if keys.is_empty() {
            return text;
        }
    }
    text.push_str(match table.returned {
        true => "| key | type | |\n|---|---|---|\n",
        false => "| option | type | default | |\n|---|---|---|---|\n",
    });
    for key in keys {
        let default = match (&key.default, key.required) {
            (_, true) => "required".into(),
            (Some(default), false) => format!("`{default}`"),
            (None, false) => String::new(),
        };
        let mut help = key.help.clone();
        if let Some(limits) = key.limits() {
            let _ = write!(help, "{}{limits}", if help.is_empty() { "" } else { "; " });
        }
        let mut cells = vec![format!("`{}`", key.name), type_of(key, link)];
        if !table.returned {
            cells.push(default);
        }
        cells.push(help);
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if table.spec.open {
        let cells = if table.returned { 2 } else { 3 };
        let _ = writeln!(text, "| others |{}", " |".repeat(cells));
    }
    text
}

/// The sentence with a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The heading of the table: "options of a guest".
fn heading(table: &Table) -> String {
    let spec = &table.spec;
    let heading = match spec.noun() {
        _ if !spec.about.is_empty() => small(&spec.about),
        _ if table.returned => "keys of the result".into(),
        noun if noun.is_empty() => "options".into(),
        noun => format!("options of {noun}"),
    };
    match spec.choice() {
        Some(choice) => format!("{heading}; needs {choice}"),
        None => heading,
    }
}

/// The sentence with a small letter at its beginning, unless that is an acronym.
fn small(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// The type of a key, with the keys of maps that are declared inside it.
fn type_of(key: &Key, name: &dyn Fn(&Spec) -> String) -> String {
    shown(&key.ty, name)
}

fn shown(ty: &Type, name: &dyn Fn(&Spec) -> String) -> String {
    match ty {
        Type::Keys(spec) if spec.name.is_empty() => {
            let keys: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
            format!("map with {}", keys.join(", "))
        }
        Type::Keys(spec) => name(spec),
        Type::Words(words) if words.list.len() <= MOST_WORDS => {
            let quoted = words.list.iter().map(|word| format!("{word:?}"));
            quoted.collect::<Vec<String>>().join(" | ")
        }
        Type::Array(item) => match &**item {
            Type::Unknown => "array".into(),
            Type::Words(words) if words.list.len() > MOST_WORDS => format!("array of {item}"),
            item @ (Type::OneOf(_) | Type::Words(_)) => {
                format!("array of ({})", shown(item, name))
            }
            item => format!("array of {}", shown(item, name)),
        },
        Type::MapOf(value) => format!("map of {}", shown(value, name)),
        Type::OneOf(types) => {
            let types: Vec<String> = types.iter().map(|ty| shown(ty, name)).collect();
            types.join(" | ")
        }
        other => other.to_string(),
    }
}

/// The facts about a key besides its type and help.
fn facts(key: &Key) -> Option<String> {
    let mut facts = Vec::new();
    if key.required {
        facts.push("required".to_owned());
    }
    if let Some(default) = &key.default {
        facts.push(format!("default {default}"));
    }
    facts.extend(key.limits());
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// Adds `line`, broken between words; the lines that follow begin with `indent`.
pub(super) fn push_wrapped(text: &mut String, line: &str, indent: &str) {
    let begin = line.len() - line.trim_start().len();
    let mut current = line[..begin].to_owned();
    let mut empty = true;
    for word in line.split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push('\n');
            text.push_str(&current);
            current = indent.to_owned();
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    text.push('\n');
    text.push_str(&current);
}

#[cfg(test)]
mod tests {
    use super::push_wrapped;

    #[test]
    fn a_long_line_goes_on_below() {
        let mut text = String::from("a:");
        let words = "word ".repeat(20);
        push_wrapped(&mut text, &format!("  {words}"), "    ");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1].starts_with("  word") && lines[2].starts_with("    word"),
            "{text}"
        );
        assert!(lines.iter().all(|line| line.len() <= 80), "{text}");
    }
}
