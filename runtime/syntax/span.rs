//! A place in a script for people: a part of one line.

use rhai::Position;
use serde::Serialize;

use crate::syntax::text::Text;

/// A stretch of one line; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The line.
    pub line: usize,
    /// The first character.
    pub column: usize,
    /// The number of characters.
    pub width: usize,
}

impl Span {
    /// The token of `text` that begins at `position`.
    pub fn at(text: &Text, position: Position) -> Self {
        let line = position.line().unwrap_or(1);
        let column = position.position().unwrap_or(1);
        Self {
            line,
            column,
            width: text.token_width(line, column).max(1),
        }
    }
}
