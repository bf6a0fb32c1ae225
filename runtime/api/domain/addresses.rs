//! The addresses of a guest's network cards.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, fields, flag_bits, number};
use crate::libvirt::addresses::{self, Card};
use crate::objects::domain::Domain;
use crate::vocabulary::AddressType;

fn map(card: Card) -> Map {
    let addresses: Array = card
        .addresses
        .into_iter()
        .map(|it| {
            Dynamic::from(fields! {
                "addr": it.address,
                "prefix": it.prefix,
                "type": AddressType::TABLE.word(it.kind),
            })
        })
        .collect();
    fields! {
        "hwaddr": card.mac.map_or(Dynamic::UNIT, Dynamic::from),
        "addrs": addresses,
    }
}

#[export_module]
pub(super) mod functions {
    /// The addresses of the guest's network cards: a map from each card's name to
    /// `#{ hwaddr, addrs }`, where `addrs` is a list of `#{ addr, prefix, type }`, and `type` is
    /// `ipv4` or `ipv6`.
    ///
    /// `source` says who is asked: `VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE` the DHCP server of the
    /// guest's network, `_ARP` the host's table of neighbours, which knows those that it has spoken
    /// to, and `_AGENT` the guest itself, which alone knows its own names for the cards.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let cards = dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE);
    /// let card = cards.values()[0];
    /// assert_eq(card.hwaddr, "aa:bb:cc:dd:ee:ff");
    /// assert_eq(card.addrs, [#{ addr: "192.168.122.3", prefix: 24, "type": "ipv4" }]);
    /// ```
    /// Calls virDomainInterfaceAddresses.
    #[rhai_fn(name = "interface_addresses", pure, return_raw)]
    pub fn interface_addresses(
        ctx: NativeCallContext,
        dom: &mut Domain,
        source: i64,
    ) -> RhaiResultOf<Map> {
        interface_addresses_flags(ctx, dom, source, 0)
    }

    /// The addresses of the guest's network cards; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let cards = dom.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0);
    /// assert_eq(cards.len(), 1);
    /// ```
    /// Calls virDomainInterfaceAddresses.
    #[rhai_fn(name = "interface_addresses", pure, return_raw)]
    pub fn interface_addresses_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        source: i64,
        flags: i64,
    ) -> RhaiResultOf<Map> {
        let source = number(&ctx, "the source", source)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "read the addresses of";
        let cards = dom.call(&ctx, "virDomainInterfaceAddresses", verb, move |d| {
            addresses::of_domain(d, source, wanted)
        })?;
        let mut found = Map::new();
        for card in cards {
            found.insert(card.name.clone().into(), Dynamic::from(map(card)));
        }
        Ok(found)
    }
}
