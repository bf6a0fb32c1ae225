//! The inputs of this session and their results.

/// An input and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Its number, by which `out(n)` has its value.
    pub(super) number: usize,
    /// The input.
    pub(super) text: String,
    /// Its result.
    pub(super) end: End,
}

/// The ways in which an input ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It ran to its end.
    Ran {
        /// True if it has a value other than `()`, which is then `ans`.
        has_value: bool,
    },
    /// It failed.
    Failed {
        /// The number of bytes of its text that ran before the failure, if they defined variables.
        ran: usize,
    },
}

/// The inputs of a session.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    entries: Vec<Entry>,
}

impl Transcript {
    /// Keeps an input that ran.
    pub(super) fn ran(&mut self, number: usize, text: &str, has_value: bool) {
        self.add(number, text, End::Ran { has_value });
    }

    /// Keeps an input that failed after `ran` bytes of it had left variables.
    pub(super) fn failed(&mut self, number: usize, text: &str, ran: usize) {
        self.add(number, text, End::Failed { ran });
    }

    fn add(&mut self, number: usize, text: &str, end: End) {
        self.entries.push(Entry {
            number,
            text: text.to_owned(),
            end,
        });
    }

    /// The inputs, the first one first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
