//! The folder of all runs, with a folder for each.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Zoned};
use serde::Deserialize;

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
    let beyond = (names(all).len() + 1).saturating_sub(MOST_RUNS);
    if beyond == 0 {
        return;
    }
    for run in in_order(all).iter().take(beyond) {
        let path = all.join(run);
        if let (Ok(past), false) = read(&path)
            && past.end.is_some()
        {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// The names of all runs, the oldest first. Their names have local times, so the order is not that of the names.
pub(super) fn in_order(all: &Path) -> Vec<String> {
    let mut names = names(all);
    names.sort_by_cached_key(|name| (began(&all.join(name)), name.clone()));
    names
}

fn names(all: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(all).into_iter().flatten().flatten();
    entries
        .filter(|entry| journal_of(&entry.path()).exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// The time when the run in the folder `path` began: the one in its journal, or else that of the folder, which changes
/// only when files are added to it.
pub(super) fn began(path: &Path) -> Option<Timestamp> {
    /// The part of a first record that all formats have.
    #[derive(Deserialize)]
    struct First {
        time: Timestamp,
    }
    let first = file::first_line(&journal_of(path)).ok();
    let recorded = first.and_then(|line| serde_json::from_slice::<First>(&line).ok());
    recorded.map(|first| first.time).or_else(|| {
        let changed = std::fs::metadata(path).ok()?.modified().ok()?;
        changed.try_into().ok()
    })
}

/// The run in the folder `path`, and whether its process is alive.
pub(super) fn read(path: &Path) -> (Result<Past, String>, bool) {
    let journal = journal_of(path);
    let (past, free) = (file::read_own(&journal), file::is_free(&journal));
    let past = past
        .map_err(|error| error.to_string())
        .and_then(|bytes| Past::read(&bytes[..past::whole(&bytes)]));
    (past, free.is_ok_and(|free| !free))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::{Timestamp, ToSpan};

    use super::{began, in_order, journal_of};

    /// Makes a run whose journal is `text`.
    fn run(all: &Path, name: &str, text: &str) {
        std::fs::create_dir(all.join(name)).expect("it is a new name");
        std::fs::write(journal_of(&all.join(name)), text).expect("there is room");
    }

    #[test]
    fn runs_are_in_the_order_in_which_they_began_in_any_time_zone() {
        let folder = tempfile::tempdir().expect("there is room");
        let all = folder.path();
        let (now, newer) = (Timestamp::now(), Timestamp::now() + 1.hour());
        // The newer run has the earlier local time in its name, and a format of the future.
        let first = |time| format!("{{\"record\":\"run\",\"format\":9,\"time\":\"{time}\"}}\n");
        run(all, "20261128-120000-000-first", &first(now - 1.hour()));
        run(all, "20261128-040000-000-second", &first(newer));
        // The folder of a damaged journal is from now.
        run(all, "20200101-000000-000-damaged", "{\"rec");
        let order = [
            "20261128-120000-000-first",
            "20200101-000000-000-damaged",
            "20261128-040000-000-second",
        ];
        assert_eq!(in_order(all), order);
        assert_eq!(began(&all.join(order[2])), Some(newer));
        assert_eq!(began(&all.join("missing")), None);
    }
}
