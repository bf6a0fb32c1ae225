//! The command line.

use std::ffi::{OsStr, OsString};

use clap::CommandFactory;

use super::Args;

/// The command line, with `run` inserted before the file of a script, and `--` before the arguments of `--eval`. Without
/// these, clap would read the file or the first argument as a command. `declares` tells whether a script declares an input with
/// an option of that name; `--` before it keeps clap from reading it as an option of virhai.
pub(crate) fn insert_run_subcommand(
    mut line: Vec<OsString>,
    declares: &dyn Fn(&OsStr, &str) -> bool,
) -> Vec<OsString> {
    let command = Args::command();
    let takes_value = |argument: &clap::Arg| {
        let values = argument.get_num_args();
        argument.get_action().takes_values() && values.is_none_or(|values| values.min_values() > 0)
    };
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
                false if code => line.insert(index, "--".into()),
                false => {
                    spell_out_file(&mut line, index, runs);
                    let file = if runs { index } else { index + 1 };
                    let takes_value = |name: &str| by_name(name).map(takes_value);
                    spell_out_inputs(&mut line, file, &takes_value, declares);
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

/// Puts `--` before the first option after the `file` that is both an option of virhai and an input of the script.
fn spell_out_inputs(
    line: &mut Vec<OsString>,
    file: usize,
    takes_value: &dyn Fn(&str) -> Option<bool>,
    declares: &dyn Fn(&OsStr, &str) -> bool,
) {
    let mut index = file + 1;
    while let Some(word) = line.get(index).and_then(|word| word.to_str()) {
        let Some(option) = word.strip_prefix("--") else {
            return;
        };
        let (name, value) = option
            .split_once('=')
            .map_or((option, None), |(name, value)| (name, Some(value)));
        let Some(takes_value) = takes_value(name) else {
            return;
        };
        if declares(&line[file], name) {
            line.insert(index, "--".into());
            return;
        }
        index += if takes_value && value.is_none() { 2 } else { 1 };
    }
}
