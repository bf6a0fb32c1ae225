//! A picture of a host: its objects with their states, and the changes between two pictures.

use std::collections::BTreeMap;

use virt::connect::Connect;

use super::log::{Difference, Verb};
use crate::libvirt::stand_in::plainly;
use crate::libvirt::{self, Result};
use crate::xml::Xml;

/// Objects by their kinds and their identity.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Picture(BTreeMap<(SeenKind, String), Seen>);

/// A kind of object, in the order in which changes of one call are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SeenKind {
    Pool,
    Volume,
    Network,
    Interface,
    Device,
    Domain,
    Snapshot,
    Checkpoint,
}

impl SeenKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Pool => "storage pool",
            Self::Volume => "storage volume",
            Self::Network => "network",
            Self::Interface => "interface",
            Self::Device => "node device",
            Self::Domain => "domain",
            Self::Snapshot => "snapshot",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// The activity of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Off,
    Paused,
    On,
}

/// An object at the time of the picture.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    name: String,
    activity: Activity,
    settings: Vec<(&'static str, String)>,
    /// Its definition.
    xml: String,
    /// The running configuration, if it is a different document.
    live: Option<String>,
    /// True for a pool that recipes make for the time of a call: it is not reported, but the volumes in it are.
    is_temporary: bool,
}

/// The beginning of the names of such pools, as in `std/folder`.
const TEMPORARY: &str = "virhai-folder-";

/// Something that happened to an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub verb: Verb,
    pub kind: &'static str,
    /// The UUID of a domain, or the key of another object.
    pub id: String,
    pub name: String,
    pub differences: Vec<Difference>,
}

impl Picture {
    /// Takes a picture. It leaves out objects that disappear meanwhile.
    pub fn of(connect: &Connect) -> Self {
        let mut picture = Self::default();
        plainly(|| {
            let _ = picture.domains(connect);
            let _ = picture.networks(connect);
            let _ = picture.pools(connect);
            let _ = picture.others(connect);
        });
        picture
    }

    fn add(&mut self, kind: SeenKind, id: String, seen: Seen) {
        self.0.insert((kind, id), seen);
    }

