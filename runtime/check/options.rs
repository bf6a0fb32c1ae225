//! Keys of maps of options: of native functions, and of scripts' own.

use std::sync::Arc;

use rhai::Expr;

use super::declared;
use super::definitions::Definition;
use super::files::File;
use super::walk::Walk;
use crate::catalog::Function;
use crate::catalog::walker::root;
use crate::spec::Spec;

/// Reports options that the script's function `definition` of `file` does not take.
pub(super) fn check_own<'a>(
    walk: &mut Walk<'a>,
    file: &'a File,
    definition: &'a Definition,
    arguments: &'a [Expr],
) {
    for (index, argument) in arguments.iter().enumerate() {
        let Some(value) = walk.value_of(argument) else {
            continue;
        };
        if (value.entries().is_some() || value.is_not_a_map())
            && let Some(spec) = walk.files.declared(file, definition, index)
        {
            let changes = root(argument).is_some_and(|name| walk.facts.changed.contains(name));
            declared::check(walk, &value, &[spec], changes);
        }
    }
}

/// Reports the errors of a map of options, the argument for the parameter `index` of the native functions `taken`.
pub(super) fn check_native(walk: &mut Walk, taken: &[&Function], index: usize, argument: &Expr) {
    let Some(value) = walk.value_of(argument) else {
        return;
    };
    if value.entries().is_none() {
        return;
    }
    let parameter = |function: &&Function| {
        let (_, ty) = function.parameters.get(index)?;
        ty.keys().cloned()
    };
    let specs: Option<Vec<Arc<Spec>>> = taken.iter().map(parameter).collect();
    let Some(specs) = specs else {
        return;
    };
    let changes = root(argument).is_some_and(|name| walk.facts.changed.contains(name));
    declared::check(walk, &value, &specs, changes);
}
