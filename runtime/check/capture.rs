//! Closures and the variables that they capture.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::Code;
use super::definitions::Definition;
use super::facts::CHANGING;
use super::scope::Kind;
use super::walk::Walk;
use crate::catalog::walker::{Receiver, root};
use crate::spec::Type;

/// A closure where it is made.
pub(super) struct Closure<'a> {
    pub(super) definition: &'a Definition,
    pub(super) captured: Vec<&'a str>,
}

/// Reports what the closure of `parallel` writes to variables that it captured: each call has a
/// copy of its own.
pub(super) fn check_parallel<'a>(
    walk: &mut Walk<'a>,
    name: &str,
    kinds: &[Kind],
    arguments: &'a [Expr],
) {
    if name != "parallel" || kinds.len() != 3 {
        return;
    }
    let Some(closure) = arguments.last().and_then(|last| walk.closure_in(last)) else {
        return;
    };
    let mut written: Vec<(String, Position)> = Vec::new();
    let mut own: HashSet<String> = HashSet::new();
    for statement in &closure.definition.body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
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
    for (name, position) in written {
        let (name, by_method) = match name.strip_suffix('.') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        if own.contains(name) || !closure.captured.contains(&name) {
            continue;
        }
        let kind = walk.scope.kind(name);
        // Of a value whose type is not known, a method may do anything.
        let plain = matches!(
            kind.map(|kind| kind.plain()),
            Some(Type::Array(_) | Type::Map | Type::Text | Type::Blob)
        );
        if by_method && !plain {
            continue;
        }
        let message = format!("what is written to `{name}` here is lost");
        let finding = walk.find(Code::LostWrite, position, message);
        finding.label = "each call of the closure has a copy of its own".into();
        finding.hint =
            Some("have the closure return it: `parallel` returns the results in order".into());
    }
}

/// Reports a closure that uses the variable which the native method that takes it holds on to: Rhai
/// locks what a chain begins with until its end, also where the closure is only kept.
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
        let message =
            format!("the closure uses `{held}`, which the call that takes it holds on to");
        walk.find(Code::HeldVariable, position, message).hint = Some(
            "call the method on another variable: `let conn = dom.connect(); conn.wait_event(...)`"
                .into(),
        );
    }
}
