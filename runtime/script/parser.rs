//! The parser for scripts, also for code that does not run.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rhai::{Engine, LexError, OptimizationLevel, ParseErrorType, Token};

/// The maximum depth of nested expressions.
pub(crate) const EXPRESSION_DEPTH: usize = 128;

/// An engine that only parses: scripts compile as with `engine::build`, but no function can be
/// called.
pub fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    map_tokens(&mut engine, is_late);
    engine
}

thread_local! {
    /// When the parsers of this thread stop.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

fn is_late() -> bool {
    DEADLINE
        .get()
        .is_some_and(|deadline| Instant::now() >= deadline)
}

/// Runs `work`, in which each [`parser`] of this thread stops after `limit`. Returns nothing if one stopped.
pub(crate) fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> Option<T> {
    let before = DEADLINE.replace(Instant::now().checked_add(limit));
    let result = work();
    let late = is_late();
    DEADLINE.set(before);
    (!late).then_some(result)
}

/// The message of a parser that was stopped.
const STOPPED: &str = "the parser was stopped";

/// True if parsing was stopped.
pub(crate) fn is_stop(kind: &ParseErrorType) -> bool {
    matches!(kind, ParseErrorType::BadInput(LexError::Runtime(why)) if why == STOPPED)
}

/// Rhai reserves `call` for function pointers without need; errors have a property of this name. It
/// reserves `default` without using it; declared options have a key of this name. The parser takes
/// minutes for a million variables, so it ends at the next token once `stopped` returns true.
pub(crate) fn map_tokens(engine: &mut Engine, stopped: impl Fn() -> bool + Send + Sync + 'static) {
    // Marked as volatile, not as deprecated: the version is pinned by the lock file.
    #[allow(deprecated)]
    engine.on_parse_token(move |token, _, _| {
        if stopped() {
            return Token::LexError(LexError::Runtime(STOPPED.into()).into());
        }
        match token {
            Token::Reserved(word) if ["call", "default"].contains(&word.as_str()) => {
                Token::Identifier(word)
            }
            other => other,
        }
    });
}
