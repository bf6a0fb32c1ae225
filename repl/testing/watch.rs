//! Runs the affected tests again after a change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use notify::{Event, EventKind, RecursiveMode, Watcher};
use virhai::files::is_script;

use super::files::{self, Tests};
use super::run::Runner;
use super::{FAILED, INTERRUPTED, Options, Testing, once};
use crate::diagnostic::Diagnostic;
use crate::output::print_line;

/// The maximum pause within a burst of changes, such as an editor's.
const BURST: Duration = Duration::from_millis(50);

/// Runs all tests, and then after each change those that it touches, until Ctrl-C.
pub(super) fn watch(options: &Options, testing: &Testing, runner: &Runner) -> u8 {
    let (sender, changes) = mpsc::channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Ok(event) = event
            && !matches!(event.kind, EventKind::Access(_))
        {
            let _ = sender.send(event.paths);
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => return failed(options, &error),
    };
    let mut watched = HashSet::new();
    let mut known = Tests::default();
    let mut touched: Option<HashSet<PathBuf>> = None;
    loop {
        if let Ok(found) = files::find(options, &testing.paths) {
            let wanted = found.only(&testing.filter);
            let wanted = match &touched {
                Some(files) => wanted.touched_by(files),
                None => wanted,
            };
            known = found;
            if !wanted.is_empty() {
                once(options, testing, runner, &wanted);
            }
        }
        for folder in folders(testing, &known) {
            if watched.insert(folder.clone())
                && let Err(error) = watcher.watch(&folder, RecursiveMode::Recursive)
            {
                return failed(options, &error);
            }
        }
        if runner.is_stopped() {
            return INTERRUPTED;
        }
        print_line("waiting for a change; Ctrl-C ends");
        let mut files = HashSet::new();
        while files.is_empty() {
            match changes.recv_timeout(BURST) {
                Ok(paths) => files.extend(scripts(paths)),
                Err(RecvTimeoutError::Timeout) if runner.is_stopped() => return INTERRUPTED,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return FAILED,
            }
        }
        while let Ok(paths) = changes.recv_timeout(BURST) {
            files.extend(scripts(paths));
        }
        touched = Some(files);
    }
}

/// The folders in which changes matter.
fn folders(testing: &Testing, tests: &Tests) -> HashSet<PathBuf> {
    let named = testing.paths.iter().map(PathBuf::as_path);
    let here = testing.paths.is_empty().then_some(Path::new("."));
    let imported = tests.imported.iter().flat_map(|(_, files)| files);
    let parents = imported.filter_map(|file| file.parent());
    named
        .chain(here)
        .map(|path| match path.is_file() {
            true => path.parent().unwrap_or(path),
            false => path,
        })
        .chain(parents)
        .filter_map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new(".").canonicalize().ok(),
            false => folder.canonicalize().ok(),
        })
        .collect()
}

fn scripts(paths: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    let scripts = paths.into_iter().filter(|path| is_script(path));
    scripts.map(|path| path.canonicalize().unwrap_or(path))
}

fn failed(options: &Options, error: &notify::Error) -> u8 {
    Diagnostic::plain(format!("cannot watch for changes: {error}")).report_plain(options);
    FAILED
}
