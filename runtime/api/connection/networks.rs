//! Finding networks, and bringing new ones into being.

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, NativeCallContext};

use super::Connection;
use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::api::network::Network;
use crate::api::xml::{XmlText, xml_text};
use crate::error::Error;
use crate::libvirt;

#[export_module]
pub(super) mod functions {
    /// The network called `name`; throws `VIR_ERR_NO_NETWORK` where there is none.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.network_lookup_by_name("default").name, "default");
    /// ```
    /// Calls virNetworkLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn network_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<Network> {
        let action = format_args!("look up network `{name}`");
        let found = conn.call(&ctx, "virNetworkLookupByName", action, |c| {
            c.lookup_network_by_name(name)
        })?;
        Ok(Network::new(conn.clone(), found))
    }

    /// The network with the UUID `uuid` as text.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let uuid = conn.network_lookup_by_name("default").uuid;
    /// assert_eq(conn.network_lookup_by_uuid_string(uuid).name, "default");
    /// ```
    /// Calls virNetworkLookupByUUIDString.
    #[rhai_fn(pure, return_raw)]
    pub fn network_lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<Network> {
        let action = format_args!("look up network `{uuid}`");
        let found = conn.call(&ctx, "virNetworkLookupByUUIDString", action, |c| {
            c.lookup_network_by_uuid_string(uuid)
        })?;
        Ok(Network::new(conn.clone(), found))
    }

    /// The network with a UUID as 16 bytes.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try { conn.network_lookup_by_uuid(blob(16, 0)); } catch (err) { assert_eq(err.code, "VIR_ERR_NO_NETWORK"); }
    /// ```
    /// Calls virNetworkLookupByUUIDString.
    #[rhai_fn(pure, return_raw)]
    pub fn network_lookup_by_uuid(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<Network> {
        let uuid = uuid::Uuid::from_slice(&uuid)
            .map_err(|_| Error::invalid(&ctx, "a UUID has 16 bytes").throw())?;
        network_lookup_by_uuid_string(ctx, conn, &uuid.to_string())
    }

    /// The names of the active networks.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_networks(), ["default"]);
    /// ```
    /// Calls virConnectListNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn list_networks(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        let names = conn.call(&ctx, "virConnectListNetworks", "list networks", |c| {
            c.list_networks()
        })?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// The names of the networks that are defined and not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_defined_networks(), []);
    /// ```
    /// Calls virConnectListDefinedNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn list_defined_networks(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let names = conn.call(
            &ctx,
            "virConnectListDefinedNetworks",
            "list networks",
            |c| c.list_defined_networks(),
        )?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// How many networks are active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_networks(), 1);
    /// ```
    /// Calls virConnectNumOfNetworks.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_networks(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(&ctx, "virConnectNumOfNetworks", "count networks", |c| {
            c.num_of_networks().map(i64::from)
        })
    }

    /// How many networks are defined and not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_defined_networks(), 0);
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
            "count networks",
            |c| c.num_of_defined_networks().map(i64::from),
        )
    }

    /// The networks of the host, active or not.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_networks()[0].name, "default");
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(name = "list_all_networks", pure, return_raw)]
    pub fn list_all_networks(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        list_all_networks_flags(ctx, conn, 0)
    }

    /// The networks that `flags` select, such as `VIR_CONNECT_LIST_NETWORKS_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_networks(VIR_CONNECT_LIST_NETWORKS_ACTIVE).len(), 1);
    /// ```
    /// Calls virConnectListAllNetworks.
    #[rhai_fn(name = "list_all_networks", pure, return_raw)]
    pub fn list_all_networks_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let found = conn.call(&ctx, "virConnectListAllNetworks", "list networks", |c| {
            c.list_all_networks(wanted)
        })?;
        Ok(found
            .into_iter()
            .map(|found| Dynamic::from(Network::new(conn.clone(), found)))
            .collect())
    }

    /// Defines the network that `xml` describes, without starting it.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>inner</name></network>");
    /// assert(!net.is_active());
    /// ```
    /// Calls virNetworkDefineXML.
    #[rhai_fn(name = "network_define_xml", pure, return_raw)]
    pub fn network_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Network> {
        let text = xml_text(&ctx, "the network's XML", &xml)?;
        let found = conn.call(&ctx, "virNetworkDefineXML", "define a network", |c| {
            c.define_network_xml(&text)
        })?;
        Ok(Network::new(conn.clone(), found))
    }

    /// Defines a network; `VIR_NETWORK_DEFINE_VALIDATE` holds its XML against libvirt's schema.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>inner</name></network>", 0);
    /// assert(!net.is_active());
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
        let text = xml_text(&ctx, "the network's XML", &xml)?;
        let found = conn.call(&ctx, "virNetworkDefineXMLFlags", "define a network", |c| {
            libvirt::network::define_xml_flags(c, &text, wanted)
        })?;
        Ok(Network::new(conn.clone(), found))
    }

    /// Starts the network that `xml` describes without defining it: it is gone once it is stopped.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_create_xml("<network><name>inner</name></network>");
    /// assert(net.is_active());
    /// ```
    /// Calls virNetworkCreateXML.
    #[rhai_fn(name = "network_create_xml", pure, return_raw)]
    pub fn network_create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Network> {
        let text = xml_text(&ctx, "the network's XML", &xml)?;
        let found = conn.call(&ctx, "virNetworkCreateXML", "create a network", |c| {
            c.create_network_xml(&text)
        })?;
        Ok(Network::new(conn.clone(), found))
    }

    /// Starts a network without defining it; `VIR_NETWORK_CREATE_VALIDATE` holds its XML against libvirt's schema.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_create_xml("<network><name>inner</name></network>", 0);
    /// assert(net.is_active());
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
        let text = xml_text(&ctx, "the network's XML", &xml)?;
        let found = conn.call(&ctx, "virNetworkCreateXMLFlags", "create a network", |c| {
            libvirt::network::create_xml_flags(c, &text, wanted)
        })?;
        Ok(Network::new(conn.clone(), found))
    }
}
