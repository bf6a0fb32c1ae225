//! A script's own function that is called where a method of the value was meant.

use rhai::{ASTNode, Expr, Position};

use super::Code;
use super::definitions::Definition;
use super::expressions::Receiver;
use super::scope::Kind;
use super::walk::Walk;
use crate::catalog::without_element;

/// Reports a call `value.name(arguments)` that leads to the script's own function `definition`,
/// which does nothing with the value, although the value has a method of that name.
pub(super) fn check(
    walk: &mut Walk,
    receiver: &Receiver,
    definition: &Definition,
    kinds: &[Kind],
    position: Position,
) {
    let name = definition.name.as_str();
    if definition.this_type.is_some() || uses_this(definition) {
        return;
    }
    let kind = receiver.kind.as_deref().map(without_element);
    // A closure that a map holds under the name wins over both.
    if kind.is_none_or(|kind| kind == "map") && walk.files.may_be_key(name) {
        return;
    }
    let shadowed = walk
        .checker
        .catalog
        .named(name)
        .find(|function| !function.property && function.takes(kinds));
    let Some(method) = shadowed else { return };
    let of = method.receiver().unwrap_or_default().to_owned();
    let message = match kind {
        Some(kind) => format!("this calls the script's own `{name}`, and not the method of {kind}"),
        None => format!("this calls the script's own `{name}`, and not a method of the value"),
    };
    let related = walk.definition(walk.file, definition);
    let finding = walk.find(Code::ShadowedMethod, position, message);
    finding.hint = Some(format!(
        "a script's function wins over a method with as many arguments: give one of the two another name{}",
        match of.as_str() {
            "?" | "" => String::new(),
            of => format!(", or call the method of {of} in a file of its own"),
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
