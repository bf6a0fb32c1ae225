//! What was typed in earlier sessions.

use std::path::PathBuf;

use rustyline::Editor;
use rustyline::history::FileHistory;

use super::input::Input;

/// Where the history is kept: `$XDG_STATE_HOME/virhai/history`, or below `~/.local/state`.
fn file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("virhai/history"))
}

/// Reads the history; a session without one is a session all the same.
pub(super) fn load(editor: &mut Editor<Input, FileHistory>) {
    if let Some(file) = file() {
        let _ = editor.load_history(&file);
    }
}

/// Keeps an input, at once, so that nothing is lost with the process.
pub(super) fn add(editor: &mut Editor<Input, FileHistory>, text: &str) {
    let _ = editor.add_history_entry(text);
    if let Some(file) = file() {
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.append_history(&file);
    }
}
