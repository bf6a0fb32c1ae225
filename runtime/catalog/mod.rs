//! What scripts can call, read from the engine: the one source for messages, help and tests.

mod index;
pub mod inference;
mod kinds;
pub mod names;
mod recipes;
mod signature;

use std::collections::HashSet;

use rhai::{Engine, FnAccess};

pub use index::Catalog;
pub use kinds::{element, is_own_kind, without_element};
pub use recipes::{Recipe, RecipeFunction, recipes};
pub use signature::{Signature, first_sentence};

use kinds::{plain_result, plain_type};

use crate::api::asking::MARK;
use crate::syntax::doc_comment::plain_docs;
use crate::syntax::written_names;
use crate::vocabulary;

/// One function, method, or property as the engine has it.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name in scripts; of a property, the property's.
    pub name: String,
    /// Whether it is read as a property, `value.name`.
    pub property: bool,
    /// Whether it is made to be called on its first parameter, `value.name(...)`.
    pub method: bool,
    /// Parameters as `(name, type)`, the receiver first; `?` stands for any type.
    pub parameters: Vec<(String, String)>,
    /// The type of its value, `()` for none and `?` where it depends.
    pub returns: String,
    /// Whether it is Rhai's own and not virhai's.
    pub standard: bool,
    /// The doc comment, without its slashes.
    pub docs: String,
}

impl Function {
    /// The type of the value that a method is called on.
    pub fn receiver(&self) -> Option<&str> {
        self.parameters.first().map(|(_, kind)| kind.as_str())
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

    /// The examples in the documentation: what follows `rhai` on the fence, and the code.
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
        let kinds = function.parameters.iter().map(|(_, kind)| kind.clone());
        (function.name.clone(), kinds.collect())
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

/// The types of the first parameters of virhai's own functions.
fn receivers(engine: &Engine) -> HashSet<String> {
    let kind = |info: rhai::FuncInfo| {
        let (_, kind) = info.metadata.params_info.first()?.split_once(':')?;
        Some(plain_type(kind))
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
        // The index of an error stands for properties that each error has or has not.
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
        let mut parameters: Vec<(String, String)> = metadata
            .params_info
            .iter()
            .map(|parameter| {
                let (name, kind) = parameter.split_once(':').unwrap_or((parameter, ""));
                (name.trim().to_owned(), plain_type(kind))
            })
            .collect();
        // Of some of its own, Rhai tells only how many parameters they have.
        while parameters.len() < metadata.num_params {
            parameters.push(("value".into(), "?".into()));
        }
        let returns = plain_result(&metadata.return_type);
        let kinds = parameters.iter().map(|(_, kind)| kind).chain([&returns]);
        let docs = with_vocabulary(plain_docs(&metadata.comments), kinds);
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

/// The docs of a function with the words and the keys that its types stand for, before the last line.
fn with_vocabulary<'a>(docs: String, kinds: impl Iterator<Item = &'a String>) -> String {
    let named = kinds
        .flat_map(|kind| kind.split(" | "))
        .filter_map(|kind| kind.rsplit_once(" of ").map(|(_, name)| name));
    let mut lines: Vec<String> = Vec::new();
    for name in named {
        let list = |words: Vec<&str>| {
            let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            quoted.join(", ")
        };
        let line = match (vocabulary::enumeration(name), vocabulary::record(name)) {
            (Some(words), _) => format!("{name}: one of {}.", list(words.words())),
            (_, Some(record)) if record.open => {
                format!("{name}: a map with {} and others.", list(record.keys()))
            }
            (_, Some(record)) => format!("{name}: a map with {}.", list(record.keys())),
            _ => continue,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return docs;
    }
    let (before, last) = docs.rsplit_once('\n').unwrap_or(("", &docs));
    format!("{before}\n\n{}\n\n{last}", lines.join("\n\n"))
}
