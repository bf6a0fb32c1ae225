//! Keys of maps of options: of native functions, and of scripts' own.

use rhai::Expr;

use super::definitions::Definition;
use super::files::File;
use super::native_options::option_keys;
use super::walk::Walk;
use super::{Code, declared};
use crate::advice::suggest;
use crate::catalog::Function;
use crate::catalog::walker::root;

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
            declared::check(walk, &value, &spec, changes);
        }
    }
}

/// Reports keys that the native functions `taken` do not know, of the argument for their
/// parameter `index`.
pub(super) fn check_native(walk: &mut Walk, taken: &[&Function], index: usize, argument: &Expr) {
    let Some(value) = walk.value_of(argument) else {
        return;
    };
    let Some((entries, _)) = value.entries() else {
        return;
    };
    let mut known: Vec<&str> = Vec::new();
    for function in taken {
        match option_keys(function, index) {
            Some(keys) => known.extend(keys),
            None => return,
        }
    }
    for (key, given) in entries {
        if known.contains(&key.as_str()) {
            continue;
        }
        let hint = match suggest::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it takes no options".to_owned(),
            None => format!("the options are {}", known.join(", ")),
        };
        let message = format!("there is no option `{key}`");
        walk.find(Code::UnknownOption, given.key, message).hint = Some(hint);
    }
}
