//! The options of functions in modules, for those who write a call of one.

use rhai::{Engine, Expr};

use super::files::{File, Files};
use crate::script::imports::Imports;
use crate::script::program::Program;

/// What the script is called that imports the module.
const ASKING: &str = "options";

/// The keys that `function` of the module at `path`, as an import names it, knows in the map that
/// is its parameter number `parameter`; none where it is no such map, or where that is not
/// certain. `parser` compiles as scripts do.
pub fn script_option_keys(
    parser: &Engine,
    imports: &Imports,
    path: &str,
    function: &str,
    parameter: usize,
) -> Vec<String> {
    let Some((files, target)) = read(parser, imports, path) else {
        return Vec::new();
    };
    let Some(file) = files.get(&target) else {
        return Vec::new();
    };
    let declared = file
        .functions_named(function)
        .find_map(|definition| files.declared(file, definition, parameter));
    let keys = declared.iter().flat_map(|spec| &spec.keys);
    keys.map(|key| key.name.clone()).collect()
}

/// The keys of one of the maps under the option `key` of the module at `path`: those of the
/// constant that it, or what it imports, has its defaults from. `disks` are made from `DISK`.
pub fn script_part_keys(parser: &Engine, imports: &Imports, path: &str, key: &str) -> Vec<String> {
    let name = key.to_uppercase();
    let one = name.strip_suffix('S').unwrap_or(&name);
    let constant = |file: &File| match file.global(one) {
        Some(Expr::Map(map, _)) => {
            Some(map.0.iter().map(|(key, _)| key.name.to_string()).collect())
        }
        _ => None,
    };
    let files = read(parser, imports, path);
    files
        .and_then(|(files, _)| files.iter().find_map(constant))
        .unwrap_or_default()
}

/// The module at `path` and all that it imports, and what the module's own file is called.
fn read(parser: &Engine, imports: &Imports, path: &str) -> Option<(Files, String)> {
    let script = format!("import {path:?} as it;");
    let program = Program::compile(parser, imports, ASKING, &script).ok()?;
    let files = Files::of(imports, ASKING, &program);
    let target = program.links.get(&(ASKING.to_owned(), path.to_owned()))?;
    Some((files, target.clone()))
}
