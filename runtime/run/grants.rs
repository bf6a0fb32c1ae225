//! The permissions of a script besides libvirt: folders to read and write, hosts to reach, URIs to connect to. A script
//! has none of these unless the user names it.

mod program;
mod rules;
mod wish;

use std::path::{Component, Path, PathBuf};

use glob::Pattern;

pub use program::GrantedProgram;
pub(crate) use rules::Call;
pub use rules::{Rule, Rules};
pub(crate) use wish::Refuse;
pub use wish::{Asker, Consent, Wish};

/// The permissions that the user gives a script.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Folders, or files, that it may read.
    pub read: Vec<PathBuf>,
    /// Folders, or files, that it may write.
    pub write: Vec<PathBuf>,
    /// Hosts that it may connect to, as `HOST` or `HOST:PORT`; `*` stands for any host.
    pub net: Vec<String>,
    /// Programs that it may run.
    pub run: Vec<GrantedProgram>,
    /// Environment variables that it may read; `*` matches any text.
    pub env: Vec<String>,
    /// Hosts on which it may run commands by ssh, as `HOST` or `USER@HOST`; `*` matches any text.
    pub ssh: Vec<String>,
    /// URIs that it may connect to, whatever they name.
    pub connect: Vec<String>,
    /// Folders that a hypervisor within the process may have as its root, or below them.
    pub embed: Vec<PathBuf>,
    /// The rules for calls of libvirt: each of these must allow a call.
    pub rules: Vec<Rules>,
    /// True if it may connect only to hosts that the user named.
    pub named_hosts_only: bool,
}

impl Grants {
    /// The file `path`, links followed, if it may be read.
    pub(crate) fn readable(&self, path: &str) -> Result<PathBuf, String> {
        let real = Path::new(path).canonicalize();
        match real {
            Ok(real) if lies_in(&real, &self.read) => Ok(real),
            // The error is the same for a hidden and for a missing file.
            Err(error) if self.may_look_at(path) => Err(format!("cannot read {path}: {error}")),
            _ => Err(format!("the script may not read {path}")),
        }
    }

    /// The file `path`, which need not exist, if it may be written.
    pub(crate) fn writable(&self, path: &str) -> Result<PathBuf, String> {
        let path = Path::new(path);
        let real = path.canonicalize().or_else(|error| {
            // The folder must exist; a dangling link is refused, since it could lead elsewhere.
            let (Some(folder), Some(name), false) =
                (path.parent(), path.file_name(), path.is_symlink())
            else {
                return Err(error);
            };
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            folder.canonicalize().map(|folder| folder.join(name))
        });
        match real {
            Ok(real) if lies_in(&real, &self.write) => Ok(real),
            _ => Err(format!("the script may not write {}", path.display())),
        }
    }

    /// The file `path` in a folder that does not exist, if it could be written there.
    pub(crate) fn writable_once_made(&self, path: &str) -> Option<PathBuf> {
        let path = std::path::absolute(path).ok()?;
        let missing = path.parent().is_some_and(|folder| !folder.exists());
        let real = real_path(&path).filter(|_| missing)?;
        let granted =
            |folder: &PathBuf| real_path(folder).is_some_and(|folder| real.starts_with(folder));
        self.write.iter().any(granted).then_some(real)
    }

    /// Permission to write everywhere, for finding the file that a path leads to.
    pub(crate) fn everywhere() -> Self {
        Self {
            write: vec!["/".into()],
            ..Self::default()
        }
    }

    /// True if the script may connect to `port` of `host`.
    pub(crate) fn reaches(&self, host: &str, port: u16) -> bool {
        // The port of an IPv6 address stands behind brackets, as in a URI.
        let exact = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let any = format!("*:{port}");
        self.net.iter().any(|granted| {
            *granted == exact || *granted == any || granted == host || granted == "*"
        })
    }

