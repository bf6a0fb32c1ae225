//! Edits an input in the user's editor.

use std::io::{Error, Result, Write};
use std::path::Path;
use std::process::Command;

/// Opens `text` in `$VISUAL`, `$EDITOR` or vi, and returns the edited text.
pub(in crate::prompt) fn edit(text: &str) -> Result<String> {
    let mut file = tempfile::Builder::new()
        .prefix("input-")
        .suffix(".rhai")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    edit_file(file.path())?;
    // Editors put another file in its place.
    let text = virhai::files::read_script(file.path())?;
    Ok(text.trim_end().to_owned())
}

/// Opens a file in the user's editor.
pub(in crate::prompt) fn edit_file(file: &Path) -> Result<()> {
    // The variables hold commands, arguments and all, which only a shell takes apart.
    let status = Command::new("/bin/sh")
        .args(["-c", "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"", "sh"])
        .arg(file)
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("the editor failed with {status}"))),
    }
}
