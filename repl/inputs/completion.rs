//! Shell completion of the inputs of a runbook.

use std::ffi::OsStr;
use std::path::PathBuf;

use virhai::Imports;
use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::Type;

use super::options;
use crate::args::Source;
use crate::script::{self, Script};

/// The words for a shell: the inputs of a script, or the values of one of them. The first of `arguments` is the script, the
/// second is the input, if there is one. A script that cannot be read, or has no inputs, has no completions.
pub(crate) fn offered(mut arguments: impl Iterator<Item = String>) -> Vec<String> {
    let Some(declared) = arguments.next().and_then(|path| declared(path.as_ref())) else {
        return Vec::new();
    };
    match arguments.next() {
        Some(option) => {
            let name = option.trim_start_matches('-');
            let key = declared
                .keys()
                .iter()
                .find(|key| inputs::option(key) == name);
            key.map(|key| values(&key.ty)).unwrap_or_default()
        }
        None => {
            let own = declared.keys().iter().map(inputs::option);
            let file = options::has_file(&declared).then(|| "inputs".to_owned());
            let all = own.chain(file).chain(["help".to_owned()]);
            all.map(|name| format!("--{name}")).collect()
        }
    }
}

/// True if an option `option` after the file `path` is the script's: the script has an input with this option, or no
/// inputs and uses its arguments. A script on standard input is not read yet, so it has none there.
pub(crate) fn declares(path: &OsStr, option: &str) -> bool {
    let Some(script) = file(path) else {
        return path != "-";
    };
    match inputs_of(&script) {
        Some(declared) => {
            let mut keys = declared.keys().iter();
            keys.any(|key| inputs::option(key) == option)
        }
        None => super::uses_arguments(&script),
    }
}

/// The inputs of the script `path`, if it can be read and declares some.
fn declared(path: &OsStr) -> Option<Inputs> {
    inputs_of(&file(path)?)
}

fn file(path: &OsStr) -> Option<Script> {
    if path == "-" {
        return None;
    }
    script::read(Source::File(PathBuf::from(path), Vec::new())).ok()
}

fn inputs_of(script: &Script) -> Option<Inputs> {
    Inputs::of(&Imports::default(), &script.name, &script.text).ok()?
}

/// The values that a type names.
fn values(ty: &Type) -> Vec<String> {
    match ty {
        Type::Words(words) => words.list.iter().map(|word| (*word).to_owned()).collect(),
        Type::Bool => vec!["true".into(), "false".into()],
        Type::Array(item) => values(item),
        _ => Vec::new(),
    }
}
