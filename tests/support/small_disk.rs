//! A file system that is quickly full.

use std::path::PathBuf;
use std::process::Command;

use super::{Scratch, skip};

/// A small file system, unmounted when the value is dropped. Create it before the host that uses
/// it: a host has its own mount namespace.
pub struct SmallDisk(Scratch);

impl SmallDisk {
    /// Mounts a tmpfs of the size `size`. If that is impossible, prints so and returns `None`; the
    /// test then ends.
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
