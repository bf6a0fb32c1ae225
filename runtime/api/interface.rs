//! `Interface`: a network interface of the host.

use rhai::plugin::*;
use rhai::{Engine, NativeCallContext, exported_module};
use virt::interface::Interface as Handle;

use super::arguments::{RhaiResultOf, flag_bits};
use crate::api::every_kind::Scripted;
use crate::objects::interface::{Interface, InterfaceKind};

impl Scripted for InterfaceKind {
    const VARIABLE: &'static str = "iface";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let iface = conn.interface_lookup_by_name("eth1");"#;
    const EXAMPLE_NAME: &'static str = "eth1";
    const XML: &'static str = "with the addresses that the interface has now";
    const XML_FLAGS: &'static str = "`VIR_INTERFACE_XML_INACTIVE` is the configuration";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(functions).into());
    }
}

#[export_module]
mod functions {
    /// The MAC address; empty if the interface has none.
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

    /// Shuts this interface down at once, even if this connection uses it.
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

    /// Shuts this interface down; libvirt has no flags for it yet.
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

    /// Removes the configuration of this interface.
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

    /// True if the interface is up.
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
            "check the activity of",
            Handle::is_active,
        )
    }
}
