//! The state of a guest, in words.

use rhai::plugin::*;
use rhai::{Dynamic, ImmutableString, NativeCallContext};

use crate::api::arguments::RhaiResultOf;
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{
    DomainReason, DomainState, RecordOf, RecordValueOf, Whole, Word, WordOf, record,
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

record! {
    /// State and figures of a domain.
    pub(crate) struct DomainInfo {
        /// State of the domain.
        state: Word<DomainState>,
        /// Maximum size of the guest's memory.
        max_memory_kib: Whole,
        /// Current size of the guest's memory.
        memory_kib: Whole,
        /// Number of virtual CPUs.
        vcpus: i64,
        /// CPU time that the guest has used.
        cpu_time_ns: Whole,
    }
}

record! {
    /// State of a domain, and why it is in that state.
    pub(crate) struct StateAndReason {
        /// State of the domain.
        state: Word<DomainState>,
        /// Reason for the state.
        reason: Word<DomainReason>,
    }
}

#[export_module]
pub(super) mod functions {
    /// The guest's state: `running`, `blocked`, `paused`, `shutdown` (shutting down), `shutoff`, `crashed` or
    /// `pmsuspended`.
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

    /// The guest's state and the reason for it, as `#{ state, reason }`.
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
            let reason = reason(state, why).into();
            let state = DomainState::TABLE.word(state).into();
            StateAndReason { state, reason }.into_map()
        })
    }

    /// The state, memory and CPU time in one call: `state`, `max_memory_kib`, `memory_kib`, `vcpus`,
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
            "read the information of",
            libvirt::domain::info,
        )?;
        let info = DomainInfo {
            state: DomainState::TABLE.word(i64::from(info.state)).into(),
            max_memory_kib: Whole(info.maxMem),
            memory_kib: Whole(info.memory),
            vcpus: i64::from(info.nrVirtCpu),
            cpu_time_ns: Whole(info.cpuTime),
        };
        Ok(Dynamic::from_map(info.into_map()))
    }
}