    fn domains(&mut self, connect: &Connect) -> Result<()> {
        for domain in connect.list_all_domains(0)? {
            let Ok((state, _)) = libvirt::domain::state(&domain) else {
                continue;
            };
            let state = u32::try_from(state).unwrap_or_default();
            let activity = match state {
                virt_sys::VIR_DOMAIN_SHUTOFF | virt_sys::VIR_DOMAIN_CRASHED => Activity::Off,
                virt_sys::VIR_DOMAIN_PAUSED => Activity::Paused,
                _ => Activity::On,
            };
            let persistent = domain.is_persistent().unwrap_or(true);
            let settings = vec![
                ("persistent", persistent.to_string()),
                ("autostart", domain.autostart().unwrap_or(false).to_string()),
                (
                    "managed save",
                    domain.has_managed_save(0).unwrap_or(false).to_string(),
                ),
            ];
            let uuid = domain.uuid_string()?;
            let seen = Seen {
                name: domain.name()?,
                activity,
                settings,
                xml: domain
                    .xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE)
                    .unwrap_or_default(),
                live: match activity {
                    Activity::Off => None,
                    _ => domain.xml_desc(0).ok(),
                },
                is_temporary: false,
            };
            let name = seen.name.clone();
            self.add(SeenKind::Domain, uuid.clone(), seen);
            for snapshot in domain.list_all_snapshots(0).unwrap_or_default() {
                let own = snapshot.name()?;
                let seen = Seen {
                    name: format!("{own} of {name}"),
                    ..Seen::default()
                };
                self.add(SeenKind::Snapshot, format!("{uuid}/{own}"), seen);
            }
            for checkpoint in libvirt::checkpoint::list(&domain, 0).unwrap_or_default() {
                let own = checkpoint.name()?;
                let seen = Seen {
                    name: format!("{own} of {name}"),
                    ..Seen::default()
                };
                self.add(SeenKind::Checkpoint, format!("{uuid}/{own}"), seen);
            }
        }
        Ok(())
    }

    fn networks(&mut self, connect: &Connect) -> Result<()> {
        for network in connect.list_all_networks(0)? {
            let active = network.is_active().unwrap_or(false);
            let inactive = network.xml_desc(virt_sys::VIR_NETWORK_XML_INACTIVE);
            let seen = Seen {
                name: network.name()?,
                activity: activity(active),
                settings: vec![
                    (
                        "persistent",
                        network.is_persistent().unwrap_or(true).to_string(),
                    ),
                    (
                        "autostart",
                        network.autostart().unwrap_or(false).to_string(),
                    ),
                ],
                xml: inactive
                    .or_else(|_| network.xml_desc(0))
                    .unwrap_or_default(),
                live: None,
                is_temporary: false,
            };
            self.add(SeenKind::Network, network.uuid_string()?, seen);
        }
        Ok(())
    }

    fn pools(&mut self, connect: &Connect) -> Result<()> {
        for pool in connect.list_all_storage_pools(0)? {
            let active = pool.is_active().unwrap_or(false);
            let name = pool.name()?;
            let is_temporary = name.starts_with(TEMPORARY);
            let seen = Seen {
                is_temporary,
                name,
                activity: activity(active),
                settings: vec![
                    (
                        "persistent",
                        pool.is_persistent().unwrap_or(true).to_string(),
                    ),
                    ("autostart", pool.autostart().unwrap_or(false).to_string()),
                ],
                // Its figures change with each volume.
                xml: without_figures(&pool.xml_desc(0).unwrap_or_default()),
                live: None,
            };
            let uuid = pool.uuid_string()?;
            let name = match target_path(&seen.xml).filter(|_| is_temporary) {
                Some(folder) => folder,
                None => seen.name.clone(),
            };
            self.add(SeenKind::Pool, uuid.clone(), seen);
            let volumes = if active {
                pool.list_all_volumes(0).unwrap_or_default()
            } else {
                Vec::new()
            };
            for volume in volumes {
                let own = volume.name()?;
                let xml = volume.xml_desc(0).unwrap_or_default();
                let seen = Seen {
                    name: format!("{own} in {name}"),
                    settings: capacity(&xml)
                        .map(|size| ("capacity", size))
                        .into_iter()
                        .collect(),
                    ..Seen::default()
                };
                self.add(SeenKind::Volume, format!("{uuid}/{own}"), seen);
            }
        }
        Ok(())
    }

    fn others(&mut self, connect: &Connect) -> Result<()> {
        for device in connect.list_all_node_devices(0).unwrap_or_default() {
            let name = device.name()?;
            self.add(
                SeenKind::Device,
                name.clone(),
                Seen {
                    name,
                    ..Seen::default()
                },
            );
        }
        for interface in connect.list_all_interfaces(0)? {
            let name = interface.name()?;
            let seen = Seen {
                name: name.clone(),
                activity: activity(interface.is_active().unwrap_or(false)),
                xml: interface.xml_desc(0).unwrap_or_default(),
                ..Seen::default()
            };
            self.add(SeenKind::Interface, name, seen);
        }
        Ok(())
    }

    /// Shows the domains with the UUIDs `uuids` as `before` shows them, with their snapshots and checkpoints.
    pub fn freeze(&mut self, before: &Self, uuids: &[String]) {
        let concerned = |(kind, id): &(SeenKind, String)| {
            let of_domain = matches!(
                kind,
                SeenKind::Domain | SeenKind::Snapshot | SeenKind::Checkpoint
            );
            let uuid = id.split('/').next().unwrap_or_default();
            of_domain && uuids.iter().any(|own| own == uuid)
        };
        self.0.retain(|key, _| !concerned(key));
        let kept = before.0.iter().filter(|(key, _)| concerned(key));
        self.0
            .extend(kept.map(|(key, seen)| (key.clone(), seen.clone())));
    }

    /// The changes between this and `after`.
    pub fn changes(&self, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, now) in &after.0 {
            let before = self.0.get(key);
            let is_hidden = now.is_temporary || (before.is_none() && !self.shows_volumes_of(key));
            if before == Some(now) || is_hidden {
                continue;
            }
            let kind = key.0.noun();
            let mut tell = |verb, differences| {
                changes.push(Change {
                    verb,
                    kind,
                    id: key.1.clone(),
                    name: now.name.clone(),
                    differences,
                });
            };
            if before.is_none() {
                tell(Verb::Created, Vec::new());
            }
            let differences = before
                .map(|before| before.differences(now))
                .unwrap_or_default();
            if !differences.is_empty() {
                tell(Verb::Changed, differences);
            }
            let was = before.map(|before| before.activity).unwrap_or_default();
            match (was, now.activity) {
                (Activity::Off, Activity::On) => tell(Verb::Started, Vec::new()),
                (Activity::Off, Activity::Paused) => {
                    tell(Verb::Started, Vec::new());
                    tell(Verb::Paused, Vec::new());
                }
                (Activity::On, Activity::Paused) => tell(Verb::Paused, Vec::new()),
                (Activity::Paused, Activity::On) => tell(Verb::Resumed, Vec::new()),
                (Activity::On | Activity::Paused, Activity::Off) => tell(Verb::Stopped, Vec::new()),
                _ => {}
            }
        }
        let gone = self.0.iter().filter(|(key, _)| !after.0.contains_key(key));
        let gone = gone.filter(|(key, before)| !before.is_temporary && after.shows_volumes_of(key));
        for (key, before) in gone {
            let (kind, name) = (key.0.noun(), &before.name);
            let mut tell = |verb| {
                changes.push(Change {
                    verb,
                    kind,
                    id: key.1.clone(),
                    name: name.clone(),
                    differences: Vec::new(),
                });
            };
            if before.activity != Activity::Off {
                tell(Verb::Stopped);
            }
            tell(Verb::Deleted);
        }
        changes
    }
}

