//! Compares a host's CPU with the CPU of a guest, and finds the common CPU of several hosts.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, optional_text};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt;
use crate::libvirt::host::GuestMachine;
use crate::objects::connection::Connection;
use crate::vocabulary::{CpuComparison, WordOf};

/// The CPUs that a script gave, each as XML.
fn xml_texts(ctx: &NativeCallContext, cpus: &Array) -> RhaiResultOf<Vec<String>> {
    cpus.iter().map(|cpu| xml_text(ctx, "a CPU", cpu)).collect()
}

/// The emulator, architecture, machine type and kind of domain that a script gave.
fn guest_machine(
    ctx: &NativeCallContext,
    [emulator, arch, machine, kind]: [&Dynamic; 4],
) -> RhaiResultOf<GuestMachine> {
    Ok([
        optional_text(ctx, "the emulator", emulator)?,
        optional_text(ctx, "the architecture", arch)?,
        optional_text(ctx, "the machine type", machine)?,
        optional_text(ctx, "the domain type", kind)?,
    ])
}

#[export_module]
pub(super) mod functions {
    /// Compares the host's CPU with the `cpu` of a domain's or a host's XML: "identical", "superset" if the host's has
    /// all of its features and more, or "incompatible".
    ///
    /// The hypervisor may offer guests less than the host has; see `compare_hypervisor_cpu`. With
    /// `VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE` an incompatible CPU throws
    /// `VIR_ERR_CPU_INCOMPATIBLE` and names the missing features. The test driver throws
    /// `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let own = parse_xml(conn.get_capabilities()).select("host/cpu")[0];
    /// assert_eq(conn.compare_cpu(own, 0), "identical");
    /// ```
    /// Calls virConnectCompareCPU.
    #[rhai_fn(pure, return_raw)]
    pub fn compare_cpu(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cpu: XmlText,
        flags: i64,
    ) -> RhaiResultOf<WordOf<CpuComparison>> {
        let cpu = xml_text(&ctx, "the CPU", &cpu)?;
        let wanted = flag_bits(&ctx, flags)?;
        let owned = cpu.clone();
        conn.call(&ctx, "virConnectCompareCPU", "compare the CPU", move |c| {
            c.compare_cpu(&owned, wanted)
        })
        .of_xml(&cpu)
        .map(|result| CpuComparison::TABLE.word(i64::from(result)))
    }

