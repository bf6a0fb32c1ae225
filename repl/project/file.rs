//! The file `virhai.toml` at the root of a repo.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use virhai::runbook::data::toml_error;
use virhai::{Fleet, GrantedProgram, Grants, NamedHost, Rules, files};

/// Its name.
pub(super) const NAME: &str = "virhai.toml";

/// The largest such file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The content of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The permissions that the scripts of the repo need.
    #[serde(default)]
    pub(super) grants: Wanted,
    /// The rules on libvirt calls.
    #[serde(default)]
    rules: RuleTexts,
    /// The hosts by their names.
    #[serde(default)]
    hosts: toml::Table,
    /// An inventory with more hosts, relative to the root.
    pub(super) inventory: Option<PathBuf>,
}

/// A host with its groups.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostText {
    uri: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    vars: std::collections::BTreeMap<String, serde_json::Value>,
}

/// The permissions that a repo asks for. Paths are relative to its root.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    import: Vec<PathBuf>,
    run: Vec<String>,
    env: Vec<String>,
    net: Vec<String>,
    ssh: Vec<String>,
    connect: Vec<String>,
    embed: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RuleTexts {
    allow: Vec<String>,
    deny: Vec<String>,
}

/// The file in `folder` or in the nearest folder above it that has one.
pub(super) fn find(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let mut files = folder.ancestors().map(|folder| folder.join(NAME));
    files.find(|file| file.symlink_metadata().is_ok())
}

/// The text of the file `path`; fails if another user can write to the file.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let file = files::open(path).map_err(|error| files::reason(&error))?;
    let about = file.metadata().map_err(|error| files::reason(&error))?;
    refuse_foreign(&about, "it")?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder = folder.metadata().map_err(|error| files::reason(&error))?;
    // In a folder such as /tmp, users cannot replace the files of other users.
    let sticky = folder.mode() & 0o1000 != 0;
    if !sticky {
        refuse_foreign(&folder, "its folder")?;
    }
    let bytes = files::read_all(file, LARGEST).map_err(|error| files::reason(&error))?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".into())
}

/// Refuses a file or folder that other users than root can write to.
fn refuse_foreign(about: &std::fs::Metadata, what: &str) -> Result<(), String> {
    let user = nix::unistd::geteuid().as_raw();
    if ![user, 0].contains(&about.uid()) {
        return Err(format!("{what} belongs to another user"));
    }
    // A group with the number of the user has no other members.
    let by_group = about.mode() & 0o020 != 0 && about.gid() != about.uid();
    match by_group || about.mode() & 0o002 != 0 {
        true => Err(format!("other users can write to {what}")),
        false => Ok(()),
    }
}

impl Settings {
    /// Reads `text`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| toml_error(text, &error))
    }

    /// Adds the hosts of the file to `fleet`.
    pub(super) fn add_hosts(&self, fleet: &mut Fleet) -> Result<(), String> {
        for (name, value) in &self.hosts {
            let host = match value {
                toml::Value::String(uri) => HostText {
                    uri: uri.clone(),
                    groups: Vec::new(),
                    vars: Default::default(),
                },
                value => {
                    let host = value.clone().try_into::<HostText>();
                    host.map_err(|error| {
                        format!("the host `{name}` is wrong: {}", error.message())
                    })?
                }
            };
            fleet.add(NamedHost {
                name: name.clone(),
                uri: host.uri,
                groups: host.groups,
                vars: host.vars,
            });
        }
        Ok(())
    }

    /// The rules of the file; messages call the file `source`.
    pub(super) fn rules(&self, source: &str) -> Result<Rules, String> {
        let parse = |texts: &[String]| {
            let rules = texts.iter().map(|text| {
                let rule = crate::doc::rule(text);
                rule.map_err(|why| format!("the rule `{text}` is wrong: {why}"))
            });
            rules.collect::<Result<Vec<_>, _>>()
        };
        Ok(Rules {
            source: source.to_owned(),
            allow: parse(&self.rules.allow)?,
            deny: parse(&self.rules.deny)?,
        })
    }
}

impl Wanted {
    /// A line for each permission.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut add = |kind: &str, values: &[String]| {
            lines.extend(values.iter().map(|value| format!("{kind} {value}")));
        };
        let texts = |paths: &[PathBuf]| -> Vec<String> {
            paths
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        };
        add("read", &texts(&self.read));
        add("write", &texts(&self.write));
        add("import from", &texts(&self.import));
        add("run the program", &self.run);
        add("read the environment variable", &self.env);
        add("connect to", &self.net);
        add("run commands by ssh on", &self.ssh);
        add("open the hypervisor", &self.connect);
        add("run QEMU, with all your rights, in", &texts(&self.embed));
        lines
    }

    /// The permissions, for a repo with the root `root`.
    pub(super) fn grants(&self, root: &Path) -> Grants {
        let below = |paths: &[PathBuf]| paths.iter().map(|path| root.join(path)).collect();
        let program = |name: &String| match name.contains('/') {
            true => GrantedProgram::named(&root.join(name).to_string_lossy()),
            false => GrantedProgram::named(name),
        };
        Grants {
            read: below(&self.read),
            write: below(&self.write),
            run: self.run.iter().map(program).collect(),
            env: self.env.clone(),
            net: self.net.clone(),
            ssh: self.ssh.clone(),
            connect: self.connect.clone(),
            embed: below(&self.embed),
            ..Grants::default()
        }
    }

    /// The folders to import from.
    pub(super) fn imports(&self, root: &Path) -> Vec<PathBuf> {
        self.import.iter().map(|path| root.join(path)).collect()
    }
}
