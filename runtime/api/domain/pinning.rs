//! Pinning of a guest to CPUs of the host.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, number};
use crate::api::cpu_set::{CpuSet, cpu_set};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::libvirt::pinning::{self, CpuMap};
use crate::objects::domain::Domain;

/// The CPUs that a script gave, all of which the host of `dom` has.
pub(super) fn cpu_map(
    ctx: &NativeCallContext,
    dom: &Domain,
    cpus: &CpuSet,
) -> RhaiResultOf<CpuMap> {
    let cpus = cpu_set(ctx, cpus)?;
    let host_cpus = dom.call(
        ctx,
        "virNodeGetCPUMap",
        "count the CPUs of the host of",
        pinning::host_cpus,
    )?;
    match cpus.last() {
        Some(last) if *last >= host_cpus => {
            let message = format!("CPU {last} does not exist; the host has {host_cpus} CPUs");
            let hint = "CPUs are counted from 0; `conn.get_cpu_map()` lists the online ones";
            Err(Error::invalid(ctx, message).with_hint(hint).throw())
        }
        _ => Ok(CpuMap::new(&cpus, host_cpus)),
    }
}

/// Numbers as scripts see them.
pub(super) fn numbers(numbers: Vec<i64>) -> Array {
    numbers.into_iter().map(Dynamic::from_int).collect()
}

#[export_module]
pub(super) mod functions {
    /// Pins the virtual CPU `vcpu` of the running guest to the host's CPUs `cpus`, a list of numbers or text such as
    /// `"0-3,^2"`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_vcpu(0, [0, 2]);
    /// assert_eq(dom.vcpu_pin_info()[0], [0, 2]);
    /// ```
    /// Calls virDomainPinVcpu.
    #[rhai_fn(name = "pin_vcpu", pure, return_raw)]
    pub fn pin_vcpu(
        ctx: NativeCallContext,
        dom: &mut Domain,
        vcpu: i64,
        cpus: CpuSet,
    ) -> RhaiResultOf<()> {
        let vcpu = number(&ctx, "the number of a vcpu", vcpu)?;
        let cpus = cpu_map(&ctx, dom, &cpus)?;
        let verb = format!("pin vcpu {vcpu} of");
        dom.call(&ctx, "virDomainPinVcpu", verb, move |d| {
            pinning::pin_vcpu(d, vcpu, &cpus)
        })
    }

    /// Pins the virtual CPU `vcpu` to `cpus`; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.pin_vcpu(0, "0", VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.vcpu_pin_info(VIR_DOMAIN_AFFECT_CONFIG)[0], [0]);
    /// ```
    /// Calls virDomainPinVcpuFlags.
    #[rhai_fn(name = "pin_vcpu", pure, return_raw)]
    pub fn pin_vcpu_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        vcpu: i64,
        cpus: CpuSet,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let vcpu = number(&ctx, "the number of a vcpu", vcpu)?;
        let wanted = flag_bits(&ctx, flags)?;
        let cpus = cpu_map(&ctx, dom, &cpus)?;
        let verb = format!("pin vcpu {vcpu} of");
        dom.call(&ctx, "virDomainPinVcpuFlags", verb, move |d| {
            pinning::pin_vcpu_flags(d, vcpu, &cpus, wanted)
        })
    }

    /// The host's CPUs that each virtual CPU may run on: one list of numbers for each virtual CPU.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_vcpu(0, [1]);
    /// assert_eq(dom.vcpu_pin_info().len(), 2);
    /// assert_eq(dom.vcpu_pin_info()[0], [1]);
    /// ```
    /// Calls virDomainGetVcpuPinInfo.
    #[rhai_fn(name = "vcpu_pin_info", pure, return_raw)]
    pub fn vcpu_pin_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<ArrayOf<i64>>> {
        vcpu_pin_info_flags(ctx, dom, 0)
    }

    /// The host's CPUs that each virtual CPU may run on; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.pin_vcpu(0, [0], VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.vcpu_pin_info(VIR_DOMAIN_AFFECT_LIVE), [[0]]);
    /// ```
    /// Calls virDomainGetVcpuPinInfo.
    #[rhai_fn(name = "vcpu_pin_info", pure, return_raw)]
    pub fn vcpu_pin_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<ArrayOf<i64>>> {
        let wanted = flag_bits(&ctx, flags)?;
        let pinned = dom.call(
            &ctx,
            "virDomainGetVcpuPinInfo",
            "read the pinning of",
            move |d| {
                let count = virt_sys::VIR_DOMAIN_VCPU_MAXIMUM | wanted;
                let count = d.vcpus_flags(count).map_err(Failure::from)?;
                pinning::vcpu_pin_info(d, count as usize, wanted)
            },
        )?;
        Ok(pinned
            .into_iter()
            .map(|cpus| Dynamic::from_array(numbers(cpus)))
            .collect())
    }

    /// Pins the hypervisor's own threads for this guest to the host's CPUs `cpus`, a list of numbers or text such as
    /// `"0-3,^2"`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_emulator([0]);
    /// assert_eq(dom.emulator_pin_info(), [0]);
    /// ```
    /// Calls virDomainPinEmulator.
    #[rhai_fn(name = "pin_emulator", pure, return_raw)]
    pub fn pin_emulator(
        ctx: NativeCallContext,
        dom: &mut Domain,
        cpus: CpuSet,
    ) -> RhaiResultOf<()> {
        pin_emulator_flags(ctx, dom, cpus, 0)
    }

    /// Pins the hypervisor's own threads for this guest to `cpus`; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_emulator("0-1", VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.emulator_pin_info(VIR_DOMAIN_AFFECT_CONFIG), [0, 1]);
    /// ```
    /// Calls virDomainPinEmulator.
    #[rhai_fn(name = "pin_emulator", pure, return_raw)]
    pub fn pin_emulator_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        cpus: CpuSet,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let cpus = cpu_map(&ctx, dom, &cpus)?;
        dom.call(
            &ctx,
            "virDomainPinEmulator",
            "pin the emulator of",
            move |d| pinning::pin_emulator(d, &cpus, wanted),
        )
    }

    /// The host's CPUs that the hypervisor's own threads for this guest may run on.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_emulator([1, 2]);
    /// assert_eq(dom.emulator_pin_info(), [1, 2]);
    /// ```
    /// Calls virDomainGetEmulatorPinInfo.
    #[rhai_fn(name = "emulator_pin_info", pure, return_raw)]
    pub fn emulator_pin_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<i64>> {
        emulator_pin_info_flags(ctx, dom, 0)
    }

    /// The host's CPUs that the hypervisor's own threads for this guest may run on; flags:
    /// `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.pin_emulator([1]);
    /// assert_eq(dom.emulator_pin_info(VIR_DOMAIN_AFFECT_LIVE), [1]);
    /// ```
    /// Calls virDomainGetEmulatorPinInfo.
    #[rhai_fn(name = "emulator_pin_info", pure, return_raw)]
    pub fn emulator_pin_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<i64>> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainGetEmulatorPinInfo",
            "read the pinning of",
            move |d| pinning::emulator_pin_info(d, wanted),
        )
        .map(numbers)
    }
}
