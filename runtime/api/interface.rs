//! `Interface`: a network interface of the host.

use rhai::plugin::*;
use rhai::{Engine, NativeCallContext, exported_module};
use virt::interface::Interface as Handle;

use super::arguments::{RhaiResultOf, flag_bits};
use crate::objects::connection::Connection;
use crate::objects::interface::Interface;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Interface>("Interface");
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(`the interface ${iface.name}`, "the interface eth1");
    /// ```
    /// Calls virInterfaceGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn get_name(iface: &mut Interface) -> String {
        Interface::name(iface)
    }

    /// The name.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a interface that is gone still answers.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").interface_lookup_by_name("eth1").name(), "eth1");
    /// ```
    /// Calls virInterfaceGetName.
    #[rhai_fn(pure)]
    pub fn name(iface: &mut Interface) -> String {
        Interface::name(iface)
    }

    /// The MAC address; empty where the interface has none.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.mac_string(), "aa:bb:cc:dd:ee:ff");
    /// ```
    /// Calls virInterfaceGetMACString.
    #[rhai_fn(pure, return_raw)]
    pub fn mac_string(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<String> {
        iface.call(
            &ctx,
            "virInterfaceGetMACString",
            "read the MAC address of",
            Handle::mac_string,
        )
    }

    /// The connection that this interface came from.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.connect().uri, "test:///default");
    /// ```
    /// Calls virInterfaceGetConnect.
    #[rhai_fn(pure)]
    pub fn connect(iface: &mut Interface) -> Connection {
        iface.connection().clone()
    }

    /// The XML, with the addresses that the interface has now.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert(iface.xml_desc().contains("192.168.0.5"));
    /// ```
    /// Calls virInterfaceGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<String> {
        xml_desc_flags(ctx, iface, 0)
    }

    /// The XML as `flags` say: `VIR_INTERFACE_XML_INACTIVE` is the configuration.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert(iface.xml_desc(0).contains("eth1"));
    /// ```
    /// Calls virInterfaceGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc_flags(
        ctx: NativeCallContext,
        iface: &mut Interface,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        iface.call(
            &ctx,
            "virInterfaceGetXMLDesc",
            "read the XML of",
            move |it| it.xml_desc(wanted),
        )
    }

    /// Brings this interface up.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// iface.destroy();
    /// iface.create();
    /// assert(iface.is_active());
    /// ```
    /// Calls virInterfaceCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<()> {
        create_flags(ctx, iface, 0)
    }

    /// Brings this interface up; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// iface.destroy();
    /// iface.create(0);
    /// assert(iface.is_active());
    /// ```
    /// Calls virInterfaceCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create_flags(
        ctx: NativeCallContext,
        iface: &mut Interface,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        iface.call(&ctx, "virInterfaceCreate", "start", move |it| {
            it.create(wanted)
        })
    }

    /// Takes this interface down, under whoever uses it: also this connection.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// iface.destroy();
    /// assert(!iface.is_active());
    /// ```
    /// Calls virInterfaceDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<()> {
        destroy_flags(ctx, iface, 0)
    }

    /// Takes this interface down; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// iface.destroy(0);
    /// assert(!iface.is_active());
    /// ```
    /// Calls virInterfaceDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy_flags(
        ctx: NativeCallContext,
        iface: &mut Interface,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        iface.call(&ctx, "virInterfaceDestroy", "destroy", move |it| {
            it.destroy(wanted)
        })
    }

    /// Forgets the configuration of this interface.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.interface_lookup_by_name("eth1").undefine();
    /// assert_eq(conn.list_all_interfaces(), []);
    /// ```
    /// Calls virInterfaceUndefine.
    #[rhai_fn(pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<()> {
        iface.call(&ctx, "virInterfaceUndefine", "undefine", Handle::undefine)
    }

    /// Whether the interface is up.
    ///
    /// ```rhai
    /// assert(connect("test:///default").interface_lookup_by_name("eth1").is_active());
    /// ```
    /// Calls virInterfaceIsActive.
    #[rhai_fn(pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<bool> {
        iface.call(
            &ctx,
            "virInterfaceIsActive",
            "ask about the activity of",
            Handle::is_active,
        )
    }

    /// The interface as text.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.to_string(), "Interface(eth1)");
    /// ```
    /// Calls virInterfaceGetName.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(iface: &mut Interface) -> String {
        iface.to_string()
    }

    /// Whether both are the same interface on the same connection.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.interface_lookup_by_name("eth1") == conn.list_all_interfaces()[0]);
    /// ```
    /// Calls virInterfaceGetName.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(left: &mut Interface, right: Interface) -> bool {
        Interface::name(left) == Interface::name(&right) && left.connection() == right.connection()
    }

    /// Whether they are two interfaces, or of two connections.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(!(conn.interface_lookup_by_name("eth1") != conn.list_all_interfaces()[0]));
    /// ```
    /// Calls virInterfaceGetName.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(left: &mut Interface, right: Interface) -> bool {
        !equals(left, right)
    }
}
