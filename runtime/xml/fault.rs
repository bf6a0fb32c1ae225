//! Faults of a document, a path, or an edit.

use std::fmt;

use crate::syntax::text::Text;

use crate::run::interrupt::Stop;

/// The reason why a document, a path or an edit is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The fault and its place.
    pub message: String,
    /// The hint, if there is one.
    pub hint: Option<String>,
    /// The byte at which the text stops being XML, so that nothing could be done with it.
    pub at: Option<usize>,
    /// The reason why the work was stopped, if the XML is not wrong.
    pub stop: Option<Stop>,
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            at: None,
            stop: None,
        }
    }

    /// The script is being stopped, or has to be.
    pub fn stopped(why: Stop) -> Self {
        Self {
            stop: Some(why),
            ..Self::new(why.to_string())
        }
    }

    /// The fault of `text` at the byte `at`.
    pub fn malformed(text: &str, at: usize, message: impl fmt::Display) -> Self {
        let (line, column) = place(text, at);
        Self {
            at: Some(at),
            ..Self::new(format!("line {line}, column {column}: {message}"))
        }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The line and the column of the byte `at`, both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    Text::from(text).line_and_column(at)
}
