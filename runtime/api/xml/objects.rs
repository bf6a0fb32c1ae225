//! `xml()` of everything that has XML: what `xml_desc` says, as a document.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::parse;
use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::objects::domain::Domain;
use crate::objects::interface::Interface;
use crate::objects::network::Network;
use crate::objects::storage_pool::StoragePool;
use crate::objects::storage_vol::StorageVol;
use crate::xml::Xml;

/// `xml`, marked if it `runs`.
fn of_what_runs(xml: Xml, runs: bool) -> RhaiResultOf<Xml> {
    Ok(if runs { xml.of_what_runs() } else { xml })
}

#[export_module]
pub(super) mod functions {
    /// The XML as an `Xml`: of the running guest, or the configuration of one that does not run.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.xml().get("devices/disk/target/@dev"), "vda");
    /// ```
    /// Calls virDomainGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn domain_xml(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<Xml> {
        domain_xml_flags(ctx, dom, 0)
    }

    /// The XML as an `Xml`, as `flags` say: see `xml_desc`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("@id"));
    /// ```
    /// Calls virDomainGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn domain_xml_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<Xml> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = dom.call(
            &ctx,
            "virDomainGetXMLDesc",
            "read the XML of",
            move |handle| handle.xml_desc(wanted),
        )?;
        parse(&ctx, text)
    }

    /// The network's XML as an `Xml`, of what is active where it is.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.xml().get("ip/@address"), "192.168.122.1");
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn network_xml(ctx: NativeCallContext, net: &mut Network) -> RhaiResultOf<Xml> {
        network_xml_flags(ctx, net, 0)
    }

    /// The network's XML as an `Xml`, as `flags` say: see `xml_desc`.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// assert_eq(net.xml(0).get("name"), "default");
    /// ```
    /// Calls virNetworkGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn network_xml_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        flags: i64,
    ) -> RhaiResultOf<Xml> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = net.call(
            &ctx,
            "virNetworkGetXMLDesc",
            "read the XML of",
            move |handle| handle.xml_desc(wanted),
        )?;
        of_what_runs(
            parse(&ctx, text)?,
            wanted & virt_sys::VIR_NETWORK_XML_INACTIVE == 0,
        )
    }

    /// The XML as an `Xml`, with the addresses that the interface has now.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.xml().get("protocol[@family='ipv4']/ip/@address"), "192.168.0.5");
    /// ```
    /// Calls virInterfaceGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn interface_xml(ctx: NativeCallContext, iface: &mut Interface) -> RhaiResultOf<Xml> {
        interface_xml_flags(ctx, iface, 0)
    }

    /// The XML as an `Xml`, as `flags` say: see `xml_desc`.
    ///
    /// ```rhai
    /// let iface = connect("test:///default").interface_lookup_by_name("eth1");
    /// assert_eq(iface.xml(0).get("@type"), "ethernet");
    /// ```
    /// Calls virInterfaceGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn interface_xml_flags(
        ctx: NativeCallContext,
        iface: &mut Interface,
        flags: i64,
    ) -> RhaiResultOf<Xml> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = iface.call(
            &ctx,
            "virInterfaceGetXMLDesc",
            "read the XML of",
            move |it| it.xml_desc(wanted),
        )?;
        of_what_runs(
            parse(&ctx, text)?,
            wanted & virt_sys::VIR_INTERFACE_XML_INACTIVE == 0,
        )
    }

    /// The pool's XML as an `Xml`, of what is active where it is.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert_eq(pool.xml().get("target/path"), "/default-pool");
    /// ```
    /// Calls virStoragePoolGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn storage_pool_xml(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<Xml> {
        storage_pool_xml_flags(ctx, pool, 0)
    }

    /// The pool's XML as an `Xml`, as `flags` say: see `xml_desc`.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert_eq(pool.xml(0).get("@type"), "dir");
    /// ```
    /// Calls virStoragePoolGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn storage_pool_xml_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<Xml> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = pool.call(
            &ctx,
            "virStoragePoolGetXMLDesc",
            "read the XML of",
            move |handle| handle.xml_desc(wanted),
        )?;
        of_what_runs(
            parse(&ctx, text)?,
            wanted & virt_sys::VIR_STORAGE_XML_INACTIVE == 0,
        )
    }

    /// The volume's XML as an `Xml`.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml(xml("volume", #{ name: "a.img", capacity: 1048576 }));
    /// assert_eq(vol.xml().get("name"), "a.img");
    /// ```
    /// Calls virStorageVolGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn storage_vol_xml(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<Xml> {
        storage_vol_xml_flags(ctx, vol, 0)
    }

    /// The volume's XML as an `Xml`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml(xml("volume", #{ name: "a.img", capacity: 1048576 }));
    /// assert_eq(vol.xml(0).get("capacity"), "1048576");
    /// ```
    /// Calls virStorageVolGetXMLDesc.
    #[rhai_fn(name = "xml", pure, return_raw)]
    pub fn storage_vol_xml_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        flags: i64,
    ) -> RhaiResultOf<Xml> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = vol.call(
            &ctx,
            "virStorageVolGetXMLDesc",
            "read the XML of",
            move |handle| handle.xml_desc(wanted),
        )?;
        parse(&ctx, text)
    }
}
