//! `DomainSnapshot`: a saved state of a guest, for a later revert.

use rhai::Dynamic;
use virt::connect::Connect;
pub(crate) use virt::domain_snapshot::DomainSnapshot as Handle;

use super::domain::{Domain, OfDomain};
use super::object::{Kind, Object, usual_handle};
use crate::libvirt::{self, Failure};
use crate::xml::Xml;

/// A snapshot of a domain; copies are the same snapshot.
pub type DomainSnapshot = Object<DomainSnapshotKind>;

/// The kind of a `DomainSnapshot`.
pub struct DomainSnapshotKind;

impl Kind for DomainSnapshotKind {
    type Handle = Handle;
    type Facts = OfDomain;
    usual_handle!(Handle);
    const NOUN: &'static str = "snapshot";
    const OPTIONS: &'static [&'static str] = &["snapshot"];
    const ELEMENT: &'static str = "domainsnapshot";
    const IS_PART: bool = true;
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

    /// The name of the domain: a change of the snapshot changes the domain.
    fn names(snapshot: &DomainSnapshot) -> Vec<String> {
        snapshot.facts().names(snapshot.connection())
    }

    fn identity(snapshot: &DomainSnapshot) -> Vec<(&'static str, String)> {
        vec![("domain", snapshot.facts().name.clone())]
    }

    fn is_same(one: &DomainSnapshot, other: &DomainSnapshot) -> bool {
        one.name() == other.name() && one.facts().uuid == other.facts().uuid
    }

    fn facts(handle: &Handle) -> OfDomain {
        OfDomain::new(handle.domain().ok().as_ref())
    }

    const LOOK_UP: &'static str = "virDomainSnapshotLookupByName";

    fn find(connect: &Connect, facts: &OfDomain, name: &str) -> libvirt::Result<Handle> {
        let domain = connect.lookup_domain_by_uuid_string(&facts.uuid)?;
        Ok(virt::domain::Domain::lookup_snapshot_by_name(
            &domain, name, 0,
        )?)
    }

    fn parts(whole: &Dynamic) -> Option<libvirt::Result<Vec<Handle>>> {
        let domain = whole.read_lock::<Domain>()?.clone();
        let snapshots = domain
            .handle()
            .and_then(|domain| Ok(domain.list_all_snapshots(0)?));
        Some(snapshots)
    }
}

impl DomainSnapshot {
    /// True if it is a snapshot of `domain`.
    pub(crate) fn is_of(&self, domain: &Domain) -> bool {
        self.facts().uuid == domain.uuid()
    }
}
