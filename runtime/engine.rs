//! Builds the Rhai engine: what scripts can call, how far they may go, and how they are stopped.

use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel, Token};

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

/// The operations beyond the limit that each step of undoing may take.
const RESERVED_OPERATIONS: u64 = 100_000_000;

/// How deep an expression may nest.
const EXPRESSION_DEPTH: usize = 128;

/// The engine for `session`, whose scripts import through `imports`.
pub fn build(session: &Session, limits: &Limits, imports: Imports) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_strings_interned(0)
        .set_max_operations(most_operations(limits.operations, true))
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
    free_call(&mut engine);

    let interrupt = session.interrupt().clone();
    let most = if limits.memory == 0 {
        usize::MAX
    } else {
        limits.memory
    };
    let operations = most_operations(limits.operations, false);
    // At each operation: a text that doubles itself needs only thirty of them to fill a machine.
    engine.on_progress(move |_| {
        // What takes back the work of a script that used up its share gets a little more.
        let (memory, stack) = match interrupt::shielded() {
            true => (most.saturating_add(RESERVE), STACK / 8 * 7),
            false => (most, STACK / 4 * 3),
        };
        let counted = operations != 0 && !interrupt::shielded();
        let why = if counted && interrupt.count_operation() > operations {
            Stop::TooManyOperations
        } else if memory::held() > memory {
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

/// Rhai's limit on operations, or that of a script, which is smaller by what undoing may take.
fn most_operations(limit: u64, undoing: bool) -> u64 {
    match limit {
        0 => 0,
        _ if undoing => limit.saturating_add(RESERVED_OPERATIONS),
        _ => limit,
    }
}

/// An engine that only reads: scripts compile as they do in [`build`]'s, and nothing can be called.
pub fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    free_call(&mut engine);
    engine
}

/// Rhai reserves `call` for function pointers, where it needs no reserving; an error has it as a
/// property.
fn free_call(engine: &mut Engine) {
    #[allow(deprecated)]
    engine.on_parse_token(|token, _, _| match token {
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
