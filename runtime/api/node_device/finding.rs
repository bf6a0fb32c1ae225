//! The devices of a host.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, optional_text, text};
use crate::libvirt::node_device;
use crate::objects::connection::Connection;
use crate::objects::node_device::{NodeDevice, NodeDeviceKind};

#[export_module]
pub(super) mod functions {
    /// All devices of the host.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert("scsi_host1" in conn.list_all_devices().map(|dev| dev.name));
    /// ```
    /// Calls virConnectListAllNodeDevices.
    #[rhai_fn(name = "list_all_devices", pure, return_raw)]
    pub fn list_all_devices(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<NodeDevice>> {
        list_all_devices_flags(ctx, conn, 0)
    }

    /// The devices that `flags` select: by capabilities, such as `VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV`, and by state, such
    /// as `VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let hosts = conn.list_all_devices(VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST);
    /// assert_eq(hosts.map(|dev| dev.name), ["scsi_host1", "scsi_host2", "scsi_host11"]);
    /// ```
    /// Calls virConnectListAllNodeDevices.
    #[rhai_fn(name = "list_all_devices", pure, return_raw)]
    pub fn list_all_devices_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<NodeDevice>> {
        conn.list_objects::<NodeDeviceKind>(&ctx, "virConnectListAllNodeDevices", flags)
    }

    /// The names of the devices with the capability `capability`, such as `"pci"`, `"usb_device"`, `"net"` or
    /// `"mdev_types"`; of all devices if it is `()`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert("computer" in conn.list_devices(()));
    /// assert_eq(conn.list_devices("system"), ["computer"]);
    /// ```
    /// Calls virNodeListDevices.
    #[rhai_fn(name = "list_devices", pure, return_raw)]
    pub fn list_devices(
        ctx: NativeCallContext,
        conn: &mut Connection,
        capability: Dynamic,
    ) -> RhaiResultOf<Array> {
        list_devices_flags(ctx, conn, capability, 0)
    }

    /// The names of the devices with the capability `capability`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_devices("system", 0), ["computer"]);
    /// ```
    /// Calls virNodeListDevices.
    #[rhai_fn(name = "list_devices", pure, return_raw)]
    pub fn list_devices_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        capability: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let capability = optional_text(&ctx, "the capability", &capability)?;
        let names = conn.call(&ctx, "virNodeListDevices", "list devices", move |c| {
            node_device::names(c, capability.as_deref(), wanted)
        })?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// The number of devices with the capability `capability`; of all devices if it is `()`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_devices("scsi_host"), 3);
    /// ```
    /// Calls virNodeNumOfDevices.
    #[rhai_fn(name = "num_of_devices", pure, return_raw)]
    pub fn num_of_devices(
        ctx: NativeCallContext,
        conn: &mut Connection,
        capability: Dynamic,
    ) -> RhaiResultOf<i64> {
        num_of_devices_flags(ctx, conn, capability, 0)
    }

    /// The number of devices with the capability `capability`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_devices((), 0), conn.list_all_devices().len());
    /// ```
    /// Calls virNodeNumOfDevices.
    #[rhai_fn(name = "num_of_devices", pure, return_raw)]
    pub fn num_of_devices_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        capability: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        let capability = optional_text(&ctx, "the capability", &capability)?;
        conn.call(&ctx, "virNodeNumOfDevices", "count devices", move |c| {
            node_device::count(c, capability.as_deref(), wanted).map(i64::from)
        })
    }

    /// The device called `name`; throws `VIR_ERR_NO_NODE_DEVICE` if there is none.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.parent(), "computer");
    /// ```
    /// Calls virNodeDeviceLookupByName.
    #[rhai_fn(name = "node_device_lookup_by_name", pure, return_raw)]
    pub fn node_device_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<NodeDevice> {
        conn.look_up(&ctx, "virNodeDeviceLookupByName", name)
    }

    /// The SCSI host adapter with these World Wide Names: `wwnn` of the node and `wwpn` of the port.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let look_up = || conn.node_device_lookup_scsi_host_by_wwn("2000000012341234", "1000000012341234");
    /// assert_throws(look_up, "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceLookupSCSIHostByWWN.
    #[rhai_fn(name = "node_device_lookup_scsi_host_by_wwn", pure, return_raw)]
    pub fn node_device_lookup_scsi_host_by_wwn(
        ctx: NativeCallContext,
        conn: &mut Connection,
        wwnn: &str,
        wwpn: &str,
    ) -> RhaiResultOf<NodeDevice> {
        node_device_lookup_scsi_host_by_wwn_flags(ctx, conn, wwnn, wwpn, 0)
    }

    /// The SCSI host adapter with these World Wide Names; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let look_up = || conn.node_device_lookup_scsi_host_by_wwn("2000000012341234", "1000000012341234", 0);
    /// assert_throws(look_up, "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceLookupSCSIHostByWWN.
    #[rhai_fn(name = "node_device_lookup_scsi_host_by_wwn", pure, return_raw)]
    pub fn node_device_lookup_scsi_host_by_wwn_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        wwnn: &str,
        wwpn: &str,
        flags: i64,
    ) -> RhaiResultOf<NodeDevice> {
        let wanted = flag_bits(&ctx, flags)?;
        let action = format_args!("look up the adapter with the WWN {wwnn},{wwpn}");
        let node = text(&ctx, "the WWN of the node", wwnn)?.to_owned();
        let port = text(&ctx, "the WWN of the port", wwpn)?.to_owned();
        let call = "virNodeDeviceLookupSCSIHostByWWN";
        let found = conn.call(&ctx, call, action, move |c| {
            c.lookup_node_device_scsi_host_by_wwn(&node, &port, wanted)
        })?;
        Ok(NodeDevice::new(conn.clone(), found))
    }
}
