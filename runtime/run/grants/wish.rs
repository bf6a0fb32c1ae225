//! The permissions that a script needs and does not have.

use std::fmt;
use std::path::PathBuf;

use super::{GrantedProgram, Grants};
use crate::run::interrupt::Interrupt;

/// A permission that a script needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Permission to read this file, with links resolved.
    Read(PathBuf),
    /// Permission to write this file, with links resolved.
    Write(PathBuf),
    /// Permission to run this program.
    Run(GrantedProgram),
    /// Permission to read this environment variable.
    Env(String),
    /// Permission to connect to this port of this host.
    Net(String),
    /// Permission to run commands on this host by ssh.
    Ssh(String),
}

impl Wish {
    /// The option that grants it.
    pub fn option(&self) -> String {
        match self {
            Self::Read(path) => format!("--allow-read {}", path.display()),
            Self::Write(path) => format!("--allow-write {}", path.display()),
            Self::Run(program) => format!("--allow-run {}", program.name()),
            Self::Env(name) => format!("--allow-env {name}"),
            Self::Net(host) => format!("--allow-net {host}"),
            Self::Ssh(host) => format!("--allow-ssh {host}"),
        }
    }

    /// Exactly this permission.
    pub(crate) fn granted(&self) -> Grants {
        let mut grants = Grants::default();
        match self.clone() {
            Self::Read(path) => grants.read.push(path),
            Self::Write(path) => grants.write.push(path),
            Self::Run(program) => grants.run.push(program),
            Self::Env(name) => grants.env.push(name),
            Self::Net(host) => grants.net.push(host),
            Self::Ssh(host) => grants.ssh.push(host),
        }
        grants
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "read {}", path.display()),
            Self::Write(path) => write!(f, "write {}", path.display()),
            Self::Run(program) => {
                let file = program.file().unwrap_or(program.name().as_ref());
                write!(f, "run the program {}", file.display())
            }
            Self::Env(name) => write!(f, "read the environment variable {name}"),
            Self::Net(host) => write!(f, "connect to {host}"),
            Self::Ssh(host) => write!(f, "run commands on {host} by ssh"),
        }
    }
}

/// The answer to a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The script does not get it.
    No,
    /// The script gets it this time.
    Once,
    /// The script gets it until it ends.
    Always,
}

/// Asks the user for permissions while a script runs, from one thread at a time.
pub trait Asker: Send + Sync {
    /// Asks for the permission. A stop by `interrupt` ends the question.
    fn ask(&self, wish: &Wish, interrupt: &Interrupt) -> Consent;
}

/// Refuses everything.
pub(crate) struct Refuse;

impl Asker for Refuse {
    fn ask(&self, _: &Wish, _: &Interrupt) -> Consent {
        Consent::No
    }
}
