//! Which network this is: name, UUID, bridge, its XML.

use rhai::plugin::*;
use rhai::{Blob, NativeCallContext};

use crate::api::arguments::{self, RhaiResultOf, flag_bits};
use crate::objects::connection::Connection;
use crate::objects::network::{Handle, Network};

#[export_module]
pub(super) mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(`the network ${net.name}`, "the network default");
    /// ```
    /// Calls virNetworkGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn get_name(net: &mut Network) -> String {
        Network::name(net)
    }

    /// The name.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a network that is gone still answers.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.name(), "default");
    /// ```
    /// Calls virNetworkGetName.
    #[rhai_fn(pure)]
    pub fn name(net: &mut Network) -> String {
        Network::name(net)
    }

    /// The UUID as text, for use in text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.uuid, "dd8fe884-6c02-601e-7551-cca97df1c5df");
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(get = "uuid", pure)]
    pub fn get_uuid(net: &mut Network) -> String {
        Network::uuid(net).to_owned()
    }

    /// The UUID as text.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a network that is gone still answers.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.uuid_string(), "dd8fe884-6c02-601e-7551-cca97df1c5df");
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(name = "uuid_string", name = "uuid", pure)]
    pub fn uuid_string(net: &mut Network) -> String {
        Network::uuid(net).to_owned()
    }

    /// The UUID as 16 bytes.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a network that is gone still answers.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.uuid_bytes().len(), 16);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(pure)]
    pub fn uuid_bytes(net: &mut Network) -> Blob {
        arguments::uuid_bytes(Network::uuid(net))
    }

    /// The connection that this network came from.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.connect().uri, "test:///default");
    /// ```
    /// Calls virNetworkGetConnect.
    #[rhai_fn(pure)]
    pub fn connect(net: &mut Network) -> Connection {
        net.connection().clone()
    }

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

    /// The XML: of the active network, or the configuration of one that is not.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net.xml_desc().contains("<name>default</name>"));
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<String> {
        xml_desc_flags(ctx, net, 0)
    }

    /// The XML as `flags` say: `VIR_NETWORK_XML_INACTIVE` is the configuration for the next start.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net.xml_desc(0).contains("virbr0"));
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        net.call(&ctx, "virNetworkGetXMLDesc", "read the XML of", move |n| {
            n.xml_desc(wanted)
        })
    }

    /// The network as text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.to_string(), "Network(default)");
    /// ```
    /// Calls virNetworkGetName.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(net: &mut Network) -> String {
        net.to_string()
    }

    /// Whether both are the same network on the same connection.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.network_lookup_by_name("default") == conn.list_all_networks()[0]);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(left: &mut Network, right: Network) -> bool {
        left.uuid() == right.uuid() && left.connection() == right.connection()
    }

    /// Whether they are two networks, or of two connections.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(!(conn.network_lookup_by_name("default") != conn.list_all_networks()[0]));
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(left: &mut Network, right: Network) -> bool {
        left.uuid() != right.uuid() || left.connection() != right.connection()
    }
}
