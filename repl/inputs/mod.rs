//! Reads the inputs of a runbook from the command line, the environment, a file or questions.

mod ask;
mod completion;
mod file;
mod options;

use std::collections::HashMap;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};
use rhai::{Dynamic, Map};
use virhai::Imports;
use virhai::redact::SHORTEST as SHORTEST_HIDDEN;
use virhai::runbook::inputs::{self, Inputs};
use virhai::spec::{Key, Step};
use virhai::syntax::lexer;

use crate::args::{Args, Options};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DOES_NOT_COMPILE, DONE, WRONG_USAGE};
use crate::script::{CODE, Script};
use crate::{outlet, question};
pub(crate) use completion::{declares, offered};

/// The fewest bytes of a secret that other values do not contain by accident.
const LEAST_SECRET: usize = 8;

/// Reads the inputs of `script` from its arguments, the environment and the file of inputs, and stores them in `script`. Its
/// other arguments stay. Asks on a terminal for missing inputs. A script without declared inputs does not change.
///
/// # Errors
///
/// The exit status, after all errors were reported or the help was shown.
pub(crate) fn take(options: &Options, imports: &Imports, script: &mut Script) -> Result<(), u8> {
    let declared = Inputs::of(imports, &script.name, &script.text).map_err(|why| {
        Diagnostic::plain(format!(
            "the inputs of {} cannot be read: {why}",
            script.name
        ))
        .report_plain(options);
        DOES_NOT_COMPILE
    })?;
    let Some(declared) = declared else {
        return match help(script) {
            Some(help) => Err(refused(options, &help)),
            None => refuse_unseen(options, script),
        };
    };
    let mut command = options::command(&declared, script);
    let words = std::iter::once(script.name.clone()).chain(script.args.iter().cloned());
    let matches = match command.try_get_matches_from_mut(words) {
        Ok(matches) => matches,
        Err(message) => return Err(refused(options, &message)),
    };
    let mut gathered = Gathered::default();
    gathered.file(&matches, script.recorded.is_some());
    gathered.environment(&declared);
    gathered.command_line(&declared, &matches);
    let changed = gathered.fill_up(&declared, script);
    let is_resumed_with_others = !changed.is_empty();
    let mut wrong = gathered.unreadable();
    wrong.extend(changed);
    wrong.extend(separate_flags(&declared, &matches, script));
    wrong.extend(gathered.faults(&declared));
    let mut missing = declared.missing(&gathered.values);
    // The journal of a run has no secrets: they are given again.
    let secrets = script
        .recorded
        .iter()
        .flat_map(|recorded| &recorded.secrets);
    for name in secrets.filter(|name| !gathered.values.contains_key(name.as_str())) {
        let again = declared.keys().iter().find(|key| key.name == *name);
        missing.extend(again.filter(|again| missing.iter().all(|key| key.name != again.name)));
    }
    if wrong.is_empty() && question::is_possible() {
        for key in missing {
            let value = ask::value(key).map_err(|unanswered| {
                if let Some(why) = unanswered.why {
                    why.report_plain(options);
                }
                unanswered.status
            })?;
            gathered.values.insert(key.name.as_str().into(), value);
        }
    } else {
        wrong.extend(missing.into_iter().map(options::missing));
    }
    if !wrong.is_empty() {
        report(options, script, &wrong, is_resumed_with_others);
        return Err(WRONG_USAGE);
    }
    script.args = matches
        .get_many::<String>(options::REST)
        .map(|rest| rest.cloned().collect())
        .unwrap_or_default();
    warn_of_short_secrets(&declared, &gathered.values);
    script.inputs = Some(declared.filled(gathered.values));
    refuse_unseen(options, script)
}

/// Says which secrets are so short that other values can contain them by accident.
fn warn_of_short_secrets(declared: &Inputs, values: &Map) {
    for key in declared.keys().iter().filter(|key| inputs::is_secret(key)) {
        let name = &key.name;
        let length = values
            .get(name.as_str())
            .map_or(0, |value| value.to_string().len());
        if (1..SHORTEST_HIDDEN).contains(&length) {
            outlet::stderr().line(&format!(
                "note: the secret `{name}` has fewer than {SHORTEST_HIDDEN} bytes: it is not hidden in output, journals and reports"
            ));
        } else if (SHORTEST_HIDDEN..LEAST_SECRET).contains(&length) {
            outlet::stderr().line(&format!(
                "note: the secret `{name}` has fewer than {LEAST_SECRET} bytes: values that contain the same text by accident, such as \
                 names, are hidden and not recorded, and their steps cannot be resumed or undone"
            ));
        }
    }
}

