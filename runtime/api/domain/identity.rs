//! Who a domain is: name, UUID, id, its XML.

use rhai::plugin::*;
use rhai::{Blob, NativeCallContext};

use crate::api::arguments::{self, RhaiResultOf, flag_bits};
use crate::libvirt;
use crate::objects::connection::Connection;
use crate::objects::domain::{Domain, Handle};

/// The id of the running guest; the handle remembers one that a restart has made stale.
fn current_id(domain: &Domain) -> i64 {
    let found = look_up_again(domain).ok();
    found.as_ref().and_then(libvirt::domain::id).unwrap_or(-1)
}

/// Another handle of the domain, which knows its name and id as they are now.
fn look_up_again(domain: &Domain) -> libvirt::Result<Handle> {
    let uuid = domain.uuid().to_owned();
    domain
        .connection()
        .attempt("virDomainLookupByUUIDString", move |connect| {
            connect.lookup_domain_by_uuid_string(&uuid)
        })
}

#[export_module]
pub(super) mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(`the guest ${dom.name}`, "the guest test");
    /// ```
    /// Calls virDomainGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn get_name(dom: &mut Domain) -> String {
        Domain::name(dom)
    }

    /// The name.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a domain that is gone still answers.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").name(), "test");
    /// ```
    /// Calls virDomainGetName.
    #[rhai_fn(pure)]
    pub fn name(dom: &mut Domain) -> String {
        Domain::name(dom)
    }

    /// The UUID as text, for use in text.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.uuid, "6695eb01-f6a4-8304-79aa-97f2502e193f");
    /// ```
    /// Calls virDomainGetUUIDString.
    #[rhai_fn(get = "uuid", pure)]
    pub fn get_uuid(dom: &mut Domain) -> String {
        Domain::uuid(dom).to_owned()
    }

    /// The UUID as text.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a domain that is gone still answers.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.uuid_string(), "6695eb01-f6a4-8304-79aa-97f2502e193f");
    /// ```
    /// Calls virDomainGetUUIDString.
    #[rhai_fn(name = "uuid_string", name = "uuid", pure)]
    pub fn uuid_string(dom: &mut Domain) -> String {
        Domain::uuid(dom).to_owned()
    }

    /// The UUID as 16 bytes.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a domain that is gone still answers.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").uuid_bytes().len(), 16);
    /// ```
    /// Calls virDomainGetUUIDString.
    #[rhai_fn(pure)]
    pub fn uuid_bytes(dom: &mut Domain) -> Blob {
        arguments::uuid_bytes(Domain::uuid(dom))
    }

    /// The number of the running guest, or -1; it changes with every start.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.id, 1);
    /// dom.destroy();
    /// assert_eq(dom.id, -1);
    /// ```
    /// Calls virDomainGetID.
    #[rhai_fn(get = "id", pure)]
    pub fn get_id(dom: &mut Domain) -> i64 {
        current_id(dom)
    }

    /// The number of the running guest, or -1; it changes with every start.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").id(), 1);
    /// ```
    /// Calls virDomainGetID.
    #[rhai_fn(pure)]
    pub fn id(dom: &mut Domain) -> i64 {
        current_id(dom)
    }

    /// The connection that this domain came from.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.connect().uri, "test:///default");
    /// ```
    /// Calls virDomainGetConnect.
    #[rhai_fn(pure)]
    pub fn connect(dom: &mut Domain) -> Connection {
        dom.connection().clone()
    }

    /// The kind of operating system that the guest is built for, such as `hvm`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").os_type(), "linux");
    /// ```
    /// Calls virDomainGetOSType.
    #[rhai_fn(pure, return_raw)]
    pub fn os_type(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        dom.call(
            &ctx,
            "virDomainGetOSType",
            "read the OS type of",
            Handle::os_type,
        )
    }

    /// The XML: of the running guest, or the configuration of one that does not run.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert(dom.xml_desc().contains("<name>test</name>"));
    /// ```
    /// Calls virDomainGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        dom.call(&ctx, "virDomainGetXMLDesc", "read the XML of", |d| {
            d.xml_desc(0)
        })
    }

    /// The XML as `flags` say: `VIR_DOMAIN_XML_INACTIVE` is the configuration for the next start,
    /// `VIR_DOMAIN_XML_SECURE` includes secrets, `VIR_DOMAIN_XML_MIGRATABLE` suits `migrate`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert(!dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(" id='1'"));
    /// ```
    /// Calls virDomainGetXMLDesc.
    #[rhai_fn(name = "xml_desc", pure, return_raw)]
    pub fn xml_desc_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainGetXMLDesc", "read the XML of", move |d| {
            d.xml_desc(wanted)
        })
    }

    /// Gives an inactive domain another name; all copies of this value follow.
    ///
    /// QEMU refuses while a managed save image or snapshots exist.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// dom.destroy();
    /// dom.rename("web");
    /// assert_eq(dom.name, "web");
    /// assert_eq(conn.list_defined_domains(), ["web"]);
    /// ```
    /// Calls virDomainRename.
    #[rhai_fn(name = "rename", pure, return_raw)]
    pub fn rename(ctx: NativeCallContext, dom: &mut Domain, name: &str) -> RhaiResultOf<()> {
        rename_flags(ctx, dom, name, 0)
    }

    /// Gives an inactive domain another name; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// dom.rename("web", 0);
    /// assert_eq(dom.name, "web");
    /// ```
    /// Calls virDomainRename.
    #[rhai_fn(name = "rename", pure, return_raw)]
    pub fn rename_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let name = name.to_owned();
        dom.call(&ctx, "virDomainRename", "rename", move |d| {
            d.rename(&name, wanted)
        })?;
        // The handle keeps the old name for good: look the domain up again.
        if let Ok(handle) = look_up_again(dom) {
            dom.replace(handle);
        }
        Ok(())
    }

    /// Whether the guest runs, paused or not.
    ///
    /// ```rhai
    /// assert(connect("test:///default").lookup_by_name("test").is_active());
    /// ```
    /// Calls virDomainIsActive.
    #[rhai_fn(pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        dom.call(
            &ctx,
            "virDomainIsActive",
            "ask about the activity of",
            Handle::is_active,
        )
    }

    /// Whether the domain is still defined after it stops.
    ///
    /// ```rhai
    /// assert(connect("test:///default").lookup_by_name("test").is_persistent());
    /// ```
    /// Calls virDomainIsPersistent.
    #[rhai_fn(pure, return_raw)]
    pub fn is_persistent(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        dom.call(
            &ctx,
            "virDomainIsPersistent",
            "ask about the persistence of",
            Handle::is_persistent,
        )
    }

    /// Whether the configuration was changed by libvirt since the domain was defined.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").lookup_by_name("test").is_updated());
    /// ```
    /// Calls virDomainIsUpdated.
    #[rhai_fn(pure, return_raw)]
    pub fn is_updated(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        dom.call(
            &ctx,
            "virDomainIsUpdated",
            "ask about the changes of",
            Handle::is_updated,
        )
    }

    /// The domain as text.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").to_string(), "Domain(test)");
    /// ```
    /// Calls virDomainGetName.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(dom: &mut Domain) -> String {
        dom.to_string()
    }

    /// Whether both are the same guest on the same connection.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.lookup_by_name("test") == conn.lookup_by_id(1));
    /// ```
    /// Calls virDomainGetUUIDString.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(left: &mut Domain, right: Domain) -> bool {
        left.uuid() == right.uuid() && left.connection() == right.connection()
    }

    /// Whether they are two guests, or of two connections.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(!(conn.lookup_by_name("test") != conn.lookup_by_id(1)));
    /// ```
    /// Calls virDomainGetUUIDString.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(left: &mut Domain, right: Domain) -> bool {
        left.uuid() != right.uuid() || left.connection() != right.connection()
    }
}
