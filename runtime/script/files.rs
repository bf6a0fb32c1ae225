//! Opens paths without blocking. Only regular files are read, up to a limit.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{AccessFlags, eaccess};
use walkdir::{DirEntry, WalkDir};

use crate::run::beneath;

/// The largest script, in bytes: a million lines have room.
pub const LARGEST_SCRIPT: u64 = 64 * 1024 * 1024;

/// Opening a pipe or a device must neither block nor give this process a controlling terminal.
const AT_ONCE: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY);

/// Opens the file `path` to be read; a folder, a pipe, a device or a socket is an error.
pub fn open(path: &Path) -> Result<File> {
    // Opening a device can have an effect, so the path is checked first. That check alone is not
    // enough: the path can lead to another file by the time it is opened.
    refuse_other(&std::fs::metadata(path)?)?;
    let file = File::options()
        .read(true)
        .custom_flags(AT_ONCE.bits())
        .open(path)?;
    refuse_other(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of the file `path`, at most `most` of them; a larger file is an error.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    read_all(open(path)?, most)
}

/// Reads the script in the file `path`.
pub fn read_script(path: &Path) -> Result<String> {
    read_text(path, LARGEST_SCRIPT)
}

/// The text in the file `path`, at most `most` bytes.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The reason why a file cannot be used: the text of `error` without the system's number.
pub fn reason(error: &Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or_default().to_owned()
}

/// Reads `input` to its end, at most `most` bytes; more is an error. Files in `/proc` have no known size.
pub fn read_all(input: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it exceeds the limit of {}", bytesize::ByteSize(most)),
        )),
        false => Ok(bytes),
    }
}

/// Opens `path` to write it, with no wait for the reader of a pipe; `empties` creates and empties a file.
fn open_to_write(path: &Path, empties: bool) -> Result<File> {
    let mut options = File::options();
    options.write(true).create(empties).truncate(empties);
    let opened = options.custom_flags(AT_ONCE.bits()).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ENXIO) => Error::other("no process reads from it"),
        _ => error,
    })
}

/// Writes `bytes` to `path`. A pipe without a reader is an error at once.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let mut file = open_to_write(path, true)?;
    // From here on, writing may wait for the reader.
    let flags = OFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GETFL)?);
    fcntl(&file, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    file.write_all(bytes.as_ref())
}

/// Writes `bytes` to `path`. If that is a file, the old file stays until the new file is complete.
pub fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let Some(real) = resolved(path).filter(|real| !real.exists() || real.is_file()) else {
        return write(path, bytes);
    };
    match beneath::replace(&real, |file| file.write_all(bytes.as_ref())) {
        // Only the file itself can be written, and not its folder.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => write(path, bytes),
        replaced => replaced,
    }
}

/// Fails if `path` cannot be written. Nothing has changed after that.
pub fn check_writable(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Errno::EISDIR.into()),
        Ok(found) if found.file_type().is_fifo() => {
            let pipe = open_to_write(path, false)?;
            // Its reader would take the closing for the end.
            std::mem::forget(pipe);
            Ok(())
        }
        Ok(_) => Ok(eaccess(path, AccessFlags::W_OK)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            std::fs::remove_file(std::fs::canonicalize(path)?)
        }
        Err(error) => Err(error),
    }
}

/// `path` without links; its last part need not exist.
fn resolved(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = std::fs::canonicalize(path) {
        return Some(real);
    }
    let folder = std::fs::canonicalize(path.parent()?).ok()?;
    (!path.is_symlink()).then_some(folder.join(path.file_name()?))
}

/// True if `path` has the name of a script.
pub fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "rhai")
}

/// The scripts below `folder`, sorted by their names, each folder's own among its folders. Hidden
/// files and folders are left out, and links to folders are not followed, since a link to a parent
/// folder would never end.
///
/// A folder that cannot be listed is an error with its path and the reason.
pub fn scripts_below(
    folder: &Path,
) -> impl Iterator<Item = std::result::Result<PathBuf, (PathBuf, Error)>> {
    let begin = folder.to_owned();
    let hidden = |entry: &DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    entries
        .filter_entry(move |entry| !hidden(entry))
        .map(move |entry| match entry {
            Ok(entry) => Ok(entry.into_path()),
            Err(error) => {
                let path = error.path().unwrap_or(&begin).to_owned();
                let why = error.into_io_error();
                Err((path, why.unwrap_or_else(|| ErrorKind::Other.into())))
            }
        })
        .filter(|path| match path {
            Ok(path) => is_script(path) && !path.is_dir(),
            Err(_) => true,
        })
}

