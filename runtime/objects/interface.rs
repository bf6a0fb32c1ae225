//! `Interface`: a network interface of the host.

use virt::connect::Connect;
use virt::interface::Interface as Handle;

use super::object::{Kind, Object};
use crate::libvirt;

/// A network interface of the host behind a connection; copies are the same interface.
pub type Interface = Object<InterfaceKind>;

/// What an `Interface` stands for.
pub struct InterfaceKind;

impl Kind for InterfaceKind {
    type Handle = Handle;
    type Facts = ();
    const TYPE: &'static str = "Interface";
    const NOUN: &'static str = "interface";
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

    fn identity(_: &Interface) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn facts(_: &Handle) {}

    const LOOK_UP: &'static str = "virInterfaceLookupByName";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_INTERFACE;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, (): &(), name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_interface_by_name(name)?)
    }
}
