//! The addresses that a network gave out.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, fields, flag_bits, optional_text};
use crate::libvirt::{self, network::Lease as Found};
use crate::objects::network::Network;
use crate::vocabulary::{AddressType, Lease, RecordOf};

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

fn map(lease: Found) -> Map {
    let known = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    Lease::TABLE.of(fields! {
        "iface": known(lease.iface),
        "expirytime_s": lease.expiry,
        "type": AddressType::TABLE.word(lease.kind),
        "mac": known(lease.mac),
        "iaid": known(lease.iaid),
        "ipaddr": known(lease.address),
        "prefix": lease.prefix,
        "hostname": known(lease.hostname),
        "clientid": known(lease.client_id),
    })
}

#[export_module]
pub(super) mod functions {
    /// The addresses that the network's DHCP server has given out: maps with `ipaddr`, `prefix`,
    /// `type` (`ipv4`, `ipv6`), `mac`, `hostname`, `clientid`, `iaid`, `iface`, and
    /// `expirytime_s`, the end in seconds since 1970.
    ///
    /// What the guest did not tell is `()`. The test driver has no leases.
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

    /// The addresses that the network's DHCP server has given to the card with the MAC address
    /// `mac`, or to all where that is `()`.
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

    /// The addresses that the network's DHCP server has given out; libvirt has no flags for it yet.
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
