//! `Network`: a virtual network of a host, active or not.

use virt::connect::Connect;
pub(crate) use virt::network::Network as Handle;

use super::object::{Kind, Object, known_by_uuid, usual_handle};
use crate::libvirt;

/// A virtual network of a connection; copies are the same network.
pub type Network = Object<NetworkKind>;

/// The kind of a `Network`.
pub struct NetworkKind;

impl Kind for NetworkKind {
    known_by_uuid!(
        Handle,
        "virNetworkLookupByUUIDString",
        lookup_network_by_uuid_string
    );
    usual_handle!(Handle);
    const NOUN: &'static str = "network";
    const OPTIONS: &'static [&'static str] = &["network"];
    const ELEMENT: &'static str = "network";
    const INACTIVE: Option<(&'static str, u32)> = Some((
        "VIR_NETWORK_XML_INACTIVE",
        virt_sys::VIR_NETWORK_XML_INACTIVE,
    ));
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

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_network_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_networks(flags)?)
    }
}
