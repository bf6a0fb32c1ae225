//! The inputs of a runbook as options of a command line.

use clap::{Arg, ArgAction, Command};
use virhai::runbook::inputs::{Inputs, is_flag, is_list, is_secret, option as long};
use virhai::spec::{Key, Type};
use virhai::syntax::outline::Outline;

use crate::script::Script;

/// The option that names a file of inputs.
pub(super) const FILE: &str = "\u{1}inputs";

/// The arguments that are not inputs.
pub(super) const REST: &str = "\u{1}args";

/// The environment variable for `key`.
pub(super) fn variable(key: &Key) -> String {
    format!("VIRHAI_{}", key.name.to_uppercase())
}

/// The message that `key` is missing, with the ways to give it.
pub(super) fn missing(key: &Key) -> String {
    let help = match key.help.is_empty() {
        true => String::new(),
        false => format!(": {}", key.help),
    };
    format!("{} is missing{help}", sources(key))
}

/// The option and the variable that give `key`.
pub(super) fn sources(key: &Key) -> String {
    format!("--{} or {}", long(key), variable(key))
}

/// The place of virhai's own options, for the end of a help.
const OWN_OPTIONS: &str =
    "`virhai run --help` lists the options of virhai; write them before the script.";

/// The command line of a `script` that declares no inputs and does not use its arguments.
pub(super) fn without_inputs(script: &Script) -> Command {
    described(script).after_help(format!("This script declares no inputs. {OWN_OPTIONS}"))
}

/// The command line of `script`, without options.
fn described(script: &Script) -> Command {
    let docs = Outline::of(&script.text).docs;
    let first = docs.split("\n\n").next().unwrap_or_default();
    Command::new(script.name.clone())
        .bin_name(format!("virhai run {}", script.name))
        .about(first.replace('\n', " "))
        .long_about(docs.clone())
        .max_term_width(80)
        .disable_version_flag(true)
}

/// The command line of `script` with its `inputs`.
pub(super) fn command(inputs: &Inputs, script: &Script) -> Command {
    let command = described(script).after_help(OWN_OPTIONS);
    let own: Vec<Arg> = inputs.keys().iter().map(argument).collect();
    let file = has_file(inputs).then(|| {
        Arg::new(FILE).long("inputs").value_name("FILE").help(
            "File with values of inputs (.json, .toml, .yaml); options and the environment override it",
        )
    });
    let rest = Arg::new(REST)
        .value_name("ARGS")
        .num_args(0..)
        .help("Elements of the array `args`");
    command.args(own).args(file).arg(rest)
}

/// True if there is an option for a file of inputs. A runbook may have an input of that name.
pub(super) fn has_file(inputs: &Inputs) -> bool {
    inputs.key("inputs").is_none()
}

fn argument(key: &Key) -> Arg {
    let option = Arg::new(key.name.clone())
        .long(long(key))
        .value_name(value_name(key))
        .help(help(key))
        .allow_hyphen_values(true);
    // The name with underscores, as the script declares it.
    let option = match key.name.contains('_') && !is_secret(key) {
        true => option.alias(key.name.clone()),
        false => option,
    };
    match () {
        () if is_flag(key) => option
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        () if can_be_repeated(key) => option.action(ArgAction::Append),
        () => option.action(ArgAction::Set),
    }
}

/// True if the user can repeat the option for `key`. For a secret, one file has all items.
fn can_be_repeated(key: &Key) -> bool {
    is_list(key) && !is_secret(key)
}

fn value_name(key: &Key) -> String {
    match &key.ty {
        _ if is_secret(key) => "FILE".into(),
        Type::Array(item) => of_type(item),
        ty => of_type(ty),
    }
}

fn of_type(ty: &Type) -> String {
    let word = match ty {
        Type::Int | Type::Float => "NUMBER",
        Type::Bool => "true|false",
        Type::Path => "PATH",
        Type::Uri => "URI",
        Type::Size { .. } => "SIZE",
        Type::Duration => "TIME",
        Type::Map | Type::Keys(_) => "JSON",
        Type::Words(words) => return words.list.join("|"),
        Type::NameOf(what) => return what.word().to_uppercase(),
        _ => "TEXT",
    };
    word.to_owned()
}

fn help(key: &Key) -> String {
    let mut help = key.help.clone();
    let mut also = Vec::new();
    if is_secret(key) {
        let form = match key.ty.specs().is_empty() {
            true => "in the file",
            false => "in the file, as JSON",
        };
        also.push(form.to_owned());
    }
    if can_be_repeated(key) {
        also.push("can be repeated".to_owned());
    }
    if let Some(limits) = key.limits() {
        also.push(limits);
    }
    match (&key.default, key.required) {
        (Some(default), _) => also.push(format!("default: {default}")),
        (None, true) => also.push("required".to_owned()),
        (None, false) => {}
    }
    also.push(format!("env: {}", variable(key)));
    if !help.is_empty() {
        help.push(' ');
    }
    help.push_str(&format!("[{}]", also.join("; ")));
    help
}
