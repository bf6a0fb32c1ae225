//! Completion at a place in a script, from the catalogue and the names in scope.
//!
//! No call is evaluated: types come from [`crate::catalog::inference`], and the names of a host's objects come from the
//! caller, who can ask a host without waiting. The prompt and the language server share this.

pub(crate) mod host_names;
mod keys;
mod members;
mod scope;
mod signature;
mod values;
mod within_text;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use rhai::Engine;

use crate::catalog::{Catalog, Function, Recipe, Signature};
use crate::script::imports::Imports;
use crate::spec::{Spec, Type};
use crate::syntax::cursor::{Call, Cursor, Place};

/// The candidates at the cursor.
#[derive(Debug, Default)]
pub struct Completion {
    /// The bytes of the text that a candidate takes the place of.
    pub replaced: Range<usize>,
    /// The candidates, the likely ones first.
    pub candidates: Vec<Candidate>,
}

/// One thing that can stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its text in a list of candidates.
    pub label: String,
    /// The text to insert.
    pub insert: String,
    /// The kind of the candidate.
    pub kind: CandidateKind,
    /// Its doc comment, if it has one.
    pub docs: String,
}

/// A kind of [`Candidate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// A function that is called on a value.
    Method,
    /// A property of a value.
    Property,
    /// A function.
    Function,
    /// A variable.
    Variable,
    /// A word of the language.
    Keyword,
    /// One of libvirt's constants.
    Constant,
    /// A module.
    Module,
    /// A key of a map.
    Key,
    /// The name of an object of a host, or a word that a parameter accepts.
    Word,
    /// A file or a folder.
    File,
}

/// A variable that is in scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The type of its value, if it is known.
    pub kind: Option<Type>,
}

/// A value with names of objects: the variable `pool`, or the result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A variable.
    Variable(String),
    /// An object that a lookup by name finds, such as a pool of a connection.
    Found {
        /// The type of the object.
        kind: String,
        /// Its name.
        name: String,
        /// The object of the lookup.
        on: Box<Holder>,
    },
    /// Something that is not known before it is evaluated.
    Unknown,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// True if it is a folder.
    pub folder: bool,
}

/// The knowledge around a text.
pub trait Surroundings {
    /// The variables that are set already.
    fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    /// The modules that are imported already: their names, and the paths they came from.
    fn modules(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The functions and constants of the script at `path`, as an import names it.
    fn script(&self, path: &str) -> Option<Recipe> {
        let _ = path;
        None
    }

    /// The folders for imports.
    fn imports(&self) -> Imports {
        Imports::default()
    }

    /// The names of the objects of the type `kind` that `holder` has; it must not block.
    fn names(&self, kind: &str, holder: &Holder) -> Vec<String> {
        let _ = (kind, holder);
        Vec::new()
    }

    /// The files in `folder`; in the current folder if that is empty.
    fn files(&self, folder: &str) -> Vec<File> {
        let _ = folder;
        Vec::new()
    }
}

/// Finds the completions at a place.
pub struct Completer {
    parser: Engine,
    /// The options that recipes declare, as far as they were asked for.
    recipe_options: Mutex<HashMap<keys::Question, Option<Arc<Spec>>>>,
}

impl Default for Completer {
    fn default() -> Self {
        Self {
            parser: crate::engine::parser(),
            recipe_options: Mutex::default(),
        }
    }
}

impl Completer {
    /// Completes at the byte `cursor` of `text`.
    pub fn complete(
        &self,
        catalog: &Catalog,
        around: &dyn Surroundings,
        text: &str,
        cursor: usize,
    ) -> Completion {
        let mut cursor = cursor.min(text.len());
        while !text.is_char_boundary(cursor) {
            cursor -= 1;
        }
        let (before, after) = text.split_at(cursor);
        let at = Cursor::at_end_of(before);
        let context = Context {
            completer: self,
            catalog,
            around,
            scope: scope::Scope::new(&self.parser, catalog, around, before),
            before,
            after,
            replaced: at.word.clone(),
            word: &before[at.word.clone()],
        };
        context.complete(&at.place)
    }

    /// The ways to call the function whose arguments, or whose name, `text` ends in, and the
    /// number of the argument.
    pub fn signatures(
        &self,
        catalog: &Catalog,
        around: &dyn Surroundings,
        text: &str,
    ) -> Option<(Vec<Signature>, Option<usize>)> {
        let scope = || scope::Scope::new(&self.parser, catalog, around, text);
        let at = Cursor::at_end_of(text);
        let word = &text[at.word.clone()];
        let named = match &at.place {
            Place::Member { receiver } if !word.is_empty() => Some((Some(receiver.clone()), None)),
            Place::Module { alias } if !word.is_empty() => Some((None, Some(alias.clone()))),
            Place::Value { .. } if !word.is_empty() => Some((None, None)),
            _ => None,
        };
        if let Some((receiver, module)) = named {
            let call = Call {
                name: word.to_owned(),
                receiver,
                module,
            };
            let ways = members::ways(catalog, around, &scope(), &call);
            if !ways.is_empty() {
                return Some((ways, None));
            }
        }
        let argument = Cursor::argument_at_end_of(text)?;
        let ways = members::ways(catalog, around, &scope(), &argument.call);
        (!ways.is_empty()).then_some((ways, Some(argument.number)))
    }
}

/// The state of a search for candidates.
struct Context<'a> {
    completer: &'a Completer,
    catalog: &'a Catalog,
    around: &'a dyn Surroundings,
    scope: scope::Scope<'a>,
    before: &'a str,
    after: &'a str,
    replaced: Range<usize>,
    /// The part of the word that is already written.
    word: &'a str,
}

impl Context<'_> {
    fn complete(&self, place: &Place) -> Completion {
        match place {
            Place::Nowhere => Completion::default(),
            Place::Member { receiver } => self.members(receiver),
            Place::Module { alias } => self.module(alias),
            Place::Import => self.import(),
            Place::Text { argument, compared } => {
                self.within_text(argument.as_ref(), compared.as_deref())
            }
            Place::Key { argument, given } => self.keys(argument.as_ref(), given),
            Place::Value { argument, begins } => self.values(argument.as_ref(), *begins),
        }
    }

    /// Those of `candidates` that the word so far is the beginning of.
    fn fitting(&self, candidates: impl IntoIterator<Item = Candidate>) -> Completion {
        self.fitting_from(self.replaced.start, candidates)
    }

    /// The same, but only the text from `start` on is replaced.
    fn fitting_from(
        &self,
        start: usize,
        candidates: impl IntoIterator<Item = Candidate>,
    ) -> Completion {
        let replaced = start..self.replaced.end;
        let word = &self.before[replaced.clone()];
        let (mut exact, mut loose) = (Vec::new(), Vec::new());
        for candidate in candidates {
            if candidate.insert.starts_with(word) {
                exact.push(candidate);
            } else if starts_loosely(&candidate.insert, word) {
                loose.push(candidate);
            }
        }
        let candidates = if exact.is_empty() { loose } else { exact };
        Completion {
            replaced,
            candidates,
        }
    }

    /// True if the parenthesis of a call already follows.
    fn is_called(&self) -> bool {
        self.after.starts_with('(')
    }
}

/// True if `text` begins with `word`, regardless of case.
fn starts_loosely(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// True if a function can be called as `value.name(...)`, and is not an operator.
fn is_named(function: &Function) -> bool {
    function
        .name
        .starts_with(|letter: char| letter.is_alphabetic())
}

#[cfg(test)]
mod tests;
