//! Inputs with several statements or commands, which run one after another as if they were typed.

use virhai::syntax::lexer;

use super::input::Input;
use super::{Prompt, commands, shell_syntax};

impl Prompt {
    /// The inputs that `text` consists of, if it cannot run as one.
    ///
    /// Text that compiles is one input unless it begins with a command. Lines with a mistake stay one input as well, so
    /// that nothing of them runs.
    pub(super) fn inputs_of(&self, text: &str) -> Option<Vec<String>> {
        let input = self.editor.helper()?;
        let text = text.trim();
        let is_command =
            |text: &str| commands::is_command(text) || self.first_words(text).is_some();
        let inputs = match text.split_once('\n') {
            Some((first, _)) if is_command(first) || !input.compiles(text) => by_line(input, text),
            None if !commands::is_command(text) => {
                let parts = shell_syntax::commands(text);
                let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
                parts.first().filter(|first| is_command(first))?;
                parts
            }
            _ => return None,
        };
        let runs = |text: &String| input.compiles(text) || is_command(text);
        (inputs.len() > 1 && inputs.iter().all(runs)).then_some(inputs)
    }

    /// Runs `inputs` one after another until one fails; a status means the end.
    pub(super) fn take_each(&mut self, inputs: &[String]) -> Option<u8> {
        for (index, text) in inputs.iter().enumerate() {
            self.failed = false;
            if let Some(status) = self.take_one(text) {
                return Some(status);
            }
            self.worker.tell(&mut self.editor);
            let next = inputs.get(index + 1).filter(|_| self.failed);
            if let Some(line) = next.and_then(|next| next.lines().next()) {
                eprintln!("the rest of the input was not run, from `{line}` on");
                return None;
            }
        }
        None
    }
}

/// The inputs that result if the lines of `text` are typed.
fn by_line(input: &Input, text: &str) -> Vec<String> {
    let mut inputs = Vec::new();
    let mut lines = String::new();
    for line in text.lines() {
        lines.push_str(line);
        let has_code = commands::is_command(&lines) || !lexer::code(&lines).is_empty();
        if has_code && input.is_complete(&lines) {
            inputs.push(std::mem::take(&mut lines));
        } else {
            lines.push('\n');
        }
    }
    let rest = lines.trim();
    if !rest.is_empty() && !lexer::code(rest).is_empty() {
        inputs.push(rest.to_owned());
    }
    inputs.iter().map(|text| text.trim().to_owned()).collect()
}
