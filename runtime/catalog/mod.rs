//! The catalogue of functions for scripts, read from the engine: the only source for messages, help and tests.

mod elsewhere;
mod index;
pub mod inference;
pub mod names;
mod other_languages;
mod recipes;
mod rust_types;
mod signature;
pub mod walker;

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use rhai::{Engine, FnAccess};

pub use index::Catalog;
pub use recipes::{Recipe, RecipeFunction, recipes};
pub use rust_types::of_constant;
pub use signature::{Signature, first_sentence};

use rust_types::{of_rust, of_rust_result};

use crate::api::asking::MARK;
use crate::spec::{Spec, Type};
use crate::syntax::doc_comment::plain_docs;
use crate::syntax::written_names;

/// One function, method, or property as the engine has it.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name in scripts; of a property, the property's.
    pub name: String,
    /// True if it is read as a property, `value.name`.
    pub property: bool,
    /// True if it is meant to be called on its first parameter, `value.name(...)`.
    pub method: bool,
    /// Parameters with their types, the receiver first.
    pub parameters: Vec<(String, Type)>,
    /// The type of its value: `Unit` for none, and `Unknown` if it depends.
    pub returns: Type,
    /// True if it is Rhai's and not virhai's.
    pub standard: bool,
    /// The doc comment, without its slashes.
    pub docs: String,
}

impl Function {
    /// The type of the value that a method is called on.
    pub fn receiver(&self) -> Option<&Type> {
        self.parameters.first().map(|(_, ty)| ty)
    }

    /// True if it is called on values of the type `ty`, and not of any type.
    pub fn is_on(&self, ty: &Type) -> bool {
        self.receiver().is_some_and(|receiver| receiver.is_like(ty))
    }

    /// True if it is called on values of one of libvirt's or virhai's types.
    pub fn is_on_object(&self) -> bool {
        self.receiver().is_some_and(Type::is_object)
    }

    /// The types of its parameters on one line, which distinguish functions of the same name.
    pub fn taken(&self) -> String {
        let types: Vec<String> = self
            .parameters
            .iter()
            .map(|(_, ty)| ty.to_string())
            .collect();
        types.join(", ")
    }

    /// The C functions on the documentation's last line.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.docs
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("Calls "))
            .unwrap_or_default()
            .trim_end_matches('.')
            .split(", ")
            .filter(|name| name.starts_with("vir"))
    }

    /// The documentation with the keys of the maps that it takes and returns, if these are not shown in tables.
    pub fn docs_with_keys(&self) -> String {
        let types = self.parameters.iter().map(|(_, ty)| ty);
        let specs = types.chain([&self.returns]).flat_map(Type::specs);
        let named = specs.filter(|spec| !spec.name.is_empty());
        let line = |spec: &Arc<Spec>| {
            let keys = quoted(spec.keys.iter().map(|key| &key.name));
            let others = if spec.open { " and others" } else { "" };
            format!("{}: a map with {keys}{others}.", spec.name)
        };
        before_last_line(self.docs.clone(), named.map(line).collect())
    }

    /// The examples in the documentation: for each, the words after `rhai` on its fence, and its
    /// code.
    pub fn examples(&self) -> Vec<(String, String)> {
        let mut examples = Vec::new();
        let mut open: Option<(String, String)> = None;
        for line in self.docs.lines() {
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(fence)) => {
                    let kind = fence
                        .strip_prefix("rhai")
                        .unwrap_or(fence)
                        .trim_start_matches(',');
                    open = Some((kind.to_owned(), String::new()));
                }
                (Some(_), Some(_)) => examples.extend(open.take()),
                (Some((_, code)), None) => {
                    code.push_str(line);
                    code.push('\n');
                }
                (None, None) => {}
            }
        }
        examples
    }
}

/// Every function of virhai's own that `engine` has, without Rhai's standard ones.
pub fn functions(engine: &Engine) -> Vec<Function> {
    read(engine, false, |_| true)
}

/// Every function that `engine` has, Rhai's standard ones among them.
pub fn all_functions(engine: &Engine) -> Vec<Function> {
    read_all(engine, |_| true)
}

