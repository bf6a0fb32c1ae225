//! QEMU within the process, with all of its state in a folder of the test's.

use std::path::Path;

use super::capabilities::{self, Whose};
use super::{Host, Scratch};

/// Where a host keeps what it found out about QEMU.
const CAPABILITIES: &str = "root/cache/qemu/capabilities";

/// A host `qemu:///embed`; one process at a time can have it open.
pub struct Embed {
    scratch: Scratch,
}

impl Embed {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        scratch.folder("root");
        scratch.folder("home");
        capabilities::give(Whose::User, &scratch, CAPABILITIES);
        Self { scratch }
    }
}

impl Host for Embed {
    fn uri(&self) -> String {
        format!("qemu:///embed?root={}", self.scratch.path("root").display())
    }

    fn scratch(&self) -> &Scratch {
        &self.scratch
    }
}

impl Drop for Embed {
    fn drop(&mut self) {
        capabilities::keep(Whose::User, &self.scratch.path(CAPABILITIES));
        kill_guests(&self.scratch.path("root/run/qemu"));
    }
}

/// Ends the QEMU processes whose pid files are in `folder`.
pub fn kill_guests(folder: &Path) {
    let Ok(files) = std::fs::read_dir(folder) else {
        return;
    };
    for file in files.flatten() {
        let path = file.path();
        if path.extension().is_some_and(|extension| extension == "pid")
            && path.file_name().is_some_and(|name| name != "driver.pid")
            && let Ok(text) = std::fs::read_to_string(&path)
            && let Ok(pid) = text.trim().parse()
        {
            let pid = nix::unistd::Pid::from_raw(pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
}
