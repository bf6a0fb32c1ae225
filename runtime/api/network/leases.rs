//! The DHCP leases of a network.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, optional_text};
use crate::libvirt::{self, network::Lease as Found};
use crate::objects::network::Network;
use crate::vocabulary::{AddressType, RecordOf, Word, record};

fn leases(
    ctx: &NativeCallContext,
    net: &Network,
    mac: Option<&str>,
    flags: i64,
) -> RhaiResultOf<Array> {
    let wanted = flag_bits(ctx, flags)?;
    let mac = mac.map(str::to_owned);
    let leases = net.call(
        ctx,
        "virNetworkGetDHCPLeases",
        "read the leases of",
        move |n| libvirt::network::dhcp_leases(n, mac.as_deref(), wanted),
    )?;
    Ok(leases
        .into_iter()
        .map(|it| Dynamic::from(map(it)))
        .collect())
}

record! {
    /// Address that a network's DHCP server has given out; values that the guest did not send are `()`.
    pub(crate) struct Lease {
        /// Interface of the network on the host.
        iface: Option<String>,
        /// End of the lease, in seconds since 1970.
        expirytime_s: i64,
        /// Type of the address.
        r#type: Word<AddressType>,
        /// MAC address of the guest's network card.
        mac: Option<String>,
        /// Identifier of the association, for IPv6.
        iaid: Option<String>,
        /// The address.
        ipaddr: Option<String>,
        /// Length of the network's prefix, in bits.
        prefix: i64,
        /// Host name of the guest.
        hostname: Option<String>,
        /// Identifier of the client.
        clientid: Option<String>,
    }
}

fn map(lease: Found) -> Map {
    Lease {
        iface: lease.iface,
        expirytime_s: lease.expiry,
        r#type: AddressType::TABLE.word(lease.kind).into(),
        mac: lease.mac,
        iaid: lease.iaid,
        ipaddr: lease.address,
        prefix: lease.prefix,
        hostname: lease.hostname,
        clientid: lease.client_id,
    }
    .into_map()
}

#[export_module]
pub(super) mod functions {
    /// The addresses that the network's DHCP server has assigned: maps with `ipaddr`, `prefix`, `type` (`ipv4`,
    /// `ipv6`), `mac`, `hostname`, `clientid`, `iaid`, `iface`, and
    /// `expirytime_s`, the end in seconds since 1970.
    ///
    /// A value that the guest did not send is `()`. The test driver has no leases.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// try {
    ///     for lease in net.dhcp_leases() { print(`${lease.hostname} has ${lease.ipaddr}`); }
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases(
        ctx: NativeCallContext,
        net: &mut Network,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Lease>>> {
        leases(&ctx, net, None, 0)
    }

    /// The addresses that the network's DHCP server has assigned to the card with the MAC address `mac`, or to all if
    /// it is `()`.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_throws(|| net.dhcp_leases("52:54:00:00:00:01"), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases_of(
        ctx: NativeCallContext,
        net: &mut Network,
        mac: Dynamic,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Lease>>> {
        dhcp_leases_flags(ctx, net, mac, 0)
    }

    /// The addresses that the network's DHCP server has assigned; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_throws(|| net.dhcp_leases((), 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNetworkGetDHCPLeases.
    #[rhai_fn(name = "dhcp_leases", pure, return_raw)]
    pub fn dhcp_leases_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        mac: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Lease>>> {
        let mac = optional_text(&ctx, "the MAC address", &mac)?;
        leases(&ctx, net, mac.as_deref(), flags)
    }
}
