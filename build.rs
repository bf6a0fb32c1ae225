//! Asks pkg-config which libvirt this build links with, for `--version`, and prepares the recipes.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let version = pkg_config::Config::new()
        .cargo_metadata(false)
        .probe("libvirt")
        .map_or_else(|_| "unknown".to_owned(), |library| library.version);
    println!("cargo::rustc-env=VIRHAI_LIBVIRT_COMPILED={version}");
    // The loader fills in 35,000 addresses at each start: their list takes 50 kB instead of 850 kB.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo::rerun-if-changed=build.rs");
    // The recipes are in the binary; a new one is not noticed otherwise.
    println!("cargo::rerun-if-changed=stdlib");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    write_declarations(
        Path::new("stdlib"),
        &PathBuf::from(out).join("declarations"),
    )
}

/// Writes the recipes without the bodies of their functions. That is all that the check of a script needs of the recipes
/// that the script imports, and is read in a part of the time.
fn write_declarations(recipes: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for recipe in fs::read_dir(recipes)? {
        let recipe = recipe?;
        let text = fs::read_to_string(recipe.path())?;
        fs::write(folder.join(recipe.file_name()), without_bodies(&text))?;
    }
    Ok(())
}

/// `text` with an empty line in place of each line of a body, so that all else keeps its place. A function begins and ends
/// at the beginning of a line.
fn without_bodies(text: &str) -> String {
    let mut declarations = String::new();
    let mut in_body = false;
    for line in text.lines() {
        in_body &= line != "}";
        if !in_body {
            declarations.push_str(line);
        }
        declarations.push('\n');
        let is_function = line.starts_with("fn ") || line.starts_with("private fn ");
        in_body |= is_function && line.ends_with('{');
    }
    declarations
}
