//! Finds, creates and defines domains.

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, NativeCallContext};
use virt::connect::Connect;

use super::about::{About, name};
use super::live_dump;
use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, number, uuid_text};
use crate::api::domain::open_files;
use crate::api::stale_save;
use crate::api::xml::{XmlText, xml_text};
use crate::error::{Error, OfXml};
use crate::libvirt;
use crate::objects::connection::Connection;
use crate::objects::domain::{Domain, DomainKind};
use crate::objects::natural_order::ByName;

fn define(
    ctx: &NativeCallContext,
    conn: &Connection,
    xml: &str,
    flags: Option<u32>,
) -> RhaiResultOf<Domain> {
    live_dump::check_domain(ctx, conn, xml)?;
    conn.lock_described::<DomainKind>(ctx, "virDomainDefineXML", xml)?;
    let action = About("define", "domain", xml);
    let owned = xml.to_owned();
    let domain = match flags {
        None => conn.call(ctx, "virDomainDefineXML", action, move |c| {
            c.define_domain_xml(&owned)
        }),
        Some(flags) => conn.call(ctx, "virDomainDefineXMLFlags", action, move |c| {
            c.define_domain_xml_flags(&owned, flags)
        }),
    }
    .of_xml(xml)?;
    Ok(conn.adopt(domain))
}

/// Refuses to boot a managed-saved domain from its disk: libvirt would keep the stale image and resume
/// it at the next start, over a newer disk.
fn refuse_over_managed_save(
    ctx: &NativeCallContext,
    conn: &Connection,
    xml: &str,
) -> RhaiResultOf<()> {
    let saved = name(xml).is_some_and(|name| {
        conn.attempt("virDomainLookupByName", move |connect| {
            connect.lookup_domain_by_name(&name)?.has_managed_save(0)
        })
        .unwrap_or(false)
    });
    if !saved {
        return stale_save::refuse_guest(ctx, conn, xml, About("create", "domain", xml));
    }
    let failure = crate::libvirt::Failure::new(
        virt_sys::VIR_ERR_OPERATION_INVALID,
        "it has a managed save image, which libvirt would keep and resume at the next start over a newer disk",
    );
    Err(
        Error::new(ctx, failure, "", About("create", "domain", xml), conn.uri())
            .with_hint("`create()` resumes the image; `managed_save_remove()` discards it first")
            .throw(),
    )
}

/// Sorts domains as virsh does: the running ones by id, then the others by name.
fn sort(domains: &mut [virt::domain::Domain]) {
    domains.sort_by_cached_key(|domain| {
        let name = domain.name().unwrap_or_default();
        (
            libvirt::domain::id(domain).is_none(),
            libvirt::domain::id(domain),
            ByName(name),
        )
    });
}

