//! Facts about a host: capabilities, CPUs, memory, versions.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};
use virt::connect::Connect;

use crate::api::arguments::{RhaiResultOf, flag_bits, integer, optional_text, text};
use crate::error::Error;
use crate::libvirt;
use crate::objects::connection::{Connection, tunnel};
use crate::vocabulary::{RecordOf, Whole, record};

/// A version as libvirt packs it into a number: major, minor and release.
pub(crate) fn version(packed: u64) -> String {
    format!(
        "{}.{}.{}",
        packed / 1_000_000,
        packed / 1000 % 1000,
        packed % 1000
    )
}

fn domain_capabilities(
    ctx: &NativeCallContext,
    conn: &Connection,
    [emulator, arch, machine, kind]: [Dynamic; 4],
    wanted: i64,
) -> RhaiResultOf<String> {
    let emulator = optional_text(ctx, "the emulator", &emulator)?;
    let arch = optional_text(ctx, "the architecture", &arch)?;
    let machine = optional_text(ctx, "the machine type", &machine)?;
    let kind = optional_text(ctx, "the domain type", &kind)?;
    let wanted = flag_bits(ctx, wanted)?;
    conn.call(
        ctx,
        "virConnectGetDomainCapabilities",
        "read the domain capabilities",
        move |c| {
            c.domain_capabilities(
                emulator.as_deref(),
                arch.as_deref(),
                machine.as_deref(),
                kind.as_deref(),
                wanted,
            )
        },
    )
}

record! {
    /// A host's CPUs and memory.
    pub(crate) struct NodeInfo {
        /// Model of the CPUs.
        model: String,
        /// Size of the memory.
        memory_kib: Whole,
        /// Number of CPUs that are in use.
        cpus: i64,
        /// Frequency of the CPUs.
        mhz: i64,
        /// Number of NUMA nodes.
        nodes: i64,
        /// Number of sockets in each node.
        sockets: i64,
        /// Number of cores in each socket.
        cores: i64,
        /// Number of threads in each core.
        threads: i64,
    }
}

#[export_module]
pub(super) mod functions {
    /// The URI of the host, for use in text.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").uri, "test:///default");
    /// ```
    /// Calls virConnectGetURI.
    #[rhai_fn(get = "uri", pure)]
    pub fn uri(conn: &mut Connection) -> String {
        Connection::uri(conn).to_owned()
    }

    /// The URI of the host as libvirt completed it.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").get_uri(), "test:///default");
    /// ```
    /// Calls virConnectGetURI.
    #[rhai_fn(pure, return_raw)]
    pub fn get_uri(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        let known = conn.uri().to_owned();
        let uri = conn.call(&ctx, "virConnectGetURI", "read the URI", Connect::uri)?;
        Ok(match tunnel::is_needed(&uri) {
            true => known,
            false => uri,
        })
    }

