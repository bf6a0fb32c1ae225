//! `NWFilter`: rules for the packets of guests' network cards.

use virt::connect::Connect;
pub(crate) use virt::nwfilter::NWFilter as Handle;

use super::object::{Kind, Object, known_by_uuid, usual_handle};
use crate::libvirt;

/// A network filter of a connection; copies are the same filter.
pub type NWFilter = Object<NWFilterKind>;

/// The kind of a [`NWFilter`].
pub struct NWFilterKind;

impl Kind for NWFilterKind {
    known_by_uuid!(
        Handle,
        "virNWFilterLookupByUUIDString",
        lookup_nwfilter_by_uuid_string
    );
    usual_handle!(Handle);
    const NOUN: &'static str = "network filter";
    const OPTIONS: &'static [&'static str] = &["nwfilter", "filter"];
    const ELEMENT: &'static str = "filter";
    const NAME_PATH: &'static str = "@name";
    const COLUMNS: &'static [&'static str] = &["UUID", "Name"];

    fn row(filter: &NWFilter) -> Vec<String> {
        vec![filter.uuid().to_owned(), filter.name()]
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_nwfilter_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        libvirt::nwfilter::list(connect, flags)
    }
}
