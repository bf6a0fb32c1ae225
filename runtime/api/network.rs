//! `Network`: what connects guests with each other and with the world.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, NativeCallContext, exported_module};
use virt::network::Network as Handle;

use super::arguments::{RhaiResultOf, fields, flag_bits, number, optional_text, text};
use super::connection::Connection;
use super::object::{Kind, Object};
use super::xml::{XmlText, xml_text};
use crate::libvirt::network::{self, Lease};

/// A network of a connection; copies are the same network.
pub type Network = Object<NetworkKind>;

/// What a `Network` stands for.
pub struct NetworkKind;

impl Kind for NetworkKind {
    type Handle = Handle;
    /// The UUID.
    type Facts = String;
    const TYPE: &'static str = "Network";
    const NOUN: &'static str = "network";
    const COLUMNS: &'static [&'static str] = &["Name", "State", "Autostart", "Bridge"];

    fn row(net: &Network) -> Vec<String> {
        let handle = net.handle().ok();
        let told = |answer: Option<bool>, yes: &str, no: &str| {
            answer
                .map_or("?", |answer| if answer { yes } else { no })
                .to_owned()
        };
        let active = handle.as_ref().and_then(|handle| handle.is_active().ok());
        let autostart = handle.as_ref().and_then(|handle| handle.autostart().ok());
        let bridge = handle.as_ref().and_then(|handle| handle.bridge_name().ok());
        vec![
            net.name(),
            told(active, "active", "inactive"),
            told(autostart, "yes", "no"),
            bridge.unwrap_or_default(),
        ]
    }

    fn identity(net: &Network) -> Vec<(&'static str, String)> {
        vec![("uuid", net.uuid().to_owned())]
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn facts(handle: &Handle) -> String {
        handle.uuid_string().unwrap_or_default()
    }
}

