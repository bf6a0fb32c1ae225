//! The reference of a folder of scripts.

use std::path::Path;

use rhai::Engine;

use crate::catalog::Recipe;
use crate::script::declarations;
use crate::script::files::scripts_below;
use crate::script::imports::Imports;
use crate::syntax::source;

use super::build::of_recipe;
use super::{Part, Reference};

/// The functions of the scripts below `folder`, with their comments. Also returns the errors of files that could not be
/// read.
pub fn of_folder(engine: &Engine, folder: &Path) -> (Reference, Vec<String>) {
    let mut faults = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for found in scripts_below(folder) {
        let file = match found {
            Ok(file) => file,
            Err((path, error)) => {
                faults.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        match read(engine, folder, &file) {
            Ok(part) => parts.push(part),
            Err(fault) => faults.push(format!("{}: {fault}", file.display())),
        }
    }
    let name = folder.canonicalize().ok();
    let name = name.as_deref().and_then(Path::file_name);
    let reference = Reference {
        title: name.map_or_else(|| "Scripts".into(), |name| name.to_string_lossy().into()),
        docs: String::new(),
        parts,
    };
    (reference, faults)
}

fn read(engine: &Engine, folder: &Path, file: &Path) -> Result<Part, String> {
    let text = crate::script::files::read_script(file).map_err(|error| error.to_string())?;
    engine
        .compile(source::without_shebang(&text))
        .map_err(|error| error.to_string())?;
    let path = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let imports = Imports::new([folder.to_owned()]);
    let name = file.display().to_string();
    imports.remember(&name, &text);
    let recipe = Recipe::of(&path.to_string_lossy(), &text);
    let mut part = of_recipe(&recipe.with_options(&declarations::of_imports(&imports), &name));
    part.group = "Scripts";
    Ok(part)
}