/// Shows the help, or the error in the command line; returns the exit status.
fn refused(options: &Options, message: &clap::Error) -> u8 {
    match Diagnostic::of_usage(message) {
        Some(wrong) => {
            let wrong = match option_of_virhai(message) {
                Some(option) => wrong.with_hint(before_the_script(option)),
                None => wrong,
            };
            wrong.report_plain(options);
            WRONG_USAGE
        }
        None => {
            outlet::stdout().bytes(message.render().to_string().as_bytes());
            DONE
        }
    }
}

/// The help of a script without inputs, if its arguments ask for it and the script does not use them.
fn help(script: &Script) -> Option<clap::Error> {
    let own = script.args.split(|word| word == "--").next()?;
    let option = own.iter().find(|word| *word == "--help" || *word == "-h")?;
    if script.name == CODE || uses_arguments(script) {
        return None;
    }
    let words = [&script.name, option];
    options::without_inputs(script)
        .try_get_matches_from_mut(words)
        .err()
}

/// Refuses the arguments of a script that does not use them: neither virhai nor the script would see them.
fn refuse_unseen(options: &Options, script: &Script) -> Result<(), u8> {
    let option = script.args.iter().find(|word| is_option_of_virhai(word));
    // A script that was changed since its run began may no longer use them.
    let first = script.args.first().filter(|_| script.recorded.is_none());
    let unseen = option.or(first);
    let Some(word) = unseen.filter(|_| !uses_arguments(script)) else {
        return Ok(());
    };
    let message = format!("{} does not use its argument `{word}`", script.name);
    let hint = match (option, &script.inputs, script.name == CODE) {
        (Some(option), ..) => before_the_script(option),
        (None, _, true) => "code reads its arguments from the array `args`".to_owned(),
        (None, None, false) => "a script reads its arguments from the array `args`".to_owned(),
        (None, Some(_), false) => format!("`virhai run {} --help` lists the inputs", script.name),
    };
    Diagnostic::wrong_usage(message)
        .with_hint(hint)
        .report_plain(options);
    Err(WRONG_USAGE)
}

/// True if the script may use its arguments.
fn uses_arguments(script: &Script) -> bool {
    let code = lexer::code(&script.text);
    code.iter()
        .any(|token| token.of(&script.text).contains("args"))
}

fn before_the_script(option: &str) -> String {
    format!("`{option}` is an option of virhai: write it before the script")
}

/// The option of virhai that is among the inputs.
fn option_of_virhai(message: &clap::Error) -> Option<&str> {
    let Some(ContextValue::String(option)) = message.get(ContextKind::InvalidArg) else {
        return None;
    };
    is_option_of_virhai(option).then_some(option.as_str())
}

fn is_option_of_virhai(word: &str) -> bool {
    let Some(option) = word.strip_prefix('-') else {
        return false;
    };
    let option = option.trim_start_matches('-');
    let name = option.split('=').next().unwrap_or(option);
    Args::command().get_arguments().any(|own| {
        let short = own.get_short().map(String::from);
        own.get_long() == Some(name) || short.as_deref() == Some(name)
    })
}

/// Messages about the values of flags that are separate words, as in `--dry false`: without `=`, the flag is true, and the
/// value is an argument of the script.
fn separate_flags(declared: &Inputs, matches: &ArgMatches, script: &Script) -> Vec<String> {
    let flags = declared.keys().iter().filter(|key| inputs::is_flag(key));
    let given =
        flags.filter(|key| matches.value_source(&key.name) == Some(ValueSource::CommandLine));
    let own = script.args.split(|word| word == "--").next();
    let pairs = own.unwrap_or_default();
    let separate = given.filter_map(|key| {
        let option = format!("--{}", inputs::option(key));
        let value = pairs.windows(2).find_map(|pair| match pair {
            [name, value] if *name == option => Some(value),
            _ => None,
        })?;
        let is_value = value.parse::<bool>().is_ok();
        is_value.then(|| format!("`{option} {value}` must be written `{option}={value}`"))
    });
    separate.collect()
}

/// Reports wrong and missing inputs. `changed` is true if inputs of a resumed run have other values than before.
fn report(options: &Options, script: &Script, messages: &[String], changed: bool) {
    let help = match script.recorded {
        Some(_) if changed => {
            "`virhai resume RUN --changed` resumes the run with the new values".to_owned()
        }
        Some(_) => "a resumed run takes missing inputs from the environment".to_owned(),
        None => format!("`virhai run {} --help` lists the inputs", script.name),
    };
    let diagnostic = match messages {
        [message] => Diagnostic::wrong_usage(message.clone()),
        several => {
            let title = format!("{} inputs are wrong or missing", several.len());
            several
                .iter()
                .fold(Diagnostic::wrong_usage(title), |diagnostic, message| {
                    diagnostic.with_note(message.clone())
                })
        }
    };
    diagnostic.with_hint(help).report_plain(options);
}

