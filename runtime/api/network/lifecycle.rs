//! Starting and stopping networks.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::RhaiResultOf;
use crate::objects::network::{Handle, Network};

#[export_module]
pub(super) mod functions {
    /// Starts this network: its bridge, and its DHCP and DNS servers if it has them.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// net.destroy();
    /// net.create();
    /// assert(net.is_active());
    /// ```
    /// Calls virNetworkCreate.
    #[rhai_fn(pure, return_raw)]
    pub fn create(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkCreate", "start", Handle::create)
    }

    /// Stops this network at once, even if guests use it; a transient network is gone afterwards.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// net.destroy();
    /// assert(!net.is_active());
    /// ```
    /// Calls virNetworkDestroy.
    #[rhai_fn(pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkDestroy", "destroy", Handle::destroy)
    }

    /// Removes the definition; an active network continues to run and becomes transient.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_lookup_by_name("default");
    /// net.destroy();
    /// net.undefine();
    /// assert_eq(conn.list_all_networks(), []);
    /// ```
    /// Calls virNetworkUndefine.
    #[rhai_fn(pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkUndefine", "undefine", Handle::undefine)
    }

    /// True if the network starts with its host.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").network_lookup_by_name("default").autostart());
    /// ```
    /// Calls virNetworkGetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn autostart(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<bool> {
        net.call(
            &ctx,
            "virNetworkGetAutostart",
            "read the autostart of",
            Handle::autostart,
        )
    }

    /// Sets whether the network starts with its host's libvirt.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// net.set_autostart(true);
    /// assert(net.autostart());
    /// ```
    /// Calls virNetworkSetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn set_autostart(ctx: NativeCallContext, net: &mut Network, on: bool) -> RhaiResultOf<()> {
        net.call(
            &ctx,
            "virNetworkSetAutostart",
            "set the autostart of",
            move |n| n.set_autostart(on),
        )
    }

    /// True if the network is up.
    ///
    /// ```rhai
    /// assert(connect("test:///default").network_lookup_by_name("default").is_active());
    /// ```
    /// Calls virNetworkIsActive.
    #[rhai_fn(pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<bool> {
        net.call(
            &ctx,
            "virNetworkIsActive",
            "check the activity of",
            Handle::is_active,
        )
    }

    /// True if the network is still defined after it stops.
    ///
    /// ```rhai
    /// assert(connect("test:///default").network_lookup_by_name("default").is_persistent());
    /// ```
    /// Calls virNetworkIsPersistent.
    #[rhai_fn(pure, return_raw)]
    pub fn is_persistent(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<bool> {
        net.call(
            &ctx,
            "virNetworkIsPersistent",
            "check the persistence of",
            Handle::is_persistent,
        )
    }
}
