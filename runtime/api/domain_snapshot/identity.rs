//! The identity of a snapshot, and its domain.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::objects::domain::Domain;
use crate::objects::domain_snapshot::{DomainSnapshot, Handle};

#[export_module]
pub(super) mod functions {
    /// The domain that this is a snapshot of.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(snap.get_domain(), dom);
    /// ```
    /// Calls virDomainSnapshotGetDomain.
    #[rhai_fn(pure, return_raw)]
    pub fn get_domain(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<Domain> {
        snapshot
            .call(
                &ctx,
                "virDomainSnapshotGetDomain",
                "look up the domain of",
                Handle::domain,
            )
            .map(|domain| snapshot.connection().adopt(domain))
    }

    /// True if this is the domain's current snapshot: the last one taken or reverted to.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.is_current());
    /// ```
    /// Calls virDomainSnapshotIsCurrent.
    #[rhai_fn(name = "is_current", pure, return_raw)]
    pub fn is_current(ctx: NativeCallContext, snapshot: &mut DomainSnapshot) -> RhaiResultOf<bool> {
        is_current_flags(ctx, snapshot, 0)
    }

    /// True if this is the domain's current snapshot; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.is_current(0));
    /// ```
    /// Calls virDomainSnapshotIsCurrent.
    #[rhai_fn(name = "is_current", pure, return_raw)]
    pub fn is_current_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<bool> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot.call(&ctx, "virDomainSnapshotIsCurrent", "ask about", move |s| {
            s.is_current(wanted)
        })
    }

    /// True if libvirt keeps metadata of it, which prevents the domain from being undefined.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.has_metadata());
    /// ```
    /// Calls virDomainSnapshotHasMetadata.
    #[rhai_fn(name = "has_metadata", pure, return_raw)]
    pub fn has_metadata(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<bool> {
        has_metadata_flags(ctx, snapshot, 0)
    }

    /// True if libvirt keeps metadata of it; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.has_metadata(0));
    /// ```
    /// Calls virDomainSnapshotHasMetadata.
    #[rhai_fn(name = "has_metadata", pure, return_raw)]
    pub fn has_metadata_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<bool> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot.call(
            &ctx,
            "virDomainSnapshotHasMetadata",
            "ask about",
            move |s| s.has_metadata(wanted),
        )
    }
}