impl Network {
    /// The UUID, which never changes.
    pub fn uuid(&self) -> &str {
        self.facts()
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Network>("Network");
    engine.register_global_module(exported_module!(functions).into());
}

fn leases(
    ctx: &NativeCallContext,
    net: &Network,
    mac: Option<&str>,
    flags: u32,
) -> RhaiResultOf<Array> {
    if let Some(mac) = mac {
        text(ctx, "a MAC address", mac)?;
    }
    let found = net.call(ctx, "virNetworkGetDHCPLeases", "read the leases of", |n| {
        network::dhcp_leases(n, mac, flags)
    })?;
    Ok(found.into_iter().map(lease).collect())
}

fn lease(lease: Lease) -> Dynamic {
    let known = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    Dynamic::from(fields! {
        "iface": known(lease.interface),
        "expirytime_s": lease.expires_s,
        "type": if lease.is_ipv4 { "ipv4" } else { "ipv6" },
        "mac": known(lease.mac),
        "iaid": known(lease.iaid),
        "ipaddr": known(lease.address),
        "prefix": i64::from(lease.prefix),
        "hostname": known(lease.host_name),
        "clientid": known(lease.client_id),
    })
}

#[export_module]
mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.name, "default");
    /// ```
    /// Calls virNetworkGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn get_name(net: &mut Network) -> String {
        Network::name(net)
    }

    /// The name.
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
    /// assert_eq(net.uuid.len(), 36);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(get = "uuid", pure)]
    pub fn get_uuid(net: &mut Network) -> String {
        Network::uuid(net).to_owned()
    }

    /// The UUID as text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.uuid_string(), net.uuid);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(name = "uuid_string", name = "uuid", pure)]
    pub fn uuid_string(net: &mut Network) -> String {
        Network::uuid(net).to_owned()
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

    /// Whether the network is started, so that guests can use it.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net.is_active());
    /// ```
    /// Calls virNetworkIsActive.
    #[rhai_fn(pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<bool> {
        net.call(
            &ctx,
            "virNetworkIsActive",
            "tell whether there runs",
            Handle::is_active,
        )
    }

    /// Whether the network is defined, so that it outlives its end.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net.is_persistent());
    /// ```
    /// Calls virNetworkIsPersistent.
    #[rhai_fn(pure, return_raw)]
    pub fn is_persistent(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<bool> {
        net.call(
            &ctx,
            "virNetworkIsPersistent",
            "tell whether is defined",
            Handle::is_persistent,
        )
    }

    /// Whether the network is started with its host.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(!net.autostart());
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

    /// Sets whether the network is started with its host.
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
            |n| n.set_autostart(on),
        )
    }

    /// The bridge on the host that the network is behind.
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
            "name the bridge of",
            Handle::bridge_name,
        )
    }

    /// The network's XML, of what is active where it is.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net.xml_desc().contains("default"));
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<String> {
        net.call(&ctx, "virNetworkGetXMLDesc", "describe", |n| n.xml_desc(0))
    }

    /// The network's XML; `VIR_NETWORK_XML_INACTIVE` asks for that of the next start.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// try {
    ///     print(net.xml_desc(VIR_NETWORK_XML_INACTIVE));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_INVALID_ARG"); // the test driver has no second one
    /// }
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        net.call(&ctx, "virNetworkGetXMLDesc", "describe", |n| {
            n.xml_desc(wanted)
        })
    }

    /// Starts the network.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>inner</name></network>");
    /// net.create();
    /// assert(net.is_active());
    /// ```
    /// Calls virNetworkCreate.
    #[rhai_fn(pure, return_raw)]
    pub fn create(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkCreate", "start", Handle::create)
    }

    /// Stops the network; guests on it lose their connection. One that is not defined is gone.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>inner</name></network>");
    /// net.create();
    /// net.destroy();
    /// assert(!net.is_active());
    /// ```
    /// Calls virNetworkDestroy.
    #[rhai_fn(pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkDestroy", "stop", Handle::destroy)
    }

    /// Removes the definition; a network that is active stays until it is stopped.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let net = conn.network_define_xml("<network><name>inner</name></network>");
    /// net.undefine();
    /// assert_eq(conn.list_defined_networks(), []);
    /// ```
    /// Calls virNetworkUndefine.
    #[rhai_fn(pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<()> {
        net.call(&ctx, "virNetworkUndefine", "undefine", Handle::undefine)
    }

    /// Changes one part of the network: `command` as `VIR_NETWORK_UPDATE_COMMAND_ADD_LAST`, `section` as `VIR_NETWORK_SECTION_IP_DHCP_HOST`, the number of the parent element or -1, the part's XML, and whether `VIR_NETWORK_UPDATE_AFFECT_LIVE`, `VIR_NETWORK_UPDATE_AFFECT_CONFIG` or both.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// let host = "<host mac='52:54:00:00:00:01' ip='192.168.122.50'/>";
    /// net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host, VIR_NETWORK_UPDATE_AFFECT_LIVE);
    /// assert(net.xml_desc().contains("192.168.122.50"));
    /// ```
    /// Calls virNetworkUpdate.
    #[rhai_fn(pure, return_raw)]
    pub fn update(
        ctx: NativeCallContext,
        net: &mut Network,
        command: i64,
        section: i64,
        parent: i64,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let command = number(&ctx, "a command", command)?;
        let section = number(&ctx, "a section", section)?;
        let parent = number(&ctx, "a parent's number", parent)?;
        let wanted = flag_bits(&ctx, flags)?;
        let text = xml_text(&ctx, "the part's XML", &xml)?;
        net.call(&ctx, "virNetworkUpdate", "update", |n| {
            n.update(command, section, parent, &text, wanted)
        })
    }

    /// The addresses that the network has given out, as maps with `iface`, `expirytime_s` (of 1970, 0 for never), `type` (`ipv4`, `ipv6`), `mac`, `iaid`, `ipaddr`, `prefix`, `hostname` and `clientid`, `()` for what is not known.
    ///
    /// ```rhai
    /// try {
    ///     print(connect("test:///default").network_lookup_by_name("default").dhcp_leases());
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<Array> {
        leases(&ctx, net, None, 0)
    }

    /// The addresses that the network has given to the card with the address `mac`.
    ///
    /// ```rhai
    /// try {
    ///     print(connect("test:///default").network_lookup_by_name("default").dhcp_leases("52:54:00:00:00:01"));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases_of(
        ctx: NativeCallContext,
        net: &mut Network,
        mac: &str,
    ) -> RhaiResultOf<Array> {
        leases(&ctx, net, Some(mac), 0)
    }

    /// The addresses given to the card with the address `mac`, or to all for `()`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// try {
    ///     print(connect("test:///default").network_lookup_by_name("default").dhcp_leases((), 0));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        mac: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let mac = optional_text(&ctx, "a MAC address", &mac)?;
        let wanted = flag_bits(&ctx, flags)?;
        leases(&ctx, net, mac.as_deref(), wanted)
    }

    /// The network as text.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.to_string(), `Network(${net.name})`);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(net: &mut Network) -> String {
        net.to_string()
    }

    /// Whether both are the same network on the same connection.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(net == net);
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(global, name = "==", pure)]
    pub fn equals(left: &mut Network, right: Network) -> bool {
        left.uuid() == right.uuid() && left.connection() == right.connection()
    }

    /// Whether they are two networks, or of two connections.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert(!(net != net));
    /// ```
    /// Calls virNetworkGetUUIDString.
    #[rhai_fn(global, name = "!=", pure)]
    pub fn differs(left: &mut Network, right: Network) -> bool {
        left.uuid() != right.uuid() || left.connection() != right.connection()
    }
}
