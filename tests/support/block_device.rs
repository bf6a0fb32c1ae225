//! Block devices of this machine.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Host, skip};

/// A block device in `/dev`. All users can write to it.
pub struct BlockDevice {
    path: PathBuf,
    loop_device: String,
}

impl BlockDevice {
    /// Makes a device called `name` with `size` bytes. If that is impossible, prints so and returns `None`; the test then
    /// ends.
    pub fn make(host: &impl Host, name: &str, size: usize) -> Option<Self> {
        let made = Self::try_make(host, name, size);
        if made.is_none() {
            skip("no block device can be made: this needs root and loop devices");
        }
        made
    }

    fn try_make(host: &impl Host, name: &str, size: usize) -> Option<Self> {
        let image = host.scratch().write("device.bytes", vec![0; size]);
        let said = output("losetup", &["--find", "--show", image.to_str()?])?;
        let device = Self {
            path: Path::new("/dev").join(name),
            loop_device: said.trim().to_owned(),
        };
        let number = device.loop_device.strip_prefix("/dev/loop")?;
        let path = device.path.to_str()?;
        output("mknod", &["-m", "666", path, "b", "7", number])?;
        Some(device)
    }

    pub fn path(&self) -> &str {
        self.path.to_str().expect("the name is UTF-8")
    }

    pub fn name(&self) -> &str {
        self.path().trim_start_matches("/dev/")
    }

    pub fn is_there(&self) -> bool {
        let metadata = self.path.metadata();
        metadata.is_ok_and(|metadata| metadata.file_type().is_block_device())
    }
}

impl Drop for BlockDevice {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = output("losetup", &["--detach", &self.loop_device]);
    }
}

/// The output of a program; `None` if it fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let command = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stderr(Stdio::null())
        .output();
    let output = command.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
