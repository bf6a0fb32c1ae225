//! Calls for programs on the machine that runs virhai, if the script has the permission.

mod env;
mod log;
pub(crate) mod of_user;
mod process;
mod run;
mod ssh;

use rhai::{Array, Engine, ImmutableString, NativeCallContext, exported_module};

use crate::api::arguments::{RhaiResultOf, text};
use crate::api::room::ensure_room;
use crate::error::Error;
use crate::error::plain::type_name;
use crate::vocabulary::Declared;

/// The longest command, in bytes: Linux allows no more.
const LONGEST: usize = 2 * 1024 * 1024;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[run::RunOptions::DECLARED, run::RunResult::DECLARED];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(env::functions).into());
    engine.register_global_module(exported_module!(log::functions).into());
    engine.register_global_module(exported_module!(run::functions).into());
    engine.register_global_module(exported_module!(ssh::functions).into());
}

/// The words of a command, of which there is at least one.
fn words(ctx: &NativeCallContext, command: &Array) -> RhaiResultOf<Vec<String>> {
    if command.is_empty() {
        return Err(
            Error::invalid(ctx, "the command is empty; its first word is the program").throw(),
        );
    }
    let texts = command
        .iter()
        .filter_map(|word| word.read_lock::<ImmutableString>());
    let size: usize = texts.map(|word| word.len() + 1).sum();
    if size > LONGEST {
        return Err(Error::invalid(ctx, "the command exceeds the limit of 2 MiB").throw());
    }
    ensure_room(ctx, 2 * size + command.len() * size_of::<String>())?;
    let words = command.iter().enumerate().map(|(index, word)| {
        let Some(word) = word.read_lock::<ImmutableString>() else {
            let message = format!(
                "word {index} of the command is {}, not text",
                type_name(word)
            );
            return Error::refuse(ctx, message, "`value.to_string()` converts a value to text");
        };
        text(ctx, "a word of the command", &word).map(str::to_owned)
    });
    words.collect()
}
