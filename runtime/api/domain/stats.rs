//! Statistics of a guest's disks, network cards and CPUs.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, map};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{ParamType, RecordOf, Whole, parameters, record};

fn cpu_stats(
    ctx: &NativeCallContext,
    dom: &Domain,
    total: bool,
    flags: u32,
) -> RhaiResultOf<Array> {
    let stats = dom.call(
        ctx,
        "virDomainGetCPUStats",
        "read the CPU statistics of",
        move |d| {
            if total {
                return libvirt::domain::cpu_stats(d, -1, 1, flags);
            }
            // libvirt takes at most 128 CPUs in one call.
            const MOST: u32 = 128;
            let count = libvirt::domain::cpu_stats_count(d, flags)?;
            let mut stats = Vec::new();
            for first in (0..count).step_by(MOST as usize) {
                let number = MOST.min(count - first);
                stats.extend(libvirt::domain::cpu_stats(
                    d,
                    first.cast_signed(),
                    number,
                    flags,
                )?);
            }
            Ok(stats)
        },
    )?;
    Ok(stats
        .into_iter()
        .map(|figures| Dynamic::from(map(figures)))
        .collect())
}

record! {
    /// Sizes of a disk.
    pub(crate) struct BlockInfo {
        /// Size that the guest sees.
        capacity_bytes: Whole,
        /// Size of the written data.
        allocation_bytes: Whole,
        /// Size of the image on the host.
        physical_bytes: Whole,
    }
}

record! {
    /// The statistics of a disk; an unknown number is -1.
    pub(crate) struct BlockStats {
        /// Number of read requests.
        read_requests: i64,
        /// Size of the data read.
        read_bytes: i64,
        /// Number of write requests.
        write_requests: i64,
        /// Size of the data written.
        write_bytes: i64,
        /// Number of errors.
        errors: i64,
    }
}

record! {
    /// The statistics of a network card; an unknown number is -1.
    pub(crate) struct InterfaceStats {
        /// Size of the received data.
        rx_bytes: i64,
        /// Number of received packets.
        rx_packets: i64,
        /// Number of errors while receiving.
        rx_errors: i64,
        /// Number of received packets that were dropped.
        rx_drops: i64,
        /// Size of the sent data.
        tx_bytes: i64,
        /// Number of sent packets.
        tx_packets: i64,
        /// Number of errors while sending.
        tx_errors: i64,
        /// Number of outgoing packets that were dropped.
        tx_drops: i64,
    }
}

parameters! {
    /// CPU time of a guest in nanoseconds.
    pub(crate) struct CpuStats = "VIR_DOMAIN_CPU_STATS_", |_| ParamType::ULong;
}

parameters! {
    /// Every figure that libvirt has of a disk.
    pub(crate) struct BlockFigures = "VIR_DOMAIN_BLOCK_STATS_", |_| ParamType::Long;
}

#[export_module]
pub(super) mod functions {
    /// The statistics of a disk since the guest started: `read_requests`, `read_bytes`,
    /// `write_requests`, `write_bytes`, `errors`; an unknown number is -1.
    ///
    /// `disk` is the target, such as `"vda"`, or the source path.
    ///
    /// ```rhai,qemu
    /// let stats = connect().lookup_by_name("web").block_stats("hda");
    /// assert(stats.read_bytes > 0);
    /// ```
    /// Calls virDomainBlockStats.
    #[rhai_fn(name = "block_stats", pure, return_raw)]
    pub fn block_stats(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
    ) -> RhaiResultOf<RecordOf<BlockStats>> {
        let verb = format!("read the statistics of the disk `{disk}` of");
        let disk = disk.to_owned();
        let stats = dom.call(&ctx, "virDomainBlockStats", verb, move |d| {
            d.block_stats(&disk)
        })?;
        Ok(BlockStats {
            read_requests: stats.rd_req,
            read_bytes: stats.rd_bytes,
            write_requests: stats.wr_req,
            write_bytes: stats.wr_bytes,
            errors: stats.errs,
        }
        .into_map())
    }

