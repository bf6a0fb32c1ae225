//! The person at the terminal, whom a script can ask.

/// Asks a person, from several threads at the same time.
pub trait Person: Send + Sync {
    /// Asks `question` and waits for a line.
    fn ask(&self, question: &str) -> Answer;

    /// True if the user has agreed to every `confirm` with `--yes`.
    fn has_agreed(&self) -> bool;

    /// The name of the user.
    fn name(&self) -> String;
}

/// The result of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A line, without its end.
    Line(String),
    /// There is no terminal, or its input has ended.
    Nobody,
    /// The script was stopped meanwhile.
    Stopped,
}

/// True if `answer` means yes.
pub fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// No person is present.
pub(crate) struct Absent;

impl Person for Absent {
    fn ask(&self, _question: &str) -> Answer {
        Answer::Nobody
    }

    fn has_agreed(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        String::new()
    }
}
