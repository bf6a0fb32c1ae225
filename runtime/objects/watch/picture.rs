//! The states of a host's objects, kept up to date by events, to find changes after a lost connection.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use virt::connect::Connect;

use crate::libvirt::events::Event;
use crate::libvirt::typed_params::{Scalar, TypedParams};
use crate::libvirt::{self, Failure, Result};
use crate::vocabulary::DomainState;

/// A time in which no events came, since the connection was lost.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The time when the connection was open again.
    pub at: Timestamp,
    /// The time without a connection, in seconds.
    pub seconds: f64,
    /// The changes.
    pub changes: Vec<Change>,
}

/// A changed object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its kind, such as `domain`.
    pub noun: &'static str,
    /// Its name.
    pub name: String,
    /// Its UUID; empty for objects that have none.
    pub uuid: String,
    /// Its state before; `None` if it did not exist.
    pub before: Option<String>,
    /// Its state now; `None` if it does not exist.
    pub after: Option<String>,
}

impl Change {
    fn id(&self) -> Id {
        id(self.noun, &self.name, &self.uuid)
    }
}

/// The objects of a host and their states.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    /// The kinds of object that it has.
    nouns: BTreeSet<&'static str>,
    objects: BTreeMap<Id, Known>,
}

/// The sort of an object, and its UUID; the name of one that has none.
type Id = (&'static str, String);

fn id(noun: &'static str, name: &str, uuid: &str) -> Id {
    let text = if uuid.is_empty() { name } else { uuid };
    (noun, text.to_owned())
}

#[derive(Debug, Clone, PartialEq)]
struct Known {
    name: String,
    uuid: String,
    state: String,
    /// True if it still exists when it is not active.
    persistent: bool,
}

/// The state of an object that is defined and not active.
fn at_rest(noun: &str) -> &'static str {
    match noun {
        "domain" => "shutoff",
        "secret" => "defined",
        _ => "inactive",
    }
}

impl Picture {
    /// True if it has objects of the kind `noun`.
    pub(super) fn shows(&self, noun: &str) -> bool {
        self.nouns.contains(noun)
    }

