//! Snapshots of a guest: takes, finds and reverts to them.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};
use virt::domain_snapshot::DomainSnapshot as Handle;

use super::Work;
use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use crate::api::stale_save;
use crate::api::xml::{XmlText, xml_text};
use crate::error::{Error, OfXml};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::objects::domain_snapshot::{DomainSnapshot, DomainSnapshotKind};
use crate::objects::object::Listed;

fn adopt(dom: &Domain, snapshot: Handle) -> DomainSnapshot {
    DomainSnapshot::new(dom.connection().clone(), snapshot)
}

fn names(dom: &Domain) -> Vec<String> {
    let list = |d: &virt::domain::Domain| d.list_all_snapshots(0);
    let snapshots = dom.attempt("virDomainListAllSnapshots", list);
    let snapshots = snapshots.unwrap_or_default();
    snapshots.iter().filter_map(|s| s.name().ok()).collect()
}

#[export_module]
pub(super) mod functions {
    /// Takes a snapshot of the guest: of its disks, and of its memory if it runs.
    ///
    /// Without `<memory snapshot='external' file='...'/>` in the XML, memory is saved in a qcow2 disk, and the guest is
    /// paused meanwhile. libvirt chooses a name if the XML has none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(snap.name, "fresh");
    /// ```
    /// Calls virDomainSnapshotCreateXML.
    #[rhai_fn(name = "snapshot_create_xml", pure, return_raw)]
    pub fn snapshot_create_xml(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<DomainSnapshot> {
        snapshot_create_xml_flags(ctx, dom, xml, 0)
    }

    /// Takes a snapshot; flags: `VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY` without memory, each disk continues in a new
    /// file; `VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC` all disks or none; `VIR_DOMAIN_SNAPSHOT_CREATE_HALT` with the guest
    /// off afterwards.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>", VIR_DOMAIN_SNAPSHOT_CREATE_HALT);
    /// assert_eq(dom.state(), "shutoff");
    /// ```
    /// Calls virDomainSnapshotCreateXML.
    #[rhai_fn(name = "snapshot_create_xml", pure, return_raw)]
    pub fn snapshot_create_xml_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<DomainSnapshot> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = xml_text(&ctx, "the snapshot's XML", &xml)?;
        stale_save::refuse_snapshot(&ctx, dom, &text, wanted)?;
        let owned = text.clone();
        dom.job(
            &ctx,
            Work::Snapshot,
            "virDomainSnapshotCreateXML",
            "take a snapshot of",
            move |d| d.create_snapshot_xml(&owned, wanted),
        )
        .of_xml(&text)
        .map(|snapshot| adopt(dom, snapshot))
    }

    /// Reverts the guest to `snapshot`: its disks, and its memory and state if the snapshot has them.
    ///
    /// Its disks lose all data written since, unless another snapshot contains it. A managed save is discarded: its
    /// memory no longer matches the disks.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.destroy();
    /// dom.revert_to_snapshot(snap);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainRevertToSnapshot, virDomainManagedSaveRemove.
    #[rhai_fn(name = "revert_to_snapshot", pure, return_raw)]
    pub fn revert_to_snapshot(
        ctx: NativeCallContext,
        dom: &mut Domain,
        snapshot: DomainSnapshot,
    ) -> RhaiResultOf<()> {
        revert_to_snapshot_flags(ctx, dom, snapshot, 0)
    }

