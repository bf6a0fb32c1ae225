//! Help on one name, as plain text for a terminal.

use std::fmt::Write;
use std::sync::Arc;

use super::build::{of_constant, tables, way};
use super::markdown::is_list;
use super::{Entry, Part, Reference, Table, link, search};
use crate::advice::virsh;
use crate::catalog::names;
use crate::catalog::{Catalog, Function, Signature, first_sentence};
use crate::constants;
use crate::show::width;
use crate::spec::{self, Spec, Type};

/// The description of `name`: a function `create`, a method `Domain.create`, a type `Domain`, a constant, a recipe
/// `std/guest`, or a function of a recipe, `guest::create`; `None` if the name is unknown.
pub fn help(catalog: &Catalog, name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches("()");
    if let Some(constant) = constants::constant(name) {
        let group = match constant.group {
            "" => String::new(),
            group => format!("\n\n  one of {group}"),
        };
        let sentence = match constants::sentence(name) {
            Some(sentence) => format!("\n\n  {sentence}"),
            None => String::new(),
        };
        return Some(format!("{}{sentence}{group}", of_constant(constant)));
    }
    let by_kind = name
        .split_once("::")
        .filter(|(kind, _)| catalog.has_kind(kind));
    if let Some((kind, member)) = by_kind.or_else(|| name.split_once('.')) {
        let ty = Type::of_value(kind);
        let members = catalog
            .members(&ty)
            .filter(|function| function.name == member);
        return functions(members);
    }
    let reference = Reference::of(catalog);
    if let Some((recipe, function)) = name.rsplit_once("::") {
        let part = recipe_called(&reference, recipe)?;
        let entry = part.entries.iter().find(|entry| entry.name == function)?;
        return Some(entry_text(entry));
    }
    if let Some(part) = reference.parts.iter().find(|part| part.name == name) {
        return Some(overview(part));
    }
    let types = reference.parts.iter().filter(|part| part.group == "Types");
    if let Some(part) = types
        .into_iter()
        .find(|part| part.name.eq_ignore_ascii_case(name))
    {
        return Some(overview(part));
    }
    let own = || catalog.named(name).any(|function| !function.standard);
    if let Some(command) = virsh::find(name).filter(|command| command.function() != Some(name)) {
        // A word of virsh's means its command rather than a function of the language alone.
        let meant = match own() {
            true => Some(name),
            false => command.function(),
        };
        let docs = meant.and_then(|function| functions(catalog.named(function)));
        let texts = [Some(names::of_virsh(command)), docs];
        return Some(texts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    }
    functions(catalog.named(name))
        .or_else(|| table_called(&reference, name))
        .or_else(|| recipe_called(&reference, name).map(overview))
        .or_else(|| by_another_name(catalog, &reference, name))
        .or_else(|| search::found(catalog, &reference, name))
}

/// The map `StopOptions` or `DomainInfo`, and the functions that take or return it.
fn table_called(reference: &Reference, name: &str) -> Option<String> {
    let mut found: Option<&Table> = None;
    let mut users = Vec::new();
    for part in &reference.parts {
        for entry in &part.entries {
            if let Some(table) = entry.tables.iter().find(|table| table.label == name) {
                found.get_or_insert(table);
                users.push(match part.group {
                    "Functions" => entry.name.clone(),
                    _ if part.is_recipe() => format!("{}::{}", part.name, entry.name),
                    _ => format!("{}.{}", part.name, entry.name),
                });
            }
        }
    }
    let table = found?;
    let verb = if table.returned { "returned" } else { "taken" };
    let mut text = format!("{}\n", super::options::text(table, &[]));
    let users = format!("  {verb} by {}", users.join(", "));
    super::options::push_wrapped(&mut text, &users, "  ");
    Some(text)
}

/// The functions that libvirt, libvirt-python or virsh call `name`, the functions of recipes with that name, and the
/// recipes with such an option.
fn by_another_name(catalog: &Catalog, reference: &Reference, name: &str) -> Option<String> {
    let mut texts = Vec::new();
    let found = names::of_libvirt(catalog.functions(), name);
    if let Some(first) = found.first() {
        let here = format!("libvirt's `{name}` is `{}` here", first.name);
        texts.extend(functions(found.iter().copied()).map(|docs| format!("{here}\n\n{docs}")));
    }
    let recipes = || {
        let parts = reference.parts.iter();
        parts.filter(|part| part.is_recipe())
    };
    for part in recipes() {
        let entries = part.entries.iter().filter(|entry| entry.name == name);
        texts.extend(entries.map(|entry| format!("in {}\n\n{}", part.name, entry_text(entry))));
    }
    texts.extend(as_option(catalog, name));
    if texts.is_empty() && constants::is_published(name) {
        texts.push(format!(
            "libvirt has {name}, which scripts cannot call\n\n  {}",
            link(name)
        ));
    }
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The description of the option `name` of recipes, and the functions that take it.
fn as_option(catalog: &Catalog, name: &str) -> Vec<String> {
    // The same option of several functions is described once.
    let mut found: Vec<(Arc<Spec>, Vec<String>)> = Vec::new();
    for recipe in catalog.recipes() {
        let alias = recipe.path.rsplit('/').next().unwrap_or_default();
        for function in &recipe.functions {
            let specs = function.options.iter().flat_map(Spec::with_nested);
            for spec in specs.filter(|spec| spec.key(name).is_some()) {
                let known = found
                    .iter_mut()
                    .find(|(other, _)| other.key(name) == spec.key(name));
                let takes = match known {
                    Some((_, takers)) => takers,
                    None => {
                        found.push((spec, Vec::new()));
                        let last = found.len() - 1;
                        &mut found[last].1
                    }
                };
                let taker = format!("{alias}::{}", function.name);
                if !takes.contains(&taker) {
                    takes.push(taker);
                }
            }
        }
    }
    let text = |(spec, takers): &(Arc<Spec>, Vec<String>)| {
        let one = Spec {
            keys: spec.key(name).cloned().into_iter().collect(),
            ..Spec::clone(spec)
        };
        let table = Table {
            label: format!("`{name}` is one of the"),
            spec: Arc::new(one),
            returned: false,
        };
        let text = super::options::text(&table, &[]);
        let text = text.replacen("is one of the: options", "is one of the options", 1);
        let mut text = format!("{text}\n");
        super::options::push_wrapped(
            &mut text,
            &format!("  taken by {}", takers.join(", ")),
            "  ",
        );
        text
    };
    found.iter().map(text).collect()
}

/// The recipe `std/guest`, also by its short name.
fn recipe_called<'a>(reference: &'a Reference, name: &str) -> Option<&'a Part> {
    let recipes = || reference.parts.iter().filter(|part| part.is_recipe());
    recipes()
        .find(|part| part.name == name)
        .or_else(|| recipes().find(|part| part.name.strip_prefix("std/") == Some(name)))
}

