//! Files that are opened by a path without links.
//!
//! virhai resolves the links of a script's path, and checks the permission for the resolved path.
//! After the check, another process can put a link into this path. So no part of the path may be a
//! link when virhai opens it, and virhai reads the same file that it has checked.

use std::fs::{File, Metadata, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use tempfile::NamedTempFile;

/// Opens without doing anything to the file, and never a link.
const LOOK: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Opens the file `path`, which must be absolute and without links, to be read.
pub(crate) fn open_file(path: &Path) -> Result<File> {
    open_if(path, "it is not a file", |found| found.is_file())
}

/// The same for a file or a disk.
pub(crate) fn open_file_or_disk(path: &Path) -> Result<File> {
    open_if(path, "it is neither a file nor a disk", |found| {
        found.is_file() || found.file_type().is_block_device()
    })
}

fn open_if(path: &Path, wrong: &str, is_right: impl Fn(&Metadata) -> bool) -> Result<File> {
    let (folder, name) = parts(path)?;
    let folder = Folder::open(folder)?;
    let found = File::from(openat(&folder.0, name, LOOK, Mode::empty())?);
    // Opening a pipe waits for its other end, and opening a device can act on it.
    if !is_right(&found.metadata()?) {
        return Err(Error::new(ErrorKind::InvalidInput, wrong));
    }
    // The checked file, even if the path leads to another file now.
    File::open(by_number(&found))
}

/// Writes the file `path`, which must be absolute and without links, by `write`. The old file stays until the new file
/// is complete. The new file gets the old permissions and owner.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let mut replacement = Replacement::of(path, 0o666)?;
    write(replacement.file())?;
    replacement.keep()
}

/// A file that is written next to the file it will replace; it is removed unless it is kept.
pub(crate) struct Replacement {
    // Dropped before the folder, by whose number it is removed.
    file: NamedTempFile,
    folder: Folder,
    name: PathBuf,
    before: Option<Metadata>,
    mode: u32,
}

impl Replacement {
    /// One for the file `path`, which must be absolute and without links. A file that does not exist gets the
    /// permissions `new`, as far as the umask allows.
    pub(crate) fn of(path: &Path, new: u32) -> Result<Self> {
        let (folder, name) = parts(path)?;
        let folder = Folder::open(folder)?;
        let before = folder.about(name)?;
        let mode = before.as_ref().map_or(new, |found| found.mode() & 0o777);
        let file = tempfile::Builder::new()
            .prefix(".virhai-")
            .suffix(".part")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder.path())?;
        Ok(Self {
            file,
            folder,
            name: name.to_owned(),
            before,
            mode,
        })
    }

    /// The file that is written.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts it in place, once it is on the disk.
    pub(crate) fn keep(self) -> Result<()> {
        let file = self.file.as_file();
        if let Some(before) = &self.before {
            // The owner can be given only by root.
            let _ = fchown(file, Some(before.uid()), Some(before.gid()));
            file.set_permissions(Permissions::from_mode(self.mode))?;
        }
        file.sync_all()?;
        let place = self.folder.path().join(&self.name);
        self.file.persist(place).map_err(|error| error.error)?;
        File::open(self.folder.path())?.sync_all()
    }
}

/// An open folder.
struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder `path`, no part of which may be a link.
    fn open(path: &Path) -> Result<Self> {
        let flags = LOOK.union(OFlag::O_DIRECTORY);
        let mut folder = open("/", flags, Mode::empty())?;
        for part in path.components() {
            match part {
                Component::RootDir => {}
                Component::Normal(name) => folder = openat(&folder, name, flags, Mode::empty())?,
                _ => return Err(not_resolved(path)),
            }
        }
        Ok(Self(folder))
    }

    /// A path of this very folder, wherever it is moved to.
    fn path(&self) -> PathBuf {
        by_number(&self.0)
    }

    /// The metadata of the file `name`, if it exists; fails if it is not a file.
    fn about(&self, name: &Path) -> Result<Option<Metadata>> {
        let found = match openat(&self.0, name, LOOK, Mode::empty()) {
            Ok(found) => File::from(found).metadata()?,
            Err(nix::errno::Errno::ENOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match found.is_file() {
            true => Ok(Some(found)),
            false => Err(Error::new(ErrorKind::InvalidInput, "it is not a file")),
        }
    }
}

/// A path of the very file that is open.
fn by_number(file: &impl AsRawFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// The folder and the name of `path`.
fn parts(path: &Path) -> Result<(&Path, &Path)> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if path.is_absolute() => Ok((folder, Path::new(name))),
        _ => Err(not_resolved(path)),
    }
}

fn not_resolved(path: &Path) -> Error {
    let message = format!("{} is not a path without links", path.display());
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::{open_file, replace};

    #[test]
    fn no_part_of_a_path_may_be_a_link() {
        let scratch = tempfile::tempdir().expect("a folder");
        let root = scratch.path().canonicalize().expect("it exists");
        std::fs::create_dir(root.join("inner")).expect("a folder");
        std::fs::write(root.join("inner/file"), "text").expect("a file");
        symlink("inner", root.join("link")).expect("a link");
        symlink("inner/file", root.join("name")).expect("a link");
        let read = |name: &str| {
            let mut text = String::new();
            open_file(&root.join(name)).and_then(|mut file| file.read_to_string(&mut text))?;
            Ok::<_, std::io::Error>(text)
        };
        assert_eq!(read("inner/file").expect("a file"), "text");
        for wrong in ["link/file", "name", "inner", "inner/../inner/file", "none"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let write = |name: &str| replace(&root.join(name), |file| file.write_all(b"new"));
        for wrong in ["link/file", "link/other", "name", "inner", "none/file"] {
            assert!(write(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read("inner/file").expect("a file"), "text");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_permissions() {
        let scratch = tempfile::tempdir().expect("a folder");
        let file = scratch.path().canonicalize().expect("it exists").join("a");
        std::fs::write(&file, "before").expect("a file");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).expect("it is ours");
        let failed = replace(&file, |file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("planted"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&file).expect("a file"), b"before");
        replace(&file, |file| file.write_all(b"after")).expect("it can be written");
        assert_eq!(std::fs::read(&file).expect("a file"), b"after");
        let mode = std::fs::metadata(&file).expect("a file").mode();
        assert_eq!(mode & 0o777, 0o640);
        let left = std::fs::read_dir(scratch.path()).expect("a folder").count();
        assert_eq!(left, 1);
    }
}
