//! `NodeDevice`: a device of the host, such as a PCI card or a disk.

use virt::connect::Connect;
pub(crate) use virt::nodedev::NodeDevice as Handle;

use super::object::{Kind, Object, usual_handle};
use crate::libvirt::{self, node_device};

/// A device of the host behind a connection; copies are the same device.
pub type NodeDevice = Object<NodeDeviceKind>;

/// The kind of a [`NodeDevice`].
pub struct NodeDeviceKind;

impl Kind for NodeDeviceKind {
    type Handle = Handle;
    type Facts = ();
    usual_handle!(Handle);
    const NOUN: &'static str = "device";
    const OPTIONS: &'static [&'static str] = &["node_device"];
    const ELEMENT: &'static str = "device";
    const INACTIVE: Option<(&'static str, u32)> = Some((
        "VIR_NODE_DEVICE_XML_INACTIVE",
        virt_sys::VIR_NODE_DEVICE_XML_INACTIVE,
    ));
    const COLUMNS: &'static [&'static str] = &["Name", "Parent", "Capabilities"];

    fn row(device: &NodeDevice) -> Vec<String> {
        let parent = device.attempt("virNodeDeviceGetParent", node_device::parent);
        let capabilities = device.attempt("virNodeDeviceListCaps", Handle::list_caps);
        let capabilities = capabilities.map_or_else(|_| "?".to_owned(), |names| names.join(", "));
        let parent = parent.ok().flatten().unwrap_or_default();
        vec![device.name(), parent, capabilities]
    }

    fn facts(_: &Handle) {}

    const LOOK_UP: &'static str = "virNodeDeviceLookupByName";

    fn find(connect: &Connect, (): &(), name: &str) -> libvirt::Result<Handle> {
        Self::by_name(connect, name)
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_node_device_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_node_devices(flags)?)
    }
}
