//! Folders and in-process hosts of a test's own.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::host::started_for;
use super::user::test_user;
use super::{Host, Run};

/// A folder that is removed when the value is dropped. Its path is short, since paths of sockets
/// are limited in length.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("vh")
            .tempdir_in("/tmp")
            .expect("/tmp can be written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(), mode).expect("the folder is ours");
        let scratch = Self(dir);
        scratch.give(Path::new(""));
        scratch
    }

    /// The path of `name` in this folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of `name` as text, for scripts.
    pub fn text(&self, name: &str) -> String {
        self.path(name)
            .to_str()
            .expect("paths of tests are text")
            .to_owned()
    }

    /// Writes a file, owned by the test user.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("the folder can be made");
        }
        std::fs::write(&path, contents).expect("the file can be written");
        self.give(Path::new(name));
        path
    }

    /// Makes a folder, owned by the test user.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("the folder can be made");
        self.give(Path::new(name));
        path
    }

    /// Copies a file here, owned by the test user.
    pub fn copy(&self, from: &Path, name: &str) -> PathBuf {
        let contents =
            std::fs::read(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        self.write(name, contents)
    }

    /// Gives the file or folder `name` to the test user.
    pub fn give(&self, name: &Path) {
        if let Some(user) = test_user() {
            chown(self.path(name), Some(user.uid), Some(user.gid))
                .expect("root can give files away");
        }
    }
}

/// An in-process host with one running domain `test`, private to each connection.
pub struct TestHost(Scratch);

impl TestHost {
    pub fn new() -> Self {
        Self::with(
            "<domain type='test'><name>test</name>\
             <uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>\
             <memory unit='KiB'>8388608</memory><currentMemory unit='KiB'>2097152</currentMemory>\
             <vcpu>2</vcpu><os><type>hvm</type></os></domain>",
        )
    }

    /// A host with the running domains `domains`.
    pub fn with(domains: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("node.xml", format!("<node>{domains}</node>"));
        Self(scratch)
    }
}

impl Host for TestHost {
    fn uri(&self) -> String {
        format!("test://{}", self.0.path("node.xml").display())
    }

    fn scratch(&self) -> &Scratch {
        &self.0
    }

    /// libvirt's test driver opens files in the process of the script, so the script needs
    /// permissions.
    fn virhai(&self) -> Run {
        let files = self.0.path("");
        started_for(self)
            .arg("--allow-read")
            .arg(&files)
            .arg("--allow-write")
            .arg(&files)
    }
}
