//! Measurements of a guest: performance events, memory statistics and the dirty rate.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{DurationValue, RhaiResultOf, flag_bits, number, whole_seconds};
use crate::api::parameters::Parameters;
use crate::libvirt::tuning;
use crate::objects::domain::Domain;
use crate::vocabulary::{OptionsOf, ParamType, RecordOf, parameters};

parameters! {
    /// Performance events of a guest, and whether the host counts them.
    pub(crate) struct PerfEvents = "VIR_PERF_PARAM_", |_| ParamType::Bool;
}

const PERF: Parameters<&str> = Parameters {
    noun: "performance events",
    options: PerfEvents::OPTIONS,
    types: PerfEvents::TYPES,
};

/// A duration in whole seconds, as libvirt takes it.
fn seconds(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<i32> {
    number(ctx, "a time in seconds", whole_seconds(ctx, value)?)
}

#[export_module]
pub(super) mod functions {
    /// The performance events of the guest, such as `cpu_cycles` and `page_faults`: true for those that the host
    /// counts. `get_all_domain_stats` returns the counts.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.perf_events().cpu_cycles, false);
    /// ```
    /// Calls virDomainGetPerfEvents.
    #[rhai_fn(name = "perf_events", pure, return_raw)]
    pub fn perf_events(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<PerfEvents>> {
        perf_events_flags(ctx, dom, 0)
    }

    /// The performance events of the guest; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_perf_events(#{ instructions: true }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert(dom.perf_events(VIR_DOMAIN_AFFECT_CONFIG).instructions);
    /// ```
    /// Calls virDomainGetPerfEvents.
    #[rhai_fn(name = "perf_events", pure, return_raw)]
    pub fn perf_events_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<PerfEvents>> {
        PERF.read(
            &ctx,
            dom,
            "virDomainGetPerfEvents",
            flags,
            tuning::perf_events,
        )
    }

    /// Turns performance events of the guest on and off; the keys are those of `perf_events`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_perf_events(#{ cpu_cycles: true });
    /// assert(dom.perf_events().cpu_cycles);
    /// ```
    /// Calls virDomainSetPerfEvents.
    #[rhai_fn(name = "set_perf_events", pure, return_raw)]
    pub fn set_perf_events(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<PerfEvents>,
    ) -> RhaiResultOf<()> {
        set_perf_events_flags(ctx, dom, params, 0)
    }

    /// Turns performance events of the guest on and off; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_perf_events(#{ cache_misses: true }, VIR_DOMAIN_AFFECT_LIVE);
    /// assert(dom.perf_events(VIR_DOMAIN_AFFECT_LIVE).cache_misses);
    /// ```
    /// Calls virDomainSetPerfEvents.
    #[rhai_fn(name = "set_perf_events", pure, return_raw)]
    pub fn set_perf_events_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<PerfEvents>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetPerfEvents";
        PERF.set(&ctx, dom, call, &params, flags, tuning::set_perf_events)
    }

    /// Sets how often the guest's balloon driver updates `memory_stats`: a duration in whole seconds, or 0 for never.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory_stats_period("10s");
    /// assert_eq(dom.xml().get("devices/memballoon/stats/@period"), "10");
    /// ```
    /// Calls virDomainSetMemoryStatsPeriod.
    #[rhai_fn(name = "set_memory_stats_period", pure, return_raw)]
    pub fn set_memory_stats_period(
        ctx: NativeCallContext,
        dom: &mut Domain,
        period: DurationValue,
    ) -> RhaiResultOf<()> {
        set_memory_stats_period_flags(ctx, dom, period, 0)
    }

    /// Sets how often the guest's balloon driver updates `memory_stats`; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory_stats_period(5, VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.xml().get("devices/memballoon/stats/@period"), "5");
    /// ```
    /// Calls virDomainSetMemoryStatsPeriod.
    #[rhai_fn(name = "set_memory_stats_period", pure, return_raw)]
    pub fn set_memory_stats_period_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        period: DurationValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let seconds = seconds(&ctx, &period)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "set the period of the memory statistics of";
        dom.call(&ctx, "virDomainSetMemoryStatsPeriod", verb, move |d| {
            tuning::set_memory_stats_period(d, seconds, wanted)
        })
    }

    /// Starts to measure how fast the guest writes to its memory, for a duration of 1 to 60 seconds.
    ///
    /// Returns at once. After that time, `get_all_domain_stats` with `VIR_DOMAIN_STATS_DIRTYRATE` returns the result
    /// as `megabytes_per_second`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.start_dirty_rate_calc("1s");
    /// let measured = dom.qemu_monitor_command(`{"execute": "query-dirty-rate"}`);
    /// assert(measured.contains("calc-time"));
    /// ```
    /// Calls virDomainStartDirtyRateCalc.
    #[rhai_fn(name = "start_dirty_rate_calc", pure, return_raw)]
    pub fn start_dirty_rate_calc(
        ctx: NativeCallContext,
        dom: &mut Domain,
        duration: DurationValue,
    ) -> RhaiResultOf<()> {
        start_dirty_rate_calc_flags(ctx, dom, duration, 0)
    }

    /// Starts to measure how fast the guest writes to its memory; flags:
    /// `VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING`, `_DIRTY_BITMAP`, `_DIRTY_RING`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// // The guest has no dirty ring.
    /// let ring = VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING;
    /// assert_throws(|| dom.start_dirty_rate_calc(1, ring), "VIR_ERR_OPERATION_UNSUPPORTED");
    /// ```
    /// Calls virDomainStartDirtyRateCalc.
    #[rhai_fn(name = "start_dirty_rate_calc", pure, return_raw)]
    pub fn start_dirty_rate_calc_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        duration: DurationValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let seconds = seconds(&ctx, &duration)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "measure the dirty rate of";
        dom.call(&ctx, "virDomainStartDirtyRateCalc", verb, move |d| {
            tuning::start_dirty_rate_calc(d, seconds, wanted)
        })
    }
}
