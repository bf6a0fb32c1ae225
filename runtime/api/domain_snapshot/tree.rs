//! A snapshot's parent and children, and its deletion.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use crate::objects::domain_snapshot::{DomainSnapshot, Handle};

#[export_module]
pub(super) mod functions {
    /// The parent of this snapshot; throws `VIR_ERR_NO_DOMAIN_SNAPSHOT` if there is none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// let child = dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(child.get_parent(), snap);
    /// ```
    /// Calls virDomainSnapshotGetParent.
    #[rhai_fn(name = "get_parent", pure, return_raw)]
    pub fn get_parent(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<DomainSnapshot> {
        get_parent_flags(ctx, snapshot, 0)
    }

    /// The parent of this snapshot; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// let child = dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(child.get_parent(0), snap);
    /// ```
    /// Calls virDomainSnapshotGetParent.
    #[rhai_fn(name = "get_parent", pure, return_raw)]
    pub fn get_parent_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<DomainSnapshot> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot
            .call(
                &ctx,
                "virDomainSnapshotGetParent",
                "look up the parent of",
                move |s| s.parent(wanted),
            )
            .map(|parent| DomainSnapshot::new(snapshot.connection().clone(), parent))
    }

    /// The number of direct children of this snapshot.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.num_children(), 1);
    /// ```
    /// Calls virDomainSnapshotNumChildren.
    #[rhai_fn(name = "num_children", pure, return_raw)]
    pub fn num_children(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<i64> {
        num_children_flags(ctx, snapshot, 0)
    }

    /// The number of children of this snapshot, or of all descendants with `VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.num_children(VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS), 1);
    /// ```
    /// Calls virDomainSnapshotNumChildren.
    #[rhai_fn(name = "num_children", pure, return_raw)]
    pub fn num_children_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot
            .call(
                &ctx,
                "virDomainSnapshotNumChildren",
                "count the children of",
                move |s| s.num_children(wanted),
            )
            .map(i64::from)
    }

    /// The names of the direct children of this snapshot.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.list_children_names(), ["later"]);
    /// ```
    /// Calls virDomainSnapshotListAllChildren.
    #[rhai_fn(name = "list_children_names", pure, return_raw)]
    pub fn list_children_names(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<Array> {
        list_children_names_flags(ctx, snapshot, 0)
    }

    /// The names of the children of this snapshot, or of all descendants with `VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.list_children_names(VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS), ["later"]);
    /// ```
    /// Calls virDomainSnapshotListAllChildren.
    #[rhai_fn(name = "list_children_names", pure, return_raw)]
    pub fn list_children_names_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let list = move |s: &Handle| s.list_all_children(wanted);
        let call = "virDomainSnapshotListAllChildren";
        let children = snapshot.call(&ctx, call, "list the children of", list)?;
        Ok(children
            .iter()
            .filter_map(|child| child.name().ok())
            .map(Dynamic::from)
            .collect())
    }

    /// The direct children of this snapshot.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// let child = dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.list_all_children()[0], child);
    /// ```
    /// Calls virDomainSnapshotListAllChildren.
    #[rhai_fn(name = "list_all_children", pure, return_raw)]
    pub fn list_all_children(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
    ) -> RhaiResultOf<ArrayOf<DomainSnapshot>> {
        list_all_children_flags(ctx, snapshot, 0)
    }

    /// The children of this snapshot, or all descendants with `VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// assert_eq(snap.list_all_children(VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS).len(), 1);
    /// ```
    /// Calls virDomainSnapshotListAllChildren.
    #[rhai_fn(name = "list_all_children", pure, return_raw)]
    pub fn list_all_children_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<DomainSnapshot>> {
        let wanted = flag_bits(&ctx, flags)?;
        let list = move |s: &Handle| s.list_all_children(wanted);
        let call = "virDomainSnapshotListAllChildren";
        let children = snapshot.call(&ctx, call, "list the children of", list)?;
        Ok(children
            .into_iter()
            .map(|child| DomainSnapshot::new(snapshot.connection().clone(), child))
            .map(Dynamic::from)
            .collect())
    }

    /// Deletes this snapshot; the guest and its other snapshots do not change.
    ///
    /// An external snapshot is merged into the disk image below it, if libvirt supports that (since 10.0).
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// snap.delete();
    /// assert_eq(dom.snapshot_num(), 0);
    /// ```
    /// Calls virDomainSnapshotDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, snapshot: &mut DomainSnapshot) -> RhaiResultOf<()> {
        delete_flags(ctx, snapshot, 0)
    }

    /// Deletes this snapshot; flags: `VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN` also deletes all descendants,
    /// `VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY` only libvirt's metadata, and no data.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.snapshot_create_xml("<domainsnapshot><name>later</name></domainsnapshot>");
    /// snap.delete(VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN);
    /// assert_eq(dom.snapshot_num(), 0);
    /// ```
    /// Calls virDomainSnapshotDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete_flags(
        ctx: NativeCallContext,
        snapshot: &mut DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        snapshot.call(&ctx, "virDomainSnapshotDelete", "delete", move |s| {
            s.delete(wanted)
        })
    }
}
