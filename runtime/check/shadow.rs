//! Calls of a script's own function in place of a method with the same name.

use rhai::{ASTNode, Expr, Position};

use super::Code;
use super::definitions::Definition;
use super::scope::KnownType;
use super::walk::Walk;
use crate::catalog::walker::Receiver;
use crate::spec::Type;

/// Reports a call `value.name(arguments)` that leads to the script's own function `definition`,
/// which does nothing with the value, although the value has a method of that name.
pub(super) fn check(
    walk: &mut Walk,
    receiver: &Receiver,
    definition: &Definition,
    kinds: &[KnownType],
    position: Position,
) {
    let name = definition.name.as_str();
    if definition.this_type.is_some() || uses_this(definition) {
        return;
    }
    let kind = receiver.ty.as_ref();
    // A closure that a map holds under the name wins over both.
    if kind.is_none_or(Type::is_map) && walk.files.may_be_key(name) {
        return;
    }
    let shadowed = walk
        .checker
        .catalog
        .named(name)
        .filter(|function| !function.property && function.takes(kinds))
        // A method of one type is more specific than a method of any value.
        .min_by_key(|function| function.receiver() == Some(&Type::Unknown));
    let Some(method) = shadowed else { return };
    let of = method.receiver().cloned().and_then(Type::known);
    let message = match kind {
        Some(kind) => {
            let kind = kind.plain();
            format!("this calls the script's function `{name}`, not the method of {kind}")
        }
        None => format!("this calls the script's function `{name}`, not a method of the value"),
    };
    let related = walk.definition(walk.file, definition);
    let finding = walk.find(Code::ShadowedMethod, position, message);
    finding.hint = Some(format!(
        "a function of the script takes precedence over a method with the same number of arguments: rename the function{}",
        match of {
            None => String::new(),
            Some(of) => format!(", or call the method of {of} in another file"),
        }
    ));
    finding.related.extend(related);
}

fn uses_this(definition: &Definition) -> bool {
    let mut found = false;
    for statement in &definition.body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            found |= matches!(path.last(), Some(ASTNode::Expr(Expr::ThisPtr(_))));
            !found
        });
    }
    found
}
