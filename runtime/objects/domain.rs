//! `Domain`: a guest, running or not.

use rhai::{Array, Dynamic};
use serde::{Deserialize, Serialize};
use virt::connect::Connect;
pub(crate) use virt::domain::Domain as Handle;

use super::connection::Connection;
use super::object::{Kind, Listed, Object, known_by_uuid, usual_handle};
use crate::libvirt;
use crate::vocabulary::DomainState;
use crate::xml::{Selected, Xml};

/// A guest of a connection; copies are the same guest.
pub type Domain = Object<DomainKind>;

/// The kind of a [`Domain`].
pub struct DomainKind;

impl Kind for DomainKind {
    known_by_uuid!(
        Handle,
        "virDomainLookupByUUIDString",
        lookup_domain_by_uuid_string
    );
    usual_handle!(Handle);
    const NOUN: &'static str = "domain";
    const OPTIONS: &'static [&'static str] = &["domain", "guest"];
    const ELEMENT: &'static str = "domain";
    const COLUMNS: &'static [&'static str] = &["Id", "Name", "State", "Memory", "Vcpus"];

    fn row(domain: &Domain) -> Vec<String> {
        row(domain)
    }

    fn data(domain: &Domain) -> rhai::Map {
        data(domain)
    }

    fn details(domain: &Domain) -> rhai::Map {
        details(domain).unwrap_or_default()
    }

    fn state(handle: &Handle) -> Option<String> {
        let (state, _) = libvirt::domain::state(handle).ok()?;
        Some(DomainState::TABLE.word(state).into())
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_domain_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_domains(flags)?)
    }
}

/// The domain that a snapshot or a checkpoint is of.
#[derive(Serialize, Deserialize)]
pub struct OfDomain {
    pub(crate) name: String,
    pub(crate) uuid: String,
}

impl OfDomain {
    pub(super) fn new(domain: Option<&Handle>) -> Self {
        Self {
            name: domain.and_then(|d| d.name().ok()).unwrap_or_default(),
            uuid: domain
                .and_then(|d| d.uuid_string().ok())
                .unwrap_or_default(),
        }
    }

    /// The name of the domain, and its name by now if it was renamed on `connection`.
    pub(super) fn names(&self, connection: &Connection) -> Vec<String> {
        let now = connection.noted_name(DomainKind::TYPE, &self.uuid);
        let mut names = vec![self.name.clone()];
        names.extend(now);
        names.dedup();
        names
    }
}

impl Connection {
    /// A script's domain for libvirt's handle.
    pub(crate) fn adopt(&self, domain: virt::domain::Domain) -> Domain {
        Domain::new(self.clone(), domain)
    }
}

/// The id and the figures of a domain.
fn seen(domain: &Domain) -> Result<(Option<i64>, virt_sys::virDomainInfo), libvirt::Failure> {
    domain.attempt("virDomainGetInfo", |handle| {
        libvirt::domain::info(handle).map(|info| (libvirt::domain::id(handle), info))
    })
}

/// The word for a domain whose state cannot be read.
fn unseen(failure: &libvirt::Failure) -> &'static str {
    match failure.code == i64::from(virt_sys::VIR_ERR_NO_DOMAIN) {
        true => "gone",
        false => "?",
    }
}

/// The columns of a domain, as data.
fn data(domain: &Domain) -> rhai::Map {
    let figures: Vec<(&str, Dynamic)> = match seen(domain) {
        Ok((id, info)) => vec![
            ("id", id.map_or(Dynamic::UNIT, Dynamic::from)),
            (
                "state",
                DomainState::TABLE.word(i64::from(info.state)).into(),
            ),
            (
                "memory_kib",
                i64::try_from(info.memory).unwrap_or(i64::MAX).into(),
            ),
            ("vcpus", i64::from(info.nrVirtCpu).into()),
        ],
        Err(failure) => vec![("id", Dynamic::UNIT), ("state", unseen(&failure).into())],
    };
    figures
        .into_iter()
        .map(|(key, value)| (key.into(), value))
        .collect()
}

/// The columns of a domain in a table: id, name, state, memory, virtual CPUs.
fn row(domain: &Domain) -> Vec<String> {
    match seen(domain) {
        Ok((id, info)) => vec![
            id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            domain.name(),
            DomainState::TABLE.word(i64::from(info.state)).to_string(),
            bytesize::ByteSize::kib(info.memory).to_string(),
            info.nrVirtCpu.to_string(),
        ],
        Err(failure) => vec![
            "-".into(),
            domain.name(),
            unseen(&failure).into(),
            String::new(),
            String::new(),
        ],
    }
}

/// The disks and network cards of a domain, with the addresses that its networks leased to them.
fn details(domain: &Domain) -> Option<rhai::Map> {
    let text = domain
        .attempt("virDomainGetXMLDesc", |handle| handle.xml_desc(0))
        .ok()?;
    let xml = Xml::parse(text).ok()?;
    let leases = domain
        .attempt("virDomainInterfaceAddresses", |handle| {
            let source = virt_sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE;
            libvirt::addresses::of_domain(handle, source, 0)
        })
        .unwrap_or_default();
    let of_mac = |mac: &str| -> String {
        let cards = leases
            .iter()
            .filter(|card| card.mac.as_deref() == Some(mac));
        let addresses = cards.flat_map(|card| &card.addresses);
        let addresses: Vec<&str> = addresses.map(|one| one.address.as_str()).collect();
        addresses.join(", ")
    };
    let disk = |disk: &Xml| {
        rhai::Map::from_iter([
            ("target".into(), text_at(disk, &["target/@dev"]).into()),
            ("source".into(), text_at(disk, SOURCES_OF_DISKS).into()),
        ])
    };
    let card = |card: &Xml| {
        let mac = text_at(card, &["mac/@address"]);
        let addresses = (!leases.is_empty()).then(|| ("addresses".into(), of_mac(&mac).into()));
        let mut row = rhai::Map::from_iter(addresses);
        row.insert("mac".into(), mac.into());
        row.insert("source".into(), text_at(card, SOURCES_OF_CARDS).into());
        row
    };
    let rows = |path: &str, row: &dyn Fn(&Xml) -> rhai::Map| -> Option<Array> {
        match xml.select(path).ok()? {
            Selected::Elements(found) => Some(found.iter().map(|one| row(one).into()).collect()),
            Selected::Texts(_) => None,
        }
    };
    let devices = [
        ("disks", rows("devices/disk", &disk)?),
        ("nics", rows("devices/interface", &card)?),
    ];
    let present = devices.into_iter().filter(|(_, rows)| !rows.is_empty());
    Some(
        present
            .map(|(key, rows)| (key.into(), rows.into()))
            .collect(),
    )
}

/// The paths of the source in the XML of a disk.
const SOURCES_OF_DISKS: &[&str] = &[
    "source/@file",
    "source/@dev",
    "source/@volume",
    "source/@name",
    "source/@dir",
];

/// The paths of the source in the XML of a network card.
const SOURCES_OF_CARDS: &[&str] = &["source/@network", "source/@bridge", "source/@dev", "@type"];

/// The first of `paths` that leads to a text.
fn text_at(xml: &Xml, paths: &[&str]) -> String {
    let mut found = paths
        .iter()
        .filter_map(|path| xml.find(path).ok().flatten());
    found.next().unwrap_or_default()
}
