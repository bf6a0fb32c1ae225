//! What a guest is doing, in words.

use rhai::plugin::*;
use rhai::{Dynamic, ImmutableString, NativeCallContext};

use super::Domain;
use crate::api::arguments::{RhaiResultOf, fields, whole};
use crate::libvirt;
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

/// What a table shows of a domain: id, name, state, memory, virtual CPUs.
pub(super) fn row(domain: &Domain) -> Vec<String> {
    let seen = domain.attempt("virDomainGetInfo", |handle| {
        libvirt::domain::info(handle).map(|info| (libvirt::domain::id(handle), info))
    });
    match seen {
        Ok((id, info)) => vec![
            id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            domain.name(),
            DomainState::TABLE.word(i64::from(info.state)).to_string(),
            bytesize::ByteSize::kib(info.memory).to_string(),
            info.nrVirtCpu.to_string(),
        ],
        Err(failure) => {
            let state = match failure.code == i64::from(virt_sys::VIR_ERR_NO_DOMAIN) {
                true => "gone",
                false => "?",
            };
            vec![
                "-".into(),
                domain.name(),
                state.into(),
                String::new(),
                String::new(),
            ]
        }
    }
}
