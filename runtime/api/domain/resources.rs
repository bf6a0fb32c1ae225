//! A guest's share of its host's CPU time, memory, and input and output.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::RhaiResultOf;
use crate::api::parameters::Parameters;
use crate::libvirt::tuning;
use crate::objects::domain::Domain;
use crate::vocabulary::{NumaMode, OptionsOf, ParamType, RecordOf, parameters};

parameters! {
    /// A guest's share of its host's time; which parameters there are depends on the scheduler.
    pub(crate) struct SchedulerParameters = "VIR_DOMAIN_SCHEDULER_", |name| match name {
        "cap" | "weight" => ParamType::UInt,
        "shares" => ParamType::Int,
        "limit" | "reservation" => ParamType::Long,
        name if name.ends_with("_quota") => ParamType::Long,
        _ => ParamType::ULong,
    };
}

parameters! {
    /// Limits of a guest's memory on its host, in KiB.
    pub(crate) struct MemoryParameters = "VIR_DOMAIN_MEMORY_", |_| ParamType::KiB;
}

parameters! {
    /// A guest's share of its host's block input and output.
    pub(crate) struct BlkioParameters = "VIR_DOMAIN_BLKIO_", |name| match name {
        "weight" => ParamType::UInt,
        _ => ParamType::Text,
    };
}

parameters! {
    /// NUMA nodes that a guest's memory comes from.
    pub(crate) struct NumaParameters = "VIR_DOMAIN_NUMA_", |name| match name {
        "numa_mode" => ParamType::Constant(NumaMode::TABLE),
        _ => ParamType::Text,
    };
}

const SCHEDULER: Parameters<&str> = Parameters {
    noun: "scheduler parameters",
    options: SchedulerParameters::OPTIONS,
    types: SchedulerParameters::TYPES,
};

const MEMORY: Parameters<&str> = Parameters {
    noun: "memory limits",
    options: MemoryParameters::OPTIONS,
    types: MemoryParameters::TYPES,
};

const BLKIO: Parameters<&str> = Parameters {
    noun: "block input and output limits",
    options: BlkioParameters::OPTIONS,
    types: BlkioParameters::TYPES,
};

const NUMA: Parameters<&str> = Parameters {
    noun: "NUMA placement",
    options: NumaParameters::OPTIONS,
    types: NumaParameters::TYPES,
};

#[export_module]
pub(super) mod functions {
    /// The scheduler that gives the guest its CPU time, such as `"posix"`. Each scheduler has its own parameters.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.scheduler_type(), "fair");
    /// ```
    /// Calls virDomainGetSchedulerType.
    #[rhai_fn(name = "scheduler_type", pure, return_raw)]
    pub fn scheduler_type(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        dom.call(
            &ctx,
            "virDomainGetSchedulerType",
            "read the scheduler of",
            |d| tuning::scheduler_type(d).map(|(kind, _)| kind),
        )
    }

    /// The guest's share of the host's CPU time.
    ///
    /// QEMU has `cpu_shares`, which is relative to other guests, and a `period` and a `quota` in microseconds for
    /// `vcpu_`, `emulator_`, `iothread_` and `global_`, such as `vcpu_quota`. A quota of -1 means no limit. QEMU must
    /// run as root: on `qemu:///session` the call throws.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.scheduler_parameters(), #{ weight: 50 });
    /// ```
    /// Calls virDomainGetSchedulerParameters.
    #[rhai_fn(name = "scheduler_parameters", pure, return_raw)]
    pub fn scheduler_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<SchedulerParameters>> {
        let call = "virDomainGetSchedulerParameters";
        SCHEDULER.read(&ctx, dom, call, 0, |d, _| tuning::scheduler_parameters(d))
    }

    /// The guest's share of the host's CPU time; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`. The test driver throws `VIR_ERR_INVALID_ARG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_throws(|| dom.scheduler_parameters(VIR_DOMAIN_AFFECT_CONFIG), "VIR_ERR_OPERATION_UNSUPPORTED");
    /// ```
    /// Calls virDomainGetSchedulerParametersFlags.
    #[rhai_fn(name = "scheduler_parameters", pure, return_raw)]
    pub fn scheduler_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<SchedulerParameters>> {
        let call = "virDomainGetSchedulerParametersFlags";
        SCHEDULER.read(&ctx, dom, call, flags, tuning::scheduler_parameters_flags)
    }

