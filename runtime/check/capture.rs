//! Closures and the variables that they capture.

use rhai::{Expr, FnCallExpr, Position};

use super::expressions::Receiver;
use super::files::Definition;
use super::scope::Kind;
use super::walk::Walk;

/// A closure where it is made.
pub(super) struct Closure<'a> {
    pub(super) definition: &'a Definition,
    pub(super) captured: Vec<&'a str>,
}

pub(super) fn check_parallel<'a>(
    _walk: &mut Walk<'a>,
    _name: &str,
    _kinds: &[Kind],
    _arguments: &'a [Expr],
) {
}

pub(super) fn check_held<'a>(
    _walk: &mut Walk<'a>,
    _receiver: &Receiver<'a>,
    _call: &'a FnCallExpr,
    _position: Position,
) {
}
