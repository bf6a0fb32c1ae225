//! The types of parameters, the options and the result that the doc comment of a function names, in a line such as
//! `Takes: Connection, network. Options: CHANGE. Returns: Network.`

use std::ops::Range;
use std::sync::Arc;

use super::{Spec, Type};

/// The labels that a line of types may begin with.
const LABELS: [&str; 3] = ["Takes: ", "Options: ", "Returns: "];

/// Separates the types of two parameters.
const NEXT: &str = ", ";

/// Separates two types that a value may have.
const OR: &str = " or ";

/// The name of the declaration of a parameter, a map of options: `GUEST` of the line `Options: GUEST. Returns: Domain.`
pub fn options_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Options: ")
}

/// The number of the parameter whose options the doc comment names, of `count`: the one after those whose types it names, or
/// the last.
pub fn options_place(docs: &str, count: usize) -> usize {
    match named_in_line(docs, "Takes: ") {
        Some(line) => parts(&line, NEXT).count(),
        None => count.saturating_sub(1),
    }
}

/// The name of the type of the result: `Domain` of that line.
pub fn returns_line(docs: &str) -> Option<String> {
    named_in_line(docs, "Returns: ")
}

/// The type of a function's result, from its doc comment: `Domain`, `array of StorageVol`,
/// `Domain or ()`, or the name of a constant that declares the keys of a map, which `declared` finds.
pub fn result(docs: &str, declared: &dyn Fn(&str) -> Option<Arc<Spec>>) -> Type {
    let line = returns_line(docs);
    line.map_or(Type::Unknown, |line| written(&line, declared))
}

/// The types of the first parameters of a function, from its doc comment; empty if it names none.
pub fn parameters(docs: &str, declared: &dyn Fn(&str) -> Option<Arc<Spec>>) -> Vec<Type> {
    let line = named_in_line(docs, "Takes: ").unwrap_or_default();
    let types = parts(&line, NEXT).filter(|(_, types)| !types.is_empty());
    types.map(|(_, types)| written(types, declared)).collect()
}

/// The type that is written as `array of StorageVol` or `Domain or ()`; unknown if one of its words is.
fn written(types: &str, declared: &dyn Fn(&str) -> Option<Arc<Spec>>) -> Type {
    let types: Vec<Type> = parts(types, OR)
        .map(|(_, part)| {
            let name = item(part);
            let ty = Type::named(name, "")
                .or_else(|| declared(name).map(Type::Keys))
                .unwrap_or(Type::Unknown);
            match name == part {
                true => ty,
                false => Type::Array(Box::new(ty)),
            }
        })
        .collect();
    match types.contains(&Type::Unknown) {
        true => Type::Unknown,
        false => Type::one_of(types),
    }
}

/// The name in `part`: `StorageVol` of `array of StorageVol`.
fn item(part: &str) -> &str {
    part.strip_prefix("array of ").unwrap_or(part)
}

/// The parts of `text` between the texts `separator`, each after the byte where it begins.
fn parts<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut next = 0;
    text.split(separator).map(move |part| {
        let begin = next;
        next += part.len() + separator.len();
        (begin, part)
    })
}

fn is_line(line: &str) -> bool {
    LABELS.iter().any(|label| line.starts_with(label))
}

fn named_in_line(docs: &str, label: &str) -> Option<String> {
    docs.lines()
        .find_map(|line| after_label(line, label).map(|bytes| line[bytes].to_owned()))
}

/// The bytes of `line` from `label` to the end of the sentence.
fn after_label(line: &str, label: &str) -> Option<Range<usize>> {
    let begin = line.find(label).filter(|_| is_line(line.trim()))? + label.len();
    let sentence = line[begin..].split(". ").next()?;
    let begin = begin + sentence.len() - sentence.trim_start().len();
    let name = sentence.trim().trim_end_matches('.');
    (!name.is_empty()).then(|| begin..begin + name.len())
}

/// The bytes of the names in `line`, a line of a doc comment, of the types of parameters. Prose is not a name.
pub fn names_of_parameters(line: &str) -> Vec<Range<usize>> {
    let Some(all) = after_label(line, "Takes: ") else {
        return Vec::new();
    };
    let names = |(begin, part): (usize, &str)| {
        let begin = all.start + begin;
        names_in(line, begin..begin + part.len())
    };
    parts(&line[all.clone()], NEXT).flat_map(names).collect()
}

