//! Statements whose value goes nowhere.

use rhai::Stmt;

use super::walk::Walk;

pub(super) fn check_ignored(_walk: &mut Walk, _statement: &Stmt) {}
