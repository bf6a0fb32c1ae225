//! Completion after a dot or a module's name: methods, properties, keys, functions.

use std::collections::BTreeMap;

use super::scope::Scope;
use super::signature::{self, together};
use super::{Candidate, CandidateKind, Completion, Context, Surroundings, is_named};
use crate::advice::virsh;
use crate::catalog::names;
use crate::catalog::{Catalog, Function, Recipe, Signature};
use crate::spec::Type;
use crate::syntax::cursor::Call;

impl Context<'_> {
    /// The members of the type of `receiver`, or of any type if it is unknown.
    pub(super) fn members(&self, receiver: &str) -> Completion {
        let kind = self.scope.kind_of(receiver);
        let members: Vec<&Function> = match &kind {
            Some(kind) => self.catalog.members(kind).collect(),
            // Without the beginning of a name there are too many to be of use.
            None if self.word.is_empty() => Vec::new(),
            None => self
                .catalog
                .functions()
                .iter()
                .filter(|function| function.is_on_object())
                .filter(|function| is_named(function))
                .collect(),
        };
        let spec = kind.as_ref().and_then(Type::keys);
        let keys = spec.map_or(&[][..], |spec| &spec.keys[..]);
        let keys = keys.iter().map(|key| Candidate {
            label: key.name.clone(),
            insert: key.name.clone(),
            kind: CandidateKind::Key,
            docs: key.of_answer(),
        });
        let mut found = self.fitting(keys.chain(self.functions(&members, CandidateKind::Method)));
        if found.candidates.is_empty() && self.word.len() > 2 {
            return self.meant(&members);
        }
        // An exact command of virsh takes precedence over names that only begin with it.
        let is_name = members.iter().any(|function| function.name == self.word);
        if virsh::find(self.word).is_some() && !is_name {
            let meant = self.meant(&members).candidates;
            found
                .candidates
                .retain(|candidate| meant.iter().all(|it| it.insert != candidate.insert));
            found.candidates.splice(0..0, meant);
        }
        found
    }

    /// The names that the word is an alias or a misspelling of.
    fn meant(&self, members: &[&Function]) -> Completion {
        let meant = names::meant(self.word, members, &[]);
        let candidates = self
            .functions(members, CandidateKind::Method)
            .into_iter()
            .filter(|candidate| {
                let name = candidate.insert.trim_end_matches(['(', ')']);
                meant.as_deref() == Some(name)
            })
            .collect();
        Completion {
            replaced: self.replaced.clone(),
            candidates,
        }
    }

    /// Functions as candidates: one for each name, or one for each way to call the function whose
    /// whole name is there already.
    pub(super) fn functions(&self, functions: &[&Function], kind: CandidateKind) -> Vec<Candidate> {
        let mut named: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
        for function in functions {
            named.entry(&function.name).or_default().push(function);
        }
        let only = named
            .keys()
            .filter(|name| name.starts_with(self.word))
            .count()
            == 1;
        let mut candidates = Vec::new();
        for (name, functions) in named {
            let (properties, functions): (Vec<&Function>, Vec<&Function>) = functions
                .into_iter()
                .partition(|function| function.property);
            let ways = functions
                .iter()
                .map(|function| Signature::of(function, kind == CandidateKind::Method));
            let mut ways: Vec<Signature> = ways.collect();
            signature::sort(&mut ways);
            if let Some(property) = properties.first() {
                candidates.push(Candidate {
                    label: match &property.returns {
                        Type::Unknown => name.to_owned(),
                        returns => format!("{name} -> {returns}"),
                    },
                    insert: name.to_owned(),
                    kind: CandidateKind::Property,
                    docs: property.docs.clone(),
                });
                // A property is not offered as a method as well.
                continue;
            }
            if only && name == self.word {
                candidates.extend(ways.iter().map(|way| Candidate {
                    label: way.to_string(),
                    ..self.function(std::slice::from_ref(way), kind)
                }));
            } else {
                candidates.push(self.function(&ways, kind));
            }
        }
        candidates
    }

    /// A function that is called in one of `ways`.
    pub(super) fn function(&self, ways: &[Signature], kind: CandidateKind) -> Candidate {
        let name = ways.first().map_or("", |way| way.name.as_str());
        let insert = if self.is_called() {
            name.to_owned()
        } else if ways.iter().all(|way| way.parameters.is_empty()) {
            format!("{name}()")
        } else {
            format!("{name}(")
        };
        Candidate {
            label: together(ways),
            insert,
            kind,
            docs: ways
                .first()
                .map_or_else(String::new, |way| way.docs.clone()),
        }
    }

    /// The functions and constants of the module `alias`.
    pub(super) fn module(&self, alias: &str) -> Completion {
        let Some(recipe) = recipe(self.catalog, self.around, &self.scope, alias) else {
            return Completion::default();
        };
        let mut named: BTreeMap<&str, Vec<Signature>> = BTreeMap::new();
        for function in recipe.offered() {
            let ways = named.entry(&function.name).or_default();
            ways.push(Signature::of_recipe(function));
        }
        let functions = named
            .into_values()
            .map(|ways| self.function(&ways, CandidateKind::Function));
        self.fitting(functions)
    }
}

/// The functions and constants of the module `alias`.
pub(super) fn recipe(
    catalog: &Catalog,
    around: &dyn Surroundings,
    scope: &Scope,
    alias: &str,
) -> Option<Recipe> {
    let path = scope.module(alias)?;
    let name = path.strip_suffix(".rhai").unwrap_or(path);
    let known = catalog.recipes().iter().find(|recipe| recipe.path == name);
    known.cloned().or_else(|| around.script(path))
}

/// The overloads of the function in `call`.
pub(super) fn ways(
    catalog: &Catalog,
    around: &dyn Surroundings,
    scope: &Scope,
    call: &Call,
) -> Vec<Signature> {
    if let Some(alias) = &call.module {
        let recipe = recipe(catalog, around, scope, alias);
        let functions = recipe.map_or_else(Vec::new, |recipe| recipe.functions);
        return functions
            .iter()
            .filter(|function| function.name == call.name)
            .map(Signature::of_recipe)
            .collect();
    }
    let mut ways: Vec<Signature> = called(catalog, scope, call)
        .into_iter()
        .map(|function| Signature::of(function, call.receiver.is_some()))
        .collect();
    if call.receiver.is_none() {
        let own = scope.functions().iter();
        ways.extend(
            own.filter(|(name, _)| *name == call.name)
                .map(|(name, parameters)| Signature {
                    name: name.clone(),
                    parameters: parameters.clone(),
                    returns: String::new(),
                    docs: String::new(),
                }),
        );
    }
    signature::sort(&mut ways);
    ways
}

/// The functions of the catalogue that `call` can mean.
pub(super) fn called<'c>(catalog: &'c Catalog, scope: &Scope, call: &Call) -> Vec<&'c Function> {
    let named = catalog
        .named(&call.name)
        .filter(|function| !function.property);
    match &call.receiver {
        Some(receiver) => {
            let kind = scope.kind_of(receiver);
            named
                .filter(|function| match &kind {
                    Some(kind) => function.is_on(kind),
                    None => function.is_on_object(),
                })
                .collect()
        }
        None => named.filter(|function| !function.is_on_object()).collect(),
    }
}
