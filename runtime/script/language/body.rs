//! Functions with given statements. Rhai makes functions from text only, so a rewritten body is
//! the value of an expression in a function that was parsed.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use rhai::{
    Dynamic, Engine, EvalContext, Expr, Expression, OptimizationLevel, ScriptFuncDef, Shared, Token,
};

use super::{RhaiResult, node};

thread_local! {
    /// The body of the function that this thread parses.
    static BODY: RefCell<Dynamic> = const { RefCell::new(Dynamic::UNIT) };
}

/// Parses functions that consist of one [`node::BODY`].
static PARSER: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    // Marked as volatile, not as deprecated: the version is pinned by the lock file.
    #[allow(deprecated)]
    engine.on_parse_token(|token, _, _| match token {
        Token::Identifier(name) if *name == "body" => Token::Custom(Box::new(node::BODY.into())),
        other => other,
    });
    engine.register_custom_syntax_with_state_raw(
        node::BODY,
        |_, _, state| {
            *state = BODY.take();
            Ok(None)
        },
        false,
        run,
    );
    engine
});

/// A function that does nothing, without a name or parameters.
pub(crate) fn empty_function() -> ScriptFuncDef {
    static EMPTY: LazyLock<ScriptFuncDef> =
        LazyLock::new(|| function(Expr::Unit(rhai::Position::NONE)));
    EMPTY.clone()
}

/// A function without parameters whose body is `body`.
pub(super) fn function(body: Expr) -> ScriptFuncDef {
    BODY.set(Dynamic::from(Arc::new(body)));
    let parsed = PARSER.compile("fn f() { body }");
    let ast = parsed.expect("the text is a function");
    let function = ast.iter_fn_def().next().map(Shared::clone);
    ScriptFuncDef::clone(&function.expect("the text is a function"))
}

/// Runs a body, which stands in `body`.
pub(super) fn run(context: &mut EvalContext, _: &[Expression], body: &Dynamic) -> RhaiResult {
    match body.read_lock::<Arc<Expr>>() {
        Some(body) => context.eval_expression_tree(&Expression::from(&**body)),
        None => Ok(Dynamic::UNIT),
    }
}
