//! `Interface`: a network interface of the host.

use virt::connect::Connect;
use virt::interface::Interface as Handle;

use super::object::{Kind, Object, usual_handle};
use crate::libvirt;

/// A network interface of the host behind a connection; copies are the same interface.
pub type Interface = Object<InterfaceKind>;

/// The kind of an `Interface`.
pub struct InterfaceKind;

impl Kind for InterfaceKind {
    type Handle = Handle;
    type Facts = ();
    usual_handle!(Handle);
    const NOUN: &'static str = "interface";
    const OPTIONS: &'static [&'static str] = &["interface"];
    const ELEMENT: &'static str = "interface";
    const NAME_PATH: &'static str = "@name";
    const INACTIVE: Option<(&'static str, u32)> = Some((
        "VIR_INTERFACE_XML_INACTIVE",
        virt_sys::VIR_INTERFACE_XML_INACTIVE,
    ));
    const COLUMNS: &'static [&'static str] = &["Name", "State", "MAC address"];

    fn row(iface: &Interface) -> Vec<String> {
        let state = match iface.attempt("virInterfaceIsActive", Handle::is_active) {
            Ok(true) => "active",
            Ok(false) => "inactive",
            Err(_) => "?",
        };
        let mac = iface.attempt("virInterfaceGetMACString", Handle::mac_string);
        vec![iface.name(), state.to_owned(), mac.unwrap_or_default()]
    }

    fn facts(_: &Handle) {}

    const LOOK_UP: &'static str = "virInterfaceLookupByName";

    fn find(connect: &Connect, (): &(), name: &str) -> libvirt::Result<Handle> {
        Self::by_name(connect, name)
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_interface_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_interfaces(flags)?)
    }
}
