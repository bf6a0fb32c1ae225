//! `NodeDevice`: a device of the host, such as a PCI card or a disk.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits, optional_text, text};
use super::every_kind::Scripted;
use super::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt::node_device;
use crate::objects::connection::Connection;
use crate::objects::node_device::{Handle, NodeDevice, NodeDeviceKind};

impl Scripted for NodeDeviceKind {
    const VARIABLE: &'static str = "dev";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let dev = conn.node_device_lookup_by_name("scsi_host1");"#;
    /// libvirt has none for devices.
    const GET_CONNECTION: &'static str = "";
    const XML: &'static str = "of the device, with what it can do";
    const XML_FLAGS: &'static str =
        "`VIR_NODE_DEVICE_XML_INACTIVE` is the definition of a mediated device for its next start";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(finding).into());
        engine.register_global_module(exported_module!(life).into());
        engine.register_global_module(exported_module!(assignment).into());
        engine.register_global_module(exported_module!(relations).into());
    }
}

#[export_module]
mod finding {
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

    /// The names of the devices with the capability `capability`, such as `"pci"`, `"usb_device"`, `"net"` or `"mdev_types"`, or of
    /// all if it is `()`.
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

    /// The number of devices with the capability `capability`, or of all if it is `()`.
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

    /// The adapter of a storage network with these World Wide Names, of the node and of the port.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.node_device_lookup_scsi_host_by_wwn("2000000012341234", "1000000012341234");
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
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

    /// The adapter with these World Wide Names; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.node_device_lookup_scsi_host_by_wwn("2000000012341234", "1000000012341234", 0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
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

#[export_module]
mod life {
    /// Makes a device from XML, text or an `Xml`, until the host boots: a mediated device, or a virtual adapter of a storage network.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dev = conn.node_device_create_xml("<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'/></capability></device>");
    /// assert_eq(dev.parent(), "scsi_host1");
    /// ```
    /// Calls virNodeDeviceCreateXML.
    #[rhai_fn(name = "node_device_create_xml", pure, return_raw)]
    pub fn node_device_create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<NodeDevice> {
        node_device_create_xml_flags(ctx, conn, xml, 0)
    }

    /// Makes a device; `VIR_NODE_DEVICE_CREATE_XML_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<device><parent>scsi_host2</parent><capability type='scsi_host'><capability type='fc_host'/></capability></device>";
    /// assert_eq(conn.node_device_create_xml(xml, 0).parent(), "scsi_host2");
    /// ```
    /// Calls virNodeDeviceCreateXML.
    #[rhai_fn(name = "node_device_create_xml", pure, return_raw)]
    pub fn node_device_create_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<NodeDevice> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.create(&ctx, "virNodeDeviceCreateXML", &xml, move |c, xml| {
            c.create_node_device_xml(xml, wanted)
        })
    }

    /// Defines a mediated device from XML, text or an `Xml`, without starting it.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.node_device_define_xml("<device><parent>scsi_host1</parent><capability type='mdev'><type id='x'/></capability></device>");
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceDefineXML.
    #[rhai_fn(name = "node_device_define_xml", pure, return_raw)]
    pub fn node_device_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<NodeDevice> {
        node_device_define_xml_flags(ctx, conn, xml, 0)
    }

