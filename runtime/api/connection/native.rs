//! A hypervisor's own configuration, and guests that libvirt did not start.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits, number, text};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt::{host, qemu};
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;

#[export_module]
pub(super) mod functions {
    /// The hypervisor's own configuration for the domain in `xml`: for QEMU the command line, in the format
    /// `"qemu-argv"`; for Xen a file in the format `"xen-xl"`.
    ///
    /// The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let xml = conn.lookup_by_name("web").xml_desc(VIR_DOMAIN_XML_INACTIVE);
    /// assert(conn.domain_xml_to_native("qemu-argv", xml).contains("-name"));
    /// ```
    /// Calls virConnectDomainXMLToNative.
    #[rhai_fn(name = "domain_xml_to_native", pure, return_raw)]
    pub fn domain_xml_to_native(
        ctx: NativeCallContext,
        conn: &mut Connection,
        format: &str,
        xml: XmlText,
    ) -> RhaiResultOf<String> {
        domain_xml_to_native_flags(ctx, conn, format, xml, 0)
    }

    /// The hypervisor's own configuration for a domain; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let xml = conn.lookup_by_name("web").xml();
    /// assert(conn.domain_xml_to_native("qemu-argv", xml, 0).contains("web"));
    /// ```
    /// Calls virConnectDomainXMLToNative.
    #[rhai_fn(name = "domain_xml_to_native", pure, return_raw)]
    pub fn domain_xml_to_native_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        format: &str,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let xml = xml_text(&ctx, "the domain", &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let (format, given) = (text(&ctx, "the format", format)?.to_owned(), xml.clone());
        let task = format!("write a domain as `{format}`");
        conn.call(&ctx, "virConnectDomainXMLToNative", task, move |c| {
            host::domain_xml_to_native(c, &format, &given, wanted)
        })
        .of_xml(&xml)
    }

    /// The XML of a domain for the hypervisor's own configuration in `config`: for Xen in the format `"xen-xl"`, for
    /// LXC `"lxc-tools"`, for VMware `"vmware-vmx"`.
    ///
    /// QEMU and the test driver throw `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.domain_xml_from_native("xen-xl", "name = \"web\""), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virConnectDomainXMLFromNative.
    #[rhai_fn(name = "domain_xml_from_native", pure, return_raw)]
    pub fn domain_xml_from_native(
        ctx: NativeCallContext,
        conn: &mut Connection,
        format: &str,
        config: &str,
    ) -> RhaiResultOf<String> {
        domain_xml_from_native_flags(ctx, conn, format, config, 0)
    }

    /// The XML of a domain for the hypervisor's own configuration; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.domain_xml_from_native("xen-xl", "name = \"web\"", 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virConnectDomainXMLFromNative.
    #[rhai_fn(name = "domain_xml_from_native", pure, return_raw)]
    pub fn domain_xml_from_native_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        format: &str,
        config: &str,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        let format = text(&ctx, "the format", format)?.to_owned();
        let config = text(&ctx, "the configuration", config)?.to_owned();
        let task = format!("read a domain from `{format}`");
        conn.call(&ctx, "virConnectDomainXMLFromNative", task, move |c| {
            host::domain_xml_from_native(c, &format, &config, wanted)
        })
    }

    /// Attaches libvirt to the QEMU process `pid`, which libvirt did not start, and returns its domain.
    ///
    /// libvirt's QEMU driver throws `VIR_ERR_NO_SUPPORT` since libvirt 5.5.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// assert_throws(|| conn.qemu_attach(1), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainQemuAttach.
    #[rhai_fn(name = "qemu_attach", pure, return_raw)]
    pub fn qemu_attach(
        ctx: NativeCallContext,
        conn: &mut Connection,
        pid: i64,
    ) -> RhaiResultOf<Domain> {
        qemu_attach_flags(ctx, conn, pid, 0)
    }

    /// Attaches libvirt to a QEMU process; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// assert_throws(|| conn.qemu_attach(1, 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainQemuAttach.
    #[rhai_fn(name = "qemu_attach", pure, return_raw)]
    pub fn qemu_attach_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        pid: i64,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let pid = number(&ctx, "the number of a process", pid)?;
        let wanted = flag_bits(&ctx, flags)?;
        let task = format!("attach to the process {pid}");
        conn.call(&ctx, "virDomainQemuAttach", task, move |c| {
            qemu::attach(c, pid, wanted)
        })
        .map(|domain| conn.adopt(domain))
    }
}
