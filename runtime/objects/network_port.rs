//! `NetworkPort`: the connection of one network card to a network.

use rhai::Dynamic;
use serde::{Deserialize, Serialize};
use virt::connect::Connect;

use super::network::Network;
use super::object::{Kind, Object};
use crate::libvirt::{self, Failure, network_port};
use crate::xml::Xml;
pub(crate) use network_port::NetworkPort as Handle;

/// A port of a network; copies are the same port.
pub type NetworkPort = Object<NetworkPortKind>;

/// The kind of a [`NetworkPort`].
pub struct NetworkPortKind;

/// The identity of a port.
#[derive(Serialize, Deserialize)]
pub struct Place {
    uuid: String,
    pub(crate) network: String,
    network_uuid: String,
}

impl Kind for NetworkPortKind {
    type Handle = Handle;
    type Facts = Place;
    const NOUN: &'static str = "network port";
    /// Ports have no names.
    const OPTIONS: &'static [&'static str] = &[];
    const ELEMENT: &'static str = "networkport";
    const NAME_PATH: &'static str = "uuid";
    const IS_PART: bool = true;
    const COLUMNS: &'static [&'static str] = &["UUID", "Network", "Owner", "MAC address"];

    fn row(port: &NetworkPort) -> Vec<String> {
        let seen = port.attempt("virNetworkPortGetXMLDesc", |handle| {
            let xml = Xml::parse(handle.xml_desc(0)?).ok();
            let text = |path: &str| xml.as_ref().and_then(|xml| xml.find(path).ok().flatten());
            Ok::<_, Failure>((text("owner/name"), text("mac/@address")))
        });
        let (owner, mac) = seen.unwrap_or_else(|_| (Some("?".to_owned()), None));
        vec![
            port.uuid().to_owned(),
            port.facts().network.clone(),
            owner.unwrap_or_default(),
            mac.unwrap_or_default(),
        ]
    }

    /// The name of the network: ports have none.
    fn names(port: &NetworkPort) -> Vec<String> {
        vec![port.facts().network.clone()]
    }

    fn identity(port: &NetworkPort) -> Vec<(&'static str, String)> {
        vec![
            ("uuid", port.uuid().to_owned()),
            ("network", port.facts().network.clone()),
        ]
    }

    /// The UUID.
    fn name(handle: &Handle) -> Option<String> {
        handle.uuid_string().ok()
    }

    fn facts(handle: &Handle) -> Place {
        let network = handle.network().ok();
        let text = |read: fn(&virt::network::Network) -> Result<String, virt::error::Error>| {
            network.as_ref().and_then(|network| read(network).ok())
        };
        Place {
            uuid: handle.uuid_string().unwrap_or_default(),
            network: text(virt::network::Network::name).unwrap_or_default(),
            network_uuid: text(virt::network::Network::uuid_string).unwrap_or_default(),
        }
    }

    fn uuid(facts: &Place) -> Option<&str> {
        Some(&facts.uuid)
    }

    fn xml(handle: &Handle, flags: u32) -> libvirt::Result<String> {
        handle.xml_desc(flags)
    }

    const LOOK_UP: &'static str = "virNetworkPortLookupByUUIDString";

    fn find(connect: &Connect, facts: &Place, _name: &str) -> libvirt::Result<Handle> {
        let network = connect.lookup_network_by_uuid_string(&facts.network_uuid)?;
        network_port::lookup_by_uuid(&network, &facts.uuid)
    }

    fn parts(whole: &Dynamic) -> Option<libvirt::Result<Vec<Handle>>> {
        let network = whole.read_lock::<Network>()?.clone();
        Some(
            network
                .handle()
                .and_then(|network| network_port::list(&network, 0)),
        )
    }
}
