//! The keys of a map of options.

use super::cursor::{Argument, Step};
use super::{Candidate, CandidateKind, Completion, Context, members, tables};

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
            let Some(path) = self.scope.module(alias) else {
                return Vec::new();
            };
            return tables::recipe_keys(path, &argument.call.name, argument.number, &within);
        }
        let number = argument.number + usize::from(argument.call.receiver.is_some());
        members::called(self.catalog, &self.scope, &argument.call)
            .into_iter()
            .map(|function| tables::keys(function, number, &within))
            .find(|keys| !keys.is_empty())
            .unwrap_or_default()
    }
}