    /// Defines a mediated device; `VIR_NODE_DEVICE_DEFINE_XML_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.node_device_define_xml("<device><parent>scsi_host1</parent><capability type='mdev'><type id='x'/></capability></device>", 0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceDefineXML.
    #[rhai_fn(name = "node_device_define_xml", pure, return_raw)]
    pub fn node_device_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<NodeDevice> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virNodeDeviceDefineXML", &xml, move |c, xml| {
            node_device::define_xml(c, xml, wanted)
        })
    }

    /// Starts a device that is defined.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.create();
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        create_flags(ctx, dev, 0)
    }

    /// Starts a device that is defined; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.create(0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create_flags(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dev.call(&ctx, "virNodeDeviceCreate", "start", move |d| {
            node_device::create(d, wanted)
        })
    }

    /// Stops the device; one that is not defined is gone then.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dev = conn.node_device_create_xml("<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'/></capability></device>");
    /// dev.destroy();
    /// assert(!(dev.name in conn.list_devices(())));
    /// ```
    /// Calls virNodeDeviceDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceDestroy", "destroy", Handle::destroy)
    }

    /// Forgets the definition of a mediated device.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.undefine();
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        undefine_flags(ctx, dev, 0)
    }

    /// Forgets the definition of a mediated device; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.undefine(0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine_flags(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dev.call(&ctx, "virNodeDeviceUndefine", "undefine", move |d| {
            node_device::undefine(d, wanted)
        })
    }

    /// Changes a mediated device by its new XML, text or an `Xml`: `VIR_NODE_DEVICE_UPDATE_AFFECT_LIVE`, `_CONFIG`, or both.
    ///
    /// Needs libvirt 10.1.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.update(dev.xml(), VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceUpdate.
    #[rhai_fn(name = "update", pure, return_raw)]
    pub fn update(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the device's XML", &xml)?;
        let owned = xml.clone();
        dev.call(&ctx, "virNodeDeviceUpdate", "update", move |d| {
            node_device::update(d, &owned, wanted)
        })
        .of_xml(&xml)
    }

    /// Whether the device starts once its parent is there.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     print(dev.autostart());
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceGetAutostart.
    #[rhai_fn(name = "autostart", pure, return_raw)]
    pub fn autostart(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<bool> {
        let call = "virNodeDeviceGetAutostart";
        dev.call(&ctx, call, "read the autostart of", node_device::autostart)
    }

    /// Sets whether the device starts once its parent is there.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.set_autostart(true);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceSetAutostart.
    #[rhai_fn(name = "set_autostart", pure, return_raw)]
    pub fn set_autostart(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        on: bool,
    ) -> RhaiResultOf<()> {
        let call = "virNodeDeviceSetAutostart";
        dev.call(&ctx, call, "set the autostart of", move |d| {
            node_device::set_autostart(d, on)
        })
    }

    /// Whether the device is started.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert(dev.is_active());
    /// ```
    /// Calls virNodeDeviceIsActive.
    #[rhai_fn(name = "is_active", pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<bool> {
        let call = "virNodeDeviceIsActive";
        dev.call(
            &ctx,
            call,
            "ask about the activity of",
            node_device::is_active,
        )
    }

    /// Whether the device is defined, so that it outlives its stop.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert(dev.is_persistent());
    /// ```
    /// Calls virNodeDeviceIsPersistent.
    #[rhai_fn(name = "is_persistent", pure, return_raw)]
    pub fn is_persistent(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<bool> {
        let call = "virNodeDeviceIsPersistent";
        dev.call(
            &ctx,
            call,
            "ask about the persistence of",
            node_device::is_persistent,
        )
    }
}

#[export_module]
mod assignment {
    /// Takes the device from the host's driver, for a guest. The name has libvirt's own spelling.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.dettach();
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceDettach.
    #[rhai_fn(name = "dettach", pure, return_raw)]
    pub fn dettach(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceDettach", "detach", Handle::detach)
    }

    /// Takes the device from the host's driver, for a guest, and gives it to the driver `driver`, such as `"vfio"`, or libvirt's
    /// choice if that is `()`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.detach((), 0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceDetachFlags.
    #[rhai_fn(name = "detach", pure, return_raw)]
    pub fn detach(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        driver: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let driver = optional_text(&ctx, "the driver", &driver)?;
        dev.call(&ctx, "virNodeDeviceDetachFlags", "detach", move |d| {
            d.detach_flags(driver.as_deref(), wanted)
        })
    }

    /// Gives the device back to the host's driver.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.re_attach();
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceReAttach.
    #[rhai_fn(name = "re_attach", pure, return_raw)]
    pub fn re_attach(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceReAttach", "give back", Handle::reattach)
    }

    /// Resets the device, which must be detached from the host's driver.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// try {
    ///     dev.reset();
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNodeDeviceReset.
    #[rhai_fn(name = "reset", pure, return_raw)]
    pub fn reset(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceReset", "reset", Handle::reset)
    }
}

#[export_module]
mod relations {
    /// The name of the device that this one is on, or `()` at the top.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.parent(), "computer");
    /// assert_eq(connect("test:///default").node_device_lookup_by_name("computer").parent(), ());
    /// ```
    /// Calls virNodeDeviceGetParent.
    #[rhai_fn(name = "parent", pure, return_raw)]
    pub fn parent(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<Dynamic> {
        let call = "virNodeDeviceGetParent";
        let parent = dev.call(&ctx, call, "look up the parent of", node_device::parent)?;
        Ok(parent.map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// The capabilities, such as `"pci"` or `"net"`.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.list_caps(), ["scsi_host"]);
    /// ```
    /// Calls virNodeDeviceListCaps.
    #[rhai_fn(name = "list_caps", pure, return_raw)]
    pub fn list_caps(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<Array> {
        let call = "virNodeDeviceListCaps";
        let names = dev.call(&ctx, call, "list the capabilities of", Handle::list_caps)?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// The number of capabilities.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.num_of_caps(), 1);
    /// ```
    /// Calls virNodeDeviceNumOfCaps.
    #[rhai_fn(name = "num_of_caps", pure, return_raw)]
    pub fn num_of_caps(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<i64> {
        let call = "virNodeDeviceNumOfCaps";
        dev.call(&ctx, call, "count the capabilities of", Handle::num_of_caps)
            .map(i64::from)
    }
}
