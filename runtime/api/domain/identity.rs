//! The identity of a domain: its id, its name, whether it is active and persistent.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::libvirt;
use crate::objects::domain::{Domain, Handle};
use crate::xml::Xml;

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

    /// The kind of operating system that the guest is built for, such as `hvm`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").os_type(), "linux");
    /// ```
    /// Calls virDomainGetOSType.
    #[rhai_fn(pure, return_raw)]
    pub fn os_type(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        let is_twin = dom.connection().is_rehearsed();
        dom.call(
            &ctx,
            "virDomainGetOSType",
            "read the OS type of",
            move |d| {
                // A twin's driver has one type for all guests.
                let defined =
                    is_twin.then(|| Xml::parse(d.xml_desc(0).ok()?).ok()?.find("os/type").ok()?);
                defined.flatten().map_or_else(|| d.os_type(), Ok)
            },
        )
    }

    /// Renames an inactive domain; all copies of this value follow.
    ///
    /// QEMU refuses if a managed save image or snapshots exist.
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

    /// Renames an inactive domain; libvirt has no flags for it yet.
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
        dom.refuse_name(&ctx, "virDomainRename", "rename", name)?;
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

    /// True if the guest is running or paused.
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
            "check the activity of",
            Handle::is_active,
        )
    }

    /// True if the domain is still defined after it stops.
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
            "check the persistence of",
            Handle::is_persistent,
        )
    }

    /// True if libvirt has changed the configuration since the domain was defined.
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
            "check for updates of",
            Handle::is_updated,
        )
    }
}
