//! `Fn(...)`, which makes a function of its name.

use std::sync::Arc;

use rhai::{Dynamic, EvalContext, Expression, ImmutableString};

use super::RhaiResult;
use crate::script::isolation::FileNames;

/// The name under which the function is found that the file calls by the value of the first of
/// `inputs`; the value itself where the file has none.
pub(super) fn own(context: &mut EvalContext, inputs: &[Expression], names: &Dynamic) -> RhaiResult {
    let value = context.eval_expression_tree(&inputs[0])?;
    let own = {
        let names = names.read_lock::<Arc<FileNames>>();
        let written = value.read_lock::<ImmutableString>();
        let function = names.zip(written).and_then(|(names, written)| {
            let function = names.function(&written)?;
            Some(ImmutableString::from(function.fn_name()))
        });
        function.map(Dynamic::from)
    };
    Ok(own.unwrap_or(value))
}
