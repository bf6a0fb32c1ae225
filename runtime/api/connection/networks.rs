//! Finds, creates and defines networks.

use rhai::plugin::*;
use rhai::{Array, Blob, NativeCallContext};
use virt::connect::Connect;

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, uuid_text};
use crate::api::xml::XmlText;
use crate::libvirt;
use crate::objects::connection::Connection;
use crate::objects::network::{Network, NetworkKind};

#[export_module]
pub(super) mod functions {
    /// The network called `name`; throws `VIR_ERR_NO_NETWORK` if there is none.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.name, "default");
    /// ```
    /// Calls virNetworkLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn network_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<Network> {
        conn.look_up(&ctx, "virNetworkLookupByName", name)
    }

    /// The network with that UUID, given as text.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_lookup_by_uuid("dd8fe884-6c02-601e-7551-cca97df1c5df");
    /// assert_eq(net.name, "default");
    /// ```
    /// Calls virNetworkLookupByUUIDString.
    #[rhai_fn(
        name = "network_lookup_by_uuid",
        name = "network_lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn network_lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<Network> {
        conn.look_up_uuid(&ctx, uuid)
    }

    /// The network with that UUID, given as its 16 bytes.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let bytes = conn.network_lookup_by_name("default").uuid_bytes();
    /// assert_eq(conn.network_lookup_by_uuid(bytes).name, "default");
    /// ```
    /// Calls virNetworkLookupByUUIDString.
    #[rhai_fn(name = "network_lookup_by_uuid", pure, return_raw)]
    pub fn network_lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<Network> {
        let uuid = uuid_text(&ctx, &uuid)?;
        network_lookup_by_uuid_string(ctx, conn, &uuid)
    }

    /// All networks of the host, active or not.
    ///
    /// ```rhai
    /// let names = connect("test:///default").list_all_networks().map(|net| net.name);
    /// assert_eq(names, ["default"]);
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(name = "list_all_networks", pure, return_raw)]
    pub fn list_all_networks(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<Network>> {
        list_all_networks_flags(ctx, conn, 0)
    }

    /// The networks that `flags` select, such as `VIR_CONNECT_LIST_NETWORKS_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_networks(VIR_CONNECT_LIST_NETWORKS_INACTIVE), []);
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(name = "list_all_networks", pure, return_raw)]
    pub fn list_all_networks_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<Network>> {
        conn.list_objects::<NetworkKind>(&ctx, "virConnectListAllNetworks", flags)
    }

    /// The names of the networks that are active.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").list_networks(), ["default"]);
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn list_networks(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        let active = virt_sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE;
        conn.list_names::<NetworkKind>(&ctx, "virConnectListAllNetworks", active)
    }

    /// The names of the networks that are defined but not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.network_lookup_by_name("default").destroy();
    /// assert_eq(conn.list_defined_networks(), ["default"]);
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn list_defined_networks(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let inactive = virt_sys::VIR_CONNECT_LIST_NETWORKS_INACTIVE;
        conn.list_names::<NetworkKind>(&ctx, "virConnectListAllNetworks", inactive)
    }

    /// The number of active networks.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").num_of_networks(), 1);
    /// ```
    /// Calls virConnectNumOfNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_networks(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfNetworks",
            "count the active networks",
            Connect::num_of_networks,
        )
        .map(i64::from)
    }

    /// The number of networks that are defined but not active.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").num_of_defined_networks(), 0);
    /// ```
    /// Calls virConnectNumOfDefinedNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_defined_networks(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfDefinedNetworks",
            "count the inactive networks",
            Connect::num_of_defined_networks,
        )
        .map(i64::from)
    }

    /// Defines a persistent network from XML, text or an `Xml`, without starting it.
    ///
    /// A network with the same name and UUID gets the new configuration, in force from its next start; an active
    /// transient network becomes persistent.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>lab</name></network>");
    /// assert(!net.is_active());
    /// assert(net.is_persistent());
    /// ```
    /// Calls virNetworkDefineXML.
    #[rhai_fn(name = "network_define_xml", pure, return_raw)]
    pub fn network_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Network> {
        conn.define(
            &ctx,
            "virNetworkDefineXML",
            &xml,
            Connect::define_network_xml,
        )
    }

    /// Defines a persistent network; `VIR_NETWORK_DEFINE_VALIDATE` checks the XML against libvirt's
    /// schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.network_define_xml("<network><name>lab</name><brigde/></network>", VIR_NETWORK_DEFINE_VALIDATE);
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_XML_INVALID_SCHEMA");
    /// }
    /// ```
    /// Calls virNetworkDefineXMLFlags.
    #[rhai_fn(name = "network_define_xml", pure, return_raw)]
    pub fn network_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Network> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virNetworkDefineXMLFlags", &xml, move |c, xml| {
            libvirt::network::define_xml_flags(c, xml, wanted)
        })
    }

    /// Creates a transient network from XML, text or an `Xml`, and starts it; it is gone when it stops.
    ///
    /// If the XML has the name and UUID of an inactive persistent network, that network is started.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_create_xml("<network><name>lab</name></network>");
    /// assert(net.is_active());
    /// assert(!net.is_persistent());
    /// ```
    /// Calls virNetworkCreateXML.
    #[rhai_fn(name = "network_create_xml", pure, return_raw)]
    pub fn network_create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Network> {
        conn.create(
            &ctx,
            "virNetworkCreateXML",
            &xml,
            Connect::create_network_xml,
        )
    }

    /// Creates a transient network; `VIR_NETWORK_CREATE_VALIDATE` checks the XML against libvirt's
    /// schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = xml("network", #{ "#children": [#{ name: "lab" }, #{ bridge: #{ "@name": "lab0" } }] });
    /// assert_eq(conn.network_create_xml(xml, VIR_NETWORK_CREATE_VALIDATE).bridge_name(), "lab0");
    /// ```
    /// Calls virNetworkCreateXMLFlags.
    #[rhai_fn(name = "network_create_xml", pure, return_raw)]
    pub fn network_create_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Network> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.create(&ctx, "virNetworkCreateXMLFlags", &xml, move |c, xml| {
            libvirt::network::create_xml_flags(c, xml, wanted)
        })
    }
}
