//! A program on a terminal of its own, and the screen as a person would see it.
//!
//! Nothing here sleeps: every wait reads the program's output until the screen shows the expected
//! text. Golden screens are waited for in the same way, so a test needs no other sign that the
//! program has finished drawing.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::golden::{golden, rewrite, updates};
use pty_process::blocking::{Command as PtyCommand, Pty, open};

/// Time limit for a screen to show the expected text.
const LONGEST: Duration = Duration::from_secs(20);

/// Time without a change after which a screen becomes a new golden file.
const STILL: Duration = Duration::from_millis(700);

/// A program and its terminal; both end when this value is dropped.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    /// All output of the program.
    written: Vec<u8>,
    /// Texts that differ from run to run, and their replacements in golden files.
    replaced: Vec<(String, String)>,
}

impl Terminal {
    /// Starts `command` on a terminal with 24 rows and 80 columns.
    pub fn start(command: &Command) -> Self {
        Self::sized(command, 24, 80)
    }

    /// Starts `command` on a terminal of that size.
    pub fn sized(command: &Command, rows: u16, columns: u16) -> Self {
        let (pty, slave) = open().expect("there are terminals left");
        pty.resize(pty_process::Size::new(rows, columns))
            .expect("a terminal has a size");
        let child = on_pty(command)
            .spawn(slave)
            .expect("the program can be started");
        let pty = Arc::new(pty);
        let (written, output) = mpsc::channel();
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // On Linux, reading from a terminal that no process has open fails with an error.
            while let Ok(count) = (&*reader).read(&mut buffer)
                && count > 0
                && written.send(buffer[..count].to_vec()).is_ok()
            {}
        });
        let (Some(rows), Some(columns)) = (NonZeroU16::new(rows), NonZeroU16::new(columns)) else {
            panic!("a terminal has rows and columns");
        };
        Self {
            pty,
            child,
            output,
            parser: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Replaces `text` of the screen by `instead` in golden files.
    pub fn replacing(mut self, text: impl Into<String>, instead: &str) -> Self {
        self.replaced.push((text.into(), instead.to_owned()));
        self
    }

    /// Types `keys`: text, `\r` for Enter, `\t` for Tab, `\x03` for Ctrl-C, `\x1b[A` for Up.
    pub fn types(&mut self, keys: &str) {
        (&*self.pty)
            .write_all(keys.as_bytes())
            .expect("the program takes keys");
    }

    /// Resizes the terminal; the program gets a signal.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.pty
            .resize(pty_process::Size::new(rows, columns))
            .expect("a terminal has a size");
        if let (Some(rows), Some(columns)) = (NonZeroU16::new(rows), NonZeroU16::new(columns)) {
            self.parser.set_size(rows, columns);
        }
    }

    /// The process on the terminal.
    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().cast_signed())
    }

    /// True if the terminal echoes typed text.
    pub fn echoes(&self) -> bool {
        use nix::sys::termios::{LocalFlags, tcgetattr};
        let settings = tcgetattr(&*self.pty).expect("it is a terminal");
        settings.local_flags.contains(LocalFlags::ECHO)
    }

    /// Waits until `text` stands on the screen.
    pub fn shows(&mut self, text: &str) {
        self.until(&format!("it shows {text:?}"), |screen| {
            screen.text().contains(text)
        });
    }

    /// Waits until the cursor's row reports that the program waits for `what`.
    pub fn waits_for(&mut self, what: &str) {
        self.until(&format!("it waits for {what:?}"), |screen| {
            let row = screen.cursor_line();
            row.starts_with("waiting ") && row.contains(&format!(" s: {what}"))
        });
    }

    /// Waits until `text` no longer stands on the screen.
    pub fn hides(&mut self, text: &str) {
        self.until(&format!("it no longer shows {text:?}"), |screen| {
            !screen.text().contains(text)
        });
    }

    /// Waits until the row with the cursor is `text`, apart from blanks at its end.
    pub fn line_is(&mut self, text: &str) {
        self.until(&format!("the cursor's row is {text:?}"), |screen| {
            screen.cursor_line() == text.trim_end()
        });
    }

    /// Waits until `done` returns true for the screen; messages describe the goal as `what`.
    pub fn until(&mut self, what: &str, done: impl Fn(&Screen) -> bool) {
        let deadline = Instant::now() + LONGEST;
        while !done(&self.screen()) {
            if !self.read_until(deadline) {
                panic!(
                    "waited in vain until {what}; the screen is\n{}",
                    self.screen().golden()
                );
            }
        }
    }

    /// Waits until the program ends, and returns its exit status.
    pub fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + LONGEST;
        while self.read_until(deadline) {}
        match self.child.try_wait() {
            Ok(Some(status)) => status.code().unwrap_or(-1),
            // The program closes the terminal a moment before the process ends.
            _ if Instant::now() < deadline => {
                let status = self.child.wait().expect("the program can be waited for");
                status.code().unwrap_or(-1)
            }
            _ => panic!(
                "the program goes on; the screen is\n{}",
                self.screen().golden()
            ),
        }
    }

    /// Every byte that the program has written so far.
    pub fn raw(&self) -> &[u8] {
        &self.written
    }

    /// The screen as it is now.
    pub fn screen(&self) -> Screen<'_> {
        Screen {
            screen: self.parser.screen(),
            replaced: &self.replaced,
        }
    }

    /// Waits until the screen is as in `tests/data/screens/NAME.txt`; `UPDATE=1` rewrites it.
    pub fn golden(&mut self, name: &str) {
        self.compare(name, |screen| screen.golden());
    }

    /// The same without the position of the cursor, for screens that show no cursor.
    pub fn golden_text(&mut self, name: &str) {
        self.compare(name, |screen| format!("{}\n", screen.text()));
    }

    /// The same, with the style of each piece of text that is not plain.
    pub fn golden_in_color(&mut self, name: &str) {
        self.compare(name, |screen| {
            format!("{}\n{}", screen.golden(), screen.styles())
        });
    }

    fn compare(&mut self, name: &str, shown: impl Fn(&Screen) -> String) {
        let path = golden_file(name);
        if updates() {
            while self.read_until(Instant::now() + STILL) {}
            return rewrite(&path, &shown(&self.screen()));
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        let deadline = Instant::now() + LONGEST;
        while shown(&self.screen()) != wanted {
            if !self.read_until(deadline) {
                golden(&path, &shown(&self.screen()));
            }
        }
    }

    /// Reads the next output of the program; returns false if there was none until `deadline`, or
    /// if the output has ended.
    fn read_until(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.output.recv_timeout(left) {
            Ok(bytes) => {
                self.parser.process(&bytes);
                self.written.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The content of the terminal.
pub struct Screen<'a> {
    screen: &'a vt100::Screen,
    replaced: &'a [(String, String)],
}

impl Screen<'_> {
    /// The rows, without blanks at their ends and without empty rows at the end.
    pub fn text(&self) -> String {
        let (_, columns) = self.screen.size();
        let rows: Vec<String> = self.screen.rows(0, columns.get()).collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        let mut text = rows.join("\n").trim_end().to_owned();
        for (from, to) in self.replaced {
            text = text.replace(from, to);
        }
        text
    }

    /// The row and the column of the cursor, counted from 0.
    pub fn cursor(&self) -> (u16, u16) {
        self.screen.cursor_position()
    }

    /// The row that the cursor is in, without blanks at its end.
    pub fn cursor_line(&self) -> String {
        let (_, columns) = self.screen.size();
        let row = self
            .screen
            .rows(0, columns.get())
            .nth(self.cursor().0.into());
        row.unwrap_or_default().trim_end().to_owned()
    }

    /// The style of the last place where the screen shows `text` within a row; empty for plain
    /// text.
    pub fn style_of(&self, text: &str) -> String {
        let (rows, columns) = self.screen.size();
        for row in (0..rows.get()).rev() {
            let cells: Vec<String> = (0..columns.get())
                .map(|column| self.letters(row, column))
                .collect();
            for start in (0..cells.len()).rev() {
                if cells[start..].concat().starts_with(text) {
                    return self.style(row, u16::try_from(start).unwrap_or_default());
                }
            }
        }
        panic!("the screen does not show {text:?}\n{}", self.golden());
    }

    /// The content of a golden file: the text, and the position of the cursor.
    fn golden(&self) -> String {
        let (row, column) = self.cursor();
        format!("{}\n[cursor in row {row}, column {column}]\n", self.text())
    }

    /// A line for each piece of text that is not plain: its position, its text, its style.
    fn styles(&self) -> String {
        let (rows, columns) = self.screen.size();
        let mut found = String::new();
        for row in 0..rows.get() {
            let mut column = 0;
            while column < columns.get() {
                let style = self.style(row, column);
                let start = column;
                let mut text = String::new();
                while column < columns.get() && self.style(row, column) == style {
                    text.push_str(&self.letters(row, column));
                    column += 1;
                }
                if !style.is_empty() {
                    let text = text.trim_end();
                    found.push_str(&format!("{row}:{start} {text:?} {style}\n"));
                }
            }
        }
        found
    }

    fn letters(&self, row: u16, column: u16) -> String {
        match self.screen.cell(row, column) {
            Some(cell) if cell.has_contents() => cell.contents().to_owned(),
            Some(cell) if cell.is_wide_continuation() => String::new(),
            _ => " ".into(),
        }
    }

    fn style(&self, row: u16, column: u16) -> String {
        let Some(cell) = self.screen.cell(row, column) else {
            return String::new();
        };
        let color = match cell.fgcolor() {
            vt100::Color::Default => None,
            vt100::Color::Idx(index) => Some(color_name(index)),
            vt100::Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        };
        let background = match cell.bgcolor() {
            vt100::Color::Default => None,
            vt100::Color::Idx(index) => Some(format!("on {}", color_name(index))),
            vt100::Color::Rgb(red, green, blue) => {
                Some(format!("on #{red:02x}{green:02x}{blue:02x}"))
            }
        };
        let marks = [
            (cell.bold(), "bold"),
            (cell.dim(), "dim"),
            (cell.italic(), "italic"),
            (cell.underline(), "underlined"),
            (cell.inverse(), "inverse"),
        ];
        let marks = marks
            .into_iter()
            .filter(|(has, _)| *has)
            .map(|(_, word)| word.to_owned());
        color
            .into_iter()
            .chain(background)
            .chain(marks)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn color_name(index: u8) -> String {
    const NAMES: [&str; 8] = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ];
    match index {
        0..8 => NAMES[usize::from(index)].to_owned(),
        8..16 => format!("bright {}", NAMES[usize::from(index - 8)]),
        _ => format!("color {index}"),
    }
}

/// The golden file of the screen `name`.
fn golden_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/screens/{name}.txt"))
}

/// The same command for a terminal, which becomes its standard input, output and error. It sees
/// nothing of the terminal that the tests run on.
fn on_pty(command: &Command) -> PtyCommand {
    let mut on_pty = PtyCommand::new(command.get_program())
        .args(command.get_args())
        .env_remove("NO_COLOR")
        .env_remove("COLORTERM")
        .env_remove("COLUMNS")
        .env_remove("LINES")
        .env("TERM", "xterm-256color");
    for (name, value) in command.get_envs() {
        on_pty = match value {
            Some(value) => on_pty.env(name, value),
            None => on_pty.env_remove(name),
        };
    }
    match command.get_current_dir() {
        Some(folder) => on_pty.current_dir(folder),
        None => on_pty,
    }
}
