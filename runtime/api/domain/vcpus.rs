//! A guest's virtual CPUs.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, integer, number};
use crate::libvirt;
use crate::objects::domain::{Domain, Handle};
use crate::vocabulary::{RecordOf, VcpuState, Whole, Word, record};

record! {
    /// A virtual CPU.
    pub(crate) struct Vcpu {
        /// Number of the virtual CPU.
        number: i64,
        /// State of the virtual CPU.
        state: Word<VcpuState>,
        /// CPU time that it has used.
        cpu_time_ns: Whole,
        /// CPU of the host that it runs on.
        cpu: i64,
        /// CPUs of the host that it may run on.
        affinity: Vec<i64>,
    }
}

#[export_module]
pub(super) mod functions {
    /// The virtual CPUs of the running guest, each as `number`, `state`, `cpu_time_ns`, `cpu`
    /// (the host's CPU) and `affinity` (the host's CPUs it may run on).
    ///
    /// ```rhai
    /// let vcpus = connect("test:///default").lookup_by_name("test").vcpus();
    /// assert_eq(vcpus.len(), 2);
    /// assert_eq(vcpus[0].state, "running");
    /// ```
    /// Calls virDomainGetVcpus.
    #[rhai_fn(name = "vcpus", pure, return_raw)]
    pub fn vcpus(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Vcpu>>> {
        let vcpus = dom.call(&ctx, "virDomainGetVcpus", "read the vcpus of", |d| {
            let host_cpus = libvirt::pinning::most_host_cpus(d)?;
            let count = libvirt::domain::info(d)?.nrVirtCpu;
            libvirt::domain::vcpus(d, count.into(), host_cpus)
        })?;
        Ok(vcpus
            .into_iter()
            .map(|vcpu| {
                Dynamic::from(
                    Vcpu {
                        number: vcpu.number,
                        state: VcpuState::TABLE.word(vcpu.state).into(),
                        cpu_time_ns: Whole(vcpu.time_ns),
                        cpu: vcpu.cpu,
                        affinity: vcpu.affinity,
                    }
                    .into_map(),
                )
            })
            .collect())
    }

    /// The number of virtual CPUs; flags select which: `VIR_DOMAIN_VCPU_LIVE`, `_CONFIG`, `_MAXIMUM`, `_GUEST`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.vcpus(VIR_DOMAIN_VCPU_LIVE), 2);
    /// ```
    /// Calls virDomainGetVcpusFlags.
    #[rhai_fn(name = "vcpus", pure, return_raw)]
    pub fn vcpus_flags(ctx: NativeCallContext, dom: &mut Domain, flags: i64) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainGetVcpusFlags",
            "count the vcpus of",
            move |d| d.vcpus_flags(wanted),
        )
        .map(i64::from)
    }

    /// The maximum number of virtual CPUs of the guest.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").max_vcpus(), 2);
    /// ```
    /// Calls virDomainGetMaxVcpus.
    #[rhai_fn(pure, return_raw)]
    pub fn max_vcpus(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        dom.call(
            &ctx,
            "virDomainGetMaxVcpus",
            "read the maximum number of vcpus of",
            Handle::max_vcpus,
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// Sets the number of virtual CPUs of the running guest.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_vcpus(1);
    /// assert_eq(dom.info().vcpus, 1);
    /// ```
    /// Calls virDomainSetVcpus.
    #[rhai_fn(name = "set_vcpus", pure, return_raw)]
    pub fn set_vcpus(ctx: NativeCallContext, dom: &mut Domain, count: i64) -> RhaiResultOf<()> {
        let count = number(&ctx, "a number of vcpus", count)?;
        dom.call(&ctx, "virDomainSetVcpus", "set the vcpus of", move |d| {
            d.set_vcpus(count)
        })
    }

    /// Sets the number of virtual CPUs of the guest; flags: `VIR_DOMAIN_VCPU_LIVE`, `_CONFIG`, `_MAXIMUM`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_vcpus(1, VIR_DOMAIN_VCPU_CONFIG);
    /// assert_eq(dom.vcpus(VIR_DOMAIN_VCPU_CONFIG), 1);
    /// ```
    /// Calls virDomainSetVcpusFlags.
    #[rhai_fn(name = "set_vcpus", pure, return_raw)]
    pub fn set_vcpus_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        count: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let count = number(&ctx, "a number of vcpus", count)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSetVcpusFlags",
            "set the vcpus of",
            move |d| d.set_vcpus_flags(count, wanted),
        )
    }

    /// Adds the virtual CPUs `vcpus`, such as `"1,3"`, to the running guest, or removes them if `on` is false.
    ///
    /// The guest needs hot-pluggable vcpus; the test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// // The guest has this vcpu already.
    /// assert_throws(|| dom.set_vcpu("0", true), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virDomainSetVcpu.
    #[rhai_fn(name = "set_vcpu", pure, return_raw)]
    pub fn set_vcpu(
        ctx: NativeCallContext,
        dom: &mut Domain,
        vcpus: &str,
        on: bool,
    ) -> RhaiResultOf<()> {
        set_vcpu_flags(ctx, dom, vcpus, on, 0)
    }

    /// Adds or removes virtual CPUs of the guest; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>many</name><memory>32768</memory>
    ///     <vcpu current="1">2</vcpu><os><type>hvm</type></os></domain>`);
    /// dom.set_vcpu("1", true, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.vcpus(VIR_DOMAIN_VCPU_CONFIG), 2);
    /// dom.undefine();
    /// ```
    /// Calls virDomainSetVcpu.
    #[rhai_fn(name = "set_vcpu", pure, return_raw)]
    pub fn set_vcpu_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        vcpus: &str,
        on: bool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = match on {
            true => format!("add vcpus {vcpus} to"),
            false => format!("remove vcpus {vcpus} from"),
        };
        let vcpus = vcpus.to_owned();
        dom.call(&ctx, "virDomainSetVcpu", verb, move |d| {
            libvirt::pinning::set_vcpu(d, &vcpus, on, wanted)
        })
    }
}
