//! The statistics of a host's CPUs, and the suspend of a host.

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};

use crate::api::arguments::{DurationValue, RhaiResultOf, flag_bits, number, whole, whole_seconds};
use crate::libvirt::host;
use crate::objects::connection::Connection;
use crate::vocabulary::{ConstantOf, IfKnown, RecordOf, SuspendTarget, Whole, record};

record! {
    /// Number of a host's CPUs, and those that are online.
    pub(crate) struct CpuMap {
        /// Number of CPUs.
        cpus: i64,
        /// Numbers of the CPUs that are online.
        online: Vec<i64>,
    }
}

record! {
    /// Times of a host's CPU since the host started.
    pub(crate) struct HostCpuStats {
        /// Time of user processes.
        user_ns: IfKnown<Whole>,
        /// Time of the kernel.
        kernel_ns: IfKnown<Whole>,
        /// Idle time.
        idle_ns: IfKnown<Whole>,
        /// Time of waiting for input and output.
        iowait_ns: IfKnown<Whole>,
        /// Time of interrupts.
        intr_ns: IfKnown<Whole>,
        /// Use of the CPU, from hypervisors that report only this.
        utilization_percent: IfKnown<Whole>,
        .. open
    }
}

#[export_module]
pub(super) mod functions {
    /// The host's CPUs: `cpus` is their count, `online` the numbers of the online CPUs.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_cpu_map(), #{ cpus: 8, online: [0, 2, 4] });
    /// ```
    /// Calls virNodeGetCPUMap.
    #[rhai_fn(name = "get_cpu_map", pure, return_raw)]
    pub fn get_cpu_map(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<RecordOf<CpuMap>> {
        get_cpu_map_flags(ctx, conn, 0)
    }

    /// The host's CPUs; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_cpu_map(0).cpus, 8);
    /// ```
    /// Calls virNodeGetCPUMap.
    #[rhai_fn(name = "get_cpu_map", pure, return_raw)]
    pub fn get_cpu_map_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<CpuMap>> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virNodeGetCPUMap";
        let (cpus, online) = conn.call(&ctx, call, "read the CPU map", move |c| {
            host::cpu_map(c, wanted)
        })?;
        Ok(CpuMap { cpus, online }.into_map())
    }

    /// The times of the host's CPU `cpu` since the host started, or of all CPUs for `VIR_NODE_CPU_STATS_ALL_CPUS`:
    /// `user_ns`, `kernel_ns`, `idle_ns`, `iowait_ns` and `intr_ns`.
    ///
    /// Some hypervisors report only `utilization_percent`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.get_cpu_stats(VIR_NODE_CPU_STATS_ALL_CPUS).user_ns > 0);
    /// ```
    /// Calls virNodeGetCPUStats.
    #[rhai_fn(name = "get_cpu_stats", pure, return_raw)]
    pub fn get_cpu_stats(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cpu: i64,
    ) -> RhaiResultOf<RecordOf<HostCpuStats>> {
        get_cpu_stats_flags(ctx, conn, cpu, 0)
    }

    /// The times of one of the host's CPUs since the host started; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.get_cpu_stats(0, 0).idle_ns > 0);
    /// ```
    /// Calls virNodeGetCPUStats.
    #[rhai_fn(name = "get_cpu_stats", pure, return_raw)]
    pub fn get_cpu_stats_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cpu: i64,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<HostCpuStats>> {
        let cpu = number(&ctx, "the number of a CPU", cpu)?;
        let wanted = flag_bits(&ctx, flags)?;
        let figures = conn.call(
            &ctx,
            "virNodeGetCPUStats",
            "read the CPU statistics",
            move |c| host::cpu_stats(c, cpu, wanted),
        )?;
        let figure = |wanted: &str| {
            let found = figures.iter().find(|(name, _)| name == wanted);
            IfKnown(found.map(|(_, value)| Whole(*value)))
        };
        let known = HostCpuStats {
            user_ns: figure("user"),
            kernel_ns: figure("kernel"),
            idle_ns: figure("idle"),
            iowait_ns: figure("iowait"),
            intr_ns: figure("intr"),
            utilization_percent: figure("utilization"),
        };
        let others = figures.iter().filter(|(name, _)| name != "utilization");
        let others = others.map(|(name, value)| (format!("{name}_ns").into(), whole(*value)));
        let mut stats: Map = others.collect();
        stats.extend(known.into_map());
        Ok(stats)
    }

    /// Suspends the host itself for a duration of at least 60 seconds, to `"mem"`, `"disk"` or `"hybrid"`; its clock wakes
    /// it up. `VIR_NODE_SUSPEND_TARGET_MEM` and so on are taken too.
    ///
    /// Returns before the host is suspended. The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.suspend_for_duration("mem", "1m"), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeSuspendForDuration.
    #[rhai_fn(name = "suspend_for_duration", pure, return_raw)]
    pub fn suspend_for_duration(
        ctx: NativeCallContext,
        conn: &mut Connection,
        target: ConstantOf<SuspendTarget>,
        duration: DurationValue,
    ) -> RhaiResultOf<()> {
        suspend_for_duration_flags(ctx, conn, target, duration, 0)
    }

    /// Suspends the host itself; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.suspend_for_duration(VIR_NODE_SUSPEND_TARGET_DISK, 60, 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeSuspendForDuration.
    #[rhai_fn(name = "suspend_for_duration", pure, return_raw)]
    pub fn suspend_for_duration_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        target: ConstantOf<SuspendTarget>,
        duration: DurationValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let target = SuspendTarget::TABLE.constant(&ctx, "the target of a suspend", &target)?;
        let target = number(&ctx, "the target of a suspend", target)?;
        let seconds = whole_seconds(&ctx, &duration)?;
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virNodeSuspendForDuration",
            "suspend the host",
            move |c| host::suspend_for_duration(c, target, seconds, wanted),
        )
    }
}
