//! Shell completion of the inputs of a runbook.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::Type;
use virhai::{Imports, stack_size};

use super::options;
use crate::args::Source;
use crate::output::print_line;
use crate::script;

/// The first argument with which a shell asks for the inputs of a script. The second is the script; the third is the option whose
/// values are wanted, if there is one.
pub(crate) const QUESTION: &str = "--offer-inputs";

/// How long a shell waits for an answer at most.
const LONGEST: Duration = Duration::from_secs(2);

/// Prints a word on each line. A script that cannot be read, or has no inputs, has no completions.
pub(crate) fn offer(arguments: impl Iterator<Item = String>) {
    let arguments: Vec<String> = arguments.collect();
    let (done, ended) = channel();
    let work = move || {
        offer_words(arguments.into_iter());
        let _ = done.send(());
    };
    // A thread that is late ends with the process.
    let thread = std::thread::Builder::new().stack_size(stack_size());
    if thread.spawn(work).is_ok() {
        let _ = ended.recv_timeout(LONGEST);
    }
}

fn offer_words(mut arguments: impl Iterator<Item = String>) {
    let Some(declared) = arguments.next().and_then(|path| declared(path.as_ref())) else {
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
    let plain = |word: &&String| !word.contains(char::is_control);
    words.iter().filter(plain).for_each(|word| print_line(word));
}

/// True if the script `path` has an input with the option `--option`.
pub(crate) fn declares(path: &OsStr, option: &str) -> bool {
    declared(path).is_some_and(|declared| {
        declared
            .keys()
            .iter()
            .any(|key| inputs::option(key) == option)
    })
}

/// The inputs of the script `path`, if it can be read and declares some.
fn declared(path: &OsStr) -> Option<Inputs> {
    if path == "-" {
        return None;
    }
    let script = script::read(Source::File(PathBuf::from(path), Vec::new())).ok()?;
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
