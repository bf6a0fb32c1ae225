//! The journal of a run: its steps, its changes, and how to undo them. The journal stays when the process ends.

mod absent;
mod file;
mod folder;
mod past;
mod path;
mod record;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::{Timestamp, Zoned};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::redact;
use crate::run::hexadecimal::hexadecimal;
use crate::run::session::Session;
use crate::script::files;
pub use absent::has_no_journal;
pub(crate) use absent::say_once as say_once_without_journal;
pub(crate) use file::OnDisk;
use file::{NotOpen, Writer};
pub use folder::of_all_runs;
pub(crate) use past::StepKey;
pub use past::{Attempt, Change, Definition, End, Guest, Past, Step, StepState};
pub use record::{Difference, FORMAT, File, Header, Place, Record};

/// The bytes of the largest value of a step.
pub(crate) const LARGEST_VALUE: usize = file::RESERVE / 2;

/// The characters of the longest error as it was reported.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// The journal of the run of a session; copies are the same journal. Its file is made with its first record.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    /// The folder of all runs.
    all: PathBuf,
    /// The text of a script that is in no file.
    script: Option<String>,
    state: Mutex<FileState>,
    /// The next free number of a step or a change.
    next: AtomicU64,
    /// The steps of earlier attempts.
    steps: HashMap<StepKey, Step>,
    /// The changes of earlier attempts.
    changes: Mutex<Vec<Change>>,
    /// True if a step with an unknown effect may be repeated.
    may_repeat: bool,
    /// True if [`Journal::say_once`] was called.
    said: AtomicBool,
    /// True if a step began.
    stepped: AtomicBool,
}

enum FileState {
    /// No record was written yet.
    Unwritten(Box<Header>),
    Open(Writer, PathBuf),
    /// The folder could not be made; why.
    Impossible(String),
}

/// A run that is opened again.
pub struct Reopened {
    /// Its journal.
    pub journal: Journal,
    /// The run so far.
    pub past: Past,
    /// The number of bytes of an incomplete last record that were removed from the journal.
    pub cut: usize,
}

impl Journal {
    /// The journal of a run that begins, with the text of a script that is in no file.
    pub fn begin(all: PathBuf, header: Header, script: Option<String>) -> Self {
        Self(Arc::new(Shared {
            all,
            script,
            state: Mutex::new(FileState::Unwritten(Box::new(header))),
            next: AtomicU64::new(1),
            steps: HashMap::new(),
            changes: Mutex::default(),
            may_repeat: false,
            said: AtomicBool::new(false),
            stepped: AtomicBool::new(false),
        }))
    }

    /// Opens the journal of the run called `name` to continue it. With `may_repeat`, a step whose effect is unknown
    /// may be repeated.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened: the run is alive, or the journal cannot be read.
    pub fn reopen(all: &Path, name: &str, may_repeat: bool) -> Result<Reopened, String> {
        let path = all.join(name);
        let journal = folder::journal_of(&path);
        let before = std::fs::metadata(&journal).map_or(0, |about| about.len());
        let (writer, bytes) = Writer::open(&journal).map_err(|error| match error {
            NotOpen::InUse => format!("the run {name} is still running"),
            NotOpen::Failed(error) => format!("cannot open {}: {error}", journal.display()),
        })?;
        let past = Past::read(&bytes)
            .map_err(|why| format!("cannot read {}: {why}", journal.display()))?;
        let cut = usize::try_from(before).unwrap_or_default();
        let journal = Self(Arc::new(Shared {
            all: all.to_owned(),
            script: None,
            state: Mutex::new(FileState::Open(writer, path)),
            next: AtomicU64::new(past.next),
            steps: past.by_key(),
            changes: Mutex::new(past.changes.clone()),
            may_repeat,
            said: AtomicBool::new(false),
            stepped: AtomicBool::new(false),
        }));
        Ok(Reopened {
            journal,
            cut: cut.saturating_sub(bytes.len()),
            past,
        })
    }

    /// Makes this the journal of `session`.
    pub fn keep_for(&self, session: &Session) {
        session.keep(self.clone());
    }

    /// The journal of `session`, if it has one.
    pub fn of(session: &Session) -> Option<Self> {
        session.kept::<Self>()
    }

