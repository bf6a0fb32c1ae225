//! Input lines that begin with a command of virsh.

use virhai::advice::virsh;
use virhai::completion::{Candidate, Surroundings};

use super::Input;
use super::command_line::words;

impl Input {
    /// Completes the last word of `text` if it follows a command of virsh: an option with a translation, or the name of
    /// an object. Returns the candidates and their beginning.
    pub(super) fn complete_virsh(&self, text: &str) -> Option<(usize, Vec<Candidate>)> {
        let start = text.rfind(char::is_whitespace)? + 1;
        let (before, written) = text.split_at(start);
        let is_argument = |word: &&str| {
            word.chars()
                .all(|letter| letter.is_alphanumeric() || "_-./:=+@".contains(letter))
                && !word.starts_with('=')
        };
        let mut earlier = before.split_whitespace();
        let first = earlier.next()?;
        let earlier: Vec<&str> = earlier.collect();
        let is_variable = || {
            let mut variables = self.known.variables().into_iter();
            variables.any(|variable| variable.name == first)
        };
        if !earlier.iter().chain([&written]).all(is_argument) || is_variable() {
            return None;
        }
        let command = virsh::first_word(first).filter(|command| command.name == first)?;
        if written.starts_with('-') {
            let options = command.options().flat_map(|options| options.split(' '));
            let mut options: Vec<String> = options.map(str::to_owned).collect();
            options.sort();
            options.dedup();
            return Some((start, words(options.into_iter(), written)));
        }
        let arguments: Vec<&str> = earlier
            .into_iter()
            .filter(|word| !word.starts_with('-'))
            .collect();
        let lookup = command.lookup_before(arguments.len(), &arguments)?;
        let (start, mut candidates) = self.complete_text(&format!("{lookup}\""), start, written);
        for candidate in &mut candidates {
            if candidate.insert.contains(' ') {
                candidate.insert = format!("'{}'", candidate.insert);
            }
        }
        Some((start, candidates))
    }
}
