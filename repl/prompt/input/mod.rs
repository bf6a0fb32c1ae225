//! Reads inputs from the terminal: completion, hints, colours, keys.

mod command_line;
mod complete_input;
mod completer;
mod highlighter;
mod hinter;
mod inputrc;
mod keys;
pub(super) mod outside;
mod plain;
mod surroundings;
mod virsh_line;

use std::io::IsTerminal;
use std::sync::Arc;

use rhai::{AST, Engine, Scope};
use rustyline::config::BellStyle;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, EditMode, Editor, Helper};
use virhai::catalog::Catalog;
use virhai::completion::Completer;

use super::commands::is_command;
use crate::args::Options;
use crate::signals::Asked;
use highlighter::Shown;
use keys::Keys;
use surroundings::Known;

/// The number of candidates that are listed without a question.
const MANY: usize = 200;

/// The editor's view of the language and of the session.
pub(super) struct Input {
    parser: Engine,
    completer: Completer,
    known: Known,
    keys: Arc<Keys>,
    shown: Shown,
    /// Whether to use colour.
    colors: bool,
    /// The prompt text.
    prompt: String,
    /// Names of the hosts and groups in the list of hosts.
    fleet: Vec<String>,
}

impl Helper for Input {}

/// An editor for a session with these options.
pub(super) fn editor(options: &Options) -> rustyline::Result<Editor<Input, FileHistory>> {
    let mode = if options.vi || inputrc::wants_vi() {
        EditMode::Vi
    } else {
        EditMode::Emacs
    };
    let config = Config::builder()
        .max_history_size(10_000)?
        .history_ignore_dups(true)?
        .auto_add_history(false)
        .edit_mode(mode)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(MANY)
        .bell_style(BellStyle::None)
        // The highlighter keeps the rows right without colours too.
        .color_mode(ColorMode::Forced)
        .build();
    let mut editor = Editor::with_config(config)?;
    let keys = Arc::<Keys>::default();
    keys::bind(&mut editor, &keys);
    let mut input = Input::new(keys);
    let hosts = options.project.fleet.hosts().iter();
    input.fleet = hosts
        .flat_map(|host| host.groups.iter().chain([&host.name]))
        .cloned()
        .collect();
    input.fleet.sort();
    input.fleet.dedup();
    input.colors = match options.color {
        clap::ColorChoice::Always => true,
        clap::ColorChoice::Never => false,
        clap::ColorChoice::Auto => {
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            std::io::stdout().is_terminal() && !forbidden
        }
    };
    editor.set_helper(Some(input));
    Ok(editor)
}

/// True if inputs are read without an editor, since the terminal supports only lines.
pub(super) fn is_plain() -> bool {
    plain::is_needed()
}

/// Reads an input, which the user may write in an external editor.
pub(super) fn read(
    editor: &mut Editor<Input, FileHistory>,
    prompt: &str,
    asked: &Asked,
) -> rustyline::Result<String> {
    if plain::is_needed() {
        let complete = |text: &str| editor.helper().is_none_or(|input| input.is_complete(text));
        asked.take_press();
        return plain::read(prompt, complete, || asked.take_press());
    }
    if let Some(input) = editor.helper_mut() {
        prompt.clone_into(&mut input.prompt);
    }
    let mut text = editor.readline(prompt)?;
    while editor
        .helper()
        .is_some_and(|input| input.keys.goes_outside())
    {
        match outside::edit(&text) {
            Ok(edited) => text = edited,
            Err(error) => eprintln!("error: cannot edit the input: {error}"),
        }
        text = editor.readline_with_initial(prompt, (&text, ""))?;
    }
    Ok(text)
}

impl Input {
    fn new(keys: Arc<Keys>) -> Self {
        Self {
            parser: virhai::engine::parser(),
            completer: Completer::default(),
            known: Known::default(),
            keys,
            shown: Shown::default(),
            colors: false,
            prompt: String::new(),
            fleet: Vec::new(),
        }
    }

    /// Records the state after the inputs so far: variables, functions of `engine`, and the import statements.
    pub(super) fn learn(&mut self, scope: &Scope, engine: &Arc<Engine>, imported: &AST) {
        self.known.learn(scope, engine, imported);
    }

    /// The catalogue of all functions, including the session's own.
    pub(super) fn catalog(&self) -> &Catalog {
        self.known.catalog()
    }

    /// True if `text` is Rhai without mistakes.
    pub(super) fn compiles(&self, text: &str) -> bool {
        self.parser.compile(text).is_ok()
    }

    pub(super) fn is_complete(&self, text: &str) -> bool {
        is_command(text) || complete_input::is_complete(&self.parser, text)
    }
}

impl Validator for Input {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if self.is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}
