//! Whether what is typed is whole, or goes on in the next line.

use rhai::{Engine, LexError, ParseErrorType};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Helper, Highlighter, Hinter};
use virhai::source::ends_in_comment;

/// The editor's view of the language.
#[derive(Completer, Helper, Highlighter, Hinter)]
pub(super) struct Input {
    parser: Engine,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            parser: virhai::engine::parser(),
        }
    }

    /// Whether more has to come: the parser fails for want of text.
    pub(super) fn is_unfinished(&self, text: &str) -> bool {
        let Err(error) = self.parser.compile(text) else {
            return ends_in_comment(&self.parser, text);
        };
        match error.err_type() {
            ParseErrorType::UnexpectedEOF => true,
            ParseErrorType::BadInput(LexError::UnterminatedString) => !text.ends_with('\n'),
            _ => at_end(text, error.position()),
        }
    }
}

/// Whether `position` is behind the last thing in `text`.
fn at_end(text: &str, position: rhai::Position) -> bool {
    let trimmed = text.trim_end();
    let lines = trimmed.lines().count();
    let last = trimmed.lines().last().unwrap_or_default().chars().count();
    match (position.line(), position.position()) {
        (Some(line), column) => line > lines || (line == lines && column.unwrap_or(0) > last),
        (None, _) => true,
    }
}

impl Validator for Input {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        // An empty line ends any input, so that nobody is caught in one.
        let insists = text.ends_with("\n\n") || text.ends_with("\n");
        let unfinished = !insists && self.is_unfinished(text);
        Ok(if unfinished {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Input;

    #[test]
    fn an_open_block_string_or_call_is_unfinished() {
        let input = Input::new();
        for text in [
            "fn f() {",
            "if true {\n  1;",
            "let x = [1,",
            "conn.lookup_by_name(",
            "let x = `a\nb",
            "1 +",
            "/* open",
        ] {
            assert!(input.is_unfinished(text), "{text:?}");
        }
    }

    #[test]
    fn whole_and_wrong_inputs_are_finished() {
        let input = Input::new();
        for text in [
            "1 + 1",
            "let x = 1;",
            "fn f() { 1 }",
            "let 5 = x",
            ") (",
            "a b c",
            "\"{\"",
        ] {
            assert!(!input.is_unfinished(text), "{text:?}");
        }
    }
}