    /// All statistics that libvirt has of a disk, under libvirt's names, such as `rd_bytes` and `flush_total_times`.
    ///
    /// ```rhai,qemu
    /// let stats = connect().lookup_by_name("web").block_stats("hda", 0);
    /// assert(stats.rd_bytes > 0);
    /// ```
    /// Calls virDomainBlockStatsFlags.
    #[rhai_fn(name = "block_stats", pure, return_raw)]
    pub fn block_stats_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<BlockFigures>> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format!("read the statistics of the disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockStatsFlags", verb, move |d| {
            libvirt::domain::block_stats_flags(d, &disk, wanted)
        })
        .map(map)
    }

    /// The sizes of a disk: `capacity_bytes`, `allocation_bytes`, `physical_bytes`.
    ///
    /// ```rhai,qemu
    /// let info = connect().lookup_by_name("web").block_info("hda");
    /// assert_eq(info.capacity_bytes, 1048576);
    /// ```
    /// Calls virDomainGetBlockInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn block_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
    ) -> RhaiResultOf<RecordOf<BlockInfo>> {
        let verb = format!("read the sizes of the disk `{disk}` of");
        let disk = disk.to_owned();
        let info = dom.call(&ctx, "virDomainGetBlockInfo", verb, move |d| {
            libvirt::domain::block_info(d, &disk, 0)
        })?;
        Ok(BlockInfo {
            capacity_bytes: Whole(info.capacity),
            allocation_bytes: Whole(info.allocation),
            physical_bytes: Whole(info.physical),
        }
        .into_map())
    }

    /// The statistics of a network card: `rx_` and `tx_` each with `bytes`, `packets`, `errors` and
    /// `drops`; an unknown number is -1.
    ///
    /// `interface` is the target's name on the host, such as `"vnet0"`, or the MAC address.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// assert_throws(|| dom.interface_stats("no-such-card"), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virDomainInterfaceStats.
    #[rhai_fn(pure, return_raw)]
    pub fn interface_stats(
        ctx: NativeCallContext,
        dom: &mut Domain,
        interface: &str,
    ) -> RhaiResultOf<RecordOf<InterfaceStats>> {
        let verb = format!("read the statistics of the interface `{interface}` of");
        let interface = interface.to_owned();
        let stats = dom.call(&ctx, "virDomainInterfaceStats", verb, move |d| {
            d.interface_stats(&interface)
        })?;
        Ok(InterfaceStats {
            rx_bytes: stats.rx_bytes,
            rx_packets: stats.rx_packets,
            rx_errors: stats.rx_errs,
            rx_drops: stats.rx_drop,
            tx_bytes: stats.tx_bytes,
            tx_packets: stats.tx_packets,
            tx_errors: stats.tx_errs,
            tx_drops: stats.tx_drop,
        }
        .into_map())
    }

    /// The CPU time of the guest in nanoseconds, under libvirt's names: one map with the total,
    /// or a map for each CPU of the host.
    ///
    /// ```rhai
    /// let stats = connect("test:///default").lookup_by_name("test").get_cpu_stats(true);
    /// assert(stats[0].cpu_time > 0);
    /// ```
    /// Calls virDomainGetCPUStats.
    #[rhai_fn(name = "get_cpu_stats", pure, return_raw)]
    pub fn get_cpu_stats(
        ctx: NativeCallContext,
        dom: &mut Domain,
        total: bool,
    ) -> RhaiResultOf<ArrayOf<RecordOf<CpuStats>>> {
        cpu_stats(&ctx, dom, total, 0)
    }

    /// The CPU time of the guest in nanoseconds; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let stats = connect("test:///default").lookup_by_name("test").get_cpu_stats(true, 0);
    /// assert(stats[0].cpu_time > 0);
    /// ```
    /// Calls virDomainGetCPUStats.
    #[rhai_fn(name = "get_cpu_stats", pure, return_raw)]
    pub fn get_cpu_stats_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        total: bool,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<CpuStats>>> {
        let wanted = flag_bits(&ctx, flags)?;
        cpu_stats(&ctx, dom, total, wanted)
    }
}
