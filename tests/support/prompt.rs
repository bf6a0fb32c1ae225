//! A prompt on a terminal.

use super::{Host, Run, Scratch, Terminal, TestHost, virhai};

/// The text before an input.
pub const PROMPT: &str = "test> ";

/// A prompt on a host of its own, with a history of its own.
pub struct Prompt {
    pub terminal: Terminal,
    pub host: TestHost,
    pub home: Scratch,
}

impl Prompt {
    /// A prompt on the host with the domain `test`, without colours.
    pub fn open() -> Self {
        Self::on(TestHost::new(), &[("NO_COLOR", "1")])
    }

    /// A prompt on `host`, with these variables in the environment.
    pub fn on(host: TestHost, env: &[(&str, &str)]) -> Self {
        let home = Scratch::new();
        Self {
            terminal: Self::terminal(&host.uri(), &home, env),
            host,
            home,
        }
    }

    /// A terminal with a prompt on `uri`, whose history is below `home`.
    pub fn terminal(uri: &str, home: &Scratch, env: &[(&str, &str)]) -> Terminal {
        Self::started(virhai().arg("-c").arg(uri), uri, home, env)
    }

    /// The same, by a run of the program that connects to `uri`; it runs in `home`.
    pub fn started(run: Run, uri: &str, home: &Scratch, env: &[(&str, &str)]) -> Terminal {
        let mut run = run.env("HOME", home.path("")).folder(home.path(""));
        for (name, value) in env {
            run = run.env(name, value);
        }
        let mut command = run.command();
        command.env_remove("XDG_STATE_HOME").env_remove("INPUTRC");
        let mut terminal = Terminal::start(&command).replacing(uri, "test:///HOST");
        terminal.until("there is a prompt", |screen| {
            screen
                .cursor_line()
                .ends_with(PROMPT.trim_start_matches(char::is_alphabetic).trim_end())
        });
        let text = terminal.screen().text();
        let versions = text.lines().next().unwrap_or_default();
        terminal.replacing(versions, "VERSIONS")
    }

    /// Types a line on an empty screen, and waits until the screen shows `shown` and the prompt
    /// again.
    pub fn answers(&mut self, line: &str, shown: &str) {
        self.drops();
        self.clears();
        self.terminal.types(&format!("{line}\r"));
        let what = format!("it answers {shown:?}");
        self.terminal.until(&what, |screen| {
            below(&screen.text()).contains(shown)
                && screen.cursor().0 > 0
                && screen.cursor_line() == PROMPT.trim_end()
        });
    }

    /// Clears the input: goes to the end of the line and deletes everything before it.
    pub fn drops(&mut self) {
        self.terminal.types("\x05\x15");
    }

    /// Empties the screen.
    pub fn clears(&mut self) {
        self.terminal.types("\x0c");
        self.terminal
            .until("the screen is empty", |screen| screen.cursor().0 == 0);
    }
}

/// The text below the first row, which has the input.
fn below(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}
