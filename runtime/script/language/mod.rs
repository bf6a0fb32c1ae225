//! Differences between scripts and plain Rhai, where plain Rhai hides a mistake.
//!
//! - Reading a key that a map does not have is an error, and not `()`. `map.key ?? other`, `map?.key`, `"key" in map`
//!   and `map.get("key")` accept a missing key.
//! - `catch` binds an `Error`, whatever was thrown, and its block has a value.
//! - A libvirt constant is compared only with numbers, and a word that a call returns only with its possible words.
//! - The arguments of a function have the types that its doc comment names.
//! - Code calls the functions of its own file, wherever it runs.
//! - Scripts and recipes import a recipe only when a block needs it.
//!
//! [`strict`] rewrites compiled code for this: no text changes, so all positions stay. Code that was not rewritten
//! cannot add a key to a map, so each program must be rewritten before it runs.

mod arguments;
mod body;
mod catching;
mod comparison;
mod constants;
mod delayed;
mod evaluation;
mod following;
mod function_names;
mod keys;
mod rewrite;
mod word_comparison;

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression};

use crate::script::imports::Imports;

pub(crate) use body::empty_function;
use comparison::Named;
pub(crate) use keys::ASKED;
pub(crate) use rewrite::strict;

/// The result of running code.
type RhaiResult = Result<Dynamic, Box<EvalAltResult>>;

/// The names of the expressions that plain Rhai does not have; no script can write them.
mod node {
    pub(super) const ARGUMENTS: &str = "\u{1}arguments";
    pub(super) const BODY: &str = "\u{1}body";
    pub(super) const TRY: &str = "\u{1}try";
    pub(super) const EVAL: &str = "\u{1}eval";
    pub(super) const FUNCTION: &str = "\u{1}function";
    pub(super) const ASKED_KEY: &str = "\u{1}asked";
    pub(super) const ASSIGNED_KEY: &str = "\u{1}assigned";
    pub(super) const CONSTANT: &str = "\u{1}constant";
    pub(super) const IMPORT: &str = "\u{1}import";
    pub(super) const WORD: &str = "\u{1}word";
    pub(super) const PLACE: &str = "\u{1}place";
}

/// Enables `engine` to run rewritten code; `object` knows libvirt's objects.
pub(crate) fn register(engine: &mut Engine, imports: Imports, object: Named) {
    engine.on_map_missing_property(|map, key, _| keys::missing(map, key));
    add(engine, node::ASKED_KEY, |context, inputs, _| {
        keys::marked(context, inputs, keys::ASKED)
    });
    add(engine, node::ASSIGNED_KEY, |context, inputs, _| {
        keys::marked(context, inputs, keys::ASSIGNED)
    });
    add(engine, node::ARGUMENTS, arguments::check);
    add(engine, node::BODY, body::run);
    add(engine, node::EVAL, evaluation::evaluate);
    add(engine, node::FUNCTION, function_names::own);
    add(engine, node::CONSTANT, move |context, inputs, state| {
        constants::compare(context, inputs, state, object)
    });
    add(engine, node::WORD, move |context, inputs, state| {
        word_comparison::compare(context, inputs, state, object)
    });
    add(engine, node::PLACE, following::run);
    let of_recipes = imports.clone();
    add(engine, node::IMPORT, move |context, _, import| {
        delayed::import(context, import, &of_recipes)
    });
    add(engine, node::TRY, move |context, inputs, variable| {
        catching::run(context, inputs, variable, &imports)
    });
}

fn add(
    engine: &mut Engine,
    name: &str,
    run: impl Fn(&mut EvalContext, &[Expression], &Dynamic) -> RhaiResult + Send + Sync + 'static,
) {
    engine.register_custom_syntax_with_state_raw(name, |_, _, _| Ok(None), false, run);
}
