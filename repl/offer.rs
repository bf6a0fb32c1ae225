//! The words that shells offer while a command line is typed.

use std::sync::mpsc::channel;
use std::time::Duration;

use virhai::catalog::Catalog;
use virhai::reference::Reference;
use virhai::stack_size;

use crate::output::print_line;
use crate::{doc, inputs, runs};

/// The first argument with which a shell asks for completions. The arguments after it name the
/// list: `inputs SCRIPT [OPTION]`, `names` for `virhai doc`, or `runs`.
pub(crate) const QUESTION: &str = "--offer";

/// The longest time that a shell waits for the inputs of a script: somebody else may have written it so that reading it does
/// not end.
const LONGEST: Duration = Duration::from_secs(5);

/// Prints a word on each line.
pub(crate) fn offer(arguments: impl Iterator<Item = String>) {
    let words = words(arguments.collect());
    let plain = |word: &&String| !word.contains(char::is_control);
    words.iter().filter(plain).for_each(|word| print_line(word));
}

fn words(arguments: Vec<String>) -> Vec<String> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("inputs") => in_time(move || inputs::offered(arguments)).unwrap_or_default(),
        Some("names") => names(),
        Some("runs") => runs::names(),
        _ => Vec::new(),
    }
}

/// The words that `find` returns, if it returns in time.
fn in_time(find: impl FnOnce() -> Vec<String> + Send + 'static) -> Option<Vec<String>> {
    let (found, words) = channel();
    let thread = std::thread::Builder::new().stack_size(stack_size());
    // A thread that is late ends with the process.
    let started = thread.spawn(move || found.send(find()));
    started.ok().and_then(|_| words.recv_timeout(LONGEST).ok())
}

/// The names of types, recipes, functions and constants.
fn names() -> Vec<String> {
    let reference = Reference::of(&Catalog::new(&doc::engine()));
    let parts = reference.parts.into_iter();
    let names = parts.filter(|part| !part.is_chapter()).flat_map(|part| {
        let entries = part.entries.into_iter().map(|entry| entry.name);
        std::iter::once(part.name).chain(entries)
    });
    let is_name = |name: &String| {
        name.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_/".contains(letter))
    };
    let mut names: Vec<String> = names.filter(is_name).collect();
    names.sort_unstable();
    names.dedup();
    names
}
