//! Locks on objects of hosts, so that two runs of one user do not work on the same object at the same time.
//!
//! A lock is a locked file. The operating system unlocks it when its process ends, so a lock is never stale.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use crate::run::session::{Lockable, Session};
use crate::run::state_folder;
use crate::run::waiting::Waiting;

/// The interval between two attempts to get a lock of another run.
const LOOK: Duration = Duration::from_millis(100);

/// Time that a run waits for another.
const LONGEST: Duration = Duration::from_secs(600);

/// The owner of a lock.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    run: String,
    pid: u32,
    user: String,
    since: Timestamp,
}

/// The locks of a run; copies are the same.
#[derive(Clone)]
pub(crate) struct Locks(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    /// True if a run waits for another run that uses the object; false if it fails.
    waits: bool,
    /// By the path of the file: the name of an object can change.
    held: Mutex<HashMap<PathBuf, Held>>,
}

/// A lock, until it is dropped.
struct Held {
    path: PathBuf,
    _file: Flock<File>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // A process that opened the file meanwhile notices that it is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Locks {
    /// The locks of a run, as files in `folder`.
    pub(crate) fn new(folder: PathBuf, waits: bool) -> Self {
        Self(Arc::new(Shared {
            folder,
            waits,
            held: Mutex::default(),
        }))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<PathBuf, Held>> {
        self.0.held.lock()
    }

    /// Releases all locks.
    pub(crate) fn release(&self) {
        self.held().clear();
    }

    /// Locks `object` for the run called `run`, unless it has that lock already. Waits for another run.
    ///
    /// # Errors
    ///
    /// Which run holds it. If a lock cannot be made for another reason, this is not an error: the run continues without it.
    pub(crate) fn take(
        &self,
        session: &Session,
        object: &Lockable,
        run: &str,
    ) -> Result<(), String> {
        let path = self
            .0
            .folder
            .join(format!("{}-{}", object.kind, object.uuid));
        let mut waiting = None;
        let until = Instant::now() + LONGEST;
        loop {
            // Held during the attempt: two threads of this run must not take each other's file for that of another run.
            let mut held = self.held();
            if held.contains_key(&path) {
                return Ok(());
            }
            match attempt(&self.0.folder, &path) {
                Ok(Some(mut file)) => {
                    let owner = Owner {
                        run: run.to_owned(),
                        pid: std::process::id(),
                        user: session.person().name(),
                        since: Timestamp::now(),
                    };
                    let _ = write(&mut file, &owner);
                    let own = Held {
                        path: path.clone(),
                        _file: file,
                    };
                    held.insert(path, own);
                    return Ok(());
                }
                Ok(None) => {}
                Err(_) => return Ok(()),
            }
            drop(held);
            let (noun, name) = (object.noun, &object.name);
            let owner = owner(&path);
            if !self.0.waits || Instant::now() >= until {
                return Err(format!("the {noun} `{name}` is in use by {owner}"));
            }
            if session.interrupt().stopping().is_some() {
                return Err(format!(
                    "the script was stopped while it waited for {owner}"
                ));
            }
            waiting.get_or_insert_with(|| {
                Waiting::new(session, || {
                    format!("{owner} to release the {noun} `{name}`")
                })
            });
            std::thread::sleep(LOOK);
        }
    }
}

/// The file at `path`, locked, unless another process has it.
fn attempt(folder: &Path, path: &Path) -> std::io::Result<Option<Flock<File>>> {
    state_folder::make_private(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    let file = options.open(path)?;
    let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => file,
        Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
        Err((_, error)) => return Err(error.into()),
    };
    // The process that had it may have removed it since.
    let same = std::fs::metadata(path).is_ok_and(|now| {
        file.metadata()
            .is_ok_and(|own| (own.dev(), own.ino()) == (now.dev(), now.ino()))
    });
    Ok(same.then_some(file))
}

fn write(file: &mut File, owner: &Owner) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&serde_json::to_vec(owner)?)
}

/// The owner of the lock at `path`, in words.
fn owner(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    match read
        .ok()
        .and_then(|_| serde_json::from_str::<Owner>(&text).ok())
    {
        Some(Owner {
            run,
            pid,
            user,
            since,
        }) => format!("the run {run} (process {pid} of {user}, since {since:.0})"),
        None => "another run".into(),
    }
}
