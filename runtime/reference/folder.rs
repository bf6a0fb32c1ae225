//! The reference of a folder of scripts.

use std::path::{Path, PathBuf};

use rhai::Engine;

use crate::catalog::Recipe;
use crate::script::declarations;
use crate::script::imports::Imports;
use crate::syntax::source;

use super::build::of_recipe;
use super::{Part, Reference};

/// What the scripts below `folder` offer to each other, by their own comments. Answers what could
/// not be read as well.
pub fn of_folder(engine: &Engine, folder: &Path) -> (Reference, Vec<String>) {
    let mut files = Vec::new();
    let mut faults = Vec::new();
    scripts(folder, &mut files, &mut faults);
    files.sort();
    let mut parts: Vec<Part> = Vec::new();
    for file in files {
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

fn scripts(folder: &Path, files: &mut Vec<PathBuf>, faults: &mut Vec<String>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(format!("{}: {error}", folder.display()));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            // Links are passed over: one that leads back up would have no end.
            Ok(kind) if kind.is_dir() && !hidden => scripts(&path, files, faults),
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "rhai") => {
                files.push(path);
            }
            _ => {}
        }
    }
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
