//! The commands of the prompt: lines that begin with `:`, and `x?`.

mod files;
mod help;
mod hosts;
mod switches;
mod values;

pub(crate) use help::commands as description;

use super::Prompt;
use crate::exit_status::DONE;

/// A status that ends the session, or why the command cannot be done.
type Done = Result<Option<u8>, String>;

/// A command of the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Methods,
    Json,
    Xml,
    Time,
    Connect,
    Switch,
    Reconnect,
    Disconnect,
    Hosts,
    List,
    Top,
    History,
    Save,
    Load,
    Edit,
    Confirm,
    Events,
    Pager,
    Quit,
}

/// An argument of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// The name of something that scripts can call.
    Name,
    /// Rhai, to the end of the line.
    Expression,
    /// The URI of a host.
    Uri,
    /// `ro`.
    ReadOnly,
    /// A variable that holds a connection.
    Connection,
    /// A pattern of hosts of the list of hosts.
    Hosts,
    /// A file.
    File,
    /// The numbers of inputs.
    Inputs,
    /// `on` or `off`.
    Switch,
}

impl Argument {
    /// The word for it in a synopsis.
    fn word(self) -> &'static str {
        match self {
            Self::Name | Self::Connection => "NAME",
            Self::Expression => "EXPR",
            Self::Uri => "URI",
            Self::ReadOnly => "ro",
            Self::Hosts => "HOSTS",
            Self::File => "FILE",
            Self::Inputs => "N-M",
            Self::Switch => "on|off",
        }
    }
}

/// A command: its names, arguments and help.
pub(super) struct Usage {
    /// Its name, with the colon.
    pub(super) name: &'static str,
    /// The arguments that it needs.
    needed: &'static [Argument],
    /// The arguments that may follow.
    optional: &'static [Argument],
    /// Its description, in one line.
    pub(super) about: &'static str,
}

impl Usage {
    /// The arguments in their order.
    pub(super) fn arguments(&self) -> impl Iterator<Item = Argument> {
        self.needed.iter().chain(self.optional).copied()
    }

    /// The syntax of the command.
    pub(super) fn synopsis(&self) -> String {
        let needed = self.needed.iter().map(|argument| argument.word());
        let mut text = std::iter::once(self.name)
            .chain(needed)
            .collect::<Vec<_>>()
            .join(" ");
        for argument in self.optional {
            text.push_str(&format!(" [{}", argument.word()));
        }
        text + "]".repeat(self.optional.len()).as_str()
    }
}

/// Other names of commands.
const ALIASES: &[(&str, Command)] = &[
    (":exit", Command::Quit),
    (":q", Command::Quit),
    (":ls", Command::Connect),
    (":?", Command::Help),
];

impl Command {
    /// Every command, in the order in which `:help` lists them.
    pub(super) const ALL: [Self; 20] = [
        Self::Help,
        Self::Methods,
        Self::Json,
        Self::Xml,
        Self::Time,
        Self::Connect,
        Self::Switch,
        Self::Reconnect,
        Self::Disconnect,
        Self::Hosts,
        Self::List,
        Self::Top,
        Self::History,
        Self::Save,
        Self::Load,
        Self::Edit,
        Self::Confirm,
        Self::Events,
        Self::Pager,
        Self::Quit,
    ];

    /// Its name, its arguments and its description.
    pub(super) fn usage(self) -> Usage {
        use Argument::{Connection, Expression, File, Hosts, Inputs, Name, ReadOnly, Switch, Uri};
        let usage = |name, needed, optional, about| Usage {
            name,
            needed,
            optional,
            about,
        };
        match self {
            Self::Help => usage(":help", &[], &[Name], "explains a name; also `NAME?`"),
            Self::Methods => usage(
                ":methods",
                &[Expression],
                &[],
                "lists the methods of a value",
            ),
            Self::Json => usage(
                ":json",
                &[],
                &[Expression],
                "prints a value as JSON; by default the last value",
            ),
            Self::Xml => usage(":xml", &[], &[Expression], "prints the XML of an object"),
            Self::Time => usage(
                ":time",
                &[Expression],
                &[],
                "measures the time of an expression",
            ),
            Self::Connect => usage(
                ":connect",
                &[],
                &[Uri, ReadOnly],
                "connects to a host; lists the connections",
            ),
            Self::Switch => usage(
                ":switch",
                &[Connection],
                &[],
                "switches `conn` to another connection",
            ),
            Self::Reconnect => usage(":reconnect", &[], &[], "opens the current host again"),
            Self::Disconnect => usage(
                ":disconnect",
                &[],
                &[Connection],
                "closes a connection; by default the current one",
            ),
            Self::Hosts => usage(
                ":hosts",
                &[],
                &[Hosts],
                "shows hosts of the list with their states",
            ),
            Self::List => usage(
                ":list",
                &[],
                &[Hosts],
                "lists the guests of the current host or of HOSTS",
            ),
            Self::Top => usage(
                ":top",
                &[],
                &[Hosts],
                "shows the resources that the guests use, live",
            ),
            Self::History => usage(
                ":history",
                &[],
                &[],
                "lists this session's inputs with numbers",
            ),
            Self::Save => usage(
                ":save",
                &[File],
                &[Inputs],
                "writes the inputs to a script; `:save!` overwrites it",
            ),
            Self::Load => usage(":load", &[File], &[], "runs the lines of a file as inputs"),
            Self::Edit => usage(
                ":edit",
                &[],
                &[File],
                "edits the last input or a file in $EDITOR and runs it",
            ),
            Self::Confirm => usage(
                ":confirm",
                &[Switch],
                &[],
                "turns questions before destructive calls on or off",
            ),
            Self::Events => usage(
                ":events",
                &[Switch],
                &[],
                "turns the messages about events on or off",
            ),
            Self::Pager => usage(
                ":pager",
                &[Switch],
                &[],
                "turns the pager for long values on or off",
            ),
            Self::Quit => usage(":quit", &[], &[], "ends the session, as Ctrl-D does"),
        }
    }

