//! An index of the catalogue for queries.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use rhai::Engine;

use super::{Function, Recipe, read_all, receivers, recipes};
use crate::spec::Type;

/// All functions and constants for scripts, by name and by type.
#[derive(Debug)]
pub struct Catalog {
    functions: Vec<Function>,
    by_name: HashMap<String, Vec<usize>>,
    /// The types of libvirt's and virhai's that have methods.
    kinds: HashSet<String>,
    /// Read on first use: compiling them takes longer than everything else.
    recipes: OnceLock<Vec<Recipe>>,
}

impl Catalog {
    /// The functions of `engine`, and the recipes in the binary.
    pub fn new(engine: &Engine) -> Self {
        Self::of(engine, |_| true)
    }

    /// The same with only those functions and properties that have one of these names, which is
    /// read in a small part of the time.
    pub fn with_names(engine: &Engine, names: &HashSet<String>) -> Self {
        Self::of(engine, |name| names.contains(name))
    }

    fn of(engine: &Engine, wanted: impl Fn(&str) -> bool + Copy) -> Self {
        let functions = read_all(engine, wanted);
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, function) in functions.iter().enumerate() {
            by_name
                .entry(function.name.clone())
                .or_default()
                .push(index);
        }
        Self {
            functions,
            by_name,
            kinds: receivers(engine),
            recipes: OnceLock::new(),
        }
    }

    /// Every function, Rhai's own among them.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The recipes in the binary.
    pub fn recipes(&self) -> &[Recipe] {
        self.recipes.get_or_init(recipes)
    }

    /// True if `kind` is a type of libvirt's or virhai's, whose methods are all in the catalogue.
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kinds.contains(kind)
    }

    /// The types of libvirt's and virhai's.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(String::as_str)
    }

    /// Every function and property called `name`.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Function> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|index| &self.functions[*index])
    }

    /// The members of a value of the type `kind`, as written after a dot: its methods and properties, without
    /// operators.
    pub fn members<'a>(&'a self, kind: &'a Type) -> impl Iterator<Item = &'a Function> {
        self.functions.iter().filter(move |function| {
            function.is_on(kind)
                && function
                    .name
                    .starts_with(|letter: char| letter.is_alphabetic())
        })
    }

    /// The type of the result of `name` for arguments of these types, the receiver first; nothing
    /// if that is unknown.
    pub fn returns(&self, name: &str, arguments: &[Option<Type>]) -> Option<&Type> {
        let mut answers = self
            .named(name)
            .filter(|function| !function.property && function.takes(arguments))
            .map(|function| &function.returns);
        let answer = answers.next()?;
        (*answer != Type::Unknown && answers.all(|other| other == answer)).then_some(answer)
    }

    /// The type of the property `name` of a value of the type `kind`.
    pub fn property(&self, kind: &Type, name: &str) -> Option<&Type> {
        self.named(name)
            .find(|function| function.property && function.is_on(kind))
            .map(|function| &function.returns)
            .filter(|ty| **ty != Type::Unknown)
    }
}

impl Function {
    /// True if it can be called with arguments of these types, the receiver first.
    pub fn takes(&self, arguments: &[Option<Type>]) -> bool {
        let mut pairs = self.parameters.iter().zip(arguments);
        self.parameters.len() == arguments.len()
            && pairs
                .all(|((_, wanted), given)| given.as_ref().is_none_or(|given| wanted.takes(given)))
    }
}
