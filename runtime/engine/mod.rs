//! Builds the Rhai engine: the functions of scripts, their limits, and how they are stopped.

use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel, Position};

use crate::objects::any;
pub use crate::run::guarded::{DEFECT, guarded};
use crate::run::interrupt::{self, Stop};
use crate::run::nesting;
use crate::run::resources::{memory, stack};
use crate::run::session::Session;
use crate::script::imports::Imports;
use crate::script::language;
pub use crate::script::parser::parser;
use crate::script::parser::{EXPRESSION_DEPTH, map_tokens};
use crate::{api, constants};

/// The limits at which a script counts as a runaway; 0 means no limit.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Operations of the language in one run.
    pub operations: u64,
    /// Maximum depth of nested calls.
    pub call_depth: usize,
    /// Memory that the script uses at any moment, in bytes; its values may fill a third of it.
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
            memory: 6 * 1024 * 1024 * 1024,
            // A limit on sizes makes Rhai count a whole array at each `push`: only where asked.
            string_size: 0,
            array_size: 0,
            map_size: 0,
        }
    }
}

/// The operations beyond the limit that each step of undoing may take.
const RESERVED_OPERATIONS: u64 = 100_000_000;

/// Gives closures the same names in every process, so that one process can call a closure that another recorded. Must
/// be called before any other function of Rhai: earlier names do not change.
pub fn name_closures_alike() {
    const SEED: [u64; 4] = [0x7669, 0x7268, 0x6169, 0x2e];
    let _ = rhai::config::hashing::set_hashing_seed(Some(SEED));
}

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
        .set_module_resolver(imports.clone());
    session.keep(imports.clone());
    language::register(&mut engine, imports, any::noun_and_name);

    let printer = session.clone();
    engine.on_print(move |line| printer.print(line));
    let printer = session.clone();
    engine.on_debug(move |line, source, position| {
        printer.print(&format!(
            "{}{position:?} | {line}",
            source.unwrap_or_default()
        ));
    });
    let interrupt = session.interrupt().clone();
    #[allow(deprecated)]
    // Marked as volatile, not as deprecated: the version is pinned by the lock file.
    engine.on_var(move |name, _, context| {
        if nesting::is_due() && nesting::is_too_deep(&context) {
            interrupt.stop(Stop::NestsTooDeep);
            let why = Dynamic::from(Stop::NestsTooDeep);
            return Err(EvalAltResult::ErrorTerminated(why, Position::NONE).into());
        }
        Ok(name
            .starts_with("VIR_")
            .then(|| constants::lookup(name))
            .flatten())
    });
    let interrupt = session.interrupt().clone();
    map_tokens(&mut engine, move || {
        // A compiled `eval` takes many times the memory of its text.
        if memory::is_full() {
            interrupt.stop(Stop::OutOfMemory);
        }
        interrupt.stopping().is_some()
    });

    let interrupt = session.interrupt().clone();
    let operations = most_operations(limits.operations, false);
    let kill_after = kill_after();
    // At each operation: a text that doubles itself needs only thirty of them to fill a machine.
    engine.on_progress(move |_| {
        nesting::count_operation();
        let counted = operations != 0 && !interrupt::shielded();
        let count = match counted {
            true => interrupt.count_operation(),
            false => 0,
        };
        if kill_after.is_some_and(|most| count > most) {
            let own = nix::unistd::getpid();
            let _ = nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL);
        }
        let why = if counted && count > operations {
            Stop::TooManyOperations
        } else if memory::is_full() {
            Stop::OutOfMemory
        // Rhai counts calls of functions, but neither `eval` nor imports.
        } else if stack::used() > most_stack() {
            Stop::TooDeep
        } else {
            return interrupt.stopping().map(Dynamic::from);
        };
        interrupt.stop(why);
        Some(Dynamic::from(why))
    });

    api::register(&mut engine);
    memory::limit(limits.memory);
    engine
}

/// The operation after which this process kills itself. The tests of killed runs need an exact place; virhai as it is
/// installed has no such thing.
fn kill_after() -> Option<u64> {
    match cfg!(debug_assertions) {
        true => std::env::var("VIRHAI_KILL_AFTER").ok()?.parse().ok(),
        false => None,
    }
}

/// The stack for a script; a script that undoes may use a little more.
fn most_stack() -> usize {
    match interrupt::shielded() {
        true => stack::size() / 8 * 7,
        false => stack::size() / 4 * 3,
    }
}

/// The limit on operations: with `undoing`, the engine's; otherwise the script's, which is smaller
/// by the operations that are reserved for undoing.
fn most_operations(limit: u64, undoing: bool) -> u64 {
    match limit {
        0 => 0,
        _ if undoing => limit.saturating_add(RESERVED_OPERATIONS),
        _ => limit,
    }
}
