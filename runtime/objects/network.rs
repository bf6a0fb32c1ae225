//! `Network`: a virtual network of a host, active or not.

use virt::connect::Connect;
pub(crate) use virt::network::Network as Handle;

use super::object::{Kind, Object};
use crate::libvirt;

/// A virtual network of a connection; copies are the same network.
pub type Network = Object<NetworkKind>;

/// What a `Network` stands for.
pub struct NetworkKind;

impl Kind for NetworkKind {
    type Handle = Handle;
    /// The UUID.
    type Facts = String;
    const TYPE: &'static str = "Network";
    const NOUN: &'static str = "network";
    const COLUMNS: &'static [&'static str] =
        &["Name", "State", "Autostart", "Persistent", "Bridge"];

    fn row(net: &Network) -> Vec<String> {
        let ask = |call, question: fn(&Handle) -> Result<bool, virt::error::Error>| {
            net.attempt(call, question).ok()
        };
        let told = |answer: Option<bool>, yes: &str, no: &str| {
            answer
                .map_or("?", |answer| if answer { yes } else { no })
                .to_owned()
        };
        let bridge = net.attempt("virNetworkGetBridgeName", Handle::bridge_name);
        vec![
            net.name(),
            told(
                ask("virNetworkIsActive", Handle::is_active),
                "active",
                "inactive",
            ),
            told(
                ask("virNetworkGetAutostart", Handle::autostart),
                "yes",
                "no",
            ),
            told(
                ask("virNetworkIsPersistent", Handle::is_persistent),
                "yes",
                "no",
            ),
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

    fn uuid(facts: &String) -> Option<&str> {
        Some(facts)
    }

    const LOOK_UP: &'static str = "virNetworkLookupByUUIDString";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_NETWORK;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, facts: &String, _name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_network_by_uuid_string(facts)?)
    }
}

impl Network {
    /// The UUID, which never changes.
    pub fn uuid(&self) -> &str {
        self.facts()
    }
}
