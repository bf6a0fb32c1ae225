//! The file of a journal: lines are appended and reach the disk before virhai continues.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, Flock, FlockArg, OFlag, fallocate};
use nix::unistd::Uid;
use serde_json::Value as Json;

use super::record::Record;
use crate::redact;

/// The bytes that are kept free for the records after a change.
pub(super) const RESERVE: usize = 256 * 1024;

/// The texts of a record that virhai writes itself.
const OWN_TEXTS: [&str; 3] = ["record", "time", "run"];

/// The bytes of the longest first line that is read alone.
const LONGEST_HEADER: u64 = 16 * 1024 * 1024;

/// A journal that only this process writes.
pub(super) struct Writer {
    file: Flock<File>,
    length: u64,
    /// True if a record waits for [`Self::sync`].
    waits: bool,
}

/// The time at which a record must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDisk {
    /// Before virhai continues.
    Now,
    /// Before the next change; until then, an earlier record on the disk serves the same purpose.
    BeforeChange,
    /// At any time: it is not needed after a failure of the machine.
    Lightly,
}

/// The reasons why a journal cannot be opened for writing.
pub(super) enum NotOpen {
    /// Another process has it open: the run is alive.
    InUse,
    Failed(std::io::Error),
}

impl From<std::io::Error> for NotOpen {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Writer {
    /// Makes the journal at `path`, which must not exist.
    pub(super) fn create(path: &Path) -> Result<Self, NotOpen> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true).mode(0o600);
        let writer = Self::locked(options.open(path)?)?;
        // The name of the file must be on the disk too.
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(writer)
    }

    /// Opens the journal at `path`, cuts off a line that was not completed, and returns the bytes before it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), NotOpen> {
        let mut writer = Self::locked(open_own(path, OpenOptions::new().read(true).append(true))?)?;
        let mut bytes = Vec::new();
        writer.file.seek(SeekFrom::Start(0))?;
        writer.file.read_to_end(&mut bytes)?;
        let whole = super::past::whole(&bytes);
        if whole < bytes.len() {
            writer.file.set_len(whole as u64)?;
            writer.length = whole as u64;
            bytes.truncate(whole);
        }
        if bytes.last().is_some_and(|last| *last != b'\n') {
            writer.append(b"\n")?;
            bytes.push(b'\n');
        }
        Ok((writer, bytes))
    }

    fn locked(file: File) -> Result<Self, NotOpen> {
        let length = file.metadata()?.len();
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Self {
                file,
                length,
                waits: false,
            }),
            Err((_, Errno::EWOULDBLOCK)) => Err(NotOpen::InUse),
            Err((_, error)) => Err(NotOpen::Failed(error.into())),
        }
    }

    /// Appends a record. A process that is killed loses none.
    pub(super) fn write(&mut self, record: &Record, on_disk: OnDisk) -> std::io::Result<()> {
        let mut record = serde_json::to_value(record)?;
        // A record can quote anything: hide all secrets before they reach the disk.
        if let Json::Object(fields) = &mut record {
            let texts = fields.iter_mut();
            let texts = texts.filter(|(name, _)| !OWN_TEXTS.contains(&name.as_str()));
            texts.for_each(|(_, value)| redact::hide_kept_in_json(value));
        }
        let line = record.to_string() + "\n";
        self.append(line.as_bytes())?;
        match on_disk {
            OnDisk::Now => {
                self.waits = true;
                self.sync()
            }
            OnDisk::BeforeChange => {
                self.waits = true;
                Ok(())
            }
            OnDisk::Lightly => Ok(()),
        }
    }

    /// Waits until the records are on the disk that have to be.
    pub(super) fn sync(&mut self) -> std::io::Result<()> {
        if self.waits {
            self.file.sync_data()?;
            self.waits = false;
        }
        Ok(())
    }

    /// Makes sure that there is room on the disk for the records that follow a change.
    pub(super) fn reserve(&mut self) -> std::io::Result<()> {
        let from = i64::try_from(self.length).map_err(std::io::Error::other)?;
        let keep = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        match fallocate(&*self.file, keep, from, RESERVE as i64) {
            // Not every file system can.
            Ok(()) | Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // The written part of the line would look like damage.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// The bytes of the file at `path`, which the user wrote.
pub(super) fn read_own(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_own(path, OpenOptions::new().read(true))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first line of the file at `path`, which the user wrote.
pub(super) fn first_line(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = open_own(path, OpenOptions::new().read(true))?;
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_HEADER)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Opens a file of the user. Refuses files of other users, who could choose the undo steps that the
/// user runs, and everything that is not a regular file, such as a pipe, which could keep virhai
/// waiting.
fn open_own(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = options.custom_flags(flags.bits()).open(path)?;
    let about = file.metadata()?;
    let refused = |why: &str| Err(std::io::Error::new(ErrorKind::InvalidInput, why));
    match about.is_file() {
        false => refused("it is not a file"),
        true if about.uid() != Uid::effective().as_raw() => refused("it belongs to another user"),
        true => Ok(file),
    }
}

/// True if no process writes the journal at `path`.
pub(super) fn is_free(path: &Path) -> std::io::Result<bool> {
    let file = open_own(path, OpenOptions::new().read(true))?;
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(true),
        Err((_, Errno::EWOULDBLOCK)) => Ok(false),
        Err((_, error)) => Err(error.into()),
    }
}
