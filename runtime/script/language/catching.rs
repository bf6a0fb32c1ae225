//! `try` and `catch`.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, EvalContext, Expression, ImmutableString};

use super::RhaiResult;
use crate::error::Error;
use crate::script::imports::Imports;

/// Runs the first of `inputs`; if that throws, runs the second with the `Error` in `variable`.
pub(super) fn run(
    context: &mut EvalContext,
    inputs: &[Expression],
    variable: &Dynamic,
    imports: &Imports,
) -> RhaiResult {
    let error: Arc<EvalAltResult> = match context.eval_expression_tree(&inputs[0]) {
        Err(error) if !error.is_pseudo_error() && error.is_catchable() => error.into(),
        other => return other,
    };
    let before = context.scope().len();
    if let Some(name) = variable.read_lock::<ImmutableString>() {
        let caught = caught(context, &error, imports);
        context
            .scope_mut()
            .push_dynamic(name.as_str().to_owned(), caught);
    }
    let result = context.eval_expression_tree(&inputs[1]);
    context.scope_mut().rewind(before);
    result.map_err(|thrown| match *thrown {
        // `throw` without a value throws the caught error again.
        EvalAltResult::ErrorRuntime(ref value, position) if value.is_unit() => {
            Arc::try_unwrap(error).map_or_else(
                |kept| {
                    let value = caught(context, &kept, imports);
                    EvalAltResult::ErrorRuntime(value, position).into()
                },
                Into::into,
            )
        }
        _ => thrown,
    })
}

fn caught(context: &EvalContext, error: &Arc<EvalAltResult>, imports: &Imports) -> Dynamic {
    let file_of = |closure: &str| imports.file_of(closure);
    Dynamic::from(Error::caught(
        context.engine(),
        error,
        context.source(),
        &file_of,
    ))
}
