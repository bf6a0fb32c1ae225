//! QEMU within the process, with all of its state in a folder of the test's.

use std::path::Path;

use super::capabilities::{self, Whose};
use super::{Outcome, Run, Scratch, micro, micro_xml, virhai};

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

    pub fn uri(&self) -> String {
        format!("qemu:///embed?root={}", self.scratch.path("root").display())
    }

    pub fn path(&self, name: &str) -> String {
        self.scratch.text(name)
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Puts the micro guest `kind` on this host's disk and answers XML that calls it `name`.
    pub fn micro(&self, kind: &str, name: &str) -> String {
        let disk = self
            .scratch
            .copy(&micro(&format!("{kind}.img")), &format!("{name}.img"));
        micro_xml(
            name,
            &disk.display().to_string(),
            &self.path(&format!("{name}.console")),
        )
    }

    /// What the guest `name` has printed on its console.
    pub fn console(&self, name: &str) -> String {
        let bytes = std::fs::read(self.scratch.path(format!("{name}.console"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A run of the program whose `connect()` opens this host, and whose home is in it.
    pub fn virhai(&self) -> Run {
        virhai()
            .unprivileged()
            .env("HOME", self.scratch.path("home"))
            .arg("-c")
            .arg(self.uri())
    }

    /// Runs a script, which must end well.
    pub fn ok(&self, script: &str) -> String {
        self.virhai().script(script).ok()
    }

    /// Runs a script to its end.
    pub fn run(&self, script: &str) -> Outcome {
        self.virhai().script(script).run()
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
