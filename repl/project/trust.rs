//! The files `virhai.toml` that the user has accepted, each with its accepted content.

use std::fs;
use std::io::Result;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use virhai::{hexadecimal, state_folder};

/// The record that the user accepts the file `path` with the content `text`, if there is a place for it.
fn record(path: &Path, text: &str) -> Option<PathBuf> {
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_bytes());
    hash.update([0]);
    hash.update(text);
    let name = hexadecimal(&hash.finalize());
    Some(state_folder::path()?.join("trusted").join(name))
}

/// True if the user has accepted the file `path` with the content `text`.
pub(super) fn is_given(path: &Path, text: &str) -> bool {
    record(path, text).is_some_and(|record| record.is_file())
}

/// Remembers that the user accepts it.
pub(super) fn give(path: &Path, text: &str) -> Result<()> {
    let nowhere = || std::io::Error::other("neither XDG_STATE_HOME nor HOME is set");
    let record = record(path, text).ok_or_else(nowhere)?;
    if let Some(folder) = record.parent() {
        state_folder::make_private(folder)?;
    }
    fs::write(record, format!("{}\n", path.display()))
}

/// Forgets that the user accepts it; returns false if the user did not accept it.
pub(super) fn take_back(path: &Path, text: &str) -> Result<bool> {
    match record(path, text).map(fs::remove_file) {
        Some(Ok(())) => Ok(true),
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(false),
    }
}