    /// The name of the hypervisor driver, such as `QEMU`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").get_type(), "TEST");
    /// ```
    /// Calls virConnectGetType.
    #[rhai_fn(pure, return_raw)]
    pub fn get_type(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetType",
            "read the driver's name",
            Connect::driver_type,
        )
    }

    /// The version of the libvirt library that virhai runs with, as text, such as `11.3.0`.
    ///
    /// ```rhai
    /// assert(get_version().contains("."));
    /// ```
    /// Calls virGetVersion.
    #[rhai_fn(name = "get_version", return_raw)]
    pub fn library_version(ctx: NativeCallContext) -> RhaiResultOf<String> {
        libvirt::connection::running_version()
            .map(version)
            .map_err(|failure| {
                Error::new(&ctx, failure, "virGetVersion", "read libvirt's version", "").throw()
            })
    }

    /// The version of the hypervisor as text, such as `10.0.2`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").get_version(), "0.0.2");
    /// ```
    /// Calls virConnectGetVersion.
    #[rhai_fn(pure, return_raw)]
    pub fn get_version(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetVersion",
            "read the hypervisor's version",
            Connect::hyp_version,
        )
        .map(|packed| version(packed.into()))
    }

    /// The version of libvirt on the host as text, such as `11.3.0`.
    ///
    /// ```rhai
    /// assert(connect("test:///default").get_lib_version().contains("."));
    /// ```
    /// Calls virConnectGetLibVersion.
    #[rhai_fn(pure, return_raw)]
    pub fn get_lib_version(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetLibVersion",
            "read libvirt's version",
            Connect::lib_version,
        )
        .map(|packed| version(packed.into()))
    }

    /// The host's own name.
    ///
    /// ```rhai
    /// assert(connect("test:///default").get_hostname() != "");
    /// ```
    /// Calls virConnectGetHostname.
    #[rhai_fn(pure, return_raw)]
    pub fn get_hostname(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetHostname",
            "read the host's name",
            Connect::hostname,
        )
    }

    /// The host's capabilities, as XML.
    ///
    /// ```rhai
    /// assert(connect("test:///default").get_capabilities().contains("<capabilities>"));
    /// ```
    /// Calls virConnectGetCapabilities.
    #[rhai_fn(pure, return_raw)]
    pub fn get_capabilities(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetCapabilities",
            "read the capabilities",
            Connect::capabilities,
        )
    }

    /// The capabilities of the host's default hypervisor for guests, as XML.
    ///
    /// The test driver has no domain capabilities and throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let xml = connect().get_domain_capabilities();
    /// assert(xml.contains("<domainCapabilities>"));
    /// ```
    /// Calls virConnectGetDomainCapabilities.
    #[rhai_fn(name = "get_domain_capabilities", pure, return_raw)]
    pub fn get_default_domain_capabilities(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<String> {
        domain_capabilities(&ctx, conn, [Dynamic::UNIT; 4], 0)
    }

    /// The hypervisor's capabilities for a guest with that emulator, architecture, machine and domain type, as XML.
    ///
    /// If an argument is `()`, libvirt chooses it.
    ///
    /// ```rhai,qemu
    /// let xml = connect().get_domain_capabilities((), "x86_64", "q35", "qemu", 0);
    /// assert(xml.contains("<domain>qemu</domain>"));
    /// ```
    /// Calls virConnectGetDomainCapabilities.
    #[rhai_fn(pure, return_raw)]
    pub fn get_domain_capabilities(
        ctx: NativeCallContext,
        conn: &mut Connection,
        emulator: Dynamic,
        arch: Dynamic,
        machine: Dynamic,
        domain_type: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<String> {
        domain_capabilities(&ctx, conn, [emulator, arch, machine, domain_type], flags)
    }

    /// The host's CPUs and memory: `model`, `memory_kib`, `cpus`, `mhz`, `nodes`, `sockets`,
    /// `cores`, `threads`.
    ///
    /// ```rhai
    /// let info = connect("test:///default").get_info();
    /// assert_eq(info.model, "i686");
    /// assert_eq(info.memory_kib, 3145728);
    /// ```
    /// Calls virNodeGetInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn get_info(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<RecordOf<NodeInfo>> {
        let info = conn.call(
            &ctx,
            "virNodeGetInfo",
            "read the node information",
            Connect::node_info,
        )?;
        Ok(NodeInfo {
            model: info.model,
            memory_kib: Whole(info.memory),
            cpus: i64::from(info.cpus),
            mhz: i64::from(info.mhz),
            nodes: i64::from(info.nodes),
            sockets: i64::from(info.sockets),
            cores: i64::from(info.cores),
            threads: i64::from(info.threads),
        }
        .into_map())
    }

    /// The most virtual CPUs that a guest can have.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").get_max_vcpus(), 32);
    /// ```
    /// Calls virConnectGetMaxVcpus.
    #[rhai_fn(name = "get_max_vcpus", pure, return_raw)]
    pub fn get_max_vcpus(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectGetMaxVcpus",
            "read the maximum number of vcpus of a guest",
            |c| c.max_vcpus(None),
        )
        .map(i64::from)
    }

    /// The most virtual CPUs that a guest of the type `kind` can have, such as `"kvm"`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").get_max_vcpus("test"), 32);
    /// ```
    /// Calls virConnectGetMaxVcpus.
    #[rhai_fn(name = "get_max_vcpus", pure, return_raw)]
    pub fn get_max_vcpus_of(
        ctx: NativeCallContext,
        conn: &mut Connection,
        kind: &str,
    ) -> RhaiResultOf<i64> {
        let kind = text(&ctx, "the domain type", kind)?.to_owned();
        conn.call(
            &ctx,
            "virConnectGetMaxVcpus",
            "read the maximum number of vcpus of a guest",
            move |c| c.max_vcpus(Some(&kind)),
        )
        .map(i64::from)
    }

    /// The host's SMBIOS tables, as XML. Needs the right to read them, and `dmidecode`.
    ///
    /// ```rhai,qemu
    /// try {
    ///     assert(connect().get_sysinfo().contains("<sysinfo"));
    /// } catch (err) {
    ///     assert(err.call == "virConnectGetSysinfo");
    /// }
    /// ```
    /// Calls virConnectGetSysinfo.
    #[rhai_fn(name = "get_sysinfo", pure, return_raw)]
    pub fn get_sysinfo(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<String> {
        conn.call(
            &ctx,
            "virConnectGetSysinfo",
            "read the system information",
            |c| c.sys_info(0),
        )
    }

    /// The host's SMBIOS tables, as XML; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// try {
    ///     assert(connect().get_sysinfo(0).contains("<sysinfo"));
    /// } catch (err) {
    ///     assert(err.call == "virConnectGetSysinfo");
    /// }
    /// ```
    /// Calls virConnectGetSysinfo.
    #[rhai_fn(name = "get_sysinfo", pure, return_raw)]
    pub fn get_sysinfo_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virConnectGetSysinfo",
            "read the system information",
            move |c| c.sys_info(wanted),
        )
    }

    /// The memory that is free on the host, in bytes.
    ///
    /// ```rhai
    /// assert(connect("test:///default").get_free_memory() > 0);
    /// ```
    /// Calls virNodeGetFreeMemory.
    #[rhai_fn(pure, return_raw)]
    pub fn get_free_memory(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virNodeGetFreeMemory",
            "read the free memory",
            Connect::free_memory,
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// The CPU models that libvirt knows for the architecture `arch`.
    ///
    /// The test driver knows none and throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// assert(connect().get_cpu_model_names("x86_64").contains("Nehalem"));
    /// ```
    /// Calls virConnectGetCPUModelNames.
    #[rhai_fn(name = "get_cpu_model_names", pure, return_raw)]
    pub fn get_cpu_model_names(
        ctx: NativeCallContext,
        conn: &mut Connection,
        arch: &str,
    ) -> RhaiResultOf<Array> {
        get_cpu_model_names_flags(ctx, conn, arch, 0)
    }

    /// The CPU models that libvirt knows for `arch`; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// assert(connect().get_cpu_model_names("x86_64", 0).contains("Nehalem"));
    /// ```
    /// Calls virConnectGetCPUModelNames.
    #[rhai_fn(name = "get_cpu_model_names", pure, return_raw)]
    pub fn get_cpu_model_names_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        arch: &str,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let action = format!("list the CPU models of `{arch}`");
        let arch = arch.to_owned();
        conn.call(&ctx, "virConnectGetCPUModelNames", action, move |c| {
            c.cpu_models_names(&arch, wanted)
        })
        .map(|names| names.into_iter().map(Dynamic::from).collect())
    }

    /// The connection as text: its URI, and whether it is closed.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").to_string(), "Connection(test:///default)");
    /// ```
    /// Calls virConnectGetURI.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(conn: &mut Connection) -> String {
        conn.to_string()
    }

    /// True if both are the same connection.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let same = conn;
    /// assert(conn == same);
    /// ```
    /// Calls virConnectRef.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(left: &mut Connection, right: Connection) -> bool {
        *left == right
    }

    /// True if they are different connections.
    ///
    /// ```rhai
    /// assert(connect("test:///default") != connect("test:///default"));
    /// ```
    /// Calls virConnectRef.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(left: &mut Connection, right: Connection) -> bool {
        *left != right
    }
}
