//! Calls that do nothing in the state that the lines before lead to.

use rhai::Stmt;

use super::walk::Walk;

pub(super) fn check(_walk: &mut Walk, _statements: &[Stmt]) {}
