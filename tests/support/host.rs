//! The common part of all private hosts.

use super::{Outcome, Run, Scratch, micro, micro_xml, virhai};

/// A run of the program as an ordinary user whose `connect()` opens `host`.
pub fn started_for(host: &(impl Host + ?Sized)) -> Run {
    virhai()
        .unprivileged()
        .env("HOME", host.scratch().path("home"))
        .arg("-c")
        .arg(host.uri())
}

/// A host of the test's own.
pub trait Host {
    fn uri(&self) -> String;

    /// The folder that it lives in.
    fn scratch(&self) -> &Scratch;

    /// A run of the program whose `connect()` opens this host, and whose home is in it.
    fn virhai(&self) -> Run {
        started_for(self)
    }

    /// A path for a file of the test's.
    fn path(&self, name: &str) -> String {
        self.scratch().text(name)
    }

    /// Runs a script, which must succeed.
    fn ok(&self, script: &str) -> String {
        self.virhai().script(script).ok()
    }

    /// Runs a script to its end.
    fn run(&self, script: &str) -> Outcome {
        self.virhai().script(script).run()
    }

    /// Puts the micro guest `kind` on this host's disk and returns XML that calls it `name`.
    fn micro(&self, kind: &str, name: &str) -> String {
        let disk = self
            .scratch()
            .copy(&micro(&format!("{kind}.img")), &format!("{name}.img"));
        micro_xml(
            name,
            &disk.display().to_string(),
            &self.path(&format!("{name}.console")),
        )
    }

    /// The console output of the guest `name`.
    fn console(&self, name: &str) -> String {
        let file = self.scratch().path(format!("{name}.console"));
        let bytes = std::fs::read(file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