    /// The kinds of object that it has.
    pub(super) fn nouns(&self) -> Vec<&'static str> {
        self.nouns.iter().copied().collect()
    }

    /// Replaces its content with that of `other`.
    pub(super) fn take(&mut self, other: Picture) {
        self.objects
            .retain(|(noun, _), _| !other.nouns.contains(noun));
        self.nouns.extend(other.nouns);
        self.objects.extend(other.objects);
    }

    /// Applies `event`.
    pub(super) fn learn(&mut self, event: &Event) {
        if !self.shows(event.noun) || !event.kind.ends_with("lifecycle") {
            return;
        }
        let word = event.fields.iter().find(|(name, _)| name == "event");
        let Some((_, Scalar::Text(word))) = word else {
            return;
        };
        let state = match (event.kind, word.as_str()) {
            ("lifecycle", "started" | "resumed") => "running",
            ("lifecycle", "suspended") => "paused",
            ("lifecycle", word @ ("shutdown" | "pmsuspended" | "crashed")) => word,
            ("agent_lifecycle" | "channel_lifecycle", _) => return,
            ("node_device_lifecycle", "created") | (_, "started") => "active",
            (_, "defined") => return self.define(event),
            (_, "undefined") => return self.undefine(event),
            (_, "stopped" | "deleted") => return self.rest(event),
            _ => return,
        };
        self.known(event, false).state = state.to_owned();
    }

    fn known(&mut self, event: &Event, persistent: bool) -> &mut Known {
        let id = id(event.noun, &event.name, &event.uuid);
        let known = self.objects.entry(id).or_insert_with(|| Known {
            name: event.name.clone(),
            uuid: event.uuid.clone(),
            state: at_rest(event.noun).to_owned(),
            persistent,
        });
        known.name.clone_from(&event.name);
        known
    }

    fn define(&mut self, event: &Event) {
        self.known(event, true).persistent = true;
    }

    fn undefine(&mut self, event: &Event) {
        let rests = at_rest(event.noun);
        let known = self.known(event, false);
        known.persistent = false;
        if known.state == rests {
            self.forget(event);
        }
    }

    /// The object is not active any more.
    fn rest(&mut self, event: &Event) {
        // A pool whose storage is deleted is inactive already.
        let rests = at_rest(event.noun);
        let known = self.known(event, event.noun == "storage_pool");
        rests.clone_into(&mut known.state);
        if !known.persistent {
            self.forget(event);
        }
    }

    fn forget(&mut self, event: &Event) {
        self.objects
            .remove(&id(event.noun, &event.name, &event.uuid));
    }

    /// The differences between this and `after`.
    pub(super) fn changes_to(&self, after: &Self) -> Vec<Change> {
        let keys: BTreeSet<_> = self.objects.keys().chain(after.objects.keys()).collect();
        let mut changes = Vec::new();
        for key in keys {
            let (old, new) = (self.objects.get(key), after.objects.get(key));
            let state = |known: Option<&Known>| known.map(|known| known.state.clone());
            let (before, now) = (state(old), state(new));
            if let Some(known) = new.or(old)
                && before != now
            {
                changes.push(Change {
                    noun: key.0,
                    name: known.name.clone(),
                    uuid: known.uuid.clone(),
                    before,
                    after: now,
                });
            }
        }
        changes
    }

    /// The differences between this and `after` that none of `events`, which were not applied yet, reports.
    pub(super) fn unreported<'a>(
        &self,
        after: &Self,
        events: impl Iterator<Item = &'a Event>,
    ) -> Vec<Change> {
        let mut changes = self.changes_to(after);
        let mut told = self.clone();
        for event in events {
            told.learn(event);
            changes.retain(|change| told.state(change) != change.after.as_deref());
        }
        changes
    }

    /// The state of the object of `change`; `None` if it does not exist.
    fn state(&self, change: &Change) -> Option<&str> {
        let known = self.objects.get(&change.id());
        known.map(|known| known.state.as_str())
    }

    /// Copies the objects of `changes` from `other`.
    pub(super) fn adopt(&mut self, other: &Self, changes: &[Change]) {
        for id in changes.iter().map(Change::id) {
            match other.objects.get(&id) {
                Some(known) => self.objects.insert(id, known.clone()),
                None => self.objects.remove(&id),
            };
        }
    }

    /// The objects of the sorts `nouns` on the host behind `connect`; without those that its driver does not have.
    pub(super) fn of(connect: &Connect, nouns: &[&'static str]) -> Result<Self> {
        let mut picture = Self::default();
        for &noun in nouns {
            let objects = match noun {
                "domain" => domains(connect),
                "network" => networks(connect),
                "storage_pool" => storage_pools(connect),
                "node_device" => node_devices(connect),
                "secret" => secrets(connect),
                _ => continue,
            };
            match objects {
                Ok(objects) => {
                    let keyed = |known: Known| (id(noun, &known.name, &known.uuid), known);
                    picture.objects.extend(objects.into_iter().map(keyed));
                }
                Err(failure) if failure.code == i64::from(virt_sys::VIR_ERR_NO_SUPPORT) => {}
                Err(failure) => return Err(failure),
            }
            picture.nouns.insert(noun);
        }
        Ok(picture)
    }
}

fn domains(connect: &Connect) -> Result<Vec<Known>> {
    let persistent = connect.list_all_domains(virt_sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT)?;
    let persistent: BTreeSet<String> = persistent
        .iter()
        .filter_map(|domain| domain.uuid_string().ok())
        .collect();
    let mut found = Vec::new();
    for (domain, state) in states(connect)? {
        // An object that ends during the listing is left out.
        let (Ok(name), Ok(uuid)) = (domain.name(), domain.uuid_string()) else {
            continue;
        };
        let state = DomainState::TABLE.word(state).to_string();
        found.push(Known {
            name,
            persistent: persistent.contains(&uuid),
            uuid,
            // Both are one for events.
            state: match state.as_str() {
                "blocked" => "running".to_owned(),
                _ => state,
            },
        });
    }
    Ok(found)
}

