//! Backups of a running guest's disks.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::api::xml::{OptionalXmlText, XmlText, optional_xml_text, xml_text};
use crate::error::OfXml;
use crate::libvirt::backup;
use crate::objects::domain::Domain;

#[export_module]
pub(super) mod functions {
    /// Starts a backup of the running guest's disks as they are now, described by the `domainbackup` in `xml`.
    ///
    /// A `push` backup copies the disks into files on the host; a `pull` backup lets an NBD client read them. Returns
    /// at once, and the guest continues to run. The event `job_completed` reports the end of a push; `abort_job` ends
    /// a pull.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// let xml = `<domainbackup><disks><disk name="hda" type="file">
    ///     <target file="/tmp/backup.qcow2"/><driver type="qcow2"/></disk></disks></domainbackup>`;
    /// conn.wait_event(#{ kind: "job_completed", domain: dom }, "30s", || dom.backup_begin(xml));
    /// assert_eq(dom.job_stats(VIR_DOMAIN_JOB_STATS_COMPLETED).type, "completed");
    /// dom.destroy();
    /// ```
    /// Calls virDomainBackupBegin.
    #[rhai_fn(name = "backup_begin", pure, return_raw)]
    pub fn backup_begin(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<()> {
        backup_begin_flags(ctx, dom, xml, Dynamic::UNIT, 0)
    }

    /// Starts a backup, and creates the `domaincheckpoint` in `checkpoint` at the same moment; `()` creates none.
    ///
    /// A later incremental backup can copy only what changed since that checkpoint. Checkpoints need qcow2 disks.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>off</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.backup_begin("<domainbackup/>", "<domaincheckpoint/>");
    ///     assert(false);
    /// } catch (err) {
    ///     // The guest does not run.
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_UNSUPPORTED");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainBackupBegin.
    #[rhai_fn(name = "backup_begin", pure, return_raw)]
    pub fn backup_begin_checkpoint(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        checkpoint: OptionalXmlText,
    ) -> RhaiResultOf<()> {
        backup_begin_flags(ctx, dom, xml, checkpoint, 0)
    }

    /// Starts a backup; flags: `VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL` writes into existing files.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>off</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.backup_begin("<domainbackup/>", (), VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL);
    ///     assert(false);
    /// } catch (err) {
    ///     // The guest does not run.
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_UNSUPPORTED");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainBackupBegin.
    #[rhai_fn(name = "backup_begin", pure, return_raw)]
    pub fn backup_begin_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        checkpoint: OptionalXmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let xml = xml_text(&ctx, "the backup", &xml)?;
        let checkpoint = optional_xml_text(&ctx, "the checkpoint", &checkpoint)?;
        let wanted = flag_bits(&ctx, flags)?;
        let given = xml.clone();
        dom.call(&ctx, "virDomainBackupBegin", "back up", move |d| {
            backup::begin(d, &given, checkpoint.as_deref(), wanted)
        })
        .of_xml(&xml)
    }

    /// The XML of the running backup, with the additions of libvirt; throws `VIR_ERR_NO_DOMAIN_BACKUP` if no backup runs.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.backup_begin(`<domainbackup mode="pull"><server transport="unix" socket="/tmp/nbd.sock"/>
    ///     <disks><disk name="hda" type="file"><scratch file="/tmp/scratch.qcow2"/></disk></disks></domainbackup>`);
    /// assert(dom.backup_get_xml_desc().contains("mode='pull'"));
    /// conn.wait_event(#{ kind: "job_completed", domain: dom }, "30s", || dom.abort_job());
    /// dom.destroy();
    /// ```
    /// Calls virDomainBackupGetXMLDesc.
    #[rhai_fn(name = "backup_get_xml_desc", pure, return_raw)]
    pub fn backup_get_xml_desc(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        backup_get_xml_desc_flags(ctx, dom, 0)
    }

    /// The XML of the running backup; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.backup_get_xml_desc(0);
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_DOMAIN_BACKUP");
    /// }
    /// ```
    /// Calls virDomainBackupGetXMLDesc.
    #[rhai_fn(name = "backup_get_xml_desc", pure, return_raw)]
    pub fn backup_get_xml_desc_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainBackupGetXMLDesc",
            "read the backup of",
            move |d| backup::xml_desc(d, wanted),
        )
    }
}