    /// The file of the program `name`, if the script may run it.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, String> {
        let Some(program) = self.run.iter().find(|program| program.is_called(name)) else {
            return Err(format!("the script may not run `{name}`"));
        };
        let Some(file) = program.file() else {
            return Err(format!("no program `{name}` was found in PATH"));
        };
        // A script that could also change the program could run anything.
        let real = file.canonicalize();
        let real = real.map_err(|error| format!("cannot find the program `{name}`: {error}"))?;
        match lies_in(&real, &self.write) || lies_in(file, &self.write) {
            true => Err(format!(
                "the script may not run `{name}`, because it may also write {}",
                file.display()
            )),
            false => Ok(file.to_owned()),
        }
    }

    /// True if the script may read the environment variable `name`.
    pub(crate) fn has_env(&self, name: &str) -> bool {
        self.env.iter().any(|granted| fits(granted, name))
    }

    /// The reason why the script may not make `call`, if it may not.
    pub(crate) fn refusal(&self, call: &Call) -> Option<String> {
        self.rules.iter().find_map(|rules| rules.refusal(call))
    }

    /// True if the script may run commands on `host` by ssh.
    pub(crate) fn has_ssh(&self, host: &str) -> bool {
        self.ssh.iter().any(|granted| fits(granted, host))
    }

    /// Adds the permissions and rules of `other`.
    pub fn add(&mut self, other: Self) {
        self.read.extend(other.read);
        self.write.extend(other.write);
        self.net.extend(other.net);
        self.run.extend(other.run);
        self.env.extend(other.env);
        self.ssh.extend(other.ssh);
        self.connect.extend(other.connect);
        self.embed.extend(other.embed);
        self.rules.extend(other.rules);
        self.named_hosts_only |= other.named_hosts_only;
    }

    /// The folder `root`, which need not exist, if an embedded driver may have it as its root.
    pub(crate) fn embeddable(&self, root: &str) -> Option<PathBuf> {
        let real = real_path(Path::new(root))?;
        let granted =
            |folder: &PathBuf| real_path(folder).is_some_and(|folder| real.starts_with(folder));
        self.embed.iter().any(granted).then_some(real)
    }

    /// True if the script may know whether the file `path` exists.
    pub(crate) fn may_look_at(&self, path: &str) -> bool {
        let folder = Path::new(path)
            .parent()
            .and_then(|folder| folder.canonicalize().ok());
        folder.is_some_and(|folder| lies_in(&folder, &self.read))
    }
}

/// True if `pattern`, in which `*` matches any text and `?` any character, matches `text`.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    match Pattern::new(pattern) {
        Ok(pattern) => pattern.matches(text),
        Err(_) => pattern == text,
    }
}

/// The absolute path without links that `path` leads to; its last folders need not exist.
fn real_path(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let mut existing = path.as_path();
    let mut missing = Vec::new();
    let real = loop {
        match existing.canonicalize() {
            Ok(real) => break real,
            // A dangling link would lead elsewhere once its target is created.
            Err(_) if existing.is_symlink() => return None,
            Err(_) => match existing.components().next_back()? {
                Component::Normal(name) => missing.push(name.to_owned()),
                _ => return None,
            },
        }
        existing = existing.parent()?;
    };
    Some(
        missing
            .iter()
            .rev()
            .fold(real, |path, name| path.join(name)),
    )
}

fn lies_in(path: &Path, granted: &[PathBuf]) -> bool {
    granted.iter().any(|root| {
        let root = root.canonicalize().unwrap_or_else(|_| root.clone());
        path.starts_with(root)
    })
}

#[cfg(test)]
mod tests {
    use super::Grants;

    #[test]
    fn a_port_is_granted_for_its_address_only() {
        let reaches = |granted: &str, host, port| {
            let net = vec![granted.to_owned()];
            let grants = Grants {
                net,
                ..Grants::default()
            };
            grants.reaches(host, port)
        };
        assert!(reaches("host:22", "host", 22));
        assert!(!reaches("host:22", "host", 23));
        assert!(reaches("[::1]:22", "::1", 22));
        assert!(!reaches("[::1]:22", "::1:22", 80));
        assert!(!reaches("::1:22", "::1", 22));
    }
}