/// The state of each domain, in one call where the driver has it.
fn states(connect: &Connect) -> Result<Vec<(virt::domain::Domain, i64)>> {
    let group = virt_sys::VIR_DOMAIN_STATS_STATE;
    if let Ok(records) = libvirt::stats::get_all_domain_stats(connect, group, 0) {
        let state = |figures: &TypedParams| {
            let state = figures.iter().find(|(name, _)| *name == "state.state");
            state.and_then(|(_, state)| state.to_string().parse().ok())
        };
        let states = records.into_iter();
        return Ok(states
            .filter_map(|(domain, figures)| Some((domain, state(&figures)?)))
            .collect());
    }
    let domains = connect.list_all_domains(0)?.into_iter();
    Ok(domains
        .filter_map(|domain| {
            let (state, _) = libvirt::domain::state(&domain).ok()?;
            Some((domain, state))
        })
        .collect())
}

/// Lists all objects, the active and the persistent ones of a kind that can be both.
macro_rules! active_or_not {
    ($function:ident, $list:ident, $active:ident, $persistent:ident) => {
        fn $function(connect: &Connect) -> Result<Vec<Known>> {
            let uuids = |flags| -> Result<BTreeSet<String>> {
                let objects = connect.$list(flags)?;
                let uuids = objects
                    .iter()
                    .filter_map(|object| object.uuid_string().ok());
                Ok(uuids.collect())
            };
            let active = uuids(virt_sys::$active)?;
            let persistent = uuids(virt_sys::$persistent)?;
            let objects = connect.$list(0).map_err(Failure::from)?;
            Ok(objects
                .iter()
                .filter_map(|object| {
                    let (name, uuid) = (object.name().ok()?, object.uuid_string().ok()?);
                    let state = match active.contains(&uuid) {
                        true => "active",
                        false => "inactive",
                    };
                    Some(Known {
                        name,
                        state: state.to_owned(),
                        persistent: persistent.contains(&uuid),
                        uuid,
                    })
                })
                .collect())
        }
    };
}
active_or_not!(
    networks,
    list_all_networks,
    VIR_CONNECT_LIST_NETWORKS_ACTIVE,
    VIR_CONNECT_LIST_NETWORKS_PERSISTENT
);
active_or_not!(
    storage_pools,
    list_all_storage_pools,
    VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
    VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT
);

fn node_devices(connect: &Connect) -> Result<Vec<Known>> {
    let names = libvirt::node_device::names(connect, None, 0)?;
    let known = |name: String| Known {
        name,
        uuid: String::new(),
        state: "active".to_owned(),
        persistent: false,
    };
    Ok(names.into_iter().map(known).collect())
}

