//! `NWFilterBinding`: the use of a network filter on one network device.

use virt::connect::Connect;

use super::object::{Kind, Object};
use crate::libvirt::{self, nwfilter};
pub(crate) use nwfilter::Binding as Handle;

/// A binding of a network filter; copies are the same binding.
pub type NWFilterBinding = Object<NWFilterBindingKind>;

/// The kind of a [`NWFilterBinding`].
pub struct NWFilterBindingKind;

impl Kind for NWFilterBindingKind {
    type Handle = Handle;
    type Facts = ();
    const NOUN: &'static str = "filter binding";
    const OPTIONS: &'static [&'static str] = &["port_dev"];
    const ELEMENT: &'static str = "filterbinding";
    const NAME_PATH: &'static str = "portdev/@name";
    const COLUMNS: &'static [&'static str] = &["Port device", "Filter"];

    fn row(binding: &NWFilterBinding) -> Vec<String> {
        let filter = binding.attempt("virNWFilterBindingGetFilterName", Handle::filter_name);
        vec![binding.name(), filter.unwrap_or_default()]
    }

    /// The network device.
    fn name(handle: &Handle) -> Option<String> {
        handle.port_dev().ok()
    }

    fn facts(_: &Handle) {}

    fn xml(handle: &Handle, flags: u32) -> libvirt::Result<String> {
        handle.xml_desc(flags)
    }

    const LOOK_UP: &'static str = "virNWFilterBindingLookupByPortDev";

    fn find(connect: &Connect, (): &(), name: &str) -> libvirt::Result<Handle> {
        Self::by_name(connect, name)
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        nwfilter::lookup_binding(connect, name)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        nwfilter::list_bindings(connect, flags)
    }
}
