//! `eval`: its text is rewritten like the rest of the script.

use std::sync::Arc;

use rhai::{
    Dynamic, EvalAltResult, EvalContext, Expr, Expression, ImmutableString, ParseErrorType,
    Position, StmtBlock,
};

use super::{RhaiResult, rewrite};
use crate::run::interrupt::Stop;
use crate::run::session::Session;
use crate::script::isolation::FileNames;

/// The maximum depth of nested calls and texts. Each text needs memory of many times its length.
const MOST_LEVELS: usize = 500;

/// Facts that Rhai does not give an expression: its place, and the names of its file.
#[derive(Clone)]
struct Place {
    position: Position,
    names: Arc<FileNames>,
}

/// The state of a call at `position` in the file that has `names`.
pub(super) fn state(position: Position, names: &Arc<FileNames>) -> Dynamic {
    Dynamic::from(Place {
        position,
        names: Arc::clone(names),
    })
}

/// Runs a text in the scope around.
pub(super) fn evaluate(
    context: &mut EvalContext,
    inputs: &[Expression],
    place: &Dynamic,
) -> RhaiResult {
    let Some(Place { position, names }) = place.clone().try_cast() else {
        unreachable!("the rewriter writes a place");
    };
    let code = context.eval_expression_tree(&inputs[0])?;
    let code = code.into_immutable_string().map_err(|kind| {
        let wanted = context
            .engine()
            .map_type_name(std::any::type_name::<ImmutableString>());
        EvalAltResult::ErrorMismatchDataType(wanted.into(), kind.into(), position)
    })?;
    let (variables, modules) = (
        context.scope().len(),
        context.global_runtime_state().num_imports(),
    );
    if context.global_runtime_state().level >= MOST_LEVELS {
        if let Some(session) = context.engine().default_tag().read_lock::<Session>() {
            session.interrupt().stop(Stop::TooDeep);
        }
        let why = Dynamic::from(Stop::TooDeep);
        return Err(EvalAltResult::ErrorTerminated(why, position).into());
    }
    context.global_runtime_state_mut().level += 1;
    let result = run(context, code.trim(), &names);
    let scope = context.scope().len();
    let global = context.global_runtime_state_mut();
    global.level -= 1;
    // The surrounding code refers to its variables by their positions in the scope.
    if scope != variables || global.num_imports() != modules {
        global.always_search_scope = true;
    }
    result.map_err(|error| match *error {
        EvalAltResult::Exit(..) => error,
        _ => {
            let source = context.source().unwrap_or_default().to_owned();
            EvalAltResult::ErrorInFunctionCall("eval".into(), source, error, position).into()
        }
    })
}

fn run(context: &mut EvalContext, code: &str, names: &Arc<FileNames>) -> RhaiResult {
    let ast = context.engine().compile(code)?;
    if ast.has_functions() {
        return Err(
            EvalAltResult::ErrorParsing(ParseErrorType::WrongFnDefinition, Position::NONE).into(),
        );
    }
    let ast = rewrite::strict(&ast, names, Some(context.scope()));
    let statements = StmtBlock::new(
        ast.statements().iter().cloned(),
        Position::NONE,
        Position::NONE,
    );
    let block = Expr::Stmt(Box::new(statements));
    // Marked as volatile, not as deprecated: the version is pinned by the lock file.
    #[allow(deprecated)]
    context.eval_expression_tree_raw(&Expression::from(&block), false)
}