fn secrets(connect: &Connect) -> Result<Vec<Known>> {
    let secrets = connect.list_all_secrets(0)?;
    Ok(secrets
        .iter()
        .filter_map(|secret| {
            Some(Known {
                name: libvirt::secret::usage_id(secret).unwrap_or_default(),
                uuid: secret.uuid_string().ok()?,
                state: "defined".to_owned(),
                persistent: true,
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &'static str, noun: &'static str, name: &str, word: &str) -> Event {
        Event {
            at: Timestamp::UNIX_EPOCH,
            kind,
            noun,
            name: name.to_owned(),
            uuid: format!("uuid of {name}"),
            fields: vec![("event".to_owned(), Scalar::Text(word.to_owned()))],
        }
    }

    /// The changes that events make to an empty picture; each event is a kind, a kind of object, a name and a word.
    fn changes(events: &[(&'static str, &'static str, &str, &str)]) -> Vec<String> {
        let mut picture = Picture {
            nouns: ["domain", "network", "storage_pool"].into(),
            ..Picture::default()
        };
        for (kind, noun, name, word) in events {
            picture.learn(&event(kind, noun, name, word));
        }
        let changes = Picture::default().changes_to(&picture);
        let line = |change: &Change| {
            assert_eq!(change.before, None);
            format!("{} {}", change.name, change.after.as_deref().unwrap_or("-"))
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn states_follow_from_events() {
        let domain = |name, word| ("lifecycle", "domain", name, word);
        assert_eq!(changes(&[domain("web", "defined")]), ["web shutoff"]);
        let run = [domain("web", "defined"), domain("web", "started")];
        assert_eq!(changes(&run), ["web running"]);
        let paused = [run[0], run[1], domain("web", "suspended")];
        assert_eq!(changes(&paused), ["web paused"]);
        let off = [run[0], run[1], domain("web", "stopped")];
        assert_eq!(changes(&off), ["web shutoff"]);
        let gone = [off[0], off[1], off[2], domain("web", "undefined")];
        assert!(changes(&gone).is_empty());
    }

    #[test]
    fn a_transient_object_is_gone_after_its_stop() {
        let domain = |word| ("lifecycle", "domain", "web", word);
        assert!(changes(&[domain("started"), domain("stopped")]).is_empty());
        let undefined_first = [
            domain("defined"),
            domain("started"),
            domain("undefined"),
            domain("stopped"),
        ];
        assert_eq!(changes(&undefined_first[..3]), ["web running"]);
        assert!(changes(&undefined_first).is_empty());
        let network = |word| ("network_lifecycle", "network", "lab", word);
        assert_eq!(changes(&[network("started")]), ["lab active"]);
        assert!(changes(&[network("started"), network("stopped")]).is_empty());
        let pool = |word| ("storage_pool_lifecycle", "storage_pool", "disks", word);
        let built = [pool("defined"), pool("started"), pool("stopped")];
        assert_eq!(changes(&built), ["disks inactive"]);
    }

    /// A picture of the domain `web` in a state.
    fn with(state: &str) -> Picture {
        let mut picture = Picture {
            nouns: ["domain"].into(),
            ..Picture::default()
        };
        picture.learn(&event("lifecycle", "domain", "web", "defined"));
        let started = event("lifecycle", "domain", "web", "started");
        picture.known(&started, true).state = state.to_owned();
        picture
    }

    #[test]
    fn a_change_that_an_event_reports_is_no_change_of_a_gap() {
        let unreported = |before: &str, after: &str, words: &[&str]| {
            let events: Vec<Event> = words
                .iter()
                .map(|word| event("lifecycle", "domain", "web", word))
                .collect();
            let changes = with(before).unreported(&with(after), events.iter());
            changes.into_iter().map(|change| change.after).next()
        };
        assert_eq!(
            unreported("shutoff", "running", &[]),
            Some(Some("running".to_owned()))
        );
        assert_eq!(unreported("shutoff", "running", &["started"]), None);
        // The host was asked between the two events.
        let both = ["started", "suspended"];
        assert_eq!(unreported("shutoff", "running", &both), None);
        assert_eq!(unreported("shutoff", "paused", &both), None);
        // The host was asked before the event.
        assert_eq!(unreported("running", "running", &["stopped"]), None);
        assert_eq!(
            unreported("paused", "shutoff", &["resumed"]),
            Some(Some("shutoff".to_owned()))
        );
    }

    #[test]
    fn only_reported_changes_are_adopted() {
        let (mut known, now) = (with("running"), with("shutoff"));
        known.adopt(&now, &[]);
        let changes = known.changes_to(&now);
        assert_eq!(changes.len(), 1);
        known.adopt(&now, &changes);
        assert!(known.changes_to(&now).is_empty());
        let gone = Picture::default();
        known.adopt(&gone, &known.changes_to(&gone));
        assert!(known.objects.is_empty());
    }

    #[test]
    fn events_of_other_kinds_of_object_are_ignored() {
        assert!(changes(&[("secret_lifecycle", "secret", "key", "defined")]).is_empty());
        assert!(changes(&[("agent_lifecycle", "domain", "web", "started")]).is_empty());
    }
}
