//! What a line that begins with `:` does, and `x?`.

mod files;
mod help;
mod hosts;
mod switches;
mod values;

use super::Prompt;

/// A command of the prompt's.
pub(super) struct Command {
    /// Its name, with the colon.
    pub(super) name: &'static str,
    /// What may stand behind it.
    pub(super) arguments: &'static str,
    /// What it does, in a line.
    pub(super) about: &'static str,
    run: fn(&mut Prompt, &str) -> Done,
}

/// A status that ends the session, or why the command cannot be done.
type Done = Result<Option<u8>, String>;

/// Every command, in the order in which `:help` lists them.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: ":help",
        arguments: "[NAME]",
        about: "what a name means; also `NAME?`",
        run: help::help,
    },
    Command {
        name: ":methods",
        arguments: "EXPR",
        about: "what can be called on a value",
        run: help::methods,
    },
    Command {
        name: ":json",
        arguments: "[EXPR]",
        about: "a value as JSON, without EXPR the last one",
        run: values::json,
    },
    Command {
        name: ":xml",
        arguments: "[EXPR]",
        about: "the XML of an object",
        run: values::xml,
    },
    Command {
        name: ":time",
        arguments: "EXPR",
        about: "how long something takes",
        run: values::time,
    },
    Command {
        name: ":connect",
        arguments: "[URI [ro]]",
        about: "opens another host; lists the open ones",
        run: hosts::connect,
    },
    Command {
        name: ":switch",
        arguments: "NAME",
        about: "makes `conn` another one of the connections",
        run: hosts::switch,
    },
    Command {
        name: ":reconnect",
        arguments: "",
        about: "opens the current host again",
        run: hosts::reconnect,
    },
    Command {
        name: ":disconnect",
        arguments: "[NAME]",
        about: "closes a connection, without NAME the current one",
        run: hosts::disconnect,
    },
    Command {
        name: ":top",
        arguments: "",
        about: "what the guests take of the host, live",
        run: hosts::top,
    },
    Command {
        name: ":history",
        arguments: "",
        about: "this session's inputs and their numbers",
        run: files::history,
    },
    Command {
        name: ":save",
        arguments: "FILE",
        about: "writes what ran as a runbook; `:save!` over another",
        run: files::save,
    },
    Command {
        name: ":load",
        arguments: "FILE",
        about: "runs a file as if it were typed",
        run: files::load,
    },
    Command {
        name: ":edit",
        arguments: "[FILE]",
        about: "runs the last input, or a file, edited with $EDITOR",
        run: files::edit,
    },
    Command {
        name: ":confirm",
        arguments: "on|off",
        about: "whether to ask before something is destroyed",
        run: switches::confirm,
    },
    Command {
        name: ":events",
        arguments: "on|off",
        about: "whether to tell what happens on the hosts",
        run: switches::events,
    },
    Command {
        name: ":pager",
        arguments: "on|off",
        about: "whether $PAGER shows what is longer than the screen",
        run: switches::pager,
    },
    Command {
        name: ":quit",
        arguments: "",
        about: "ends the session, as Ctrl-D does",
        run: |_, _| Ok(Some(crate::run::DONE)),
    },
];

/// Whether `text` is for the prompt itself, and no Rhai.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with(':') || asked(text).is_some()
}

/// The name in `name?` or `?name`.
fn asked(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = text
        .strip_prefix('?')
        .or_else(|| text.strip_suffix('?'))?
        .trim();
    let is_name = |letter: char| letter.is_alphanumeric() || "_.:$".contains(letter);
    name.chars().all(is_name).then_some(name)
}

impl Prompt {
    /// Does what a command asks for; a status means the end.
    pub(super) fn command(&mut self, text: &str) -> Option<u8> {
        let done = match asked(text) {
            Some(name) => help::help(self, name),
            None => self.named_command(text.trim()),
        };
        match done {
            Ok(status) => status,
            Err(message) => {
                eprintln!("error: {message}");
                None
            }
        }
    }

    fn named_command(&mut self, text: &str) -> Done {
        let (name, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // `:save!` is `:save` that means it.
        let (plain, arguments) = match name.strip_suffix('!') {
            Some(plain) => (plain, format!("! {}", arguments.trim())),
            None => (name, arguments.trim().to_owned()),
        };
        (find(plain)?.run)(self, arguments.trim())
    }
}

/// The command `name`, which may be cut short as long as it is clear.
fn find(name: &str) -> Result<&'static Command, String> {
    if let Some(exact) = COMMANDS.iter().find(|command| command.name == name) {
        return Ok(exact);
    }
    let mut fitting = COMMANDS
        .iter()
        .filter(|command| name.len() > 1 && command.name.starts_with(name));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => Err(format!(
            "`{name}` may be `{}` or `{}`",
            one.name, other.name
        )),
        (None, _) => {
            let names = COMMANDS.iter().map(|command| command.name);
            Err(match virhai::suggest::nearest(name, names) {
                Some(near) => format!("there is no command `{name}`; did you mean `{near}`?"),
                None => format!("there is no command `{name}`; `:help` lists them"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, asked, find, is_command};

    #[test]
    fn what_is_for_the_prompt_is_told_from_rhai() {
        for command in [
            ":help",
            "  :save x",
            "dom?",
            "? VIR_DOMAIN_RUNNING",
            "dom.create?",
            "?",
        ] {
            assert!(is_command(command), "{command}");
        }
        for code in ["dom", "a?.b", "a ?? b", "\"really?\"", "f()?"] {
            assert!(!is_command(code), "{code}");
        }
        assert_eq!(asked("dom.create ?"), Some("dom.create"));
    }

    #[test]
    fn commands_may_be_cut_short_and_misspelt() {
        assert_eq!(find(":hist").map(|command| command.name), Ok(":history"));
        let near = find(":conect").map(|command| command.name);
        assert_eq!(
            near,
            Err("there is no command `:conect`; did you mean `:connect`?".into())
        );
        assert!(find(":con").is_err(), "`:connect` or `:confirm`");
        assert!(find(":").is_err());
    }

    #[test]
    fn the_list_of_commands_fits_a_terminal() {
        for command in COMMANDS {
            assert!(command.name.starts_with(':'));
            let line = command.about.len() + ":connect [URI [ro]]".len() + 4;
            assert!(line < 80, "{}", command.about);
        }
    }
}
