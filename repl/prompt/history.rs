//! The history: inputs of earlier sessions.

use std::fs::{File, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use rustyline::Editor;
use rustyline::history::FileHistory;
use virhai::redact;

use super::input::Input;

/// The file of the history.
fn file() -> Option<PathBuf> {
    Some(virhai::state_folder::path()?.join("history"))
}

/// Reads the history, if it can be read.
pub(super) fn load(editor: &mut Editor<Input, FileHistory>) {
    if let Some(file) = file() {
        let _ = editor.load_history(&file);
    }
}

/// Saves an input at once, so that it survives a crash. Does not save an input with a secret: the secret would be on
/// the disk, and an input without it would set a wrong password when it is run again.
pub(super) fn add(editor: &mut Editor<Input, FileHistory>, text: &str) {
    if redact::has_secret(text) {
        return;
    }
    let _ = editor.add_history_entry(text);
    if let Some(file) = file() {
        make_private(&file);
        let _ = editor.append_history(&file);
    }
}

/// Makes the file, or an older one, private to the user.
fn make_private(file: &Path) {
    let _ = file.parent().map(std::fs::create_dir_all);
    let opened = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(file);
    if let Ok(opened) = opened {
        let _ = opened.set_permissions(Permissions::from_mode(0o600));
    }
}
