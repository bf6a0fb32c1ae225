//! Imports that are loaded when code needs them.

use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, EvalContext, ImmutableString, Module, Shared};

use super::RhaiResult;
use crate::script::imports::Imports;
use crate::script::isolation::FileNames;

/// An import of the file number `file`.
#[derive(Clone)]
struct Delayed {
    file: usize,
    path: ImmutableString,
    /// The alias that only the file has.
    alias: ImmutableString,
    /// The module, once it was needed.
    module: Arc<OnceLock<Shared<Module>>>,
}

/// The state of the import `alias` of the file that has `names`; `None` if it does not wait.
pub(super) fn state(names: &FileNames, alias: &str) -> Option<Dynamic> {
    let path = names.delayed(alias)?.clone();
    let mut alias = ImmutableString::from(alias);
    names.rename_import(&mut alias);
    Some(Dynamic::from(Delayed {
        file: names.file(),
        path,
        alias,
        module: Arc::default(),
    }))
}

/// Imports for the rest of the block around.
pub(super) fn import(context: &mut EvalContext, import: &Dynamic, imports: &Imports) -> RhaiResult {
    let import = import.read_lock::<Delayed>();
    let import = import.expect("the rewriter writes an import");
    let module = match import.module.get() {
        Some(module) => module,
        None => {
            let module = imports.module(context.engine(), import.file, &import.path)?;
            import.module.get_or_init(|| module)
        }
    };
    let global = context.global_runtime_state_mut();
    global.push_import(import.alias.clone(), Shared::clone(module));
    Ok(Dynamic::UNIT)
}
