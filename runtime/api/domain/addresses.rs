//! The addresses of a guest's network cards.

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};

use crate::api::arguments::{MapOf, RhaiResultOf, flag_bits, number};
use crate::libvirt::addresses::{self, Card};
use crate::objects::domain::Domain;
use crate::vocabulary::{AddressType, RecordOf, Word, record};

record! {
    /// An address of a guest's network card.
    pub(crate) struct CardAddress {
        /// Address.
        addr: String,
        /// Length of the prefix of its network.
        prefix: i64,
        /// Family of the address.
        r#type: Word<AddressType>,
    }
}

record! {
    /// A guest's network card and its addresses.
    pub(crate) struct CardAddresses {
        /// MAC address; `()` if it is not known.
        hwaddr: Option<String>,
        /// Addresses.
        addrs: Vec<CardAddress>,
    }
}

fn record(card: Card) -> CardAddresses {
    let addresses = card.addresses.into_iter().map(|it| CardAddress {
        addr: it.address,
        prefix: it.prefix,
        r#type: AddressType::TABLE.word(it.kind).into(),
    });
    CardAddresses {
        hwaddr: card.mac,
        addrs: addresses.collect(),
    }
}

#[export_module]
pub(super) mod functions {
    /// The addresses of the guest's network cards: a map from each card's name to
    /// `#{ hwaddr, addrs }`, where `addrs` is a list of `#{ addr, prefix, type }`, and `type` is
    /// `ipv4` or `ipv6`.
    ///
    /// `source` selects the source: `VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE` the DHCP server of the guest's network,
    /// `_ARP` the host's ARP table, which has only addresses that the host has exchanged packets with, and `_AGENT` the
    /// guest's agent, which reports the guest's own names for the cards.
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
    ) -> RhaiResultOf<MapOf<RecordOf<CardAddresses>>> {
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
    ) -> RhaiResultOf<MapOf<RecordOf<CardAddresses>>> {
        let source = number(&ctx, "the source", source)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "read the addresses of";
        let cards = dom.call(&ctx, "virDomainInterfaceAddresses", verb, move |d| {
            addresses::of_domain(d, source, wanted)
        })?;
        let mut found = Map::new();
        for card in cards {
            found.insert(card.name.clone().into(), record(card).into_map().into());
        }
        Ok(found)
    }
}
