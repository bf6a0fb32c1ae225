//! Closures and the variables that they capture.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::Code;
use super::definitions::Definition;
use super::facts::CHANGING;
use super::scope::KnownType;
use super::walk::Walk;
use crate::catalog::walker::{Receiver, root};
use crate::spec::Type;

/// The creation of a closure.
pub(super) struct Closure<'a> {
    pub(super) definition: &'a Definition,
    pub(super) captured: Vec<&'a str>,
}

/// Reports variables that the closure of `parallel` or of `on` captures and changes, but does not read: it changes only
/// its own copies.
pub(super) fn check_copies<'a>(
    walk: &mut Walk<'a>,
    call: &str,
    kinds: &[KnownType],
    arguments: &'a [Expr],
) {
    let (label, hint) = match (call, kinds.len()) {
        ("parallel", 3) => (
            "each call of the closure has a separate copy",
            "have the closure return it: `parallel` returns the results in order",
        ),
        ("on", 3 | 4) => (
            "the handler has a separate copy",
            "print it, or use a `for` loop over `conn.events(filter)`",
        ),
        _ => return,
    };
    let Some(closure) = arguments.last().and_then(|last| walk.closure_in(last)) else {
        return;
    };
    let mut written: Vec<(String, Position)> = Vec::new();
    let mut own: HashSet<String> = HashSet::new();
    let mut used: Vec<String> = Vec::new();
    for statement in &closure.definition.body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let Some(ASTNode::Expr(Expr::Variable(variable, ..))) = path.last() {
                used.push(variable.1.to_string());
            }
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(parts, ..))) => {
                    own.insert(parts.0.name.to_string());
                }
                Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                    own.insert(parts.0.name.to_string());
                }
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                    let target = &parts.1.lhs;
                    if let Some(name) = root(target) {
                        written.push((name.to_owned(), target.start_position()));
                    }
                }
                Some(ASTNode::Expr(Expr::Dot(pair, ..))) => {
                    if let (Expr::Variable(variable, _, position), Expr::MethodCall(call, _)) =
                        (&pair.lhs, &pair.rhs)
                        && CHANGING.contains(&call.name.as_str())
                    {
                        written.push((format!("{}.", variable.1), *position));
                    }
                }
                _ => {}
            }
            true
        });
    }
    // A handler keeps its copies from one event to the next.
    let writes = |name: &str| {
        let by_name = |(written, _): &&(String, Position)| written.trim_end_matches('.') == name;
        written.iter().filter(by_name).count()
    };
    let is_read = |name: &str| {
        let uses = used.iter().filter(|used| *used == name).count();
        uses > writes(name)
    };
    let kept: Vec<bool> = written
        .iter()
        .map(|(target, _)| call == "on" && is_read(target.trim_end_matches('.')))
        .collect();
    for ((name, position), kept) in written.into_iter().zip(kept) {
        if kept {
            continue;
        }
        let (name, by_method) = match name.strip_suffix('.') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        if own.contains(name) || !closure.captured.contains(&name) {
            continue;
        }
        let kind = walk.scope.kind(name);
        // A method of a value of unknown type may have any effect.
        let plain = matches!(
            kind.map(|kind| kind.plain()),
            Some(Type::Array(_) | Type::Map | Type::Text | Type::Blob)
        );
        if by_method && !plain {
            continue;
        }
        let message = match call {
            "on" => format!("the script does not see this change of `{name}`"),
            _ => format!("the value written to `{name}` here is lost"),
        };
        let finding = walk.find(Code::LostWrite, position, message);
        finding.label = label.into();
        finding.hint = Some(hint.into());
    }
}

/// Reports a closure that uses a variable that is locked during the native method that takes it:
/// Rhai locks the variable that a chain begins with until the chain ends, even if the method only
/// keeps the closure.
pub(super) fn check_held<'a>(
    walk: &mut Walk<'a>,
    receiver: &Receiver<'a>,
    call: &'a FnCallExpr,
    position: Position,
) {
    let Some(held) = receiver.root else { return };
    let captured = call
        .args
        .iter()
        .filter_map(|argument| walk.closure_in(argument))
        .any(|closure| closure.captured.contains(&held));
    if captured {
        let message = format!("the closure uses `{held}`, which is locked during this call");
        let hint = match call.name.as_str() {
            "on" => {
                "give the handler a second parameter, which is the connection: `|event, conn| ...`"
            }
            _ => {
                "call the method on another variable: `let conn = dom.connect(); conn.wait_event(...)`"
            }
        };
        walk.find(Code::HeldVariable, position, message).hint = Some(hint.into());
    }
}
