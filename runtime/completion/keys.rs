//! Completion of the keys of a map of options, and of their values.

use std::sync::Arc;

use super::{
    Candidate, CandidateKind, Completer, Completion, Context, Surroundings, members, scope,
};
use crate::catalog::Catalog;
use crate::check::script_options;
use crate::spec::{Key, Spec, Type};
use crate::syntax::cursor::{Argument, Cursor, Place, Step};

impl Context<'_> {
    /// The keys that a map can have at its place, without the keys that it already has.
    pub(super) fn keys(&self, argument: Option<&Argument>, given: &[String]) -> Completion {
        let keys = argument.map_or_else(Vec::new, |argument| self.keys_of(argument));
        let keys = keys.into_iter();
        self.fitting(keys.filter(|key| !given.contains(&key.label)))
    }

    fn keys_of(&self, argument: &Argument) -> Vec<Candidate> {
        let maps = self.declared(argument).map(maps).unwrap_or_default();
        let keys = maps.iter().flat_map(|map| &map.keys);
        keys.map(|key| candidate(&key.name, key.in_a_line()))
            .collect()
    }

    /// The declared type of the place in an argument of a call.
    pub(super) fn declared(&self, argument: &Argument) -> Option<Type> {
        let mut ty = match &argument.call.module {
            Some(alias) => {
                let path = self.scope.module(alias)?;
                Type::Keys(self.options_in_module(path, &argument.call.name, argument.number)?)
            }
            None => self.type_of_parameter(argument)?,
        };
        for step in &argument.within {
            ty = match step {
                Step::Key(name) => {
                    let maps = maps(ty);
                    let key = maps.iter().find_map(|map| map.key(name))?;
                    key.ty.clone()
                }
                Step::Item => ty.item()?.clone(),
            };
        }
        Some(ty)
    }

    /// The type of the native parameter that an argument is for.
    fn type_of_parameter(&self, argument: &Argument) -> Option<Type> {
        let number = argument.number + usize::from(argument.call.receiver.is_some());
        let functions = members::called(self.catalog, &self.scope, &argument.call);
        let types = functions.into_iter().filter_map(|function| {
            let (_, ty) = function.parameters.get(number)?;
            ty.clone().known()
        });
        let types: Vec<Type> = types.collect();
        (!types.is_empty()).then(|| Type::one_of(types))
    }

    /// The declaration in a function of the module at `path` for its parameter number `parameter`.
    fn options_in_module(&self, path: &str, function: &str, parameter: usize) -> Option<Arc<Spec>> {
        let read = || {
            let imports = self.around.imports();
            let parser = &self.completer.parser;
            script_options(parser, &imports, path, function, parameter)
        };
        // Recipes do not change, but scripts in the folder may.
        if !path.starts_with("std/") {
            return read();
        }
        let question = Question {
            path: path.to_owned(),
            function: function.to_owned(),
            parameter,
        };
        let mut known = self.completer.recipe_options.lock();
        known.entry(question).or_insert_with(read).clone()
    }
}

impl Completer {
    /// The declaration of the option whose key `text` ends in.
    pub fn option(&self, catalog: &Catalog, around: &dyn Surroundings, text: &str) -> Option<Key> {
        let at = Cursor::at_end_of(text);
        let Place::Key {
            argument: Some(argument),
            ..
        } = &at.place
        else {
            return None;
        };
        let context = Context {
            completer: self,
            catalog,
            around,
            scope: scope::Scope::new(&self.parser, catalog, around, text),
            before: text,
            after: "",
            replaced: at.word.clone(),
            word: &text[at.word.clone()],
        };
        let maps = maps(context.declared(argument)?);
        let name = context.word;
        maps.iter().find_map(|map| map.key(name).cloned())
    }
}

/// The declarations of the maps that a value of the type `ty` may be.
fn maps(ty: Type) -> Vec<Arc<Spec>> {
    let map = |ty: &Type| match ty {
        Type::Keys(spec) => Some(Arc::clone(spec)),
        _ => None,
    };
    ty.alternatives().iter().filter_map(map).collect()
}

fn candidate(key: &str, docs: String) -> Candidate {
    Candidate {
        label: key.to_owned(),
        insert: format!("{key}: "),
        kind: CandidateKind::Key,
        docs,
    }
}

/// A request for the options of a recipe.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Question {
    path: String,
    function: String,
    parameter: usize,
}