    /// The name of the run, if something was recorded.
    pub fn run(&self) -> Option<String> {
        match &*self.state() {
            FileState::Open(_, path) => Some(path.file_name()?.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    /// Makes the journal, if nothing was recorded yet.
    ///
    /// # Errors
    ///
    /// Why it cannot be made.
    pub(crate) fn ensure_made(&self) -> Result<(), String> {
        let mut state = self.state();
        self.ensure_open(&mut state);
        match &*state {
            FileState::Impossible(why) => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// Calls `say`, if this was not called before.
    pub(crate) fn say_once(&self, say: impl FnOnce()) {
        if !self.0.said.swap(true, Ordering::Relaxed) {
            say();
        }
    }

    /// The folder for the locks of this user's runs.
    pub(crate) fn lock_folder(&self) -> PathBuf {
        self.0.all.with_file_name("locks")
    }

    /// A number that no step or change of the run has.
    pub(crate) fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The step of earlier attempts with that key.
    pub(crate) fn earlier(&self, key: &StepKey) -> Option<&Step> {
        self.0.steps.get(key)
    }

    /// True if a step with an unknown effect may be repeated.
    pub(crate) fn may_repeat(&self) -> bool {
        self.0.may_repeat
    }

    /// True if the journal has a change of an earlier attempt that `wanted` selects.
    pub(crate) fn has_change(&self, wanted: impl Fn(&Change) -> bool) -> bool {
        self.0.changes.lock().iter().any(wanted)
    }

    /// Removes and returns the changes of earlier attempts that `wanted` selects, the last first.
    pub(crate) fn take_changes(&self, wanted: impl Fn(&Change) -> bool) -> Vec<Change> {
        let mut changes = self.0.changes.lock();
        let taken = changes.extract_if(.., |change| wanted(change));
        let mut taken: Vec<Change> = taken.collect();
        taken.reverse();
        taken
    }

    /// Writes a record; returns once it is on the disk.
    ///
    /// # Errors
    ///
    /// Why it cannot be written, such as a full disk. Nothing of it is in the journal then.
    pub fn write(&self, record: &Record) -> Result<(), String> {
        self.write_by(record, OnDisk::Now)
    }

    /// Writes a record that is on the disk by then.
    pub(crate) fn write_by(&self, record: &Record, on_disk: OnDisk) -> Result<(), String> {
        self.append(record, on_disk, false)
    }

    /// Waits until the records are on the disk that a change must not overtake.
    pub(crate) fn sync(&self) -> Result<(), String> {
        match &mut *self.state() {
            FileState::Open(writer, path) => {
                writer.sync().map_err(|error| not_written(path, &error))
            }
            FileState::Unwritten(_) | FileState::Impossible(_) => Ok(()),
        }
    }

    /// Writes a record before a change, and makes sure that there is room for the records after it.
    pub(crate) fn write_before(&self, record: &Record) -> Result<(), String> {
        self.append(record, OnDisk::Now, true)
    }

    /// Writes a record such as a note, which a power failure may lose.
    pub(crate) fn write_lightly(&self, record: &Record) {
        if matches!(&*self.state(), FileState::Open(..)) {
            let _ = self.append(record, OnDisk::Lightly, false);
        }
    }

    fn append(&self, record: &Record, on_disk: OnDisk, reserve: bool) -> Result<(), String> {
        if let Record::Begin { .. } = record {
            self.0.stepped.store(true, Ordering::Relaxed);
        }
        let mut state = self.state();
        self.ensure_open(&mut state);
        let (writer, path) = match &mut *state {
            FileState::Open(writer, path) => (writer, path),
            FileState::Impossible(why) => return Err(why.clone()),
            FileState::Unwritten(_) => unreachable!("it was opened above"),
        };
        let mut write = || {
            writer.write(record, on_disk)?;
            match reserve {
                true => writer.reserve(),
                false => Ok(()),
            }
        };
        write().map_err(|error| not_written(path, &error))
    }

    fn ensure_open(&self, state: &mut FileState) {
        let FileState::Unwritten(header) = state else {
            return;
        };
        let mut header = header.clone();
        *state = match self.create(&mut header) {
            Ok((writer, path)) => FileState::Open(writer, path),
            Err(error) => FileState::Impossible(format!(
                "cannot create a journal in {}: {}",
                self.0.all.display(),
                files::reason(&error)
            )),
        };
    }

    fn create(&self, header: &mut Header) -> std::io::Result<(Writer, PathBuf)> {
        folder::make_room(&self.0.all);
        let path = folder::make(&self.0.all, &header.script, &Zoned::now())?;
        header.run = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let made = (|| {
            if let Some(script) = &self.0.script {
                let script = redact::without_kept(script);
                std::fs::write(path.join(folder::SCRIPT), script.as_bytes())?;
            }
            let journal = folder::journal_of(&path);
            let mut writer = Writer::create(&journal).map_err(|error| match error {
                NotOpen::InUse => std::io::Error::other("another process uses it"),
                NotOpen::Failed(error) => error,
            })?;
            writer.write(&Record::Run(header.clone()), OnDisk::Now)?;
            writer.reserve()?;
            Ok(writer)
        })();
        match made {
            Ok(writer) => Ok((writer, path)),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&path);
                Err(error)
            }
        }
    }

    /// Records that this process continues the run.
    ///
    /// # Errors
    ///
    /// Why that cannot be written.
    pub fn resume(&self) -> Result<(), String> {
        self.write(&Record::Resume {
            pid: std::process::id(),
            virhai: crate::run::version::versions().virhai.to_string(),
            time: Timestamp::now(),
        })
    }

    /// True if the run has steps.
    pub fn has_steps(&self) -> bool {
        !self.0.steps.is_empty() || self.0.stepped.load(Ordering::Relaxed)
    }

    /// The run so far, from the journal.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn past(&self) -> Result<Past, String> {
        match &*self.state() {
            FileState::Unwritten(header) => Ok(Past::new((**header).clone())),
            FileState::Open(_, path) => folder::read(path).0,
            FileState::Impossible(why) => Err(why.clone()),
        }
    }

    /// Records the end of the run, if anything was recorded: its exit status, its error in a line, and the error as it was
    /// reported.
    pub fn end(&self, status: u8, error: Option<String>, message: Option<String>) {
        if matches!(&*self.state(), FileState::Open(..)) {
            let error = error.map(|error| redact::hide(&error).into_owned());
            let message = message.map(|message| without_secrets_and_cut(&message));
            let time = Timestamp::now();
            let _ = self.write(&Record::End {
                status,
                error,
                message,
                time,
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, FileState> {
        self.0.state.lock()
    }
}

/// The beginning of `message` without secrets. They are hidden first: a secret that is cut is not recognised.
fn without_secrets_and_cut(message: &str) -> String {
    let hidden = redact::hide(message);
    hidden.chars().take(LONGEST_MESSAGE).collect()
}

fn not_written(folder: &Path, error: &std::io::Error) -> String {
    format!("cannot write the journal in {}: {error}", folder.display())
}

/// A run in the folder of all runs.
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// True if its process is alive.
    pub alive: bool,
    /// The time when it began, if that is known.
    pub began: Option<Timestamp>,
    /// Its state from the journal, or why the journal cannot be read.
    pub past: Result<Past, String>,
}

impl Run {
    /// Its state as a word.
    pub fn state(&self) -> &'static str {
        match &self.past {
            Ok(past) => past.state(self.alive),
            Err(_) => "damaged",
        }
    }
}

/// All runs in the folder `all`, the oldest first.
pub fn runs(all: &Path) -> Vec<Run> {
    let names = folder::in_order(all).into_iter();
    names.map(|name| run(all, name)).collect()
}

/// The run called `name`.
pub fn run(all: &Path, name: String) -> Run {
    let folder = all.join(&name);
    let (past, alive) = folder::read(&folder);
    Run {
        name,
        alive,
        began: folder::began(&folder),
        folder,
        past,
    }
}

/// The names of the runs that `given` means, the oldest first: `last`, a name, or the beginning of names.
pub fn matching(all: &Path, given: &str) -> Vec<String> {
    let mut names = folder::in_order(all);
    match given {
        "last" => names.pop().into_iter().collect(),
        exact if names.iter().any(|name| name == exact) => vec![exact.to_owned()],
        begin => names
            .into_iter()
            .filter(|name| name.starts_with(begin))
            .collect(),
    }
}

/// The text of the script that the run in the folder `run` ran.
pub fn script_of(run: &Path) -> std::io::Result<String> {
    let bytes = file::read_own(&run.join(folder::SCRIPT))?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

/// The file `name` of a script, whose text is `text`.
pub fn file(name: &str, text: &str) -> File {
    File {
        name: name.to_owned(),
        sha256: hexadecimal(&Sha256::digest(text.as_bytes())),
    }
}

/// `value` without secrets, as the journal may hold it.
pub fn without_secrets(mut value: Json) -> Json {
    redact::hide_in_json(&mut value);
    value
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_MESSAGE, without_secrets_and_cut};

    #[test]
    fn a_secret_at_the_end_of_a_long_message_is_hidden() {
        for room in 0..12 {
            let before = "x".repeat(LONGEST_MESSAGE - 10 - room);
            let message = format!("{before} password='sw0rdfish-of-old'");
            assert!(!without_secrets_and_cut(&message).contains("sw0"), "{room}");
        }
    }
}