/// The bytes of the names in `line`, a line of a doc comment, of the types of the result. Prose is not a name.
pub fn names_of_result(line: &str) -> Vec<Range<usize>> {
    after_label(line, "Returns: ").map_or_else(Vec::new, |bytes| names_in(line, bytes))
}

/// The bytes of the names in `line[types]`, the types of one value.
fn names_in(line: &str, types: Range<usize>) -> Vec<Range<usize>> {
    let is_in_name = |letter: char| letter.is_alphanumeric() || "_:()".contains(letter);
    parts(&line[types.clone()], OR)
        .map(|(begin, part)| (types.start + begin + part.len(), item(part)))
        .filter(|(_, name)| !name.is_empty() && name.chars().all(is_in_name))
        .map(|(end, name)| end - name.len()..end)
        .collect()
}

/// The documentation without that line, which the reference shows in another form.
pub fn without_lines(docs: &str) -> String {
    let lines: Vec<&str> = docs.lines().filter(|line| !is_line(line.trim())).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{
        Type, names_of_parameters, names_of_result, options_line, options_place, parameters,
        result, returns_line, without_lines,
    };

    #[test]
    fn a_doc_comment_names_the_options_and_the_result() {
        let docs = "Boots it.\n\nMore.\n\nOptions: disk::GUEST. Returns: Domain.";
        assert_eq!(options_line(docs).as_deref(), Some("disk::GUEST"));
        assert_eq!(returns_line(docs).as_deref(), Some("Domain"));
        assert_eq!(without_lines(docs), "Boots it.\n\nMore.");
        assert_eq!(
            options_line("Options: StopOptions. Returns: array.").as_deref(),
            Some("StopOptions")
        );
        assert_eq!(options_line("Its Options: none."), None);
        assert_eq!(returns_line("Returns: map.").as_deref(), Some("map"));
        for (line, shown) in [
            ("Returns: Domain.", "Domain"),
            (
                "Options: GUEST. Returns: array of StorageVol.",
                "array of StorageVol",
            ),
            ("Returns: Domain or ().", "Domain | ()"),
            ("Returns: UNKNOWN.", "any"),
            ("Returns it.", "any"),
        ] {
            assert_eq!(result(line, &|_| None).to_string(), shown, "{line}");
        }
        assert_eq!(result("Returns: map.", &|_| None), Type::Map);
    }

    #[test]
    fn a_doc_comment_names_the_types_of_parameters() {
        let docs = "Stops it.\n\nTakes: Connection, array of Domain or (). Options: STOP.";
        let shown: Vec<String> = parameters(docs, &|_| None)
            .iter()
            .map(Type::to_string)
            .collect();
        assert_eq!(shown, ["Connection", "array of Domain | ()"]);
        assert_eq!(options_line(docs).as_deref(), Some("STOP"));
        assert_eq!(options_place(docs, 4), 2);
        assert_eq!(options_place("Options: STOP.", 4), 3);
        assert_eq!(without_lines(docs), "Stops it.");
        assert_eq!(parameters("It Takes: time.", &|_| None), []);
    }

    #[test]
    fn the_names_of_types_have_their_places_in_the_line() {
        for (line, taken, returned) in [
            (
                " Takes: Connection, array of Domain or (). Options: STOP. Returns: disk::COPY.",
                &["Connection", "Domain", "()"][..],
                &["disk::COPY"][..],
            ),
            ("Returns: array of string", &[], &["string"]),
            ("Returns: the number of guests.", &[], &[]),
            ("It Takes: time.", &[], &[]),
        ] {
            let found = names_of_parameters(line)
                .into_iter()
                .map(|bytes| &line[bytes]);
            assert_eq!(found.collect::<Vec<_>>(), taken, "{line}");
            let found = names_of_result(line).into_iter().map(|bytes| &line[bytes]);
            assert_eq!(found.collect::<Vec<_>>(), returned, "{line}");
        }
    }
}
