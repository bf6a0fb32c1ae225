//! The statistics of a host's CPUs, and the suspend of a host.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, fields, flag_bits, number, whole, whole_seconds};
use crate::libvirt::host;
use crate::objects::connection::Connection;
use crate::vocabulary::{CpuMap, HostCpuStats, RecordOf};

#[export_module]
pub(super) mod functions {
    /// The host's CPUs: `cpus` is their count, `online` the numbers of those that are on.
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
        let online: Array = online.into_iter().map(Dynamic::from_int).collect();
        Ok(CpuMap::TABLE.of(fields! { "cpus": cpus, "online": online }))
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
        let unit = |name: &str| match name {
            "utilization" => format!("{name}_percent"),
            _ => format!("{name}_ns"),
        };
        Ok(HostCpuStats::TABLE.of(figures
            .into_iter()
            .map(|(name, value)| (unit(&name).into(), whole(value)))
            .collect()))
    }

    /// Suspends the host itself for a duration of at least 60 seconds: to `VIR_NODE_SUSPEND_TARGET_MEM`, `_DISK` or
    /// `_HYBRID`. Its clock wakes it up.
    ///
    /// Returns before the host is suspended. The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.suspend_for_duration(VIR_NODE_SUSPEND_TARGET_MEM, "1m"), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeSuspendForDuration.
    #[rhai_fn(name = "suspend_for_duration", pure, return_raw)]
    pub fn suspend_for_duration(
        ctx: NativeCallContext,
        conn: &mut Connection,
        target: i64,
        duration: Dynamic,
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
        target: i64,
        duration: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
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