/// Those of them whose name `wanted` takes.
fn read_all(engine: &Engine, wanted: impl Fn(&str) -> bool + Copy) -> Vec<Function> {
    let mut functions = read(engine, false, wanted);
    // virhai's own function is called instead of Rhai's.
    let called = |function: &Function| {
        let types = function.parameters.iter();
        let types: Vec<String> = types.map(|(_, ty)| ty.plain().to_string()).collect();
        (function.name.clone(), types)
    };
    let own: HashSet<(String, Vec<String>)> = functions.iter().map(called).collect();
    functions.extend(
        read(engine, true, wanted)
            .into_iter()
            .filter(|function| !own.contains(&called(function)))
            .map(|function| Function {
                standard: true,
                ..function
            }),
    );
    functions
}

/// The types of libvirt's and virhai's that have functions.
fn receivers(engine: &Engine) -> HashSet<String> {
    // Many functions have the same receiver, and to read a type takes a while.
    let known = RefCell::new(HashSet::<String>::new());
    let kind = |info: rhai::FuncInfo| {
        let (_, rust) = info.metadata.params_info.first()?.split_once(':')?;
        if known.borrow().contains(rust) {
            return None;
        }
        known.borrow_mut().insert(rust.to_owned());
        of_rust(rust).object().map(str::to_owned)
    };
    engine
        .collect_fn_metadata(None, kind, false)
        .into_iter()
        .collect()
}

fn read(
    engine: &Engine,
    with_standard: bool,
    wanted: impl Fn(&str) -> bool + Copy,
) -> Vec<Function> {
    let read = |info: rhai::FuncInfo| {
        let metadata = info.metadata;
        let of_a_script =
            written_names::is_closure(&metadata.name) || written_names::is_renamed(&metadata.name);
        if metadata.access != FnAccess::Public || of_a_script {
            return None;
        }
        // Rhai's function of that name has the documentation.
        if metadata.comments.iter().any(|comment| comment == MARK) {
            return None;
        }
        let name = metadata.name.as_str();
        // The index of an error covers properties that not every error has.
        if name.starts_with("index$") {
            return None;
        }
        let (name, property) = match name.strip_prefix("get$") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if !wanted(name) {
            return None;
        }
        let mut parameters: Vec<(String, Type)> = metadata
            .params_info
            .iter()
            .map(|parameter| {
                let (name, kind) = parameter.split_once(':').unwrap_or((parameter, ""));
                (name.trim().to_owned(), of_rust(kind))
            })
            .collect();
        // For some of its functions, Rhai gives only the number of parameters.
        while parameters.len() < metadata.num_params {
            parameters.push(("value".into(), Type::Unknown));
        }
        let returns = of_rust_result(&metadata.return_type);
        let types = parameters.iter().map(|(_, ty)| ty).chain([&returns]);
        let docs = with_words(plain_docs(&metadata.comments), types);
        let method = metadata
            .params_info
            .first()
            .is_some_and(|parameter| parameter.contains("&mut "));
        Some(Function {
            name: name.to_owned(),
            property,
            method,
            parameters,
            returns,
            standard: false,
            docs,
        })
    };
    engine.collect_fn_metadata(None, read, with_standard)
}

/// The docs of a function, with the words of its types inserted before the last line.
fn with_words<'a>(docs: String, types: impl Iterator<Item = &'a Type>) -> String {
    let mut lines = Vec::new();
    types.for_each(|ty| add_words(&mut lines, ty));
    before_last_line(docs, lines)
}

/// `docs` with `lines` before their last line, which names the C functions.
fn before_last_line(docs: String, mut lines: Vec<String>) -> String {
    let mut known = HashSet::new();
    lines.retain(|line| known.insert(line.clone()));
    if lines.is_empty() {
        return docs;
    }
    let (before, last) = docs.rsplit_once('\n').unwrap_or(("", &docs));
    format!("{before}\n\n{}\n\n{last}", lines.join("\n\n"))
}

/// Adds a line for the words that have a name in `ty`.
fn add_words(lines: &mut Vec<String>, ty: &Type) {
    match ty {
        Type::Words(words) if !words.name.is_empty() && words.begin.is_empty() => {
            let list = quoted(words.list.iter());
            lines.push(format!("{}: one of {list}.", words.name));
        }
        Type::Array(item) => add_words(lines, item),
        Type::OneOf(types) => types.iter().for_each(|ty| add_words(lines, ty)),
        _ => {}
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
