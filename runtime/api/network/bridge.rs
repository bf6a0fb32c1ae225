//! The bridge of a network.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::RhaiResultOf;
use crate::objects::network::{Handle, Network};

#[export_module]
pub(super) mod functions {
    /// The name of the network's bridge on the host.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.bridge_name(), "virbr0");
    /// ```
    /// Calls virNetworkGetBridgeName.
    #[rhai_fn(pure, return_raw)]
    pub fn bridge_name(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<String> {
        net.call(
            &ctx,
            "virNetworkGetBridgeName",
            "read the bridge of",
            Handle::bridge_name,
        )
    }
}
