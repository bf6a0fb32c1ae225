//! QEMU within the process, with all of its state in a folder of the test's.

use super::capabilities::{self, Whose};
use super::qemu::{end_qemu, qemu_ports};
use super::{Host, Scratch};

/// The folder with a host's results of probing QEMU.
const CAPABILITIES: &str = "root/cache/qemu/capabilities";

/// A host `qemu:///embed`; one process at a time can have it open.
pub struct Embed {
    scratch: Scratch,
}

impl Embed {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        scratch.folder("root");
        scratch.folder("root/etc");
        let configuration = format!("stdio_handler = \"file\"\n{}", qemu_ports());
        scratch.write("root/etc/qemu.conf", configuration);
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
        end_qemu(&self.scratch);
    }
}
