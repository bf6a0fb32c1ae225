//! The text of a script, with the beginnings of its lines: a place in it is found without reading all before it.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use rhai::Position;

use crate::syntax::source;

/// The distance between two indexed places of a long line, in characters.
const STEP: usize = 256;

/// A text that is cheap to copy.
#[derive(Debug, Clone, Default)]
pub struct Text(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    text: String,
    lines: OnceLock<Vec<Line>>,
}

#[derive(Debug)]
struct Line {
    begin: usize,
    /// The bytes at which every [`STEP`]th character begins; empty where each character is one byte.
    steps: Vec<usize>,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::new(Inner {
            text: text.to_owned(),
            lines: OnceLock::new(),
        }))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl Text {
    fn lines(&self) -> &[Line] {
        self.0.lines.get_or_init(|| {
            let mut begin = 0;
            self.split_inclusive('\n')
                .map(|line| {
                    let steps = match line.is_ascii() {
                        true => Vec::new(),
                        false => line
                            .char_indices()
                            .step_by(STEP)
                            .map(|(at, _)| at)
                            .collect(),
                    };
                    let line_begin = begin;
                    begin += line.len();
                    Line {
                        begin: line_begin,
                        steps,
                    }
                })
                .collect()
        })
    }

    /// The byte at which the line `number`, counted from 1, begins, and the line without its end.
    pub fn line(&self, number: usize) -> Option<(usize, &str)> {
        let index = number.checked_sub(1)?;
        let Some(line) = self.lines().get(index) else {
            // Behind a line feed at the end there is one more line.
            let last = index == self.lines().len() && (self.is_empty() || self.ends_with('\n'));
            return last.then_some((self.len(), ""));
        };
        let end = self
            .lines()
            .get(index + 1)
            .map_or(self.len(), |next| next.begin);
        let text = &self[line.begin..end];
        Some((line.begin, text.strip_suffix('\n').unwrap_or(text)))
    }

    /// The byte within the line `number` at which its character `column`, counted from 0, begins; its end where it
    /// is shorter.
    pub fn column(&self, number: usize, column: usize) -> usize {
        let Some((_, text)) = self.line(number) else {
            return 0;
        };
        let known = self.lines().get(number - 1);
        let at = match known.map(|line| &line.steps[..]) {
            None | Some([]) => column,
            Some(steps) => {
                let step = (column / STEP).min(steps.len() - 1);
                let begin = steps[step].min(text.len());
                let rest = column - step * STEP;
                let within = text[begin..].char_indices().nth(rest);
                within.map_or(text.len(), |(at, _)| begin + at)
            }
        };
        at.min(text.len())
    }

    /// The number of characters of the token at `position`; Rhai gives only its first one.
    pub fn token_width(&self, position: Position) -> usize {
        let (Some(line), Some(column)) = (position.line(), position.position()) else {
            return 0;
        };
        let Some((_, text)) = self.line(line) else {
            return 0;
        };
        source::token_at(&text[self.column(line, column.saturating_sub(1))..])
    }
}

#[cfg(test)]
mod tests {
    use rhai::Position;

    use super::Text;

    #[test]
    fn places_are_those_that_counting_finds() {
        let long: String = "aü漢".repeat(300);
        let text = Text::from(format!("let a = 1;\n\n{long}\nlast").as_str());
        let lines: Vec<&str> = text.split('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let (begin, found) = text.line(index + 1).expect("there is such a line");
            assert_eq!(found, *line);
            assert_eq!(&text[begin..begin + line.len()], *line);
            for column in 0..line.chars().count() + 2 {
                let counted = line
                    .char_indices()
                    .nth(column)
                    .map_or(line.len(), |(at, _)| at);
                assert_eq!(text.column(index + 1, column), counted, "{index}:{column}");
            }
        }
        assert_eq!(text.line(lines.len() + 1), None);
        assert_eq!(text.line(0), None);
        assert_eq!(Text::from("a\n").line(2), Some((2, "")));
        assert_eq!(Text::from("").line(1), Some((0, "")));
        assert_eq!(text.token_width(Position::new(1, 5)), 1);
        assert_eq!(text.token_width(Position::new(4, 1)), 4);
    }
}
