//! The arguments of functions that scripts define, compared with the types that their doc comments name.

use std::path::Path;

use rhai::{Array, Dynamic, Engine, EvalContext, Expression, Position, ScriptFuncDef};

use super::{RhaiResult, comparison};
use crate::error::Error;
use crate::spec::{self, Type, typed_parameters};
use crate::syntax::doc_comment::plain_docs;

/// The parameters of a function, and the types of the first ones.
#[derive(Clone)]
struct Parameters {
    /// The name of the function, as its callers write it.
    function: String,
    names: Vec<String>,
    types: Vec<Type>,
}

/// The parameters of `definition` in the file of the recipe `recipe`, or in a script, if its doc comment names the type of
/// one.
pub(super) fn state(definition: &ScriptFuncDef, recipe: Option<&str>) -> Option<Dynamic> {
    let names_types = |comment: &&str| comment.contains("Takes: ");
    definition
        .comments
        .iter()
        .map(AsRef::as_ref)
        .find(names_types)?;
    let types = spec::parameters(&plain_docs(&definition.comments), &|_| None);
    if types.iter().all(|ty| *ty == Type::Unknown) {
        return None;
    }
    let module = recipe.and_then(|path| Path::new(path).file_stem()?.to_str());
    Some(Dynamic::from(Parameters {
        function: match module {
            Some(module) => format!("{module}::{}", definition.name),
            None => definition.name.to_string(),
        },
        names: definition.params.iter().map(ToString::to_string).collect(),
        types,
    }))
}

/// Throws if an argument has a wrong type; the error points at the call.
pub(super) fn check(context: &mut EvalContext, _: &[Expression], state: &Dynamic) -> RhaiResult {
    let state = state.read_lock::<Parameters>();
    let state = state.expect("the rewriter writes the parameters");
    let engine = context.engine();
    let given = || state.names.iter().map(|name| context.scope().get(name));
    let mut pairs = given().zip(&state.types);
    if pairs.all(|(value, ty)| value.is_none_or(|value| fits(engine, value, ty))) {
        return Ok(Dynamic::UNIT);
    }
    let kinds: Vec<String> = given()
        .map(|value| {
            value
                .map_or(Type::Unknown, |value| kind(engine, value))
                .to_string()
        })
        .collect();
    let message = format!(
        "`{}` cannot be called with ({})",
        state.function,
        kinds.join(", ")
    );
    let parameters = typed_parameters(&state.names, &state.types);
    let hint = format!("usage: `{}({})`", state.function, parameters.join(", "));
    let error = Error::of_arguments(message).with_hint(hint);
    // The place of the function would hide that of the call.
    comparison::refuse(error, Position::NONE)
}

/// True if `value` can be of the type `ty`.
fn fits(engine: &Engine, value: &Dynamic, ty: &Type) -> bool {
    match ty {
        Type::Unknown => true,
        Type::Object(kind) => kind == type_name(engine, value),
        Type::OneOf(types) => types.iter().any(|ty| fits(engine, value, ty)),
        Type::Array(item) if value.is_array() => match value.read_lock::<Array>() {
            Some(items) => items.iter().all(|value| fits(engine, value, item)),
            None => true,
        },
        ty => ty.takes(&kind(engine, value)),
    }
}

/// The name of the type of `value`, as scripts know it.
fn type_name<'a>(engine: &'a Engine, value: &'a Dynamic) -> &'a str {
    engine.map_type_name(value.type_name())
}

/// The type of `value`.
fn kind(engine: &Engine, value: &Dynamic) -> Type {
    Type::of_value(type_name(engine, value))
}