    /// Sets the running guest's share of the host's CPU time; the keys are those of `scheduler_parameters`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_scheduler_parameters(#{ weight: 30 });
    /// // The test driver has this parameter only, and does not keep its value.
    /// assert_throws(|| dom.set_scheduler_parameters(#{ shares: 30 }), "VIR_ERR_ARGUMENT_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetSchedulerParameters.
    #[rhai_fn(name = "set_scheduler_parameters", pure, return_raw)]
    pub fn set_scheduler_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<SchedulerParameters>,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetSchedulerParameters";
        SCHEDULER.set(&ctx, dom, call, &params, 0, |d, params, _| {
            tuning::set_scheduler_parameters(d, params)
        })
    }

    /// Sets the guest's share of the host's CPU time; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let shares = #{ cpu_shares: 2048 };
    /// assert_throws(|| dom.set_scheduler_parameters(shares, VIR_DOMAIN_AFFECT_CONFIG), "VIR_ERR_CONFIG_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetSchedulerParametersFlags.
    #[rhai_fn(name = "set_scheduler_parameters", pure, return_raw)]
    pub fn set_scheduler_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<SchedulerParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetSchedulerParametersFlags";
        let set = tuning::set_scheduler_parameters_flags;
        SCHEDULER.set(&ctx, dom, call, &params, flags, set)
    }

    /// The limits of the memory that the host gives to the guest, in KiB: `hard_limit`, `soft_limit`,
    /// `min_guarantee`, `swap_hard_limit`. `VIR_DOMAIN_MEMORY_PARAM_UNLIMITED` means no limit.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.memory_parameters().hard_limit, VIR_DOMAIN_MEMORY_PARAM_UNLIMITED);
    /// ```
    /// Calls virDomainGetMemoryParameters.
    #[rhai_fn(name = "memory_parameters", pure, return_raw)]
    pub fn memory_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<MemoryParameters>> {
        memory_parameters_flags(ctx, dom, 0)
    }

    /// The limits of the guest's memory on the host; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory_parameters(#{ soft_limit: "1GiB" }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.memory_parameters(VIR_DOMAIN_AFFECT_CONFIG).soft_limit, 1048576);
    /// ```
    /// Calls virDomainGetMemoryParameters.
    #[rhai_fn(name = "memory_parameters", pure, return_raw)]
    pub fn memory_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<MemoryParameters>> {
        let call = "virDomainGetMemoryParameters";
        MEMORY.read(&ctx, dom, call, flags, tuning::memory_parameters)
    }

    /// Sets the limits of the memory that the host gives to the guest, in KiB or as text such as `"2GiB"`; the keys
    /// are those of `memory_parameters`.
    ///
    /// The host kills a guest that reaches its `hard_limit`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory_parameters(#{ hard_limit: "4GiB" });
    /// assert_eq(dom.memory_parameters().hard_limit, 4194304);
    /// ```
    /// Calls virDomainSetMemoryParameters.
    #[rhai_fn(name = "set_memory_parameters", pure, return_raw)]
    pub fn set_memory_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<MemoryParameters>,
    ) -> RhaiResultOf<()> {
        set_memory_parameters_flags(ctx, dom, params, 0)
    }

    /// Sets the limits of the guest's memory on the host; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory_parameters(#{ hard_limit: "4GiB" }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.memory_parameters(VIR_DOMAIN_AFFECT_CONFIG).hard_limit, 4194304);
    /// ```
    /// Calls virDomainSetMemoryParameters.
    #[rhai_fn(name = "set_memory_parameters", pure, return_raw)]
    pub fn set_memory_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<MemoryParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetMemoryParameters";
        let set = tuning::set_memory_parameters;
        MEMORY.set(&ctx, dom, call, &params, flags, set)
    }

    /// The guest's share of the host's block input and output: its `weight`, from 100 to 1000, and limits for single
    /// devices of the host as text such as `"/dev/sda,500"`: `device_weight`, `device_read_bytes_sec`,
    /// `device_write_bytes_sec`, `device_read_iops_sec` and `device_write_iops_sec`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_blkio_parameters(#{ weight: 200 });
    /// assert_eq(dom.blkio_parameters().weight, 200);
    /// ```
    /// Calls virDomainGetBlkioParameters.
    #[rhai_fn(name = "blkio_parameters", pure, return_raw)]
    pub fn blkio_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<BlkioParameters>> {
        blkio_parameters_flags(ctx, dom, 0)
    }

    /// The guest's share of the host's block input and output; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_blkio_parameters(#{ weight: 200 }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.blkio_parameters(VIR_DOMAIN_AFFECT_CONFIG).weight, 200);
    /// ```
    /// Calls virDomainGetBlkioParameters.
    #[rhai_fn(name = "blkio_parameters", pure, return_raw)]
    pub fn blkio_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<BlkioParameters>> {
        let call = "virDomainGetBlkioParameters";
        BLKIO.read(&ctx, dom, call, flags, tuning::blkio_parameters)
    }

    /// Sets the guest's share of the host's block input and output; the keys are those of `blkio_parameters`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_blkio_parameters(#{ device_weight: "/dev/sda,300" });
    /// assert_eq(dom.blkio_parameters().device_weight, "/dev/sda,300");
    /// ```
    /// Calls virDomainSetBlkioParameters.
    #[rhai_fn(name = "set_blkio_parameters", pure, return_raw)]
    pub fn set_blkio_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<BlkioParameters>,
    ) -> RhaiResultOf<()> {
        set_blkio_parameters_flags(ctx, dom, params, 0)
    }

    /// Sets the guest's share of the host's block input and output; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_blkio_parameters(#{ weight: 700 }, VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.blkio_parameters().weight, 700);
    /// ```
    /// Calls virDomainSetBlkioParameters.
    #[rhai_fn(name = "set_blkio_parameters", pure, return_raw)]
    pub fn set_blkio_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<BlkioParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetBlkioParameters";
        let set = tuning::set_blkio_parameters;
        BLKIO.set(&ctx, dom, call, &params, flags, set)
    }

    /// The NUMA nodes of the host that give the guest its memory: `numa_nodeset`, such as `"0-1"`, and `numa_mode`,
    /// one of `"strict"`, `"preferred"`, `"interleave"` and `"restrictive"`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.numa_parameters().numa_mode, "strict");
    /// ```
    /// Calls virDomainGetNumaParameters.
    #[rhai_fn(name = "numa_parameters", pure, return_raw)]
    pub fn numa_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<NumaParameters>> {
        numa_parameters_flags(ctx, dom, 0)
    }

    /// The NUMA nodes of the host that give the guest its memory; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_numa_parameters(#{ numa_nodeset: "0" }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.numa_parameters(VIR_DOMAIN_AFFECT_CONFIG).numa_nodeset, "0");
    /// ```
    /// Calls virDomainGetNumaParameters.
    #[rhai_fn(name = "numa_parameters", pure, return_raw)]
    pub fn numa_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<NumaParameters>> {
        let call = "virDomainGetNumaParameters";
        NUMA.read(&ctx, dom, call, flags, tuning::numa_parameters)
    }

    /// Sets the NUMA nodes of the host that give the guest its memory; the keys are those of `numa_parameters`;
    /// constants such as `VIR_DOMAIN_NUMATUNE_MEM_STRICT` are accepted too.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_numa_parameters(#{ numa_nodeset: "0" });
    /// assert_eq(dom.numa_parameters().numa_nodeset, "0");
    /// ```
    /// Calls virDomainSetNumaParameters.
    #[rhai_fn(name = "set_numa_parameters", pure, return_raw)]
    pub fn set_numa_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<NumaParameters>,
    ) -> RhaiResultOf<()> {
        set_numa_parameters_flags(ctx, dom, params, 0)
    }

    /// Sets the NUMA nodes of the host that give the guest its memory; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let tuning = #{ numa_nodeset: "0", numa_mode: "interleave" };
    /// dom.set_numa_parameters(tuning, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.numa_parameters(VIR_DOMAIN_AFFECT_CONFIG).numa_mode, "interleave");
    /// ```
    /// Calls virDomainSetNumaParameters.
    #[rhai_fn(name = "set_numa_parameters", pure, return_raw)]
    pub fn set_numa_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<NumaParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let call = "virDomainSetNumaParameters";
        let set = tuning::set_numa_parameters;
        NUMA.set(&ctx, dom, call, &params, flags, set)
    }
}