#[export_module]
pub(super) mod functions {
    /// The domain called `name`; throws `VIR_ERR_NO_DOMAIN` if there is none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.name, "test");
    /// ```
    /// Calls virDomainLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<Domain> {
        conn.look_up(&ctx, "virDomainLookupByName", name)
    }

    /// The running domain with the number `id`, which it has only until it stops.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_id(1);
    /// assert_eq(dom.name, "test");
    /// ```
    /// Calls virDomainLookupByID.
    #[rhai_fn(pure, return_raw)]
    pub fn lookup_by_id(
        ctx: NativeCallContext,
        conn: &mut Connection,
        id: i64,
    ) -> RhaiResultOf<Domain> {
        let number = number::<i32>(&ctx, "a domain id", id)?;
        conn.call(
            &ctx,
            "virDomainLookupByID",
            format_args!("look up the domain with id {id}"),
            move |c| c.lookup_domain_by_id(number.cast_unsigned()),
        )
        .map(|domain| conn.adopt(domain))
    }

    /// The domain with that UUID, given as text.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_uuid("6695eb01-f6a4-8304-79aa-97f2502e193f");
    /// assert_eq(dom.name, "test");
    /// ```
    /// Calls virDomainLookupByUUIDString.
    #[rhai_fn(
        name = "lookup_by_uuid",
        name = "lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<Domain> {
        conn.look_up_uuid(&ctx, uuid)
    }

    /// The domain with that UUID, given as its 16 bytes.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let bytes = conn.lookup_by_name("test").uuid_bytes();
    /// assert_eq(conn.lookup_by_uuid(bytes).name, "test");
    /// ```
    /// Calls virDomainLookupByUUIDString.
    #[rhai_fn(name = "lookup_by_uuid", pure, return_raw)]
    pub fn lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<Domain> {
        let uuid = uuid_text(&ctx, &uuid)?;
        lookup_by_uuid_string(ctx, conn, &uuid)
    }

    /// All domains of the host: the running ones by id, then the others by name, as virsh lists them.
    ///
    /// ```rhai
    /// let names = connect("test:///default").list_all_domains().map(|dom| dom.name);
    /// assert_eq(names, ["test"]);
    /// ```
    /// Calls virConnectListAllDomains.
    #[rhai_fn(name = "list_all_domains", pure, return_raw)]
    pub fn list_all_domains(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<Domain>> {
        list_all_domains_flags(ctx, conn, 0)
    }

    /// The domains that `flags` select, such as `VIR_CONNECT_LIST_DOMAINS_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.lookup_by_name("test").destroy();
    /// assert_eq(conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE), []);
    /// assert_eq(conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_INACTIVE).len(), 1);
    /// ```
    /// Calls virConnectListAllDomains.
    #[rhai_fn(name = "list_all_domains", pure, return_raw)]
    pub fn list_all_domains_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<Domain>> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(&ctx, "virConnectListAllDomains", "list domains", move |c| {
            c.list_all_domains(wanted)
        })
        .map(|mut domains| {
            sort(&mut domains);
            domains
                .into_iter()
                .map(|domain| Dynamic::from(conn.adopt(domain)))
                .collect()
        })
    }

    /// The number of running domains.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").num_of_domains(), 1);
    /// ```
    /// Calls virConnectNumOfDomains.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_domains(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfDomains",
            "count the running domains",
            Connect::num_of_domains,
        )
        .map(i64::from)
    }

    /// The number of domains that are defined but not running.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_defined_domains(), 0);
    /// conn.lookup_by_name("test").destroy();
    /// assert_eq(conn.num_of_defined_domains(), 1);
    /// ```
    /// Calls virConnectNumOfDefinedDomains.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_defined_domains(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfDefinedDomains",
            "count the inactive domains",
            Connect::num_of_defined_domains,
        )
        .map(i64::from)
    }

    /// The ids of the running domains.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").list_domains_id(), [1]);
    /// ```
    /// Calls virConnectListAllDomains.
    #[rhai_fn(pure, return_raw)]
    pub fn list_domains_id(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        let active = virt_sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE;
        conn.call(&ctx, "virConnectListAllDomains", "list domains", move |c| {
            c.list_all_domains(active)
        })
        .map(|domains| {
            domains
                .iter()
                .filter_map(crate::libvirt::domain::id)
                .map(Dynamic::from)
                .collect()
        })
    }

    /// The names of the domains that are defined but not running.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// conn.lookup_by_name("test").destroy();
    /// assert_eq(conn.list_defined_domains(), ["test"]);
    /// ```
    /// Calls virConnectListAllDomains.
    #[rhai_fn(pure, return_raw)]
    pub fn list_defined_domains(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let inactive = virt_sys::VIR_CONNECT_LIST_DOMAINS_INACTIVE;
        conn.call(&ctx, "virConnectListAllDomains", "list domains", move |c| {
            c.list_all_domains(inactive)
        })
        .map(|domains| {
            domains
                .iter()
                .filter_map(|domain| domain.name().ok())
                .map(Dynamic::from)
                .collect()
        })
    }

    /// Creates a transient domain from XML, text or an `Xml`, and boots it at once; it is gone when it stops.
    ///
    /// If the XML has the name and UUID of an inactive persistent domain, that domain is started and stays
    /// persistent. Throws for a domain with a managed save image, since libvirt would boot it
    /// from its disk and resume the stale image at the next start.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.create_xml(`
    ///     <domain type="test"><name>web</name><memory unit="MiB">64</memory>
    ///       <os><type>hvm</type></os></domain>`);
    /// assert_eq(dom.state(), "running");
    /// assert(!dom.is_persistent());
    /// ```
    /// Calls virDomainCreateXML.
    #[rhai_fn(name = "create_xml", pure, return_raw)]
    pub fn create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Domain> {
        create_xml_flags(ctx, conn, xml, 0)
    }

    /// Creates a transient domain; flags: paused, destroyed with the connection,
    /// validated against libvirt's schema.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.create_xml(`
    ///     <domain type="test"><name>web</name><memory unit="MiB">64</memory>
    ///       <os><type>hvm</type></os></domain>`, VIR_DOMAIN_START_VALIDATE);
    /// assert(dom.is_active());
    /// ```
    /// Calls virDomainCreateXML.
    #[rhai_fn(name = "create_xml", pure, return_raw)]
    pub fn create_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the XML", &xml)?;
        refuse_over_managed_save(&ctx, conn, &xml)?;
        let action = About("create", "domain", &xml);
        let owned = xml.clone();
        conn.call(&ctx, "virDomainCreateXML", action, move |c| {
            c.create_domain_xml(&owned, wanted)
        })
        .of_xml(&xml)
        .map(|domain| conn.adopt(domain))
    }

    /// Creates a transient domain, a container, whose first process inherits the files at `paths`,
    /// opened for reading and writing, as its file descriptors 3 and following.
    ///
    /// The files are on this machine; `--allow-write` must allow them. Throws if the
    /// hypervisor has no containers, as QEMU, or if the connection cannot pass open files:
    /// only local connections can.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = `
    ///     <domain type="test"><name>web</name><memory unit="MiB">64</memory>
    ///       <os><type>hvm</type></os></domain>`;
    /// let dom = conn.create_xml_with_files(xml, []);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCreateXMLWithFiles.
    #[rhai_fn(name = "create_xml_with_files", pure, return_raw)]
    pub fn create_xml_with_files(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        paths: Array,
    ) -> RhaiResultOf<Domain> {
        create_xml_with_files_flags(ctx, conn, xml, paths, 0)
    }

    /// Creates a transient domain with the files at `paths`, with flags such as
    /// `VIR_DOMAIN_START_AUTODESTROY`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let xml = `
    ///     <domain type="test"><name>web</name><memory unit="MiB">64</memory>
    ///       <os><type>hvm</type></os></domain>`;
    /// let dom = conn.create_xml_with_files(xml, [], VIR_DOMAIN_START_VALIDATE);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCreateXMLWithFiles.
    #[rhai_fn(name = "create_xml_with_files", pure, return_raw)]
    pub fn create_xml_with_files_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        paths: Array,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the XML", &xml)?;
        refuse_over_managed_save(&ctx, conn, &xml)?;
        let files = open_files(&ctx, &paths)?;
        let action = About("create", "domain", &xml);
        let owned = xml.clone();
        conn.call(&ctx, "virDomainCreateXMLWithFiles", action, move |c| {
            libvirt::inherited::create_xml(c, &owned, &files, wanted)
        })
        .of_xml(&xml)
        .map(|domain| conn.adopt(domain))
    }

    /// Defines a persistent domain from XML, text or an `Xml`, without starting it.
    ///
    /// A domain with the same name and UUID gets the new configuration, in force from its next
    /// start; a running transient one becomes persistent. Elements that libvirt does not know
    /// are dropped silently, unless `VIR_DOMAIN_DEFINE_VALIDATE` is given.
    ///
    /// Throws for the XML of a running guest, whose `domain` has an `id`, and for XML without a password that the
    /// definition has: the new definition would lose data. See `edit`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let guest = #{ "@type": "test", name: "web", memory: #{ "@unit": "MiB", "#text": 64 }, os: #{ type: "hvm" } };
    /// let dom = conn.define_xml(xml("domain", guest));
    /// assert_eq(dom.state(), "shutoff");
    /// assert(dom.is_persistent());
    /// ```
    /// Calls virDomainDefineXML.
    #[rhai_fn(name = "define_xml", pure, return_raw)]
    pub fn define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Domain> {
        let xml = xml_text(&ctx, "the XML", &xml)?;
        define(&ctx, conn, &xml, None)
    }

    /// Defines a persistent domain from XML; `VIR_DOMAIN_DEFINE_VALIDATE` checks it against
    /// libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.define_xml(`
    ///         <domain type="test"><name>web</name><memroy>64</memroy>
    ///           <os><type>hvm</type></os></domain>`, VIR_DOMAIN_DEFINE_VALIDATE);
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_XML_INVALID_SCHEMA");
    /// }
    /// ```
    /// Calls virDomainDefineXMLFlags.
    #[rhai_fn(name = "define_xml", pure, return_raw)]
    pub fn define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the XML", &xml)?;
        define(&ctx, conn, &xml, Some(wanted))
    }
}