fn functions<'a>(found: impl Iterator<Item = &'a Function>) -> Option<String> {
    let mut found: Vec<&Function> = found.collect();
    // The functions of all kinds of numbers count as one for a reader.
    found.sort_by_key(|function| {
        (
            function.standard,
            function.receiver().map(ToString::to_string),
            !function.property,
            function.parameters.len(),
            Signature::of(function, false).parameters,
        )
    });
    let mut texts: Vec<String> = Vec::new();
    for function in &found {
        let (signature, _) = way(function);
        let text = way_text(&signature, &with_links(function));
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.extend(described(&tables(&found)));
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The documentation, with libvirt's reference for each C function that it names.
fn with_links(function: &Function) -> String {
    let calls: Vec<String> = function
        .calls()
        .map(|name| format!("{name}  {}", link(name)))
        .collect();
    let docs = match function.docs.rsplit_once("Calls ") {
        Some((before, _)) => before.trim_end(),
        None => function.docs.trim_end(),
    };
    match calls.is_empty() {
        true => docs.to_owned(),
        false => format!("{docs}\n\n{}", calls.join("\n")),
    }
}

fn entry_text(entry: &Entry) -> String {
    let texts: Vec<String> = entry
        .ways
        .iter()
        .map(|(signature, docs)| way_text(signature, docs))
        .collect();
    let all: Vec<String> = texts.into_iter().chain(described(&entry.tables)).collect();
    all.join("\n\n")
}

/// The keys of `tables`, one after the other.
fn described(tables: &[Table]) -> impl Iterator<Item = String> {
    let tables_before = tables.iter().enumerate();
    tables_before.map(|(at, table)| super::options::text(table, &tables[..at]))
}

/// A signature, and its documentation below it.
fn way_text(signature: &str, docs: &str) -> String {
    let docs = plain(docs);
    match docs.is_empty() {
        true => signature.to_owned(),
        false => format!("{signature}\n\n{docs}"),
    }
}

/// Documentation without the signs of Markdown that a terminal cannot show, indented.
fn plain(docs: &str) -> String {
    let mut text = String::new();
    let mut code = false;
    for line in docs.trim_end().lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
            continue;
        }
        let indent = if code { "      " } else { "  " };
        let _ = match line.is_empty() {
            true => writeln!(text),
            false => writeln!(text, "{indent}{line}"),
        };
    }
    text.trim_end().to_owned()
}

/// The functions and properties of a type as a table, each with its purpose.
fn rows(part: &Part) -> String {
    let named = part.entries.iter().filter_map(|entry| {
        let (signature, docs) = entry.ways.first()?;
        let call = if signature.contains('(') { "()" } else { "" };
        Some((format!("{}{call}", entry.name), first_sentence(docs)))
    });
    let named: Vec<(String, String)> = named.collect();
    let widest = named.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let mut text = String::new();
    for (name, docs) in &named {
        let blanks = " ".repeat(widest - width(name));
        let row = format!("\n  {name}{blanks}  {docs}");
        text.push_str(row.trim_end());
    }
    if let Some((name, _)) = named.iter().find(|(name, _)| name.ends_with("()")) {
        let one = format!("{}.{}", part.name, name.trim_end_matches("()"));
        let _ = write!(
            text,
            "\n\n  `virhai doc {one}`, or `?{one}` at the prompt, shows parameters and an example."
        );
    }
    text
}

/// A part in a line for each of its entries.
fn overview(part: &Part) -> String {
    let mut text = part.name.clone();
    if !part.docs.is_empty() {
        let _ = write!(text, "\n\n{}", plain(&part.docs));
    }
    text.push('\n');
    if part.group == "Types" {
        text.push_str(&rows(part));
        return text;
    }
    for entry in &part.entries {
        for (signature, docs) in &entry.ways {
            let _ = match is_list(part) && docs.is_empty() {
                true => write!(text, "\n  {signature}"),
                false => write!(text, "\n  {signature}\n      {}", first_sentence(docs)),
            };
            if let Some(name) = spec::options_line(docs) {
                let _ = write!(text, "\n      Options: {name}");
            }
        }
    }
    // There are many types: each is described with its function.
    if part.is_recipe() {
        for table in described(&part.tables) {
            let _ = write!(text, "\n\n{table}");
        }
    }
    text
}
