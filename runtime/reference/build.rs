//! Builds the reference from the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Catalog, Function, Recipe, Signature};
use crate::constants::{self, Constant, Value};
use crate::run::version::versions;
use crate::spec::{Spec, Type};

use super::links::link;
use super::{Entry, PARTS_OF_RECIPES, Part, RECIPES, Reference, Table};

/// The title of the part for Rhai's types.
const LANGUAGE: &str = "Types of the language";

pub(super) fn of_catalog(catalog: &Catalog) -> Reference {
    let mut parts: Vec<Part> = super::guide::guide().collect();
    parts.push(free_functions(catalog));
    parts.extend(types(catalog));
    let (shared, own): (Vec<&Recipe>, Vec<&Recipe>) =
        catalog.recipes().iter().partition(|recipe| recipe.internal);
    parts.extend(own.into_iter().map(of_recipe));
    parts.extend(shared.into_iter().map(of_recipe));
    parts.extend(enumerations());
    let versions = versions();
    Reference {
        title: format!("virhai {}", versions.virhai),
        docs:
            "The functions, types and constants for scripts. Flags are joined with `|`; sizes are numbers or text such as \
               `\"20GiB\"`, durations seconds or text such as `\"5m\"`."
                .into(),
        parts,
    }
}

/// Free functions.
fn free_functions(catalog: &Catalog) -> Part {
    let own = catalog
        .functions()
        .iter()
        .filter(|function| !function.standard && !function.is_on_object() && is_named(function));
    let first_of_language = |function: &&Function| {
        function.receiver().is_some_and(|ty| {
            ty.is_map() || matches!(ty, Type::Array(_) | Type::Blob | Type::Function)
        })
    };
    Part {
        group: "Functions",
        name: "Functions".into(),
        docs: "Free functions: calls without an object before a dot.".into(),
        ..of_functions(own.filter(|function| !first_of_language(function)))
    }
}

/// A part that consists of `functions`, without a name.
fn of_functions<'a>(functions: impl Iterator<Item = &'a Function>) -> Part {
    let entries = entries(functions);
    let mut tables = Vec::new();
    for table in entries.iter().flat_map(|entry| &entry.tables) {
        add(&mut tables, table.clone());
    }
    Part {
        group: "",
        name: String::new(),
        docs: String::new(),
        entries,
        tables,
    }
}

/// Adds `table`, unless there is one with this name: typed parameters have the same table for
/// reading and setting.
fn add(tables: &mut Vec<Table>, table: Table) {
    if tables.iter().all(|known| known.label != table.label) {
        tables.push(table);
    }
}

/// A part for each type: libvirt's, then those of the language.
fn types(catalog: &Catalog) -> Vec<Part> {
    let mut kinds: BTreeMap<(bool, String), Vec<&Function>> = BTreeMap::new();
    for function in catalog
        .functions()
        .iter()
        .filter(|function| is_named(function))
    {
        let Some(kind) = function.receiver() else {
            continue;
        };
        let own = kind.is_object() && !function.standard;
        let of_language = kind.is_text()
            || kind.is_map()
            || matches!(
                kind,
                Type::Array(_) | Type::Blob | Type::Int | Type::Float | Type::Char | Type::Function
            );
        if own || of_language {
            let name = kind.plain().to_string();
            kinds.entry((!own, name)).or_default().push(function);
        }
    }
    kinds
        .into_iter()
        .map(|((language, kind), functions)| Part {
            group: if language { LANGUAGE } else { "Types" },
            name: kind,
            ..of_functions(functions.into_iter())
        })
        .collect()
}

