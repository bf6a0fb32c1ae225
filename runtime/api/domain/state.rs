//! What a guest is doing, in words.

use rhai::plugin::*;
use rhai::{Dynamic, ImmutableString, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, fields, whole};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{
    DomainInfo, DomainReason, DomainState, RecordOf, RecordValueOf, StateAndReason, WordOf,
};

/// The word for why a domain is in the state `state`.
pub(crate) fn reason(state: i64, reason: i64) -> ImmutableString {
    usize::try_from(state)
        .ok()
        .and_then(|state| DomainReason::TABLE.of_libvirt.get(state))
        .map_or_else(
            || format!("unknown-{reason}").into(),
            |words| words.word(reason),
        )
}

#[export_module]
pub(super) mod functions {
    /// What the guest is doing: `running`, `blocked`, `paused`, `shutdown` (on its way down),
    /// `shutoff`, `crashed` or `pmsuspended`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").state(), "running");
    /// ```
    /// Calls virDomainGetState.
    #[rhai_fn(pure, return_raw)]
    pub fn state(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<WordOf<DomainState>> {
        dom.call(
            &ctx,
            "virDomainGetState",
            "read the state of",
            libvirt::domain::state,
        )
        .map(|(state, _)| DomainState::TABLE.word(state))
    }

    /// What the guest is doing and why, as `#{ state, reason }`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "destroyed" });
    /// ```
    /// Calls virDomainGetState.
    #[rhai_fn(pure, return_raw)]
    pub fn state_reason(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<StateAndReason>> {
        dom.call(
            &ctx,
            "virDomainGetState",
            "read the state of",
            libvirt::domain::state,
        )
        .map(|(state, why)| {
            StateAndReason::TABLE.of(
                fields! { "state": DomainState::TABLE.word(state), "reason": reason(state, why) },
            )
        })
    }

    /// State, memory and CPU time in one call: `state`, `max_memory_kib`, `memory_kib`, `vcpus`,
    /// `cpu_time_ns`.
    ///
    /// ```rhai
    /// let info = connect("test:///default").lookup_by_name("test").info();
    /// assert_eq(info.state, "running");
    /// assert_eq(info.memory_kib, 2097152);
    /// ```
    /// Calls virDomainGetInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordValueOf<DomainInfo>> {
        let info = dom.call(
            &ctx,
            "virDomainGetInfo",
            "read the figures of",
            libvirt::domain::info,
        )?;
        Ok(Dynamic::from_map(DomainInfo::TABLE.of(fields! {
            "state": DomainState::TABLE.word(i64::from(info.state)),
            "max_memory_kib": whole(info.maxMem),
            "memory_kib": whole(info.memory),
            "vcpus": i64::from(info.nrVirtCpu),
            "cpu_time_ns": whole(info.cpuTime),
        })))
    }
}
