//! A local file, as runs of data and holes.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use crate::run::beneath;

/// The next range of a file: data or a hole.
pub(super) enum Run {
    /// So many bytes of data.
    Data(u64),
    /// So many bytes that take no place and read as zeros.
    Hole(u64),
}

/// Opens the file or disk `path`, which must be without links, to be read, and returns its length too.
pub(super) fn open(path: &Path) -> Result<(File, u64)> {
    let mut file = beneath::open_file_or_disk(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    Ok((file, length))
}

/// True if the first `end` bytes contain a hole.
pub(super) fn has_holes(file: &mut File, end: u64) -> Result<bool> {
    Ok(match run_at(file, 0, end)? {
        Run::Hole(_) => true,
        Run::Data(length) => length < end,
    })
}

/// The bytes of data in the first `end` bytes.
pub(super) fn data(file: &mut File, end: u64) -> Result<u64> {
    let (mut place, mut data) = (0, 0);
    while place < end {
        place += match run_at(file, place, end)? {
            Run::Hole(length) => length,
            Run::Data(length) => {
                data += length;
                length
            }
        };
    }
    Ok(data)
}

/// The run that begins at `place` of a file that is `end` long.
///
/// Leaves the file's position at `place`.
pub(super) fn run_at(file: &mut File, place: u64, end: u64) -> Result<Run> {
    let offset = i64::try_from(place).unwrap_or(i64::MAX);
    let data = match lseek(&*file, offset, Whence::SeekData) {
        Ok(data) => u64::try_from(data).unwrap_or(place),
        // The rest of the file is a hole.
        Err(Errno::ENXIO) => end,
        // The file system does not report it.
        Err(_) => place,
    };
    let run = if data > place {
        Run::Hole(data.min(end) - place)
    } else {
        let hole = lseek(&*file, offset, Whence::SeekHole)
            .ok()
            .and_then(|hole| u64::try_from(hole).ok());
        Run::Data(hole.unwrap_or(end).min(end) - place)
    };
    file.seek(SeekFrom::Start(place))?;
    Ok(run)
}

/// Fills `buffer` from `file` as far as there is anything.
pub(super) fn fill(file: &mut File, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