    /// Compares the CPU that the hypervisor can give a guest with the `cpu` of a domain's XML; returns a word as
    /// `compare_cpu` does.
    ///
    /// If `emulator`, `arch`, `machine` or `kind` of domain is `()`, libvirt chooses it.
    /// With `VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE` an incompatible CPU throws
    /// `VIR_ERR_CPU_INCOMPATIBLE` and names the missing features. The test driver throws
    /// `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let cpu = "<cpu mode='custom' match='exact'><model>qemu64</model></cpu>";
    /// let result = connect().compare_hypervisor_cpu((), "x86_64", (), "qemu", cpu, 0);
    /// assert(["identical", "superset", "incompatible"].contains(result));
    /// ```
    /// Calls virConnectCompareHypervisorCPU.
    #[rhai_fn(pure, return_raw)]
    pub fn compare_hypervisor_cpu(
        ctx: NativeCallContext,
        conn: &mut Connection,
        emulator: Dynamic,
        arch: Dynamic,
        machine: Dynamic,
        kind: Dynamic,
        cpu: XmlText,
        flags: i64,
    ) -> RhaiResultOf<WordOf<CpuComparison>> {
        let guest = guest_machine(&ctx, [&emulator, &arch, &machine, &kind])?;
        let cpu = xml_text(&ctx, "the CPU", &cpu)?;
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virConnectCompareHypervisorCPU",
            "compare the CPU of guests",
            move |c| libvirt::connection::compare_hypervisor_cpu(c, &guest, &cpu, wanted),
        )
        .map(|result| CpuComparison::TABLE.word(result))
    }

    /// The most capable CPU that is compatible with all of `cpus`: with it, guests can move between those hosts. Each
    /// of `cpus` is the `cpu` of a host's or a domain's XML.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let cpu = "<cpu><arch>x86_64</arch><model>Nehalem</model></cpu>";
    /// assert(conn.baseline_cpu([cpu, cpu]).contains("Nehalem"));
    /// ```
    /// Calls virConnectBaselineCPU.
    #[rhai_fn(name = "baseline_cpu", pure, return_raw)]
    pub fn baseline_cpu(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cpus: Array,
    ) -> RhaiResultOf<String> {
        baseline_cpu_flags(ctx, conn, cpus, 0)
    }

    /// The most capable CPU that is compatible with all of `cpus`; flags:
    /// `VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES` lists all its features, `VIR_CONNECT_BASELINE_CPU_MIGRATABLE` only
    /// those that do not prevent a migration.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let cpu = "<cpu><arch>x86_64</arch><model>Nehalem</model></cpu>";
    /// let xml = conn.baseline_cpu([cpu], VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    /// assert(xml.contains("<feature"));
    /// ```
    /// Calls virConnectBaselineCPU.
    #[rhai_fn(name = "baseline_cpu", pure, return_raw)]
    pub fn baseline_cpu_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cpus: Array,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let cpus = xml_texts(&ctx, &cpus)?;
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virConnectBaselineCPU",
            "find the baseline CPU",
            move |c| libvirt::host::baseline_cpu(c, &cpus, wanted),
        )
    }

    /// The most capable CPU that the hypervisors of several hosts can all give to a guest. Each of `cpus` is the `cpu`
    /// of one host's domain capabilities.
    ///
    /// `emulator`, `arch`, `machine` and `kind` of domain are chosen by libvirt if they are `()`. The test driver
    /// throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let cpu = "<cpu><arch>x86_64</arch><model>Nehalem</model></cpu>";
    /// assert(conn.baseline_hypervisor_cpu((), "x86_64", (), "qemu", [cpu]).contains("Nehalem"));
    /// ```
    /// Calls virConnectBaselineHypervisorCPU.
    #[rhai_fn(name = "baseline_hypervisor_cpu", pure, return_raw)]
    pub fn baseline_hypervisor_cpu(
        ctx: NativeCallContext,
        conn: &mut Connection,
        emulator: Dynamic,
        arch: Dynamic,
        machine: Dynamic,
        kind: Dynamic,
        cpus: Array,
    ) -> RhaiResultOf<String> {
        baseline_hypervisor_cpu_flags(ctx, conn, emulator, arch, machine, kind, cpus, 0)
    }

    /// The most capable CPU that the hypervisors of several hosts can all give to a guest; flags:
    /// `VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES`, `VIR_CONNECT_BASELINE_CPU_MIGRATABLE`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let cpu = "<cpu><arch>x86_64</arch><model>Nehalem</model></cpu>";
    /// let flags = VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES;
    /// assert(conn.baseline_hypervisor_cpu((), "x86_64", (), "qemu", [cpu], flags).contains("<feature"));
    /// ```
    /// Calls virConnectBaselineHypervisorCPU.
    #[rhai_fn(name = "baseline_hypervisor_cpu", pure, return_raw)]
    pub fn baseline_hypervisor_cpu_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        emulator: Dynamic,
        arch: Dynamic,
        machine: Dynamic,
        kind: Dynamic,
        cpus: Array,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let guest = guest_machine(&ctx, [&emulator, &arch, &machine, &kind])?;
        let cpus = xml_texts(&ctx, &cpus)?;
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virConnectBaselineHypervisorCPU",
            "find the baseline CPU of guests",
            move |c| libvirt::host::baseline_hypervisor_cpu(c, &guest, &cpus, wanted),
        )
    }
}
