//! `NetworkPort`: the connection of one network card to a network.

use rhai::plugin::*;
use rhai::{Blob, Dynamic, Engine, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits, uuid_text};
use super::every_kind::Scripted;
use super::parameters::Parameters;
use super::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt::network_port;
use crate::objects::network::Network;
use crate::objects::network_port::{Handle, NetworkPort, NetworkPortKind};
use crate::vocabulary::{Declared, OptionsOf, ParamType, RecordOf, parameters};

impl Scripted for NetworkPortKind {
    const VARIABLE: &'static str = "port";
    const RUNS_ON: &'static str = "root";
    const EXAMPLE: &'static str = r#"let conn = connect();
let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
let port = net.port_create_xml(xml);"#;
    const EXAMPLE_NAME: &'static str = "";
    const GET_NAME: &'static str = "GetUUIDString";
    /// Ports have no names.
    const NAME: (&'static str, &'static [&'static str]) = ("", &[]);
    /// libvirt has none for ports.
    const GET_CONNECTION: &'static str = "";
    const XML: &'static str = "of the port, with its owner and the device that it is plugged into";
    const XML_FLAGS: &'static str = "";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(finding).into());
        engine.register_global_module(exported_module!(functions).into());
    }
}

parameters! {
    /// Bandwidth of a port: rates in KiB/s, bursts in KiB.
    pub(crate) struct PortParameters = "VIR_NETWORK_PORT_BANDWIDTH_", |_| ParamType::UInt;
}

/// The maps that these calls take and return.
pub(super) const DECLARED: &[&Declared] = &[PortParameters::OPTIONS, PortParameters::RECORD];

const BANDWIDTH: Parameters<&str> = Parameters {
    noun: "bandwidth",
    options: PortParameters::OPTIONS,
    types: PortParameters::TYPES,
};

#[export_module]
mod finding {
    /// The ports of the active network, one for each network card.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(net.list_all_ports(), [port]);
    /// ```
    /// Calls virNetworkListAllPorts.
    #[rhai_fn(name = "list_all_ports", pure, return_raw)]
    pub fn list_all_ports(
        ctx: NativeCallContext,
        net: &mut Network,
    ) -> RhaiResultOf<ArrayOf<NetworkPort>> {
        list_all_ports_flags(ctx, net, 0)
    }

    /// The ports of the active network; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// net.port_create_xml(xml);
    /// assert_eq(net.list_all_ports(0).len(), 1);
    /// ```
    /// Calls virNetworkListAllPorts.
    #[rhai_fn(name = "list_all_ports", pure, return_raw)]
    pub fn list_all_ports_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<NetworkPort>> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virNetworkListAllPorts";
        let found = net.call(&ctx, call, "list the ports of", move |n| {
            network_port::list(n, wanted)
        })?;
        let value = |it| Dynamic::from(NetworkPort::new(net.connection().clone(), it));
        Ok(found.into_iter().map(value).collect())
    }

    /// Creates a port from XML, text or an `Xml`, which must have a UUID. libvirt creates the ports of guests itself.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(port.network(), net);
    /// ```
    /// Calls virNetworkPortCreateXML.
    #[rhai_fn(name = "port_create_xml", pure, return_raw)]
    pub fn port_create_xml(
        ctx: NativeCallContext,
        net: &mut Network,
        xml: XmlText,
    ) -> RhaiResultOf<NetworkPort> {
        port_create_xml_flags(ctx, net, xml, 0)
    }

    /// Creates a port; `VIR_NETWORK_PORT_CREATE_RECLAIM` takes back the resources that the XML names, `VIR_NETWORK_PORT_CREATE_VALIDATE` checks the XML
    /// against libvirt's schema first.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// assert_eq(net.port_create_xml(xml, 0).network(), net);
    /// ```
    /// Calls virNetworkPortCreateXML.
    #[rhai_fn(name = "port_create_xml", pure, return_raw)]
    pub fn port_create_xml_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<NetworkPort> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the port's XML", &xml)?;
        let owned = xml.clone();
        net.call(
            &ctx,
            "virNetworkPortCreateXML",
            "make a port of",
            move |n| network_port::create_xml(n, &owned, wanted),
        )
        .of_xml(&xml)
        .map(|made| NetworkPort::new(net.connection().clone(), made))
    }

    /// The port with that UUID, given as text; throws `VIR_ERR_NO_NETWORK_PORT` if there is none.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(net.port_lookup_by_uuid(port.uuid), port);
    /// ```
    /// Calls virNetworkPortLookupByUUIDString.
    #[rhai_fn(
        name = "port_lookup_by_uuid",
        name = "port_lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn port_lookup_by_uuid_string(
        ctx: NativeCallContext,
        net: &mut Network,
        uuid: &str,
    ) -> RhaiResultOf<NetworkPort> {
        let verb = format_args!("look up the port `{uuid}` of");
        let owned = uuid.to_owned();
        net.call(&ctx, "virNetworkPortLookupByUUIDString", verb, move |n| {
            network_port::lookup_by_uuid(n, &owned)
        })
        .map(|found| NetworkPort::new(net.connection().clone(), found))
    }

    /// The port with that UUID, given as its 16 bytes.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(net.port_lookup_by_uuid(port.uuid_bytes()), port);
    /// ```
    /// Calls virNetworkPortLookupByUUIDString.
    #[rhai_fn(name = "port_lookup_by_uuid", pure, return_raw)]
    pub fn port_lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        net: &mut Network,
        uuid: Blob,
    ) -> RhaiResultOf<NetworkPort> {
        let uuid = uuid_text(&ctx, &uuid)?;
        port_lookup_by_uuid_string(ctx, net, &uuid)
    }
}