impl Picture {
    /// False if `key` is of a volume whose pool is not active here: a pool that is stopped keeps its volumes, and only an active
    /// pool lists them.
    fn shows_volumes_of(&self, key: &(SeenKind, String)) -> bool {
        if key.0 != SeenKind::Volume {
            return true;
        }
        let pool = key.1.split('/').next().unwrap_or_default();
        let pool = self.0.get(&(SeenKind::Pool, pool.to_owned()));
        pool.is_some_and(|pool| pool.activity != Activity::Off)
    }
}

fn activity(active: bool) -> Activity {
    match active {
        true => Activity::On,
        false => Activity::Off,
    }
}

impl Seen {
    /// The differences in settings and documents between this and `now`, the same object later.
    fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        if self.name != now.name {
            all.push(setting("name", &self.name, &now.name));
        }
        for ((name, before), (_, after)) in self.settings.iter().zip(&now.settings) {
            if before != after {
                all.push(setting(name, before, after));
            }
        }
        all.extend(between(&self.xml, &now.xml, false));
        if let (Some(before), Some(after)) = (&self.live, &now.live) {
            let defined: Vec<(String, Option<String>)> = all
                .iter()
                .map(|one| (one.path.clone(), one.to.clone()))
                .collect();
            // A change of both is reported once.
            let live = between(before, after, true).into_iter();
            all.extend(live.filter(|one| !defined.contains(&(one.path.clone(), one.to.clone()))));
        }
        all
    }
}

fn setting(name: &str, from: &str, to: &str) -> Difference {
    Difference {
        path: name.to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        live: false,
    }
}

/// Elements of a running guest that the host fills in by itself.
const FOUND_OUT: [&str; 5] = ["address", "alias", "backingStore", "mirror", "seclabel"];

/// The differences between two documents of an object; `live` says whether they are of the running object.
pub(crate) fn between(before: &str, after: &str, live: bool) -> Vec<Difference> {
    if before == after {
        return Vec::new();
    }
    let found = Xml::parse(before).and_then(|one| one.diff(&Xml::parse(after)?));
    let found = found.unwrap_or_default().into_iter();
    let named = found.filter(|one| !["name", "uuid", "@id"].contains(&one.path.as_str()));
    // A host adds details to a running guest; these are not changes of the script.
    let named = named.filter(|one| {
        !live
            || !one
                .names()
                .iter()
                .any(|name| FOUND_OUT.contains(&name.as_str()))
    });
    named
        .map(|one| Difference {
            path: one.path,
            from: one.from,
            to: one.to,
            live,
        })
        .collect()
}

fn without_figures(xml: &str) -> String {
    let Ok(pool) = Xml::parse(xml) else {
        return xml.to_owned();
    };
    for figure in ["capacity", "allocation", "available"] {
        let _ = pool.remove(figure);
    }
    pool.text()
}

fn target_path(xml: &str) -> Option<String> {
    Xml::parse(xml).ok()?.find("target/path").ok().flatten()
}

fn capacity(xml: &str) -> Option<String> {
    Xml::parse(xml).ok()?.find("capacity").ok().flatten()
}
