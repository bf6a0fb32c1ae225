//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use super::Args;

/// The command line, with `run` inserted before the file of a script, and `--` before the arguments of `--eval`. Without
/// these, clap would read the file or the first argument as a command. `declares` tells whether an option after the file of a
/// script is the script's; `--` before it keeps clap from reading it as an option of virhai.
pub(crate) fn insert_run_subcommand(
    mut line: Vec<OsString>,
    declares: &dyn Fn(&OsStr, &str) -> bool,
) -> Vec<OsString> {
    let command = Args::command();
    let by_name = |name: &str| {
        command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
    };
    let by_letter = |letter| {
        command
            .get_arguments()
            .find(|argument| argument.get_short() == Some(letter))
    };
    let (mut code, mut runs) = (false, false);
    let mut index = 1;
    while let Some(word) = line.get(index).and_then(|word| word.to_str()) {
        let mut skipped = 1;
        // Clap would read code such as `list` as the command `list`.
        if ["-e", "--eval"].contains(&word)
            && let Some(next) = line.get(index + 1).and_then(|next| next.to_str())
            && command.find_subcommand(next).is_some()
        {
            let joined = format!("--eval={next}");
            line.splice(index..index + 2, [joined.into()]);
            code = true;
        } else if word == "--" {
            break;
        } else if let Some(option) = word.strip_prefix("--") {
            let (name, value) = option
                .split_once('=')
                .map_or((option, None), |(name, value)| (name, Some(value)));
            code |= name == "eval";
            if value.is_none() && by_name(name).is_some_and(takes_value) {
                skipped = 2;
            }
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let valued = letters
                .char_indices()
                .find(|(_, letter)| by_letter(*letter).is_some_and(takes_value));
            if let Some((at, letter)) = valued {
                code |= letter == 'e';
                skipped += usize::from(at + letter.len_utf8() == letters.len());
            }
        } else if word == "run" && !runs {
            runs = true;
        } else {
            match !runs && command.find_subcommand(word).is_some() {
                true => {}
                // Programs with commands have these two.
                false if !runs && !code && word == "help" && !Path::new(word).exists() => {
                    line.remove(index);
                    line.push("--help".into());
                }
                false if !runs && !code && word == "version" && !Path::new(word).exists() => {
                    line[index] = "--version".into();
                }
                false if code => line.insert(index, "--".into()),
                false => {
                    spell_out_file(&mut line, index, runs);
                    let file = if runs { index } else { index + 1 };
                    let width = |word: &str| width(&command, word);
                    spell_out_arguments(&mut line, file, &width, declares);
                }
            }
            break;
        }
        index += skipped;
    }
    line
}

/// Puts `run` before the file at `index`, unless it `runs` already, and `--` between it and a question for help, which
/// is the script's own.
fn spell_out_file(line: &mut Vec<OsString>, mut index: usize, runs: bool) {
    if !runs {
        line.insert(index, "run".into());
        index += 1;
    }
    let next = line.get(index + 1);
    if next.is_some_and(|next| next == "--help" || next == "-h") {
        line.insert(index + 1, "--".into());
    }
}

/// Puts `--` before the first word after the `file` that is for the script: clap would look for options of virhai there.
/// These can stand directly after the file unless they are the script's own.
fn spell_out_arguments(
    line: &mut Vec<OsString>,
    file: usize,
    width: &dyn Fn(&str) -> Option<usize>,
    declares: &dyn Fn(&OsStr, &str) -> bool,
) {
    let is_for_script = |word: &str| {
        let name = word.strip_prefix("--").unwrap_or(word).split('=').next();
        name.is_none_or(|name| declares(&line[file], name))
    };
    let mut index = file + 1;
    while let Some(word) = line.get(index).and_then(|word| word.to_str())
        && let Some(width) = width(word).filter(|_| !is_for_script(word))
    {
        index += width;
    }
    if line.get(index).is_some_and(|word| word != "--") {
        line.insert(index, "--".into());
    }
}

/// The number of words that the option `word` takes together with its value, if each command of virhai has this option.
fn width(command: &Command, word: &str) -> Option<usize> {
    let known = |is_it: &dyn Fn(&Arg) -> bool| {
        let found = command.get_arguments().find(|argument| is_it(argument));
        found.filter(|argument| argument.is_global_set())
    };
    if let Some(option) = word.strip_prefix("--") {
        let name = option.split('=').next()?;
        let argument = known(&|argument| argument.get_long() == Some(name))?;
        let is_separate = takes_value(argument) && !option.contains('=');
        return Some(1 + usize::from(is_separate));
    }
    let letters = word
        .strip_prefix('-')
        .filter(|letters| !letters.is_empty())?;
    for (at, letter) in letters.char_indices() {
        let argument = known(&|argument| argument.get_short() == Some(letter))?;
        if takes_value(argument) {
            let is_separate = at + letter.len_utf8() == letters.len();
            return Some(1 + usize::from(is_separate));
        }
    }
    Some(1)
}

fn takes_value(argument: &Arg) -> bool {
    let values = argument.get_num_args();
    argument.get_action().takes_values() && values.is_none_or(|values| values.min_values() > 0)
}
