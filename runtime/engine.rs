//! Builds the Rhai engine: what scripts can call, how far they may go, and how they are stopped.

use rhai::{Dynamic, Engine, EvalAltResult, LexError, OptimizationLevel, ParseErrorType, Token};

use crate::imports::Imports;
use crate::interrupt::{self, Stop};
use crate::resources::{STACK, memory, stack};
use crate::session::Session;
use crate::{api, constants};

/// How far a script may go before it is taken for a runaway; 0 stands for no limit.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Operations of the language in one run.
    pub operations: u64,
    /// Calls within calls.
    pub call_depth: usize,
    /// Memory that the process holds, in bytes.
    pub memory: usize,
    /// Bytes in a string.
    pub string_size: usize,
    /// Values in an array.
    pub array_size: usize,
    /// Values in a map.
    pub map_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 1_000_000_000,
            call_depth: 128,
            memory: 2 * 1024 * 1024 * 1024,
            // A limit on sizes makes Rhai count a whole array at each `push`: only where asked.
            string_size: 0,
            array_size: 0,
            map_size: 0,
        }
    }
}

/// The memory beyond the limit for undoing, in bytes.
const RESERVE: usize = 64 * 1024 * 1024;

/// How deep an expression may nest.
const EXPRESSION_DEPTH: usize = 128;

/// The engine for `session`, whose scripts import through `imports`.
pub fn build(session: &Session, limits: &Limits, imports: Imports) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_strings_interned(0)
        .set_max_operations(limits.operations)
        .set_max_call_levels(if limits.call_depth == 0 {
            usize::MAX
        } else {
            limits.call_depth
        })
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH)
        .set_max_string_size(limits.string_size)
        .set_max_array_size(limits.array_size)
        .set_max_map_size(limits.map_size)
        .set_default_tag(session.clone().into_tag())
        .set_module_resolver(imports);

    let printer = session.clone();
    engine.on_print(move |line| printer.print(line));
    let printer = session.clone();
    engine.on_debug(move |line, source, position| {
        printer.print(&format!(
            "{}{position:?} | {line}",
            source.unwrap_or_default()
        ));
    });
    #[allow(deprecated)]
    // Marked as volatile, not as deprecated: the version is pinned by the lock file.
    engine.on_var(|name, _, _| {
        Ok(name
            .starts_with("VIR_")
            .then(|| constants::lookup(name))
            .flatten())
    });
    let interrupt = session.interrupt().clone();
    let stopped = interrupt.clone();
    map_tokens(&mut engine, move || stopped.stopping().is_some());

    let most = if limits.memory == 0 {
        usize::MAX
    } else {
        limits.memory
    };
    // At each operation: a text that doubles itself needs only thirty of them to fill a machine.
    engine.on_progress(move |_| {
        // What takes back the work of a script that used up its share gets a little more.
        let (memory, stack) = match interrupt::shielded() {
            true => (most.saturating_add(RESERVE), STACK / 8 * 7),
            false => (most, STACK / 4 * 3),
        };
        let why = if memory::held() > memory {
            Stop::OutOfMemory
        // Rhai counts calls of functions, but neither `eval` nor imports.
        } else if stack::used() > stack {
            Stop::TooDeep
        } else {
            return interrupt.stopping().map(Dynamic::from);
        };
        interrupt.stop(why);
        Some(Dynamic::from(why))
    });

    api::register(&mut engine);
    engine
}

/// An engine that only reads: scripts compile as they do in [`build`]'s, and nothing can be called.
pub fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    map_tokens(&mut engine, || false);
    engine
}

/// What parsing fails with when it is stopped.
const STOPPED: &str = "the parser was stopped";

/// Whether parsing failed since it was stopped.
pub(crate) fn is_stop(kind: &ParseErrorType) -> bool {
    matches!(kind, ParseErrorType::BadInput(LexError::Runtime(why)) if why == STOPPED)
}

/// Rhai reserves `call` for function pointers, where it needs no reserving; an error has it as a
/// property. And its parser takes minutes for a million variables: it ends at the next token once `stopped` says so.
fn map_tokens(engine: &mut Engine, stopped: impl Fn() -> bool + Send + Sync + 'static) {
    #[allow(deprecated)]
    engine.on_parse_token(move |token, _, _| match token {
        _ if stopped() => Token::LexError(LexError::Runtime(STOPPED.into()).into()),
        Token::Reserved(word) if *word == "call" => Token::Identifier(word),
        other => other,
    });
}

/// What the error says first that a defect of virhai becomes.
pub const DEFECT: &str = "virhai failed inside";

/// Runs `work` and turns a panic, which would be a defect of virhai, into an error that scripts
/// cannot catch.
pub fn guarded<T>(
    work: impl FnOnce() -> Result<T, Box<EvalAltResult>>,
) -> Result<T, Box<EvalAltResult>> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Err(EvalAltResult::ErrorSystem(DEFECT.into(), text.into()).into())
    })
}
