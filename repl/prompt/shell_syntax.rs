//! Signs of a shell behind a command of virsh: redirections, pipes, and `;`.

use virhai::catalog::Catalog;
use virhai::syntax::lexer::{self, TokenClass};

use super::first_words::FirstWords;

/// A command, the first sign of a shell behind it, and the text behind the sign.
pub(super) struct Signed<'a> {
    pub(super) command: &'a str,
    sign: &'a str,
    rest: &'a str,
}

/// The text before and behind the first sign of a shell outside quotes.
pub(super) fn split(text: &str) -> Option<Signed<'_>> {
    let start = unquoted(text, &['|', '>', '<', '&']).next()?;
    let signs = text[start..]
        .chars()
        .take_while(|sign| "|>&".contains(*sign));
    let end = start + signs.count().max(1);
    // `2>` redirects messages.
    let command = text[..start].trim_end_matches(['1', '2']);
    let command = match command.ends_with(' ') {
        true => command,
        false => &text[..start],
    };
    Some(Signed {
        command: command.trim(),
        sign: &text[start..end],
        rest: text[end..].trim(),
    })
}

/// The commands that `;` separates.
pub(super) fn commands(text: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut start = 0;
    for at in unquoted(text, &[';']) {
        commands.push(text[start..at].trim());
        start = at + 1;
    }
    commands.push(text[start..].trim());
    commands.retain(|command| !command.is_empty());
    commands
}

/// The places of `signs` outside quotes.
fn unquoted<'a>(text: &'a str, signs: &'a [char]) -> impl Iterator<Item = usize> + 'a {
    let mut quote = None;
    text.char_indices().filter_map(move |(at, letter)| {
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            _ => {}
        }
        (quote.is_none() && signs.contains(&letter)).then_some(at)
    })
}

impl Signed<'_> {
    /// The answer, with the Rhai code for the whole line; `code` is that of the command.
    pub(super) fn answer(&self, code: &str, catalog: &Catalog) -> FirstWords {
        let sign = self.sign;
        let returned = last_call(code).and_then(|name| catalog.named(name).next());
        let returned = returned.map_or_else(String::new, |function| function.returns.to_string());
        let whole = match sign {
            ">" if returned == "string" && !self.rest.is_empty() => {
                Some(format!("write_text({:?}, {code})", self.rest))
            }
            "|" => self.grep().and_then(|pattern| match returned.as_str() {
                "string" => Some(format!(
                    "for line in {code}.split(\"\\n\") {{ if line.contains({pattern:?}) {{ print(line) }} }}"
                )),
                "array of Domain" | "array of Network" | "array of StoragePool" => Some(format!(
                    "{code}.filter(|object| object.name.contains({pattern:?}))"
                )),
                _ => None,
            }),
            _ => None,
        };
        let Some(whole) = whole else {
            let code = code.replacen("conn.", "connect().", 1);
            let rest = self.rest;
            return FirstWords::Tell {
                message: format!(
                    "the prompt has no `{sign}`, so nothing was run; in a shell: `virhai -e {} {sign} {rest}`",
                    quoted(&code)
                ),
                code: None,
            };
        };
        let needs = match whole.starts_with("write_text") {
            true => "; start virhai with `--allow-write FOLDER` for it",
            false => "",
        };
        FirstWords::Tell {
            message: format!(
                "the prompt has no `{sign}`, so nothing was run; `{whole}` does the same{needs}; press Up to edit and run it"
            ),
            code: Some(whole),
        }
    }

    /// The text that `grep TEXT` searches for.
    fn grep(&self) -> Option<String> {
        let words = virhai::advice::virsh::words(self.rest);
        match &words[..] {
            [program, pattern] if program == "grep" && !pattern.starts_with('-') => {
                Some(pattern.clone())
            }
            _ => None,
        }
    }
}

/// The name of the last function that `code` calls, if its value is the value of `code`.
fn last_call(code: &str) -> Option<&str> {
    let tokens = lexer::code(code);
    let mut calls = tokens
        .windows(2)
        .filter(|pair| pair[0].class == TokenClass::Name && pair[1].of(code) == "(");
    let last = calls.next_back()?;
    code.ends_with(')').then(|| last[0].of(code))
}

/// `code` as a word of a shell.
fn quoted(code: &str) -> String {
    format!("'{}'", code.replace('\'', r"'\''"))
}
