//! Keys of maps of options: of native functions, and of scripts' own.

use rhai::{Expr, Position};

use super::definitions::Definition;
use super::files::File;
use super::native_options::option_keys;
use super::walk::Walk;
use super::{Code, declared, finding::Related};
use crate::advice::suggest;
use crate::catalog::Function;

/// Reports keys that the script's function `definition` of `file` does not know.
pub(super) fn check_own<'a>(
    walk: &mut Walk<'a>,
    file: &'a File,
    definition: &'a Definition,
    arguments: &'a [Expr],
) {
    for (index, argument) in arguments.iter().enumerate() {
        if matches!(argument, Expr::Map(..))
            && let Some(spec) = walk.files.declared(file, definition, index)
        {
            declared::check(walk, argument, &spec);
            continue;
        }
        if walk.keys_of(argument).is_none() {
            continue;
        }
        let Some(spec) = walk.files.declared(file, definition, index) else {
            continue;
        };
        let known: Vec<&str> = spec.keys.iter().map(|key| key.name.as_str()).collect();
        let related = walk.definition(file, definition);
        report(walk, argument, &known, related);
    }
}

/// Reports keys that the native functions `taken` do not know, of the argument for their
/// parameter `index`.
pub(super) fn check_native(
    walk: &mut Walk,
    taken: &[&Function],
    index: usize,
    argument: &Expr,
    _position: Position,
) {
    if walk.keys_of(argument).is_none() {
        return;
    }
    let mut known: Vec<&str> = Vec::new();
    for function in taken {
        match option_keys(function, index) {
            Some(keys) => known.extend(keys),
            None => return,
        }
    }
    report(walk, argument, &known, None);
}

fn report(walk: &mut Walk, argument: &Expr, known: &[&str], related: Option<Related>) {
    let Some(keys) = walk.keys_of(argument) else {
        return;
    };
    for (key, span) in keys.iter() {
        if known.contains(&key.as_str()) {
            continue;
        }
        let hint = match suggest::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it takes no options".to_owned(),
            None => format!("the options are {}", known.join(", ")),
        };
        let message = format!("there is no option `{key}`");
        let finding = walk.find_at(Code::UnknownOption, *span, message);
        finding.hint = Some(hint);
        finding.related.extend(related.clone());
    }
}
