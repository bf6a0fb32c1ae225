//! `DomainCheckpoint`: a point in time from which the changes of a guest's disks are tracked, for incremental backups.

use rhai::Dynamic;
use virt::connect::Connect;

use super::domain::{Domain, OfDomain};
use super::object::{Kind, Object};
use crate::libvirt::{self, Failure, checkpoint};
use crate::xml::Xml;
pub(crate) use checkpoint::Checkpoint as Handle;

/// A checkpoint of a domain; copies are the same checkpoint.
pub type DomainCheckpoint = Object<DomainCheckpointKind>;

/// The kind of a [`DomainCheckpoint`].
pub struct DomainCheckpointKind;

impl Kind for DomainCheckpointKind {
    type Handle = Handle;
    type Facts = OfDomain;
    const NOUN: &'static str = "checkpoint";
    const OPTIONS: &'static [&'static str] = &["checkpoint"];
    const ELEMENT: &'static str = "domaincheckpoint";
    const IS_PART: bool = true;
    const COLUMNS: &'static [&'static str] = &["Name", "Domain", "Parent"];

    fn row(checkpoint: &DomainCheckpoint) -> Vec<String> {
        let parent = checkpoint.attempt("virDomainCheckpointGetXMLDesc", |handle| {
            let no_domain = virt_sys::VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN;
            let xml = Xml::parse(&handle.xml_desc(no_domain)?).ok();
            Ok::<_, Failure>(xml.and_then(|xml| xml.find("parent/name").ok().flatten()))
        });
        let parent = parent.unwrap_or_else(|_| Some("?".to_owned()));
        vec![
            checkpoint.name(),
            checkpoint.facts().name.clone(),
            parent.unwrap_or_default(),
        ]
    }

    /// The name of the domain: a change of the checkpoint changes the domain.
    fn names(checkpoint: &DomainCheckpoint) -> Vec<String> {
        checkpoint.facts().names(checkpoint.connection())
    }

    fn identity(checkpoint: &DomainCheckpoint) -> Vec<(&'static str, String)> {
        vec![("domain", checkpoint.facts().name.clone())]
    }

    fn is_same(one: &DomainCheckpoint, other: &DomainCheckpoint) -> bool {
        one.name() == other.name() && one.facts().uuid == other.facts().uuid
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn xml(handle: &Handle, flags: u32) -> libvirt::Result<String> {
        handle.xml_desc(flags)
    }

    fn facts(handle: &Handle) -> OfDomain {
        OfDomain::new(handle.domain().ok().as_ref())
    }

    const LOOK_UP: &'static str = "virDomainCheckpointLookupByName";

    fn find(connect: &Connect, facts: &OfDomain, name: &str) -> libvirt::Result<Handle> {
        let domain = connect.lookup_domain_by_uuid_string(&facts.uuid)?;
        checkpoint::lookup_by_name(&domain, name, 0)
    }

    fn parts(whole: &Dynamic) -> Option<libvirt::Result<Vec<Handle>>> {
        let domain = whole.read_lock::<Domain>()?.clone();
        Some(
            domain
                .handle()
                .and_then(|domain| checkpoint::list(&domain, 0)),
        )
    }
}
