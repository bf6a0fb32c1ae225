//! Which snapshot it is, and of what.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::objects::domain_snapshot::{DomainSnapshot, Handle};

#[export_module]
pub(super) mod functions {
    /// The name, for use in text.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(`back to ${snap.name}`, "back to fresh");
    /// ```
    /// Calls virDomainSnapshotGetName.
    #[rhai_fn(get = "name", pure)]
    pub fn name(snapshot: &mut DomainSnapshot) -> String {
        DomainSnapshot::name(snapshot)
    }

    /// The name.
    ///
    /// libvirt keeps it with the handle: the host is not asked, and a snapshot that is gone still answers.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(snap.get_name(), "fresh");
    /// ```
    /// Calls virDomainSnapshotGetName.
    #[rhai_fn(pure)]
    pub fn get_name(snapshot: &mut DomainSnapshot) -> String {
        DomainSnapshot::name(snapshot)
    }

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

    /// The connection that this snapshot came from.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(snap.get_connect().uri, "test:///default");
    /// ```
    /// Calls virDomainSnapshotGetConnect.
    #[rhai_fn(pure)]
    pub fn get_connect(snapshot: &mut DomainSnapshot) -> Connection {
        snapshot.connection().clone()
    }

    /// The XML: when and how it was made, and the domain as it was then.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.get_xml_desc().contains("<state>running</state>"));
    /// ```
    /// Calls virDomainSnapshotGetXMLDesc.
    #[rhai_fn(name = "get_xml_desc", pure, return_raw)]
    pub fn get_xml_desc(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<String> {
        get_xml_desc_flags(ctx, snapshot, 0)
    }

    /// The XML, with `VIR_DOMAIN_SNAPSHOT_XML_SECURE` together with secrets.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap.get_xml_desc(VIR_DOMAIN_SNAPSHOT_XML_SECURE).contains("<name>fresh</name>"));
    /// ```
    /// Calls virDomainSnapshotGetXMLDesc.
    #[rhai_fn(name = "get_xml_desc", pure, return_raw)]
    pub fn get_xml_desc_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot.call(
            &ctx,
            "virDomainSnapshotGetXMLDesc",
            "read the XML of",
            move |s| s.xml_desc(wanted),
        )
    }

    /// Whether the domain was last taken here, or went back here last.
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

    /// Whether the domain was last here; libvirt has no flags for it yet.
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

    /// Whether libvirt keeps metadata of it, which the domain cannot be undefined with.
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

    /// Whether libvirt keeps metadata of it; libvirt has no flags for it yet.
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

    /// The snapshot as text.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(snap.to_string(), "DomainSnapshot(fresh)");
    /// ```
    /// Calls virDomainSnapshotGetName.
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(snapshot: &mut DomainSnapshot) -> String {
        snapshot.to_string()
    }

    /// Whether both are the same snapshot of the same domain.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(snap == dom.snapshot_current());
    /// ```
    /// Calls virDomainSnapshotGetName.
    #[rhai_fn(global, name = "==", pure)]
    pub fn equals(left: &mut DomainSnapshot, right: DomainSnapshot) -> bool {
        left.same(&right)
    }

    /// Whether they are two snapshots, or of two domains.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert(!(snap != dom.snapshot_current()));
    /// ```
    /// Calls virDomainSnapshotGetName.
    #[rhai_fn(global, name = "!=", pure)]
    pub fn differs(left: &mut DomainSnapshot, right: DomainSnapshot) -> bool {
        !left.same(&right)
    }
}
