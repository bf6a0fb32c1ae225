//! `DomainSnapshot`: what a guest was at one moment, to go back to.

use virt::connect::Connect;
pub(crate) use virt::domain_snapshot::DomainSnapshot as Handle;

use super::domain::Domain;
use super::object::{Kind, Object};
use crate::libvirt::{self, Failure};
use crate::xml::Xml;

/// A snapshot of a domain; copies are the same snapshot.
pub type DomainSnapshot = Object<DomainSnapshotKind>;

/// What a `DomainSnapshot` stands for.
pub struct DomainSnapshotKind;

/// The domain that a snapshot is of.
pub struct Of {
    name: String,
    uuid: String,
}

impl Kind for DomainSnapshotKind {
    type Handle = Handle;
    type Facts = Of;
    const TYPE: &'static str = "DomainSnapshot";
    const NOUN: &'static str = "snapshot";
    const COLUMNS: &'static [&'static str] = &["Name", "Domain", "State", "Parent", "Current"];

    fn row(snapshot: &DomainSnapshot) -> Vec<String> {
        let seen = snapshot.attempt("virDomainSnapshotGetXMLDesc", |handle| {
            let xml = Xml::parse(&handle.xml_desc(0)?).ok();
            let text = |path: &str| xml.as_ref().and_then(|xml| xml.find(path).ok().flatten());
            let current = handle.is_current(0).unwrap_or(false);
            Ok::<_, Failure>((text("state"), text("parent/name"), current))
        });
        let (state, parent, current) = seen.unwrap_or((Some("?".into()), None, false));
        vec![
            snapshot.name(),
            snapshot.facts().name.clone(),
            state.unwrap_or_default(),
            parent.unwrap_or_default(),
            if current { "yes" } else { "" }.to_owned(),
        ]
    }

    fn identity(snapshot: &DomainSnapshot) -> Vec<(&'static str, String)> {
        vec![("domain", snapshot.facts().name.clone())]
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn facts(handle: &Handle) -> Of {
        let domain = handle.domain().ok();
        let domain = domain.as_ref();
        Of {
            name: domain.and_then(|d| d.name().ok()).unwrap_or_default(),
            uuid: domain
                .and_then(|d| d.uuid_string().ok())
                .unwrap_or_default(),
        }
    }

    const LOOK_UP: &'static str = "virDomainSnapshotLookupByName";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_DOMAIN_SNAPSHOT;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, facts: &Of, name: &str) -> libvirt::Result<Handle> {
        let domain = connect.lookup_domain_by_uuid_string(&facts.uuid)?;
        Ok(virt::domain::Domain::lookup_snapshot_by_name(
            &domain, name, 0,
        )?)
    }
}

impl DomainSnapshot {
    /// Whether it is a snapshot of `domain`.
    pub(crate) fn is_of(&self, domain: &Domain) -> bool {
        self.facts().uuid == domain.uuid()
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.facts().uuid == other.facts().uuid
            && self.connection() == other.connection()
    }
}
