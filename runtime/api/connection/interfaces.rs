//! The host's network interfaces.

use rhai::plugin::*;
use rhai::{Array, NativeCallContext};
use virt::connect::Connect;

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use crate::api::xml::XmlText;
use crate::libvirt::interface;
use crate::objects::connection::Connection;
use crate::objects::interface::{Interface, InterfaceKind};

#[export_module]
pub(super) mod functions {
    /// The host's network interface called `name`; throws `VIR_ERR_NO_INTERFACE` if there is none.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.name, "eth1");
    /// ```
    /// Calls virInterfaceLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn interface_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<Interface> {
        conn.look_up(&ctx, "virInterfaceLookupByName", name)
    }

    /// The host's network interface with that MAC address.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.interface_lookup_by_mac_string("aa:bb:cc:dd:ee:ff").name, "eth1");
    /// ```
    /// Calls virInterfaceLookupByMACString.
    #[rhai_fn(pure, return_raw)]
    pub fn interface_lookup_by_mac_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        mac: &str,
    ) -> RhaiResultOf<Interface> {
        let action = format_args!("look up the interface with the MAC address {mac}");
        let mac = mac.to_owned();
        conn.call(&ctx, "virInterfaceLookupByMACString", action, move |c| {
            c.lookup_interface_by_mac_string(&mac)
        })
        .map(|found| Interface::new(conn.clone(), found))
    }

    /// All network interfaces of the host.
    ///
    /// ```rhai
    /// let names = connect("test:///default").list_all_interfaces().map(|iface| iface.name);
    /// assert_eq(names, ["eth1"]);
    /// ```
    /// Calls virConnectListAllInterfaces.
    #[rhai_fn(name = "list_all_interfaces", pure, return_raw)]
    pub fn list_all_interfaces(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<Interface>> {
        list_all_interfaces_flags(ctx, conn, 0)
    }

    /// The network interfaces of the host that `flags` select, such as
    /// `VIR_CONNECT_LIST_INTERFACES_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_interfaces(VIR_CONNECT_LIST_INTERFACES_INACTIVE), []);
    /// ```
    /// Calls virConnectListAllInterfaces.
    #[rhai_fn(name = "list_all_interfaces", pure, return_raw)]
    pub fn list_all_interfaces_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<Interface>> {
        conn.list_objects::<InterfaceKind>(&ctx, "virConnectListAllInterfaces", flags)
    }

    /// The names of the host's network interfaces that are up.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").list_interfaces(), ["eth1"]);
    /// ```
    /// Calls virConnectListAllInterfaces.
    #[rhai_fn(pure, return_raw)]
    pub fn list_interfaces(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        let active = virt_sys::VIR_CONNECT_LIST_INTERFACES_ACTIVE;
        conn.list_names::<InterfaceKind>(&ctx, "virConnectListAllInterfaces", active)
    }

    /// The names of the host's network interfaces that are down.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").list_defined_interfaces(), []);
    /// ```
    /// Calls virConnectListAllInterfaces.
    #[rhai_fn(pure, return_raw)]
    pub fn list_defined_interfaces(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let inactive = virt_sys::VIR_CONNECT_LIST_INTERFACES_INACTIVE;
        conn.list_names::<InterfaceKind>(&ctx, "virConnectListAllInterfaces", inactive)
    }

    /// The number of network interfaces of the host that are up.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").num_of_interfaces(), 1);
    /// ```
    /// Calls virConnectNumOfInterfaces.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_interfaces(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfInterfaces",
            "count the active interfaces",
            Connect::num_of_interfaces,
        )
        .map(i64::from)
    }

    /// The number of network interfaces of the host that are down.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").num_of_defined_interfaces(), 0);
    /// ```
    /// Calls virConnectNumOfDefinedInterfaces.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_defined_interfaces(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfDefinedInterfaces",
            "count the inactive interfaces",
            Connect::num_of_defined_interfaces,
        )
        .map(i64::from)
    }

    /// Defines a network interface of the host from XML, text or an `Xml`, without bringing it up.
    ///
    /// Only hosts whose libvirt was built with netcf can do that; other hosts only list their interfaces.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<interface type='ethernet' name='eth2'><mac address='aa:bb:cc:dd:ee:02'/></interface>";
    /// assert(!conn.interface_define_xml(xml).is_active());
    /// ```
    /// Calls virInterfaceDefineXML.
    #[rhai_fn(name = "interface_define_xml", pure, return_raw)]
    pub fn interface_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Interface> {
        interface_define_xml_flags(ctx, conn, xml, 0)
    }

    /// Defines a network interface of the host; `VIR_INTERFACE_DEFINE_VALIDATE` checks the XML
    /// against libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = "<interface type='ethernet' name='eth2'><mac address='aa:bb:cc:dd:ee:02'/></interface>";
    /// assert_eq(conn.interface_define_xml(xml, 0).name, "eth2");
    /// ```
    /// Calls virInterfaceDefineXML.
    #[rhai_fn(name = "interface_define_xml", pure, return_raw)]
    pub fn interface_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Interface> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virInterfaceDefineXML", &xml, move |c, xml| {
            c.define_interface_xml(xml, wanted)
        })
    }

    /// Begins a change of the host's interfaces. Until `change_commit`, `change_rollback` and the host's next boot undo
    /// the change.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin();
    /// conn.interface_lookup_by_name("eth1").undefine();
    /// conn.change_rollback();
    /// assert_eq(conn.list_all_interfaces().len(), 1);
    /// ```
    /// Calls virInterfaceChangeBegin.
    #[rhai_fn(name = "change_begin", pure, return_raw)]
    pub fn change_begin(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<()> {
        change_begin_flags(ctx, conn, 0)
    }

    /// Begins a change of the host's interfaces; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin(0);
    /// assert_throws(|| conn.change_begin(0), "VIR_ERR_OPERATION_INVALID");
    /// conn.change_rollback();
    /// ```
    /// Calls virInterfaceChangeBegin.
    #[rhai_fn(name = "change_begin", pure, return_raw)]
    pub fn change_begin_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let action = "begin a change of the interfaces";
        conn.call(&ctx, "virInterfaceChangeBegin", action, move |c| {
            interface::change_begin(c, wanted)
        })
    }

    /// Makes a change of the host's interfaces permanent.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin();
    /// conn.interface_lookup_by_name("eth1").undefine();
    /// conn.change_commit();
    /// assert_eq(conn.list_interfaces(), []);
    /// ```
    /// Calls virInterfaceChangeCommit.
    #[rhai_fn(name = "change_commit", pure, return_raw)]
    pub fn change_commit(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<()> {
        change_commit_flags(ctx, conn, 0)
    }

    /// Makes a change of the host's interfaces permanent; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin();
    /// conn.change_commit(0);
    /// assert_throws(|| conn.change_rollback(), "VIR_ERR_OPERATION_INVALID");
    /// ```
    /// Calls virInterfaceChangeCommit.
    #[rhai_fn(name = "change_commit", pure, return_raw)]
    pub fn change_commit_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let action = "commit the change of the interfaces";
        conn.call(&ctx, "virInterfaceChangeCommit", action, move |c| {
            interface::change_commit(c, wanted)
        })
    }

    /// Undoes the changes of the host's interfaces since `change_begin`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin();
    /// conn.interface_lookup_by_name("eth1").undefine();
    /// conn.change_rollback();
    /// assert_eq(conn.interface_lookup_by_name("eth1").name, "eth1");
    /// ```
    /// Calls virInterfaceChangeRollback.
    #[rhai_fn(name = "change_rollback", pure, return_raw)]
    pub fn change_rollback(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<()> {
        change_rollback_flags(ctx, conn, 0)
    }

    /// Restores the host's interfaces to their state before `change_begin`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.change_begin();
    /// conn.change_rollback(0);
    /// assert_throws(|| conn.change_commit(), "VIR_ERR_OPERATION_INVALID");
    /// ```
    /// Calls virInterfaceChangeRollback.
    #[rhai_fn(name = "change_rollback", pure, return_raw)]
    pub fn change_rollback_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let action = "roll back the change of the interfaces";
        conn.call(&ctx, "virInterfaceChangeRollback", action, move |c| {
            interface::change_rollback(c, wanted)
        })
    }
}
