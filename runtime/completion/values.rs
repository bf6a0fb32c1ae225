//! Completion of values: variables, functions, constants; and of the keywords that begin statements.

use std::collections::BTreeSet;

use super::{Candidate, CandidateKind, Completion, Context, is_named};
use crate::catalog::{Function, Signature};
use crate::check::enumerations;
use crate::constants;
use crate::syntax::cursor::Argument;
use crate::syntax::keywords;

/// More constants than this are offered by the next part of their names.
const MANY: usize = 60;

impl Context<'_> {
    pub(super) fn values(&self, argument: Option<&Argument>, begins: bool) -> Completion {
        let given = self.constants_before();
        let mut flags = argument.map_or_else(Vec::new, |argument| self.flags(argument));
        flags.retain(|candidate| !given.contains(candidate.insert.as_str()));
        if self.word.is_empty() && !flags.is_empty() {
            return self.fitting(flags);
        }
        let variables = self.scope.variables().map(|variable| Candidate {
            label: match &variable.kind {
                Some(kind) => format!("{}: {kind}", variable.name),
                None => variable.name.clone(),
            },
            insert: variable.name.clone(),
            kind: CandidateKind::Variable,
            docs: String::new(),
        });
        let modules = self.scope.modules().map(|(alias, path)| Candidate {
            label: format!("{alias}:: {path}"),
            insert: format!("{alias}::"),
            kind: CandidateKind::Module,
            docs: String::new(),
        });
        let free: Vec<&Function> = self
            .catalog
            .functions()
            .iter()
            .filter(|function| self.is_free(function))
            .collect();
        let own = self.scope.functions().iter().map(|(name, parameters)| {
            let way = Signature {
                name: name.clone(),
                parameters: parameters.clone(),
                returns: String::new(),
                docs: String::new(),
            };
            self.function(&[way], CandidateKind::Function)
        });
        let functions = own.chain(self.functions(&free, CandidateKind::Function));
        let words = keywords::statements()
            .filter(|_| begins)
            .chain(keywords::within())
            .filter(|_| !self.word.is_empty())
            .map(|word| Candidate {
                label: word.to_owned(),
                insert: word.to_owned(),
                kind: CandidateKind::Keyword,
                docs: String::new(),
            });
        let fits = flags
            .iter()
            .any(|candidate| candidate.insert.starts_with(self.word));
        let mut constants = if fits { flags } else { self.constants() };
        constants.retain(|candidate| !given.contains(candidate.insert.as_str()));
        self.fitting(
            variables
                .chain(modules)
                .chain(functions)
                .chain(words)
                .chain(constants),
        )
    }

    /// True if a function is called without a receiver.
    fn is_free(&self, function: &Function) -> bool {
        if function.property || !is_named(function) || function.is_on_object() {
            return false;
        }
        // Rhai's own functions are only offered once their beginning is typed.
        !(function.method || function.standard && self.word.is_empty())
    }

    /// The constants that are joined at this place.
    fn constants_before(&self) -> BTreeSet<&str> {
        self.before[..self.replaced.start]
            .rsplit(['(', ',', ' ', '|'])
            .take_while(|word| word.is_empty() || word.starts_with("VIR_"))
            .collect()
    }

    /// The constants that fit an argument.
    fn flags(&self, argument: &Argument) -> Vec<Candidate> {
        if !argument.within.is_empty() {
            return Vec::new();
        }
        let functions = super::members::called(self.catalog, &self.scope, &argument.call);
        let groups: BTreeSet<&str> = functions
            .iter()
            .flat_map(|function| {
                let parameter = argument.number + usize::from(argument.call.receiver.is_some());
                enumerations(function, parameter).unwrap_or_default()
            })
            .collect();
        groups
            .into_iter()
            .flat_map(constants::group)
            .filter(|constant| !constant.name.ends_with("_LAST"))
            .map(|constant| candidate(constant.name))
            .collect()
    }

    /// The constants whose names begin with the word; if there are many, the parts of names
    /// that come next.
    fn constants(&self) -> Vec<Candidate> {
        if self.word.is_empty() || !("VIR_".starts_with(self.word) || self.word.starts_with("VIR_"))
        {
            return Vec::new();
        }
        let fitting = || {
            constants::all()
                .map(|constant| constant.name)
                .filter(|name| name.starts_with(self.word))
        };
        if fitting().count() <= MANY {
            let names: BTreeSet<&str> = fitting().collect();
            return names.into_iter().map(candidate).collect();
        }
        let parts: BTreeSet<&str> = fitting()
            .map(|name| {
                let rest = &name[self.word.len()..];
                let part = rest.find('_').map_or(rest.len(), |at| at + 1);
                &name[..self.word.len() + part]
            })
            .collect();
        parts.into_iter().map(candidate).collect()
    }
}

fn candidate(name: &str) -> Candidate {
    Candidate {
        label: name.to_owned(),
        insert: name.to_owned(),
        kind: CandidateKind::Constant,
        docs: String::new(),
    }
}
