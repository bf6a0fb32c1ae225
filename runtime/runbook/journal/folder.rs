//! The folder of all runs, with a folder for each.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::file;
use super::past::{self, Past};
use crate::run::state_folder;

/// The name of the journal in the folder of a run.
const JOURNAL: &str = "journal.jsonl";

/// The name of the copy of the script, for scripts that are in no file.
pub(super) const SCRIPT: &str = "script.rhai";

/// Runs beyond these are removed when a run begins, the oldest first, if they have ended.
const MOST_RUNS: usize = 1000;

/// The folder of all runs: `virhai/runs` in `$XDG_STATE_HOME`, or else in `~/.local/state`. `None` without a home.
pub fn of_all_runs() -> Option<PathBuf> {
    Some(state_folder::path()?.join("runs"))
}

/// The journal in the folder `run`.
pub(super) fn journal_of(run: &Path) -> PathBuf {
    run.join(JOURNAL)
}

/// Makes a folder for a run of the script `name`, and returns its path. Its name begins with the time.
pub(super) fn make(all: &Path, name: &str, now: &Zoned) -> std::io::Result<PathBuf> {
    state_folder::make_private(all)?;
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let stem: String = stem
        .to_string_lossy()
        .chars()
        .map(|letter| match letter.is_ascii_alphanumeric() {
            true => letter.to_ascii_lowercase(),
            false => '-',
        })
        .take(40)
        .collect();
    let first = format!(
        "{}-{}",
        now.strftime("%Y%m%d-%H%M%S-%3f"),
        stem.trim_matches('-')
    );
    for number in 1.. {
        let name = match number {
            1 => first.clone(),
            number => format!("{first}-{number}"),
        };
        let path = all.join(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(path),
        }
    }
    unreachable!("there is always a free number")
}

/// Removes the oldest runs if there are too many. A run that cannot be removed stays.
pub(super) fn make_room(all: &Path) {
    let runs = names(all);
    let beyond = (runs.len() + 1).saturating_sub(MOST_RUNS);
    for run in runs.iter().take(beyond) {
        let path = all.join(run);
        if read(&path).is_ok_and(|(past, alive)| !alive && past.end.is_some()) {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// The names of all runs, the oldest first.
pub(super) fn names(all: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(all).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| journal_of(&entry.path()).exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// The run in the folder `path`, and whether its process is alive.
pub(super) fn read(path: &Path) -> Result<(Past, bool), String> {
    let journal = journal_of(path);
    let alive = !file::is_free(&journal).map_err(|error| error.to_string())?;
    let bytes = file::read_own(&journal).map_err(|error| error.to_string())?;
    Ok((Past::read(&bytes[..past::whole(&bytes)])?, alive))
}
