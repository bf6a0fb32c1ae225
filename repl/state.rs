//! The folder in which virhai keeps what outlives it.

use std::path::PathBuf;

/// `$XDG_STATE_HOME/virhai`, or below `~/.local/state`.
pub(crate) fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("virhai"))
}
