//! Checks the rest of a script that has a syntax error.

use std::collections::HashSet;

use rhai::Engine;

use super::{Code, Finding};
use crate::script::imports::Imports;
use crate::script::program::{CompileError, Program};
use crate::syntax::lexer;
use crate::syntax::mending::{Mended, mended};
use crate::syntax::span::Span;
use crate::syntax::text::Text;

/// The maximum number of syntax errors in one script that are worked around.
const MOST_ERRORS: usize = 8;

/// The length of the longest script whose errors are worked around, in bytes: each one is compiled again.
const LONGEST: usize = 256 * 1024;

/// A script without its syntax errors.
pub(super) struct Rest {
    /// The program. Its positions are those of the script.
    pub program: Program,
    /// The names in the statements that were left out.
    left_out: HashSet<String>,
}

impl Rest {
    /// The rest of the script `text`, which does not compile because of `error`; nothing if the errors cannot be worked
    /// around.
    pub(super) fn of(
        engine: &Engine,
        imports: &Imports,
        name: &str,
        text: &str,
        error: CompileError,
    ) -> Option<Self> {
        let mut script = text.to_owned();
        let mut left_out = HashSet::new();
        let mut error = error;
        let mut program = None;
        for _ in 0..MOST_ERRORS {
            if error.import || error.source != name || text.len() > LONGEST {
                break;
            }
            let stopped = Text::from(script.as_str()).byte_at(error.position);
            let stopped = stopped.unwrap_or(script.len());
            let progress = mended(&script, stopped).find_map(|mended| {
                let result = Program::compile(engine, imports, name, &mended.text);
                let is_further = match &result {
                    Ok(_) => true,
                    Err(other) => place(other) > place(&error),
                };
                is_further.then_some((mended, result))
            });
            let Some((Mended { text, names }, result)) = progress else {
                break;
            };
            left_out.extend(names);
            match result {
                Ok(compiled) => {
                    program = Some(compiled);
                    break;
                }
                Err(other) => (script, error) = (text, other),
            }
        }
        // Hints and positions come from the script as it is.
        imports.remember(name, text);
        program.map(|program| Self { program, left_out })
    }

    /// True if `finding`, in the script `text`, can be a consequence of the statements that were left out.
    pub(super) fn is_doubtful(&self, finding: &Finding, text: &Text) -> bool {
        // The statements that were left out may have done something.
        if finding.code == Code::UnusedResult {
            return true;
        }
        let Span {
            line,
            column,
            width,
        } = finding.span;
        let Some((_, content)) = text.line(line) else {
            return true;
        };
        let from = text.column(line, column.saturating_sub(1));
        let to = text.column(line, column.saturating_sub(1) + width);
        let marked = &content[from..to];
        let tokens = lexer::code(marked);
        tokens
            .iter()
            .any(|token| self.left_out.contains(token.of(marked)))
    }
}

/// The line and the column of `error`; an error at the end of the script has no position.
fn place(error: &CompileError) -> (usize, usize) {
    let line = error.position.line().unwrap_or(usize::MAX);
    (line, error.position.position().unwrap_or(usize::MAX))
}
