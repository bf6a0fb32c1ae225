//! Shows long output in a pager.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::{outlet, terminal};

/// Shows `text` in the pager if it is longer than the screen; returns false if the text must still be printed.
pub(super) fn shows(text: &str) -> bool {
    if !std::io::stdout().is_terminal()
        || std::env::var_os("TERM").is_none_or(|term| term == "dumb")
    {
        return false;
    }
    let Some((_, terminal_size::Height(rows))) = terminal_size::terminal_size() else {
        return false;
    };
    if text.lines().count() < usize::from(rows) {
        return false;
    }
    let chosen = std::env::var("PAGER").ok();
    let pager = match chosen.as_deref().map(str::trim) {
        Some("" | "cat") => return false,
        Some(pager) => pager,
        None => "less",
    };
    outlet::drain();
    // `$PAGER` may have arguments, as a shell splits them.
    let started = Command::new("sh")
        .args(["-c", pager])
        .env("LESS", std::env::var("LESS").unwrap_or("FRX".into()))
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else { return false };
    if let Some(mut input) = child.stdin.take() {
        // The pager may end before it has read everything.
        let _ = writeln!(input, "{}", terminal::for_stdout(text));
    }
    // 127: there is no such program.
    child.wait().is_ok_and(|status| status.code() != Some(127))
}
