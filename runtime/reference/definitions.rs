//! Definition files: the functions for scripts, for editors.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::catalog::{Catalog, Function, Recipe, Signature};
use crate::constants::{self, Value};
use crate::spec::Type;

/// One file of definitions.
#[derive(Debug)]
pub struct DefinitionFile {
    /// Its path below the folder of definitions, such as `std/guest.d.rhai`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The definitions of all that scripts can call besides the language itself.
pub fn definitions(catalog: &Catalog) -> Vec<DefinitionFile> {
    let mut files = vec![
        DefinitionFile {
            path: "virhai.d.rhai".into(),
            text: of_functions(catalog),
        },
        DefinitionFile {
            path: "constants.d.rhai".into(),
            text: of_constants(),
        },
    ];
    files.extend(catalog.recipes().iter().map(|recipe| DefinitionFile {
        path: format!("{}.d.rhai", recipe.path),
        text: of_recipe(recipe),
    }));
    files
}

fn of_functions(catalog: &Catalog) -> String {
    let mut text = "module static;\n".to_owned();
    let mut known = BTreeSet::new();
    let mut functions: Vec<&Function> = catalog
        .functions()
        .iter()
        .filter(|function| !function.standard && is_word(&function.name))
        .collect();
    functions.sort_by_key(|function| {
        (
            function.name.clone(),
            !function.property,
            function.parameters.len(),
            Signature::of(function, false).parameters,
        )
    });
    for function in functions {
        let parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|(name, kind)| format!("{}: {}", parameter(name), union(kind)))
            .collect();
        let get = if function.property { "get " } else { "" };
        let line = format!(
            "fn {get}{}({}) -> {};",
            function.name,
            parameters.join(", "),
            union(&function.returns)
        );
        if known.insert(line.clone()) {
            let _ = write!(text, "\n{}{line}\n", comment(&function.docs_with_keys()));
        }
    }
    text
}

fn of_constants() -> String {
    let mut text = "module static;\n\n".to_owned();
    for constant in constants::all() {
        let kind = match constant.value {
            Value::Integer(_) => "int",
            Value::Text(_) => "string",
        };
        let _ = writeln!(text, "const {}: {kind};", constant.name);
    }
    text
}

fn of_recipe(recipe: &Recipe) -> String {
    let alias = recipe.path.rsplit('/').next().unwrap_or_default();
    let mut text = String::new();
    for line in recipe.docs.lines() {
        let _ = writeln!(text, "{}", format!("//! {line}").trim_end());
    }
    let _ = writeln!(text, "module {alias};");
    for function in &recipe.functions {
        let parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|name| format!("{name}: ?"))
            .collect();
        let _ = write!(
            text,
            "\n{}fn {}({}) -> ?;\n",
            comment(&function.docs),
            function.name,
            parameters.join(", ")
        );
    }
    text
}

fn comment(docs: &str) -> String {
    docs.trim_end()
        .lines()
        .map(|line| format!("{}\n", format!("/// {line}").trim_end()))
        .collect()
}

/// A parameter's name; Rhai's macro names a parameter `_` if it has no name in Rust.
fn parameter(name: &str) -> &str {
    match name {
        "_" | "" => "value",
        name => name,
    }
}

/// A type as definition files write it.
fn union(ty: &Type) -> String {
    match ty {
        Type::Unknown => "?".into(),
        Type::Function => "FnPtr".into(),
        Type::Size { .. } | Type::Duration => "int | float | string".into(),
        Type::OneOf(types) => {
            let types = Type::one_of(types.iter().map(Type::plain));
            let types = types.alternatives().iter().map(union);
            types.collect::<Vec<String>>().join(" | ")
        }
        ty => ty.plain().to_string(),
    }
}

fn is_word(name: &str) -> bool {
    name.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
}