    /// Reverts the guest to `snapshot`; flags: `VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING` and
    /// `VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED` set the state afterwards, `VIR_DOMAIN_SNAPSHOT_REVERT_FORCE` also restarts
    /// the guest if its configuration differs too much.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// dom.destroy();
    /// dom.revert_to_snapshot(snap, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED);
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls virDomainRevertToSnapshot, virDomainManagedSaveRemove.
    #[rhai_fn(name = "revert_to_snapshot", pure, return_raw)]
    pub fn revert_to_snapshot_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        snapshot: DomainSnapshot,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        // libvirt would take the snapshot's own domain back.
        if !snapshot.is_of(dom) {
            let message = format!("`{}` is a snapshot of another domain", snapshot.name());
            return Err(Error::invalid(&ctx, message).throw());
        }
        let verb = format_args!("revert to snapshot `{}`", snapshot.name());
        let handle = snapshot
            .handle()
            .map_err(|failure| dom.error(&ctx, failure, "", verb).throw())?;
        dom.job(
            &ctx,
            Work::Revert,
            "virDomainRevertToSnapshot",
            verb,
            move |_| handle.revert(wanted),
        )?;
        // Its memory fits the disks no more.
        dom.call(
            &ctx,
            "virDomainManagedSaveRemove",
            "remove the stale managed save of",
            |d| match d.has_managed_save(0) {
                Ok(true) => d.managed_save_remove(0),
                _ => Ok(()),
            },
        )
    }

    /// The domain's snapshots.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.list_all_snapshots()[0], snap);
    /// ```
    /// Calls virDomainListAllSnapshots.
    #[rhai_fn(name = "list_all_snapshots", pure, return_raw)]
    pub fn list_all_snapshots(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<DomainSnapshot>> {
        list_all_snapshots_flags(ctx, dom, 0)
    }

    /// The snapshots that `flags` select, such as `VIR_DOMAIN_SNAPSHOT_LIST_ROOTS` or
    /// `VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.list_all_snapshots(VIR_DOMAIN_SNAPSHOT_LIST_ROOTS).len(), 1);
    /// ```
    /// Calls virDomainListAllSnapshots.
    #[rhai_fn(name = "list_all_snapshots", pure, return_raw)]
    pub fn list_all_snapshots_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<DomainSnapshot>> {
        let wanted = flag_bits(&ctx, flags)?;
        let snapshots = dom.call(
            &ctx,
            "virDomainListAllSnapshots",
            "list the snapshots of",
            move |d| d.list_all_snapshots(wanted),
        )?;
        Ok(snapshots
            .into_iter()
            .map(|snapshot| Dynamic::from(adopt(dom, snapshot)))
            .collect())
    }

    /// The names of the domain's snapshots.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_list_names(), ["fresh"]);
    /// ```
    /// Calls virDomainListAllSnapshots.
    #[rhai_fn(name = "snapshot_list_names", pure, return_raw)]
    pub fn snapshot_list_names(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<Array> {
        snapshot_list_names_flags(ctx, dom, 0)
    }

    /// The names of the snapshots that `flags` select.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_list_names(VIR_DOMAIN_SNAPSHOT_LIST_ROOTS), ["fresh"]);
    /// ```
    /// Calls virDomainListAllSnapshots.
    #[rhai_fn(name = "snapshot_list_names", pure, return_raw)]
    pub fn snapshot_list_names_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let snapshots = dom.call(
            &ctx,
            "virDomainListAllSnapshots",
            "list the snapshots of",
            move |d| d.list_all_snapshots(wanted),
        )?;
        Ok(snapshots
            .iter()
            .filter_map(|snapshot| snapshot.name().ok())
            .map(Dynamic::from)
            .collect())
    }

    /// The number of the domain's snapshots.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_num(), 1);
    /// ```
    /// Calls virDomainSnapshotNum.
    #[rhai_fn(name = "snapshot_num", pure, return_raw)]
    pub fn snapshot_num(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        snapshot_num_flags(ctx, dom, 0)
    }

    /// The number of snapshots that `flags` select.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_num(VIR_DOMAIN_SNAPSHOT_LIST_ROOTS), 1);
    /// ```
    /// Calls virDomainSnapshotNum.
    #[rhai_fn(name = "snapshot_num", pure, return_raw)]
    pub fn snapshot_num_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSnapshotNum",
            "count the snapshots of",
            move |d| d.num_snapshots(wanted),
        )
        .map(i64::from)
    }

    /// True if the domain has a current snapshot: the one it was last taken at or reverted to.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert(!dom.has_current_snapshot());
    /// ```
    /// Calls virDomainHasCurrentSnapshot.
    #[rhai_fn(name = "has_current_snapshot", pure, return_raw)]
    pub fn has_current_snapshot(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        has_current_snapshot_flags(ctx, dom, 0)
    }

    /// True if the domain has a current snapshot; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert(!dom.has_current_snapshot(0));
    /// ```
    /// Calls virDomainHasCurrentSnapshot.
    #[rhai_fn(name = "has_current_snapshot", pure, return_raw)]
    pub fn has_current_snapshot_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<bool> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainHasCurrentSnapshot",
            "ask about the snapshots of",
            move |d| libvirt::domain::has_current_snapshot(d, wanted),
        )
    }

    /// The domain's current snapshot; throws `VIR_ERR_NO_DOMAIN_SNAPSHOT` if there is none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_current(), snap);
    /// ```
    /// Calls virDomainSnapshotCurrent.
    #[rhai_fn(name = "snapshot_current", pure, return_raw)]
    pub fn snapshot_current(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<DomainSnapshot> {
        snapshot_current_flags(ctx, dom, 0)
    }

    /// The domain's current snapshot; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_current(0), snap);
    /// ```
    /// Calls virDomainSnapshotCurrent.
    #[rhai_fn(name = "snapshot_current", pure, return_raw)]
    pub fn snapshot_current_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<DomainSnapshot> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSnapshotCurrent",
            "look up the current snapshot of",
            move |d| d.current_snapshot(wanted),
        )
        .map(|snapshot| adopt(dom, snapshot))
    }

    /// The snapshot called `name`; throws `VIR_ERR_NO_DOMAIN_SNAPSHOT` if there is none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_lookup_by_name("fresh"), snap);
    /// ```
    /// Calls virDomainSnapshotLookupByName.
    #[rhai_fn(name = "snapshot_lookup_by_name", pure, return_raw)]
    pub fn snapshot_lookup_by_name(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
    ) -> RhaiResultOf<DomainSnapshot> {
        snapshot_lookup_by_name_flags(ctx, dom, name, 0)
    }

    /// The snapshot called `name`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let snap = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");
    /// assert_eq(dom.snapshot_lookup_by_name("fresh", 0), snap);
    /// ```
    /// Calls virDomainSnapshotLookupByName.
    #[rhai_fn(name = "snapshot_lookup_by_name", pure, return_raw)]
    pub fn snapshot_lookup_by_name_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
        flags: i64,
    ) -> RhaiResultOf<DomainSnapshot> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("look up snapshot `{name}` of");
        let owned = name.to_owned();
        dom.call(&ctx, "virDomainSnapshotLookupByName", verb, move |d| {
            virt::domain::Domain::lookup_snapshot_by_name(d, &owned, wanted)
        })
        .map(|snapshot| adopt(dom, snapshot))
        .map_err(|thrown| {
            Error::with_nearest(thrown, DomainSnapshotKind::MISSING, name, || names(dom))
        })
    }
}