    /// Its name, with the colon.
    pub(super) fn name(self) -> &'static str {
        self.usage().name
    }

    /// The command that is called exactly `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let own = Self::ALL.into_iter().find(|command| command.name() == name);
        let alias = || ALIASES.iter().find(|(alias, _)| *alias == name);
        own.or_else(|| alias().map(|(_, command)| *command))
    }

    /// The command `name`, which may be cut short as long as it is clear.
    fn find(name: &str) -> Result<Self, String> {
        if let Some(exact) = Self::named(name) {
            return Ok(exact);
        }
        let mut fitting = Self::ALL
            .into_iter()
            .filter(|command| name.len() > 1 && command.name().starts_with(name));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (Some(one), Some(other)) => Err(format!(
                "`{name}` may be `{}` or `{}`",
                one.name(),
                other.name()
            )),
            (None, _) => {
                let names = Self::ALL.into_iter().map(Self::name);
                Err(match virhai::suggest::nearest(name, names) {
                    Some(near) => format!("unknown command `{name}`; did you mean `{near}`?"),
                    None => format!("unknown command `{name}`; `:help` lists them"),
                })
            }
        }
    }

    fn run(self, prompt: &mut Prompt, arguments: &str) -> Done {
        let nothing_more = self.usage().arguments().next().is_none();
        if nothing_more && !arguments.is_empty() && !arguments.starts_with('!') {
            return Err(format!("`{}` takes no more arguments", self.name()));
        }
        match self {
            Self::Help => help::help(prompt, arguments),
            Self::Methods => help::methods(prompt, arguments),
            Self::Json => values::json(prompt, arguments),
            Self::Xml => values::xml(prompt, arguments),
            Self::Time => values::time(prompt, arguments),
            Self::Connect => hosts::connect(prompt, arguments),
            Self::Switch => hosts::switch(prompt, arguments),
            Self::Reconnect => hosts::reconnect(prompt),
            Self::Disconnect => hosts::disconnect(prompt, arguments),
            Self::Hosts => hosts::status(prompt, arguments),
            Self::List => hosts::list_guests(prompt, arguments),
            Self::Top => hosts::top(prompt, arguments),
            Self::History => files::history(prompt),
            Self::Save => files::save(prompt, arguments),
            Self::Load => files::load(prompt, arguments),
            Self::Edit => files::edit(prompt, arguments),
            Self::Confirm => switches::confirm(prompt, arguments),
            Self::Events => switches::events(prompt, arguments),
            Self::Pager => switches::pager(prompt, arguments),
            Self::Quit => Ok(Some(DONE)),
        }
    }
}

/// True if `text` is a command of the prompt, and not Rhai.
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
    /// Runs a command; a status ends the prompt.
    pub(super) fn command(&mut self, text: &str) -> Option<u8> {
        let done = match asked(text) {
            Some(name) => help::help(self, name),
            None => self.named_command(text.trim()),
        };
        match done {
            Ok(status) => status,
            Err(message) => {
                self.failed = true;
                super::report(&message);
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
        Command::find(plain)?.run(self, arguments.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, asked, is_command};

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
        assert_eq!(Command::find(":hist"), Ok(Command::History));
        assert_eq!(Command::find(":exit"), Ok(Command::Quit));
        assert_eq!(Command::find(":q"), Ok(Command::Quit));
        let near = Command::find(":conect");
        assert_eq!(
            near,
            Err("unknown command `:conect`; did you mean `:connect`?".into())
        );
        assert!(Command::find(":con").is_err(), "`:connect` or `:confirm`");
        assert!(Command::find(":").is_err());
    }

    #[test]
    fn the_list_of_commands_fits_a_terminal() {
        for command in Command::ALL {
            let usage = command.usage();
            assert!(usage.name.starts_with(':'));
            let line = usage.about.len() + ":connect [URI [ro]]".len() + 4;
            assert!(line < 80, "{}", usage.about);
        }
        assert_eq!(Command::Connect.usage().synopsis(), ":connect [URI [ro]]");
        assert_eq!(Command::Save.usage().synopsis(), ":save FILE [N-M]");
    }
}
