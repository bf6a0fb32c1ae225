//! Keys of maps of options.

use rhai::{Expr, Position};

use super::files::{Definition, File};
use super::walk::Walk;
use crate::catalog::Function;

pub(super) fn check_own(
    _walk: &mut Walk,
    _file: &File,
    _definition: &Definition,
    _arguments: &[Expr],
) {
}

pub(super) fn check_native(
    _walk: &mut Walk,
    _taken: &[&Function],
    _index: usize,
    _argument: &Expr,
    _position: Position,
) {
}
