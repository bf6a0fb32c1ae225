//! What is typed, until it is an input: completion, hints, colours, keys.

mod command_line;
mod completer;
mod highlighter;
mod hinter;
mod inputrc;
mod keys;
pub(super) mod outside;
mod plain;
mod surroundings;
mod whole;

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
use highlighter::Shown;
use keys::Keys;
use surroundings::Known;

/// How many candidates are listed without asking.
const MANY: usize = 200;

/// The editor's view of the language and of the session.
pub(super) struct Input {
    parser: Engine,
    completer: Completer,
    known: Known,
    keys: Arc<Keys>,
    shown: Shown,
    /// Whether what is shown can be coloured.
    colors: bool,
    /// How wide the terminal is.
    columns: usize,
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
        .color_mode(match options.color {
            clap::ColorChoice::Always => ColorMode::Forced,
            clap::ColorChoice::Never => ColorMode::Disabled,
            clap::ColorChoice::Auto => ColorMode::Enabled,
        })
        .build();
    let mut editor = Editor::with_config(config.clone())?;
    let keys = Arc::<Keys>::default();
    keys::bind(&mut editor, &keys);
    let mut input = Input::new(keys);
    input.colors = config.color_mode() != ColorMode::Disabled;
    editor.set_helper(Some(input));
    Ok(editor)
}

/// Whether inputs are read without an editor, since the terminal can do nothing but lines.
pub(super) fn is_plain() -> bool {
    plain::is_needed()
}

/// Reads an input, which the user may write in an editor of their own on the way.
pub(super) fn read(
    editor: &mut Editor<Input, FileHistory>,
    prompt: &str,
) -> rustyline::Result<String> {
    if plain::is_needed() {
        let whole = |text: &str| editor.helper().is_none_or(|input| input.is_whole(text));
        return plain::read(prompt, whole);
    }
    let columns = editor.dimensions().map(|(columns, _)| columns);
    if let (Some(columns), Some(input)) = (columns, editor.helper_mut()) {
        input.columns = columns.into();
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
            columns: 80,
        }
    }

    /// Takes note of what the inputs so far left: variables, what `engine` can call, and the
    /// statements that import what was imported.
    pub(super) fn learn(&mut self, scope: &Scope, engine: &Arc<Engine>, imported: &AST) {
        self.known.learn(scope, engine, imported);
    }

    /// All that can be called, the session's own functions among them.
    pub(super) fn catalog(&self) -> &Catalog {
        self.known.catalog()
    }

    fn is_whole(&self, text: &str) -> bool {
        is_command(text) || whole::is_whole(&self.parser, text)
    }
}

impl Validator for Input {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if self.is_whole(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}