fn refuse_other(found: &std::fs::Metadata) -> Result<()> {
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => return Err(Errno::EISDIR.into()),
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("it is {what}, not a file"),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use nix::sys::stat::Mode;

    use super::{check_writable, open, read, read_all, replace, scripts_below, write};

    #[test]
    fn only_files_are_read() {
        let folder = tempfile::tempdir().expect("there is room");
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe can be made");
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).expect("a socket can be made");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).expect("a link can be made");
        for (path, what) in [
            (pipe.as_path(), "it is a pipe, not a file"),
            (link.as_path(), "it is a pipe, not a file"),
            (socket.as_path(), "it is a socket, not a file"),
            (Path::new("/dev/zero"), "it is a device, not a file"),
            (folder.path(), "Is a directory"),
        ] {
            let error = open(path).expect_err("it is no file").to_string();
            assert!(error.contains(what), "{}: {error}", path.display());
        }
        let error = write(&pipe, "text").expect_err("nobody reads it");
        assert_eq!(error.to_string(), "no process reads from it");
    }

    #[test]
    fn the_check_whether_a_file_can_be_written_changes_nothing() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("old"), "old").expect("there is room");
        for name in ["old", "new"] {
            check_writable(&path(name)).expect("it can be written");
        }
        for wrong in [path("none/new"), folder.path().to_owned()] {
            assert!(check_writable(&wrong).is_err(), "{}", wrong.display());
        }
        assert!(!path("new").exists());
        std::os::unix::fs::symlink(path("old"), path("link")).expect("links can be made");
        for name in ["new", "link"] {
            replace(&path(name), name).expect("it can be written");
        }
        let read = |name: &str| std::fs::read_to_string(path(name)).expect("it is there");
        assert_eq!((read("old"), read("new")), ("link".into(), "new".into()));
        assert!(path("link").is_symlink());
        let names = std::fs::read_dir(folder.path()).expect("it is there");
        assert_eq!(names.count(), 3);
    }

    #[test]
    fn scripts_are_found_in_order_and_without_an_end_only_once() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "b/c", "b/.git", "dir.rhai"] {
            std::fs::create_dir_all(path(name)).expect("folders can be made");
        }
        for name in [
            "z.rhai",
            "a/x.rhai",
            "b/c/y.rhai",
            "b/.git/no.rhai",
            ".no.rhai",
            "no.txt",
        ] {
            std::fs::write(path(name), "").expect("files can be made");
        }
        std::os::unix::fs::symlink(folder.path(), path("b/up")).expect("links can be made");
        std::os::unix::fs::symlink(path("z.rhai"), path("b/link.rhai")).expect("links can be made");
        let found = scripts_below(folder.path()).map(|found| {
            let found = found.expect("all can be listed");
            let below = found.strip_prefix(folder.path()).expect("it is below");
            below.display().to_string()
        });
        let found: Vec<String> = found.collect();
        assert_eq!(found, ["a/x.rhai", "b/c/y.rhai", "b/link.rhai", "z.rhai"]);
        let missing = scripts_below(&path("missing")).next();
        assert!(missing.expect("it tells").is_err());
    }

    #[test]
    fn no_more_is_read_than_wanted() {
        assert!(read_all(std::io::repeat(b'x'), 1_000).is_err());
        assert_eq!(read_all(&b"four"[..], 4).expect("it fits"), b"four");
        let endless = read(Path::new("/proc/self/maps"), 16);
        assert_eq!(
            endless.expect_err("it is longer").to_string(),
            "it exceeds the limit of 16 B"
        );
        assert!(
            !read(Path::new("/proc/self/status"), 1 << 20)
                .expect("it can be read")
                .is_empty()
        );
    }
}