#[export_module]
mod functions {
    /// The network that this is a port of.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(port.network().name, "lab");
    /// ```
    /// Calls virNetworkPortGetNetwork.
    #[rhai_fn(name = "network", pure, return_raw)]
    pub fn network(ctx: NativeCallContext, port: &mut NetworkPort) -> RhaiResultOf<Network> {
        let call = "virNetworkPortGetNetwork";
        let network = port.call(&ctx, call, "look up the network of", Handle::network)?;
        Ok(Network::new(port.connection().clone(), network))
    }

    /// The limits of the bandwidth; the map is empty if there are none.
    ///
    /// `inbound.average`, `inbound.peak` and `inbound.floor` are in KiB/s, `inbound.burst` is in KiB; `outbound` has
    /// the same keys without `floor`.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(port.parameters(), #{});
    /// ```
    /// Calls virNetworkPortGetParameters.
    #[rhai_fn(name = "parameters", pure, return_raw)]
    pub fn parameters(
        ctx: NativeCallContext,
        port: &mut NetworkPort,
    ) -> RhaiResultOf<RecordOf<PortParameters>> {
        parameters_flags(ctx, port, 0)
    }

    /// The limits of the bandwidth; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// assert_eq(port.parameters(0), #{});
    /// ```
    /// Calls virNetworkPortGetParameters.
    #[rhai_fn(name = "parameters", pure, return_raw)]
    pub fn parameters_flags(
        ctx: NativeCallContext,
        port: &mut NetworkPort,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<PortParameters>> {
        let call = "virNetworkPortGetParameters";
        BANDWIDTH.read(&ctx, port, call, flags, Handle::parameters)
    }

    /// Sets limits of the bandwidth; the keys are those of `parameters`.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// port.set_parameters(#{ "inbound.average": 1024 });
    /// assert_eq(port.parameters()["inbound.average"], 1024);
    /// ```
    /// Calls virNetworkPortSetParameters.
    #[rhai_fn(name = "set_parameters", pure, return_raw)]
    pub fn set_parameters(
        ctx: NativeCallContext,
        port: &mut NetworkPort,
        parameters: OptionsOf<PortParameters>,
    ) -> RhaiResultOf<()> {
        set_parameters_flags(ctx, port, parameters, 0)
    }

    /// Sets limits of the bandwidth; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// port.set_parameters(#{ "inbound.average": 1024 }, 0);
    /// assert_eq(port.parameters()["inbound.average"], 1024);
    /// ```
    /// Calls virNetworkPortSetParameters.
    #[rhai_fn(name = "set_parameters", pure, return_raw)]
    pub fn set_parameters_flags(
        ctx: NativeCallContext,
        port: &mut NetworkPort,
        parameters: OptionsOf<PortParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virNetworkPortSetParameters";
        BANDWIDTH.set(&ctx, port, call, &parameters, flags, Handle::set_parameters)
    }

    /// Removes this port, even if a guest uses it.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// port.delete();
    /// assert_eq(net.list_all_ports(), []);
    /// ```
    /// Calls virNetworkPortDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, port: &mut NetworkPort) -> RhaiResultOf<()> {
        delete_flags(ctx, port, 0)
    }

    /// Removes this port; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
    /// let xml = "<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>";
    /// let port = net.port_create_xml(xml);
    /// port.delete(0);
    /// assert_eq(net.list_all_ports(), []);
    /// ```
    /// Calls virNetworkPortDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete_flags(
        ctx: NativeCallContext,
        port: &mut NetworkPort,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        port.call(&ctx, "virNetworkPortDelete", "delete", move |p| {
            p.delete(wanted)
        })
    }
}
