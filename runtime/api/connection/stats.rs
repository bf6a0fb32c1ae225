//! The statistics of many guests in one call.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use crate::api::domain::state::{StateAndReason, reason};
use crate::api::nested::nested;
use crate::error::Error;
use crate::libvirt::stats::{self, Record};
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::spec::{Key, Type};
use crate::vocabulary::{Answer, DomainState, RecordOf, nested_keys, record};

record! {
    /// Figures of a guest in the requested groups.
    pub(crate) struct DomainStats by keys_of_stats;
}

fn keys_of_stats() -> Vec<Key> {
    let mut keys = nested_keys("VIR_DOMAIN_STATS_");
    for key in &mut keys {
        if key.name == "state" {
            key.ty = StateAndReason::ty();
        }
    }
    let domain = Key {
        help: "the guest".to_owned(),
        ..Key::of_result("domain", Type::Object("Domain".into()))
    };
    keys.insert(0, domain);
    keys
}

fn all(ctx: &NativeCallContext, conn: &Connection, groups: i64, flags: i64) -> RhaiResultOf<Array> {
    let (groups, flags) = (flag_bits(ctx, groups)?, flag_bits(ctx, flags)?);
    let records = conn.call(
        ctx,
        "virConnectGetAllDomainStats",
        "read the statistics of all domains",
        move |c| stats::get_all_domain_stats(c, groups, flags),
    )?;
    Ok(maps(conn, records))
}

fn some(
    ctx: &NativeCallContext,
    conn: &Connection,
    domains: &Array,
    groups: i64,
    flags: i64,
) -> RhaiResultOf<Array> {
    let (groups, flags) = (flag_bits(ctx, groups)?, flag_bits(ctx, flags)?);
    let mut handles = Vec::new();
    for value in domains {
        let domain = value.clone().try_cast::<Domain>();
        let own = domain.filter(|domain| domain.connection() == conn);
        let Some(domain) = own else {
            let message = "the list must contain only domains of this connection";
            return Err(Error::invalid(ctx, message).throw());
        };
        handles.push(domain.handle().map_err(|failure| {
            let action = "read the statistics of some domains";
            Error::new(ctx, failure, "virDomainListGetStats", action, conn.uri()).throw()
        })?);
    }
    if handles.is_empty() {
        return Ok(Array::new());
    }
    let records = conn.call(
        ctx,
        "virDomainListGetStats",
        "read the statistics of some domains",
        move |_| {
            let handles: Vec<_> = handles.iter().map(AsRef::as_ref).collect();
            stats::list_get_stats(&handles, groups, flags)
        },
    )?;
    Ok(maps(conn, records))
}

fn maps(conn: &Connection, records: Vec<Record>) -> Array {
    let map = |(domain, figures): Record| {
        let mut map = nested(figures.iter());
        if let Some(mut state) = map
            .get_mut("state")
            .and_then(|state| state.write_lock::<Map>())
        {
            in_words(&mut state);
        }
        map.insert("domain".into(), Dynamic::from(conn.adopt(domain)));
        Dynamic::from_map(map)
    };
    records.into_iter().map(map).collect()
}

/// Replaces the numbers of the state and its reason by their names.
fn in_words(state: &mut Map) {
    let number = |name: &str| state.get(name).and_then(|value| value.as_int().ok());
    if let Some((now, why)) = number("state").zip(number("reason")) {
        state.insert("state".into(), DomainState::TABLE.word(now).into());
        state.insert("reason".into(), reason(now, why).into());
    }
}

#[export_module]
pub(super) mod functions {
    /// The statistics of all guests, from one call: a map for each guest, with the guest as `domain`.
    ///
    /// The keys are libvirt's names: a name with dots, such as `cpu.time`, becomes a map in a map, and a numbered one,
    /// such as `block.0.name`, an item of an array.
    ///
    /// The state is a word; sizes are in bytes, but KiB below `balloon`; times are in nanoseconds. Statistics that the
    /// hypervisor does not know are absent.
    ///
    /// ```rhai
    /// let all = connect("test:///default").get_all_domain_stats();
    /// assert_eq(all[0].domain.name, "test");
    /// assert_eq(all[0].state.state, "running");
    /// ```
    /// Calls virConnectGetAllDomainStats.
    #[rhai_fn(name = "get_all_domain_stats", pure, return_raw)]
    pub fn get_all_domain_stats(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<RecordOf<DomainStats>>> {
        all(&ctx, conn, 0, 0)
    }

    /// The statistics of all guests in the groups `stats`, such as `VIR_DOMAIN_STATS_CPU_TOTAL |
    /// VIR_DOMAIN_STATS_BLOCK`.
    ///
    /// ```rhai
    /// let all = connect("test:///default").get_all_domain_stats(VIR_DOMAIN_STATS_STATE);
    /// assert_eq(all[0].state.state, "running");
    /// ```
    /// Calls virConnectGetAllDomainStats.
    #[rhai_fn(name = "get_all_domain_stats", pure, return_raw)]
    pub fn get_all_domain_stats_of(
        ctx: NativeCallContext,
        conn: &mut Connection,
        stats: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<DomainStats>>> {
        all(&ctx, conn, stats, 0)
    }

    /// The statistics in the groups `stats`, 0 for all, of the guests that `flags` select, such as
    /// `VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let idle = conn.get_all_domain_stats(0, VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF);
    /// assert_eq(idle, []);
    /// ```
    /// Calls virConnectGetAllDomainStats.
    #[rhai_fn(name = "get_all_domain_stats", pure, return_raw)]
    pub fn get_all_domain_stats_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        stats: i64,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<DomainStats>>> {
        all(&ctx, conn, stats, flags)
    }

    /// The statistics of the guests `domains`, from one call, in the form of `get_all_domain_stats`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let some = conn.domain_list_get_stats([conn.lookup_by_name("test")]);
    /// assert_eq(some[0].state.state, "running");
    /// ```
    /// Calls virDomainListGetStats.
    #[rhai_fn(name = "domain_list_get_stats", pure, return_raw)]
    pub fn domain_list_get_stats(
        ctx: NativeCallContext,
        conn: &mut Connection,
        domains: Array,
    ) -> RhaiResultOf<ArrayOf<RecordOf<DomainStats>>> {
        some(&ctx, conn, &domains, 0, 0)
    }

    /// The statistics of the guests `domains` in the groups `stats`, with flags.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let some = conn.domain_list_get_stats(conn.list_all_domains(), VIR_DOMAIN_STATS_STATE, 0);
    /// assert_eq(some.len(), 1);
    /// ```
    /// Calls virDomainListGetStats.
    #[rhai_fn(name = "domain_list_get_stats", pure, return_raw)]
    pub fn domain_list_get_stats_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        domains: Array,
        stats: i64,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<DomainStats>>> {
        some(&ctx, conn, &domains, stats, flags)
    }
}
