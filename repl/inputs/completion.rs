//! What a shell offers for the inputs of a runbook.

use std::path::PathBuf;

use virhai::Imports;
use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::Type;

use super::options;
use crate::args::Source;
use crate::output::print_line;
use crate::script;

/// The first argument with which a shell asks for the inputs of a script. The second is the script; the third is the option whose
/// values are wanted, if there is one.
pub(crate) const QUESTION: &str = "--offer-inputs";

/// Prints a word in each line. A script that cannot be read, or has no inputs, has nothing to offer.
pub(crate) fn offer(mut arguments: impl Iterator<Item = String>) {
    let Some(path) = arguments.next() else {
        return;
    };
    let Ok(script) = script::read(Source::File(PathBuf::from(path), Vec::new())) else {
        return;
    };
    let Ok(Some(declared)) = Inputs::of(&Imports::default(), &script.name, &script.text) else {
        return;
    };
    let words: Vec<String> = match arguments.next() {
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
    };
    words.iter().for_each(|word| print_line(word));
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
