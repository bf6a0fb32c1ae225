//! The imports that a failed call may have meant: those of its file, and at the prompt those of the inputs before it.

use virhai::Imports;
use virhai::syntax::outline::Outline;

/// The name of the prompt's input number `number` in positions.
pub(crate) fn name_of_input(number: usize) -> String {
    match number {
        0 => "start".to_owned(),
        number => format!("input {number}"),
    }
}

/// The texts whose imports the code of `file` sees, the newest first, with their names.
fn texts_in_sight(imports: &Imports, file: &str) -> Vec<(String, Outline)> {
    let number: Option<usize> = file
        .strip_prefix("input ")
        .and_then(|number| number.parse().ok());
    let names = match number {
        Some(last) => (0..=last).rev().map(name_of_input).collect(),
        None => vec![file.to_owned()],
    };
    let read = |name: String| {
        let outline = Outline::of(&imports.text(&name)?);
        Some((name, outline))
    };
    names.into_iter().filter_map(read).collect()
}

/// The parts of the file that the code of `file` imports as `alias`.
pub(crate) fn imported_as(imports: &Imports, file: &str, alias: &str) -> Option<Outline> {
    texts_in_sight(imports, file)
        .iter()
        .find_map(|(name, outline)| {
            let (_, text) = imports
                .source(Some(name), outline.path_of_alias(alias)?)
                .ok()?;
            Some(Outline::of(&text))
        })
}

/// The alias under which the code of `file` imports the function `name` with `count` parameters.
pub(crate) fn alias_of(imports: &Imports, file: &str, name: &str, count: usize) -> Option<String> {
    texts_in_sight(imports, file)
        .into_iter()
        .find_map(|(text, outline)| {
            outline.imports.into_iter().find_map(|import| {
                let (_, imported) = imports.source(Some(&text), import.path.as_deref()?).ok()?;
                let functions = Outline::of(&imported).functions;
                let is_meant = functions.iter().any(|function| {
                    !function.private && function.name == name && function.parameters.len() == count
                });
                is_meant.then_some(import.alias).flatten()
            })
        })
}