pub(super) fn of_recipe(recipe: &Recipe) -> Part {
    let alias = recipe.path.rsplit('/').next().unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::new();
    for function in recipe.offered() {
        let way = (
            format!("{alias}::{}", Signature::of_recipe(function)),
            function.docs.clone(),
        );
        let table = |spec: Arc<Spec>, returned| Table {
            label: recipe.label(&spec),
            spec,
            returned,
        };
        let taken = function.options.iter().flat_map(Spec::with_nested);
        let returned = function.returns.specs();
        let returned = returned.into_iter().flat_map(Spec::with_nested);
        let tables: Vec<Table> = (taken.map(|spec| table(spec, false)))
            .chain(returned.map(|spec| table(spec, true)))
            .collect();
        let at = entries.iter().position(|entry| entry.name == function.name);
        let at = at.unwrap_or_else(|| {
            entries.push(Entry {
                name: function.name.clone(),
                ways: Vec::new(),
                tables: Vec::new(),
            });
            entries.len() - 1
        });
        let entry = &mut entries[at];
        entry.ways.push(way);
        tables
            .into_iter()
            .for_each(|table| add(&mut entry.tables, table));
    }
    let mut tables = Vec::new();
    for table in entries.iter().flat_map(|entry| &entry.tables) {
        add(&mut tables, table.clone());
    }
    Part {
        group: match recipe.internal {
            true => PARTS_OF_RECIPES,
            false => RECIPES,
        },
        name: recipe.path.clone(),
        docs: recipe.docs.clone(),
        entries,
        tables,
    }
}

/// A part for each of libvirt's enumerations.
fn enumerations() -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for constant in constants::all() {
        let name = match constant.group {
            "" => "names of typed parameters",
            group => group,
        };
        let entry = Entry {
            name: constant.name.to_owned(),
            ways: vec![(
                of_constant(constant),
                constants::sentence(constant.name)
                    .unwrap_or_default()
                    .to_owned(),
            )],
            tables: Vec::new(),
        };
        match parts.iter_mut().find(|part| part.name == name) {
            Some(part) => part.entries.push(entry),
            None => parts.push(Part {
                group: "Constants",
                name: name.to_owned(),
                docs: String::new(),
                entries: vec![entry],
                tables: Vec::new(),
            }),
        }
    }
    parts
}

pub(super) fn of_constant(constant: &Constant) -> String {
    match constant.value {
        Value::Integer(number) => format!("{} = {number}", constant.name),
        Value::Text(text) => format!("{} = {:?}", constant.name, text),
    }
}

/// True if it has a name, and is not an operator.
fn is_named(function: &Function) -> bool {
    let hidden = ["to_debug", "to_string"];
    function
        .name
        .starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && (function.standard || !hidden.contains(&function.name.as_str()))
}

/// Functions of one name together, by name.
fn entries<'a>(functions: impl Iterator<Item = &'a Function>) -> Vec<Entry> {
    let mut named: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for function in functions {
        named.entry(&function.name).or_default().push(function);
    }
    named
        .into_iter()
        .map(|(name, mut functions)| {
            // The engine has them in another order each time.
            functions.sort_by_key(|function| {
                (
                    !function.property,
                    function.parameters.len(),
                    Signature::of(function, false).parameters,
                )
            });
            Entry {
                name: name.to_owned(),
                ways: functions.iter().map(|function| way(function)).collect(),
                tables: tables(&functions),
            }
        })
        .collect()
}

/// The maps that `functions` take and return, and those inside them.
pub(super) fn tables(functions: &[&Function]) -> Vec<Table> {
    let mut found = Vec::new();
    let taken = functions.iter().flat_map(|function| {
        let parameters = function.parameters.iter();
        parameters.flat_map(|(_, ty)| ty.specs())
    });
    let returned = functions
        .iter()
        .flat_map(|function| function.returns.specs());
    let taken = taken.map(|spec| (spec, false));
    for (spec, returned) in taken.chain(returned.map(|spec| (spec, true))) {
        for spec in Spec::with_nested(spec) {
            let label = spec.name.clone();
            add(
                &mut found,
                Table {
                    label,
                    spec,
                    returned,
                },
            );
        }
    }
    found
}

/// The signature of a function, and its documentation with links to libvirt's.
pub(super) fn way(function: &Function) -> (String, String) {
    let calls: Vec<String> = function
        .calls()
        .map(|name| format!("[{name}]({})", link(name)))
        .collect();
    let docs = match function.docs.rsplit_once("Calls ") {
        Some((before, _)) if calls.is_empty() => before.trim_end().to_owned(),
        Some((before, _)) => format!("{}\n\nCalls {}.", before.trim_end(), calls.join(", ")),
        None => function.docs.clone(),
    };
    (Signature::as_called(function), docs)
}
