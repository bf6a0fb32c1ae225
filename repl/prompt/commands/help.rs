//! `:help`, `x?` and `:methods`.

use rhai::{Dynamic, Scope, Stmt};
use virhai::catalog::{Catalog, Function, Signature, first_sentence};
use virhai::inference::{Inference, kind_of_value};
use virhai::reference::help as reference;
use virhai::spec::Type;
use virhai::suggest;

use super::{Command, Done};
use crate::prompt::Prompt;
use crate::prompt::input::Input;
use crate::show::{self, Look};

/// Explains a name; without a name, lists the commands.
pub(super) fn help(prompt: &mut Prompt, name: &str) -> Done {
    if name.is_empty() {
        prompt.show(&commands());
        return Ok(None);
    }
    if name.starts_with(':') {
        let usage = Command::find(name)?.usage();
        prompt.show(&format!("{}\n  {}", usage.synopsis(), usage.about));
        return Ok(None);
    }
    let catalog = catalog(prompt)?;
    let found = {
        let scope = prompt.worker.scope();
        let engine = prompt.worker.engine();
        let kind_of = |value: &Dynamic| kind_of_value(engine, value).to_string();
        of_variable(catalog, scope, &kind_of, name)
            .or_else(|| about(catalog, scope, &kind_of, name))
    };
    let Some(text) = found else {
        return Err(unknown(catalog, prompt.worker.scope(), name));
    };
    let width = Look::of_terminal(false).width;
    prompt.show(&virhai::reference::wrapped(&text, width));
    Ok(None)
}

/// The use of the prompt, and its commands, one per line.
pub(crate) fn commands() -> String {
    let uses = Command::ALL.into_iter().map(|command| {
        let usage = command.usage();
        (usage.synopsis(), usage.about)
    });
    let uses: Vec<(String, &str)> = uses.collect();
    let width = uses.iter().map(|(usage, _)| usage.len()).max().unwrap_or(0);
    let mut text = String::from(
        "`conn` is the connection, `ans` the last value, `out(3)` the value of input 3.\n\
         Type Rhai, such as `conn.list_all_domains()`; `conn?` lists the other methods.\n\n",
    );
    for (usage, about) in uses {
        text.push_str(&format!("  {usage:width$}  {about}\n"));
    }
    text.push_str("Ctrl-C stops the running input; Ctrl-D ends the session.");
    text
}

/// Shows the value of a variable, and its methods.
fn of_variable(
    catalog: &Catalog,
    scope: &Scope,
    kind_of: &dyn Fn(&Dynamic) -> String,
    name: &str,
) -> Option<String> {
    let value = scope.get(name)?;
    let kind = kind_of(value);
    let line = show::quoted(value);
    let short: String = line
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(60)
        .collect();
    let dots = if short.len() < line.len() { "..." } else { "" };
    let what = format!("{name}: {kind} = {short}{dots}");
    Some(match reference(catalog, &kind) {
        Some(help) => format!("{what}\n\n{help}"),
        None => what,
    })
}

/// A name from the reference: of `dom.create` and `guest::create` the last part too.
fn about(
    catalog: &Catalog,
    scope: &Scope,
    kind_of: &dyn Fn(&Dynamic) -> String,
    name: &str,
) -> Option<String> {
    let full = reference(catalog, name);
    full.or_else(|| {
        let (receiver, method) = name.rsplit_once('.')?;
        let kind = scope.get(receiver).map(kind_of);
        kind.and_then(|kind| reference(catalog, &format!("{kind}.{method}")))
            .or_else(|| reference(catalog, method))
    })
}

fn unknown(catalog: &Catalog, scope: &Scope, name: &str) -> String {
    let functions = catalog
        .functions()
        .iter()
        .map(|function| function.name.as_str());
    let variables: Vec<&str> = scope.iter_raw().map(|(name, ..)| name).collect();
    match suggest::nearest(name, functions.chain(variables)) {
        Some(near) => format!("there is no `{name}`; did you mean `{near}`?"),
        None => format!("there is no `{name}`"),
    }
}

/// The catalogue of all functions.
fn catalog(prompt: &Prompt) -> Result<&Catalog, String> {
    let input = prompt.editor.helper();
    input
        .map(Input::catalog)
        .ok_or_else(|| "there is no reference".into())
}

/// Lists the methods of the value of an expression, without running it.
pub(super) fn methods(prompt: &mut Prompt, code: &str) -> Done {
    if code.is_empty() {
        return Err("`:methods EXPR` needs a value, such as `:methods conn`".into());
    }
    let catalog = catalog(prompt)?;
    let scope = prompt.worker.scope();
    let ast = prompt
        .worker
        .engine()
        .compile(code)
        .map_err(|error| format!("cannot read `{code}`: {}", error.err_type()))?;
    let engine = prompt.worker.engine();
    let variable = |name: &str| scope.get(name).map(|value| kind_of_value(engine, value));
    let inference = Inference::new(catalog, &variable);
    let kind = match ast.statements() {
        [Stmt::Expr(expression)] => inference.kind_of(expression),
        [Stmt::FnCall(call, place)] => inference.kind_of(&rhai::Expr::FnCall(call.clone(), *place)),
        _ => None,
    };
    // A type may be named as well as a value of it.
    let kind = kind.unwrap_or_else(|| Type::of_value(code));
    let mut members: Vec<&Function> = catalog.members(&kind).collect();
    if members.is_empty() {
        return Err(format!("the type of `{code}` is unknown until it runs"));
    }
    members.sort_by(|one, other| {
        (&one.name, one.parameters.len()).cmp(&(&other.name, other.parameters.len()))
    });
    let width = Look::of_terminal(false).width.unwrap_or(usize::MAX);
    let mut lines: Vec<String> = members
        .into_iter()
        .map(|function| cut(line(function), width))
        .collect();
    lines.dedup();
    prompt.show(&format!("{kind}\n{}", lines.join("\n")));
    Ok(None)
}

/// A method on one line: its signature, its result, and its first sentence.
fn line(function: &Function) -> String {
    let mut called = Signature::of(function, true).to_string();
    if function.property {
        called = called.replace("()", "");
    }
    let first = first_sentence(&function.docs);
    format!("  {called:38}  {first}").trim_end().to_owned()
}

/// A line that fits the terminal.
fn cut(line: String, width: usize) -> String {
    match line.chars().count() > width {
        true => line.chars().take(width - 1).chain(['…']).collect(),
        false => line,
    }
}
