//! The lifecycle of devices: mediated devices and virtual adapters.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt::node_device;
use crate::objects::connection::Connection;
use crate::objects::node_device::{Handle, NodeDevice};

#[export_module]
pub(super) mod functions {
    /// Creates a mediated device or a virtual SCSI host adapter from XML, text or an `Xml`. It is gone after the host's next boot.
    /// An adapter without names (`<wwnn>` and `<wwpn>`) gets new ones, if libvirt is not as old as 9.0.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dev = conn.node_device_create_xml("<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012340001</wwnn><wwpn>1000000012340001</wwpn></capability></capability></device>");
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

    /// Creates a device; `VIR_NODE_DEVICE_CREATE_XML_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<device><parent>scsi_host2</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012340001</wwnn><wwpn>1000000012340001</wwpn></capability></capability></device>";
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
    /// assert_throws(|| conn.node_device_define_xml("<device><parent>scsi_host1</parent><capability type='mdev'><type id='x'/></capability></device>"), "VIR_ERR_NO_SUPPORT");
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
    /// assert_throws(|| conn.node_device_define_xml("<device><parent>scsi_host1</parent><capability type='mdev'><type id='x'/></capability></device>", 0), "VIR_ERR_NO_SUPPORT");
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

    /// Starts a defined device.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.create(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        create_flags(ctx, dev, 0)
    }

    /// Starts a defined device; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.create(0), "VIR_ERR_NO_SUPPORT");
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

    /// Stops the device; a device without a definition is gone afterwards.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dev = conn.node_device_create_xml("<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012340001</wwnn><wwpn>1000000012340001</wwpn></capability></capability></device>");
    /// dev.destroy();
    /// assert(!(dev.name in conn.list_devices(())));
    /// ```
    /// Calls virNodeDeviceDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceDestroy", "destroy", Handle::destroy)
    }

    /// Removes the definition of a mediated device.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.undefine(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        undefine_flags(ctx, dev, 0)
    }

    /// Removes the definition of a mediated device; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.undefine(0), "VIR_ERR_NO_SUPPORT");
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
    /// assert_throws(|| dev.update(dev.xml(), VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG), "VIR_ERR_NO_SUPPORT");
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

    /// True if the device starts as soon as its parent exists.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.autostart(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceGetAutostart.
    #[rhai_fn(name = "autostart", pure, return_raw)]
    pub fn autostart(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<bool> {
        let call = "virNodeDeviceGetAutostart";
        dev.call(&ctx, call, "read the autostart of", node_device::autostart)
    }

    /// Sets whether the device starts as soon as its parent exists.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.set_autostart(true), "VIR_ERR_NO_SUPPORT");
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

    /// True if the device is started.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert(dev.is_active());
    /// ```
    /// Calls virNodeDeviceIsActive.
    #[rhai_fn(name = "is_active", pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<bool> {
        let call = "virNodeDeviceIsActive";
        dev.call(&ctx, call, "check the activity of", node_device::is_active)
    }

    /// True if the device is defined, so that it still exists after a stop.
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
            "check the persistence of",
            node_device::is_persistent,
        )
    }
}
