//! The named hosts with their groups, and patterns that choose hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::grants::fits;

/// A host by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedHost {
    /// Its name.
    pub name: String,
    /// The URI of the connection to it.
    pub uri: String,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Its variables in the list of hosts.
    pub vars: BTreeMap<String, serde_json::Value>,
}

/// The hosts that the user has named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    hosts: Vec<NamedHost>,
    /// The groups of the list, also those without hosts.
    groups: BTreeSet<String>,
}

impl Fleet {
    /// Adds `host`; one of the same name is replaced.
    pub fn add(&mut self, host: NamedHost) {
        match self.hosts.iter_mut().find(|own| own.name == host.name) {
            Some(own) => *own = host,
            None => self.hosts.push(host),
        }
    }

    /// Adds the group `name`, which may have no hosts.
    pub fn add_group(&mut self, name: &str) {
        self.groups.insert(name.to_owned());
    }

    /// The groups of the list, also those without hosts.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    /// All hosts, in the order of the list.
    pub fn hosts(&self) -> &[NamedHost] {
        &self.hosts
    }

    /// The host called `name`.
    pub fn host(&self, name: &str) -> Option<&NamedHost> {
        self.hosts.iter().find(|host| host.name == name)
    }

    /// The hosts that `pattern` chooses, in the order of the list. Its parts stand between `:` or `,`: a part is the name
    /// of a host or a group, with `*` for any text, or `all`; `&part` keeps only hosts that fit, and `!part` removes those.
    ///
    /// # Errors
    ///
    /// A part fits no host.
    pub fn select(&self, pattern: &str) -> Result<Vec<&NamedHost>, String> {
        let parts = || {
            pattern
                .split([':', ','])
                .map(str::trim)
                .filter(|part| !part.is_empty())
        };
        let mut chosen = vec![false; self.hosts.len()];
        // A pattern that only requires or removes is about all hosts.
        if pattern.trim() != "" && parts().all(|part| part.starts_with(['&', '!'])) {
            chosen.fill(true);
        }
        // As in Ansible: first the chosen hosts, then `&` keeps some of them, then `!` removes some.
        for sign in ["", "&", "!"] {
            for part in parts() {
                let Some(word) = part.strip_prefix(sign) else {
                    continue;
                };
                if sign.is_empty() && word.starts_with(['&', '!']) {
                    continue;
                }
                let found: Vec<bool> = self.hosts.iter().map(|host| host.is_meant(word)).collect();
                // A group that is removed may be empty, such as one for hosts in maintenance.
                let may_be_empty = word == "all" || sign == "!" && self.groups.contains(word);
                if !found.contains(&true) && !may_be_empty {
                    return Err(match self.groups.contains(word) {
                        true => format!("the group `{word}` has no hosts"),
                        false => format!("no host and no group is called `{word}`"),
                    });
                }
                for (own, found) in chosen.iter_mut().zip(found) {
                    *own = match sign {
                        "" => *own || found,
                        "&" => *own && found,
                        _ => *own && !found,
                    };
                }
            }
        }
        let hosts = self.hosts.iter().zip(chosen);
        Ok(hosts
            .filter_map(|(host, own)| own.then_some(host))
            .collect())
    }
}

impl NamedHost {
    fn is_meant(&self, word: &str) -> bool {
        word == "all" || fits(word, &self.name) || self.groups.iter().any(|group| fits(word, group))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fleet, NamedHost};

    fn fleet() -> Fleet {
        let mut fleet = Fleet::default();
        for (name, groups) in [
            ("web1", &["web", "prod"][..]),
            ("web2", &["web", "old", "prod"]),
            ("web3", &["web", "test"]),
            ("db1", &["db", "prod"]),
        ] {
            fleet.add(NamedHost {
                name: name.into(),
                uri: format!("qemu+ssh://{name}/system"),
                groups: groups.iter().map(|&group| group.to_owned()).collect(),
                vars: Default::default(),
            });
        }
        fleet
    }

    #[test]
    fn patterns_choose_hosts_as_ansible_does() {
        let fleet = fleet();
        let chosen = |pattern: &str| {
            let hosts = fleet.select(pattern)?;
            Ok::<_, String>(
                hosts
                    .iter()
                    .map(|host| host.name.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        for (pattern, hosts) in [
            ("all", "web1 web2 web3 db1"),
            ("web", "web1 web2 web3"),
            ("db1,web1", "web1 db1"),
            ("web:&prod", "web1 web2"),
            ("web:&prod:!old", "web1"),
            ("!old:web", "web1 web3"),
            ("!prod", "web3"),
            ("web*:!web2", "web1 web3"),
            ("&prod", "web1 web2 db1"),
            ("", ""),
        ] {
            assert_eq!(chosen(pattern).as_deref(), Ok(hosts), "{pattern}");
        }
        let mut with_empty = fleet.clone();
        with_empty.add_group("new");
        let why = with_empty.select("web:new").expect_err("no host is new");
        assert_eq!(why, "the group `new` has no hosts");
        assert!(with_empty.select("all:!new").is_ok());
        for wrong in ["wbe", "web:!odl", "web:&pord"] {
            assert!(
                chosen(wrong).is_err_and(|why| why.contains("is called")),
                "{wrong}"
            );
        }
    }
}
