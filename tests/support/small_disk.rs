//! A file system that is soon full.

use std::path::PathBuf;
use std::process::Command;

use super::{Scratch, skip};

/// A file system of a few bytes, unmounted with its value. It must be made before the host that
/// is to see it, whose mounts are its own.
pub struct SmallDisk(Scratch);

impl SmallDisk {
    /// Mounts `size` of memory; where that is impossible, says so and returns nothing, for the
    /// test to end.
    pub fn mount(size: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            skip("only root can mount a small file system");
            return None;
        }
        let disk = Self(Scratch::new());
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=777"),
                "tmpfs",
            ])
            .arg(disk.path(""))
            .status();
        if !mounted.expect("mount is installed").success() {
            skip("this machine lets nobody mount a file system");
            return None;
        }
        Some(disk)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path("")).status();
    }
}