/// `value` of `key` as the record of a run has it.
fn as_recorded(key: &Key, mut value: Dynamic) -> Option<serde_json::Value> {
    key.fill(&mut value);
    serde_json::to_value(value).ok()
}

/// The given values, each with its source.
#[derive(Default)]
struct Gathered {
    values: Map,
    from: HashMap<String, String>,
    /// Messages about values that cannot be read.
    unreadable: Vec<String>,
}

impl Gathered {
    /// Takes missing values from an earlier attempt. Returns the names of the values that differ now.
    fn fill_up(&mut self, declared: &Inputs, script: &Script) -> Vec<String> {
        let Some(recorded) = &script.recorded else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        for key in declared.keys().iter().filter(|key| !inputs::is_secret(key)) {
            let Some(before) = recorded.values.get(&key.name) else {
                continue;
            };
            match self.values.get(key.name.as_str()) {
                None if before.is_null() => {}
                Some(_) if before.is_null() && !recorded.may_differ => {
                    changed.push(format!("`{}` was not given when the run began", key.name));
                }
                None => {
                    let value = inputs::of_json(before);
                    self.values.insert(key.name.as_str().into(), value);
                }
                Some(now)
                    if !recorded.may_differ
                        && as_recorded(key, now.clone())
                            != as_recorded(key, inputs::of_json(before)) =>
                {
                    changed.push(format!("`{}` was {before} when the run began", key.name));
                }
                Some(_) => {}
            }
        }
        changed
    }

    fn put(&mut self, name: &str, value: Dynamic, from: String) {
        self.values.insert(name.into(), value);
        self.from.insert(name.to_owned(), from);
    }

    /// Reads the file of inputs. A run that `is_recorded` does not need it any more.
    fn file(&mut self, matches: &ArgMatches, is_recorded: bool) {
        let path = matches.try_get_one::<String>(options::FILE);
        let Ok(Some(path)) = path else { return };
        if is_recorded && !Path::new(path).exists() {
            return;
        }
        match file::read(Path::new(path)) {
            Ok(values) => {
                for (name, value) in values {
                    self.put(&name, value, path.clone());
                }
            }
            Err(why) => self
                .unreadable
                .push(format!("cannot read the inputs in {path}: {why}")),
        }
    }

    fn environment(&mut self, declared: &Inputs) {
        for key in declared.keys() {
            let name = options::variable(key);
            match std::env::var(&name) {
                Ok(text) => self.put(&key.name, inputs::line(key, &text), name),
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    self.unreadable.push(format!("{name} is not UTF-8 text"));
                }
            }
        }
    }

    fn command_line(&mut self, declared: &Inputs, matches: &ArgMatches) {
        for key in declared.keys() {
            if matches.value_source(&key.name) != Some(ValueSource::CommandLine) {
                continue;
            }
            let texts: Vec<&str> = matches
                .get_many::<String>(&key.name)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            let option = format!("--{}", inputs::option(key));
            if inputs::is_secret(key) {
                match texts.first().map(|path| file::secret(Path::new(path))) {
                    Some(Ok(text)) => self.put(&key.name, inputs::value(key, &text), option),
                    Some(Err(why)) => self.unreadable.push(format!(
                        "cannot read the input `{}` from the file of {option}: {why}",
                        key.name
                    )),
                    None => {}
                }
                continue;
            }
            let value = match inputs::is_list(key) {
                true => inputs::list(key, texts.into_iter()),
                false => inputs::value(key, texts.last().unwrap_or(&"")),
            };
            self.put(&key.name, value, option);
        }
    }

    fn unreadable(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unreadable)
    }

    /// Messages about wrong values, each with the source of the value.
    fn faults(&self, declared: &Inputs) -> Vec<String> {
        let faults = declared.faults(&self.values).into_iter();
        let told = faults.map(|fault| {
            let name = match fault.path.first() {
                Some(Step::Key(name)) => Some(name),
                _ => None,
            };
            let from = name.and_then(|name| self.from.get(name));
            let from = from.map_or_else(String::new, |from| format!(" (given by {from})"));
            let hint = fault
                .hint
                .map_or_else(String::new, |hint| format!("; {hint}"));
            format!("{}{from}{hint}", fault.message)
        });
        told.collect()
    }
}
