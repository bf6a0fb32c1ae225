//! Calls of a script whose places are followed: while one runs, its thread is at its line.

use rhai::{Dynamic, EvalContext, Expression, Position};

use super::RhaiResult;
use crate::run::place::{Place, Visit};

/// The state of a call at `position` of `file`.
pub(super) fn state(file: &std::sync::Arc<str>, position: Position) -> Dynamic {
    let line = position.line().unwrap_or_default();
    let file = std::sync::Arc::clone(file);
    Dynamic::from(Place { file, line })
}

/// Makes the call.
pub(super) fn run(context: &mut EvalContext, inputs: &[Expression], place: &Dynamic) -> RhaiResult {
    let place = place.read_lock::<Place>().map(|place| place.clone());
    let _visit = place.map(Visit::to);
    context.eval_expression_tree(&inputs[0])
}
