//! The keys of a map of options.

use std::sync::PoisonError;

use super::cursor::{Argument, Step};
use super::{Candidate, CandidateKind, Completion, Context, members};
use crate::api::option_keys;
use crate::check::{self, script_option_keys, script_part_keys};

impl Context<'_> {
    /// The keys that a map can have where it is, without those that it has.
    pub(super) fn keys(&self, argument: Option<&Argument>, given: &[String]) -> Completion {
        let keys = argument.map_or_else(Vec::new, |argument| self.keys_of(argument));
        self.fitting(
            keys.into_iter()
                .filter(|key| !given.contains(key))
                .map(|key| Candidate {
                    insert: format!("{key}: "),
                    label: key,
                    kind: CandidateKind::Key,
                    docs: String::new(),
                }),
        )
    }

    fn keys_of(&self, argument: &Argument) -> Vec<String> {
        let within: Vec<&str> = argument
            .within
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Item => None,
            })
            .collect();
        if let Some(alias) = &argument.call.module {
            let path = self.scope.module(alias);
            return path.map_or_else(Vec::new, |path| {
                self.keys_in_module(path, argument, &within)
            });
        }
        if !within.is_empty() {
            return Vec::new();
        }
        let number = argument.number + usize::from(argument.call.receiver.is_some());
        let keys = members::called(self.catalog, &self.scope, &argument.call)
            .into_iter()
            .find_map(|function| check::option_keys(function, number));
        match keys {
            Some(keys) => texts(keys),
            None if argument.call.name == "wait_event" => texts(option_keys::event()),
            None => Vec::new(),
        }
    }

    /// The keys that a function in the module at `path` knows.
    fn keys_in_module(&self, path: &str, argument: &Argument, within: &[&str]) -> Vec<String> {
        let function = &argument.call.name;
        let read = || {
            let imports = self.around.imports();
            let parser = &self.completer.parser;
            match within.last() {
                Some(key) => script_part_keys(parser, &imports, path, key),
                None => script_option_keys(parser, &imports, path, function, argument.number),
            }
        };
        // Recipes do not change; a script beside may.
        if !path.starts_with("std/") {
            return read();
        }
        let question = Question {
            path: path.to_owned(),
            function: function.clone(),
            parameter: argument.number,
            within: within.last().map(|key| (*key).to_owned()),
        };
        let known = self.completer.recipe_keys.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.entry(question).or_insert_with(read).clone()
    }
}

/// What is asked of a recipe.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Question {
    path: String,
    function: String,
    parameter: usize,
    within: Option<String>,
}

fn texts(keys: Vec<&str>) -> Vec<String> {
    keys.into_iter().map(str::to_owned).collect()
}
