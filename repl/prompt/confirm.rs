//! Asks before calls that destroy an object.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Engine, Expr, Scope, Stmt};
use virhai::catalog::Catalog;
use virhai::person::is_yes;
use virhai::syntax::written_names;

use super::Prompt;
use super::input::Input;
use crate::{show, terminal};

/// The words of which names of such calls are made.
const WORDS: [&str; 6] = ["destroy", "undefine", "delete", "wipe", "reset", "remove"];

impl Prompt {
    /// True if `text` may run: it destroys no object, or the user confirms it.
    pub(super) fn confirmed(&mut self, text: &str) -> bool {
        // Most inputs have no such word, and need no catalogue.
        if !self.confirms || !WORDS.iter().any(|word| text.contains(word)) {
            return true;
        }
        let Some(catalog) = self.editor.helper().map(Input::catalog) else {
            return true;
        };
        let calls = destroying(self.worker.engine(), catalog, self.worker.scope(), text);
        if calls.is_empty() {
            return true;
        }
        let mut names: Vec<&str> = calls.iter().filter_map(Destroying::name).collect();
        names.dedup();
        // Of several objects, one name does not confirm all.
        let name = match names[..] {
            [name] if calls.iter().all(|call| call.name().is_some()) => Some(name),
            _ => None,
        };
        let confirmed = self.asks(&question(&calls), name);
        if !confirmed {
            eprintln!("not run");
        }
        confirmed
    }

    /// Asks, and accepts only a yes or the `name` of the object.
    pub(super) fn asks(&self, question: &str, name: Option<&str>) -> bool {
        // A separate editor: text that was typed ahead is not an answer.
        let Ok(mut editor) = rustyline::DefaultEditor::new() else {
            return false;
        };
        let answer = editor.readline(&format!("{}? [y/N] ", terminal::visible_line(question)));
        answer.is_ok_and(|answer| is_yes(&answer) || name.is_some_and(|name| name == answer.trim()))
    }
}

/// A call that destroys something.
#[derive(PartialEq, Eq)]
struct Destroying {
    /// The name of the function.
    function: String,
    /// Its object, if that is known: the noun, and the name.
    object: Option<(Option<&'static str>, String)>,
}

impl Destroying {
    fn name(&self) -> Option<&str> {
        self.object.as_ref().map(|(_, name)| name.as_str())
    }
}

/// The question about `calls`, without its sign.
fn question(calls: &[Destroying]) -> String {
    let known = calls.iter().filter_map(|call| {
        let (noun, name) = call.object.as_ref()?;
        let noun = noun.map_or_else(String::new, |noun| format!("{noun} "));
        Some(format!(
            "{} {noun}`{name}`",
            call.function.replace('_', " ")
        ))
    });
    let mut parts: Vec<String> = known.collect();
    let unknown = calls.iter().filter(|call| call.object.is_none());
    let unknown: Vec<String> = unknown.map(|call| format!("`{}`", call.function)).collect();
    if !unknown.is_empty() {
        parts.push(format!("really call {}", unknown.join(" and ")));
    }
    parts.join(", ")
}

/// The calls in `text` that destroy something.
fn destroying(engine: &Engine, catalog: &Catalog, scope: &Scope, text: &str) -> Vec<Destroying> {
    // An input that does not compile does not run either.
    let Ok(mut ast) = engine.compile(text) else {
        return Vec::new();
    };
    // A function is only defined here; a closure is part of a call.
    ast.retain_functions(|_, _, name, _| written_names::is_closure(name));
    let looked_up = looked_up(&ast);
    let mut found = Vec::new();
    walk(&ast, &mut |call| {
        found.extend(destroyed_by(catalog, scope, &looked_up, &call));
    });
    found.dedup();
    found
}

/// The variables that `ast` declares as the object of a name, each with that name.
fn looked_up(ast: &AST) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Var(declared, ..))) = nodes.last()
            && let Receiver::Named(name) = receiver(&declared.1)
        {
            found.insert(declared.0.name.to_string(), name.to_owned());
        }
        true
    });
    found
}

/// A call, for the question whether it destroys something.
struct Call<'a> {
    name: &'a str,
    /// True if it is a function of a recipe, such as `guest::remove`.
    of_recipe: bool,
    on: Receiver<'a>,
}

/// The receiver of a call: a variable, the result of a lookup by name, or another value.
enum Receiver<'a> {
    Variable(&'a str),
    Named(&'a str),
    Other,
}

fn walk(ast: &AST, on_call: &mut dyn FnMut(Call)) {
    ast.walk(&mut |nodes: &[ASTNode]| {
        let called_on = || match nodes {
            [.., ASTNode::Expr(Expr::Dot(pair, ..)), _] => receiver(&pair.lhs),
            _ => Receiver::Other,
        };
        match nodes.last() {
            Some(ASTNode::Expr(Expr::MethodCall(call, _))) => on_call(Call {
                name: &call.name,
                of_recipe: false,
                on: called_on(),
            }),
            Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                on_call(Call {
                    name: &call.name,
                    of_recipe: !call.namespace.is_empty(),
                    on: call.args.first().map_or(Receiver::Other, receiver),
                });
            }
            _ => {}
        }
        true
    });
}

fn receiver(expression: &Expr) -> Receiver<'_> {
    match expression {
        Expr::Variable(variable, ..) => Receiver::Variable(&variable.1),
        Expr::MethodCall(call, _) => match call.args.first() {
            Some(Expr::StringConstant(name, _)) => Receiver::Named(name),
            _ => Receiver::Other,
        },
        Expr::Dot(pair, ..) => receiver(&pair.rhs),
        _ => Receiver::Other,
    }
}

fn destroyed_by(
    catalog: &Catalog,
    scope: &Scope,
    looked_up: &BTreeMap<String, String>,
    call: &Call,
) -> Option<Destroying> {
    let name = call.name;
    if !name.split('_').any(|word| WORDS.contains(&word)) {
        return None;
    }
    let (value, named) = match call.on {
        Receiver::Variable(variable) => match looked_up.get(variable) {
            Some(name) => (None, Some(name.as_str())),
            None => (scope.get(variable).cloned(), None),
        },
        Receiver::Named(name) => (None, Some(name)),
        Receiver::Other => (None, None),
    };
    let object = value.as_ref().and_then(show::noun_and_name);
    let changes = || call.of_recipe || value.is_none() && changes_a_host(catalog, name);
    if object.is_none() && !changes() {
        return None;
    }
    let object = match (object, named) {
        (Some((noun, name)), _) => Some((Some(noun), name)),
        (None, named) => named.map(|name| (None, name.to_owned())),
    };
    Some(Destroying {
        function: name.to_owned(),
        object,
    })
}

/// True if `name` calls libvirt on some type: arrays, maps and XML also have a `remove`.
fn changes_a_host(catalog: &Catalog, name: &str) -> bool {
    catalog
        .named(name)
        .any(|function| function.is_on_object() && function.calls().next().is_some())
}
