//! The options of functions in modules, for those who write a call of one.

use std::sync::Arc;

use rhai::Engine;

use super::files::Files;
use crate::script::imports::Imports;
use crate::script::program::Program;
use crate::spec::Spec;

/// The name of the script that imports the module.
const ASKING: &str = "options";

/// The declaration in `function` of the module at `path`, as an import names it, for its parameter number `parameter`,
/// a map. `parser` compiles as scripts do.
pub fn script_options(
    parser: &Engine,
    imports: &Imports,
    path: &str,
    function: &str,
    parameter: usize,
) -> Option<Arc<Spec>> {
    let script = format!("import {path:?} as it;");
    let program = Program::compile(parser, imports, ASKING, &script).ok()?;
    let files = Files::of(imports, ASKING, &program);
    let target = program.links.get(&(ASKING.to_owned(), path.to_owned()))?;
    let file = files.get(target)?;
    file.functions_named(function)
        .find_map(|definition| files.declared(file, definition, parameter))
}
