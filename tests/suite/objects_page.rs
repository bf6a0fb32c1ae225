//! `docs/objects.md`: every object kind with all its calls, written from the catalogue; `UPDATE=1` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use virhai::catalog::Function;

use super::catalogue::functions;
use super::coverage::OBJECTS;
use crate::support::golden;

const HEAD: &str = "# Objects and their calls\n\n\
    All calls of each kind of object, in one line each. `virhai doc Domain.create` shows the forms of a call, its options, its\n\
    errors and an example. A test writes this page.\n";

/// The functions of every object, whatever its kind.
const OF_EVERY_KIND: [&str; 4] = ["==", "!=", "to_string", "to_debug"];

#[test]
fn the_page_of_objects_has_every_call_of_every_kind() {
    let functions = functions();
    let mut page = HEAD.to_owned();
    for (kind, _) in OBJECTS {
        let mut calls: BTreeMap<String, Vec<&Function>> = BTreeMap::new();
        let own = functions.iter().filter(|function| {
            let receiver = function.receiver().and_then(|ty| ty.object());
            receiver == Some(kind) && !OF_EVERY_KIND.contains(&function.name.as_str())
        });
        for function in own {
            let dot = if function.property { "." } else { "" };
            let call = format!("{dot}{}", function.name);
            calls.entry(call).or_default().push(function);
        }
        assert!(!calls.is_empty(), "{kind} has calls");
        let _ = write!(
            page,
            "\n## {kind}\n\n| call | effect | of libvirt |\n|---|---|---|\n"
        );
        for (call, forms) in &calls {
            let called: BTreeSet<&str> = forms.iter().flat_map(|form| called(form)).collect();
            let called: Vec<&str> = called.into_iter().collect();
            // The documentation of the form with the fewest parameters describes the effect of all
            // forms.
            let plain = forms
                .iter()
                .min_by_key(|form| (form.parameters.len(), &form.docs));
            let docs = plain.map_or("", |form| &form.docs);
            let effect = first_sentence(docs).replace('|', "\\|");
            let _ = writeln!(page, "| `{call}` | {effect} | {} |", called.join(", "));
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/objects.md");
    golden(Path::new(path), &page);
}

/// The functions of libvirt that the last line of a doc comment names.
fn called(function: &Function) -> impl Iterator<Item = &str> {
    let last = function.docs.trim_end().lines().last().unwrap_or_default();
    last.split([' ', ',', '.'])
        .filter(|word| word.starts_with("vir") && word.len() > 3)
}

/// The first sentence of a doc comment, in one line.
fn first_sentence(docs: &str) -> String {
    let paragraph = docs.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}
