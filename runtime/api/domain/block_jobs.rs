//! Jobs on the disks of a running guest: commit, pull, copy, resize.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{
    KibValue, RhaiResultOf, flag_bits, number, optional_text, size_in, typed_params,
};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt::block_job;
use crate::objects::domain::Domain;
use crate::vocabulary::{
    BlockJobType, IfKnown, OptionsOf, ParamType, RecordOf, Whole, Word, parameters, record,
};

record! {
    /// Job of a disk; if there is none, only the type `none`.
    pub(crate) struct BlockJobInfo {
        /// Type of the job.
        r#type: Word<BlockJobType>,
        /// The work already done, in the job's unit.
        done: IfKnown<Whole>,
        /// The total work, in that unit.
        total: IfKnown<Whole>,
        /// Limit of the bandwidth, 0 for none.
        bandwidth_mib_per_s: IfKnown<Whole>,
        /// The same with `VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES`.
        bandwidth_bytes_per_s: IfKnown<Whole>,
    }
}

parameters! {
    /// Parameters for copying a disk.
    pub(crate) struct BlockCopyParameters = "VIR_DOMAIN_BLOCK_COPY_", |name| match name {
        "granularity" => ParamType::UInt,
        _ => ParamType::Bytes,
    };
}

#[export_module]
pub(super) mod functions {
    /// Merges the images above `base` down to `top` of the disk's chain into `base`, while the guest runs; `()` stands
    /// for the lowest and the topmost image.
    ///
    /// Returns at once. `wait_event` with the kind `block_job` reports the end (`completed`), or `ready` if the guest
    /// can leave the topmost image, which `block_job_abort` with `VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT` then does.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.snapshot_create_xml(`<domainsnapshot><disks><disk name="hda" snapshot="external">
    ///     <source file="/tmp/over1.qcow2"/></disk></disks></domainsnapshot>`,
    ///     VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "ready" }, "30s",
    ///     || dom.block_commit("hda", (), (), 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE));
    /// dom.block_job_abort("hda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
    /// assert(!dom.xml_desc().contains("over1.qcow2"));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockCommit.
    #[rhai_fn(name = "block_commit", pure, return_raw)]
    pub fn block_commit_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        base: Dynamic,
        top: Dynamic,
        bandwidth: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let base = optional_text(&ctx, "the base", &base)?;
        let top = optional_text(&ctx, "the top", &top)?;
        let bandwidth = number(&ctx, "a bandwidth", bandwidth)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("commit disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockCommit", verb, move |d| {
            block_job::commit(d, &disk, base.as_deref(), top.as_deref(), bandwidth, wanted)
        })
    }

    /// Merges images of the disk's chain into `base`; see the form with flags.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.block_commit("hda", (), ());
    ///     assert(false);
    /// } catch (err) {
    ///     // There is only one image to begin with.
    ///     assert_eq(err.code, "VIR_ERR_INVALID_ARG");
    /// }
    /// ```
    /// Calls virDomainBlockCommit.
    #[rhai_fn(name = "block_commit", pure, return_raw)]
    pub fn block_commit(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        base: Dynamic,
        top: Dynamic,
    ) -> RhaiResultOf<()> {
        block_commit_flags(ctx, dom, disk, base, top, 0, 0)
    }

    /// Copies the data of the disk's backing images into its own image, while the guest runs.
    ///
    /// Returns at once; `wait_event` with the kind `block_job` reports the end.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.snapshot_create_xml(`<domainsnapshot><disks><disk name="hda" snapshot="external">
    ///     <source file="/tmp/over2.qcow2"/></disk></disks></domainsnapshot>`,
    ///     VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "completed" }, "30s",
    ///     || dom.block_pull("hda"));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockPull.
    #[rhai_fn(name = "block_pull", pure, return_raw)]
    pub fn block_pull(ctx: NativeCallContext, dom: &mut Domain, disk: &str) -> RhaiResultOf<()> {
        block_pull_flags(ctx, dom, disk, 0, 0)
    }

    /// Copies the data of the disk's backing images into its own image, with `bandwidth` MiB/s at most, or bytes with
    /// `VIR_DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES`; 0 means no limit.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.snapshot_create_xml(`<domainsnapshot><disks><disk name="hda" snapshot="external">
    ///     <source file="/tmp/over3.qcow2"/></disk></disks></domainsnapshot>`,
    ///     VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "completed" }, "30s",
    ///     || dom.block_pull("hda", 0, 0));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockPull.
    #[rhai_fn(name = "block_pull", pure, return_raw)]
    pub fn block_pull_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        bandwidth: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let bandwidth = number(&ctx, "a bandwidth", bandwidth)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("pull disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockPull", verb, move |d| {
            block_job::pull(d, &disk, bandwidth, wanted)
        })
    }

    /// Copies the data of the images above `base` into the disk's own image, or of all images if `base` is `()`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.snapshot_create_xml(`<domainsnapshot><disks><disk name="hda" snapshot="external">
    ///     <source file="/tmp/over4.qcow2"/></disk></disks></domainsnapshot>`,
    ///     VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "completed" }, "30s",
    ///     || dom.block_rebase("hda", ()));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockRebase.
    #[rhai_fn(name = "block_rebase", pure, return_raw)]
    pub fn block_rebase(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        base: Dynamic,
    ) -> RhaiResultOf<()> {
        block_rebase_flags(ctx, dom, disk, base, 0, 0)
    }

    /// Copies the data of the images above `base` into the disk's own; with `VIR_DOMAIN_BLOCK_REBASE_COPY` copies the
    /// disk to the file `base` instead (`block_copy` is better for that).
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.snapshot_create_xml(`<domainsnapshot><disks><disk name="hda" snapshot="external">
    ///     <source file="/tmp/over5.qcow2"/></disk></disks></domainsnapshot>`,
    ///     VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "completed" }, "30s",
    ///     || dom.block_rebase("hda", (), 0, 0));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockRebase.
    #[rhai_fn(name = "block_rebase", pure, return_raw)]
    pub fn block_rebase_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        base: Dynamic,
        bandwidth: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let base = optional_text(&ctx, "the base", &base)?;
        let bandwidth = number(&ctx, "a bandwidth", bandwidth)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("rebase disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockRebase", verb, move |d| {
            block_job::rebase(d, &disk, base.as_deref(), bandwidth, wanted)
        })
    }

    /// Copies the disk to the target that `xml`, a `<disk>`, describes, while the guest runs, and keeps the copy up to
    /// date.
    ///
    /// Returns at once. When `wait_event` with the kind `block_job` reports `ready`, `block_job_abort` ends the copy as
    /// it is, or with `VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT` switches the guest to the copy.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// let copy = `<disk type="file"><driver type="qcow2"/><source file="/tmp/copy.qcow2"/></disk>`;
    /// conn.wait_event(#{ kind: "block_job", domain: dom, status: "ready" }, "30s",
    ///     || dom.block_copy("hda", copy, #{}, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB));
    /// dom.block_job_abort("hda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
    /// assert(dom.xml_desc().contains("copy.qcow2"));
    /// dom.destroy();
    /// ```
    /// Calls virDomainBlockCopy.
    #[rhai_fn(name = "block_copy", pure, return_raw)]
    pub fn block_copy_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        xml: XmlText,
        options: OptionsOf<BlockCopyParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let text = xml_text(&ctx, "the disk's XML", &xml)?;
        let params = typed_params(
            &ctx,
            BlockCopyParameters::OPTIONS,
            BlockCopyParameters::TYPES,
            &options,
        )?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("copy disk `{disk}` of");
        let (disk, owned) = (disk.to_owned(), text.clone());
        dom.call(&ctx, "virDomainBlockCopy", verb, move |d| {
            block_job::copy(d, &disk, &owned, &params, wanted)
        })
        .of_xml(&text)
    }

    /// Copies the disk with options: `bandwidth` in bytes a second, `granularity` and `buf-size` in bytes.
    ///
    /// libvirt refuses a persistent domain without `VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let copy = `<disk type="file"><driver type="qcow2"/><source file="/tmp/copy.qcow2"/></disk>`;
    /// let options = parse_json("{ \"bandwith\": 1 }");
    /// try { dom.block_copy("hda", copy, options); assert(false); }
    /// catch (err) { assert_eq(err.hint, "did you mean `bandwidth`?"); }
    /// ```
    /// Calls virDomainBlockCopy.
    #[rhai_fn(name = "block_copy", pure, return_raw)]
    pub fn block_copy_options(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        xml: XmlText,
        options: OptionsOf<BlockCopyParameters>,
    ) -> RhaiResultOf<()> {
        block_copy_flags(ctx, dom, disk, xml, options, 0)
    }

    /// The job of the disk: `type` (`none`, `pull`, `copy`, `commit`, `active_commit`, `backup`), and for a running job
    /// `bandwidth_mib_per_s`, `done` and `total`, in the job's unit.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_eq(dom.block_job_info("hda").type, "none");
    /// ```
    /// Calls virDomainGetBlockJobInfo.
    #[rhai_fn(name = "block_job_info", pure, return_raw)]
    pub fn block_job_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
    ) -> RhaiResultOf<RecordOf<BlockJobInfo>> {
        block_job_info_flags(ctx, dom, disk, 0)
    }

    /// The job of the disk; the flag `VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES` adds `bandwidth_bytes_per_s`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_eq(dom.block_job_info("hda", VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES).type, "none");
    /// ```
    /// Calls virDomainGetBlockJobInfo.
    #[rhai_fn(name = "block_job_info", pure, return_raw)]
    pub fn block_job_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<BlockJobInfo>> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("read the job of disk `{disk}` of");
        let disk = disk.to_owned();
        let info = dom.call(&ctx, "virDomainGetBlockJobInfo", verb, move |d| {
            block_job::info(d, &disk, wanted)
        })?;
        let in_bytes = wanted & virt_sys::VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES != 0;
        let info = info.as_ref();
        let bandwidth = |asked: bool| info.filter(|_| asked).map(|info| Whole(info.bandwidth));
        let kind = info.map(|info| BlockJobType::TABLE.word(i64::from(info.type_)));
        Ok(BlockJobInfo {
            r#type: kind.unwrap_or_else(|| "none".into()).into(),
            done: IfKnown(info.map(|info| Whole(info.cur))),
            total: IfKnown(info.map(|info| Whole(info.end))),
            bandwidth_mib_per_s: IfKnown(bandwidth(!in_bytes)),
            bandwidth_bytes_per_s: IfKnown(bandwidth(in_bytes)),
        }
        .into_map())
    }

    /// Ends the job of the disk; the guest keeps the image that it uses now.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try { dom.block_job_abort("hda"); assert(false); }
    /// catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }
    /// ```
    /// Calls virDomainBlockJobAbort.
    #[rhai_fn(name = "block_job_abort", pure, return_raw)]
    pub fn block_job_abort(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
    ) -> RhaiResultOf<()> {
        block_job_abort_flags(ctx, dom, disk, 0)
    }

    /// Ends the job of the disk; with `VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT` the guest switches to the copy, or to the base
    /// of a commit, once that is ready.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try { dom.block_job_abort("hda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT); assert(false); }
    /// catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }
    /// ```
    /// Calls virDomainBlockJobAbort.
    #[rhai_fn(name = "block_job_abort", pure, return_raw)]
    pub fn block_job_abort_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("end the job of disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockJobAbort", verb, move |d| {
            block_job::abort(d, &disk, wanted)
        })
    }

    /// Limits the speed of the disk's job to `bandwidth` MiB/s; 0 means no limit.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try { dom.block_job_set_speed("hda", 10); assert(false); }
    /// catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }
    /// ```
    /// Calls virDomainBlockJobSetSpeed.
    #[rhai_fn(name = "block_job_set_speed", pure, return_raw)]
    pub fn block_job_set_speed(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        bandwidth: i64,
    ) -> RhaiResultOf<()> {
        block_job_set_speed_flags(ctx, dom, disk, bandwidth, 0)
    }

    /// Limits the speed of the disk's job, in bytes a second with
    /// `VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try { dom.block_job_set_speed("hda", 65536, VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES); assert(false); }
    /// catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }
    /// ```
    /// Calls virDomainBlockJobSetSpeed.
    #[rhai_fn(name = "block_job_set_speed", pure, return_raw)]
    pub fn block_job_set_speed_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        bandwidth: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let bandwidth = number(&ctx, "a bandwidth", bandwidth)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("limit the job of disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockJobSetSpeed", verb, move |d| {
            block_job::set_speed(d, &disk, bandwidth, wanted)
        })
    }

    /// Changes the size of the disk as the running guest sees it, in KiB or as text such as `"20GiB"` (see
    /// `parse_size`).
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.block_resize("hda", "4MiB");
    /// assert_eq(dom.block_info("hda").capacity_bytes, 4194304);
    /// dom.block_resize("hda", 8192);
    /// assert_eq(dom.block_info("hda").capacity_bytes, 8388608);
    /// ```
    /// Calls virDomainBlockResize.
    #[rhai_fn(name = "block_resize", pure, return_raw)]
    pub fn block_resize(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        size: KibValue,
    ) -> RhaiResultOf<()> {
        block_resize_flags(ctx, dom, disk, size, 0)
    }

    /// Changes the size of the disk as the running guest sees it; with the flag `VIR_DOMAIN_BLOCK_RESIZE_BYTES` a
    /// number is bytes.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.block_resize("hda", 4194304, VIR_DOMAIN_BLOCK_RESIZE_BYTES);
    /// assert_eq(dom.block_info("hda").capacity_bytes, 4194304);
    /// ```
    /// Calls virDomainBlockResize.
    #[rhai_fn(name = "block_resize", pure, return_raw)]
    pub fn block_resize_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        size: KibValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let mut wanted = flag_bits(&ctx, flags)?;
        let unit = match wanted & virt_sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES {
            0 => 1024,
            _ => 1,
        };
        let bytes = size_in(&ctx, &size, unit)?;
        // libvirt counts KiB without the flag; as virsh does, bytes are given where they are no whole KiB.
        let size = if unit == 1024 && bytes.is_multiple_of(1024) {
            bytes / 1024
        } else {
            wanted |= virt_sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
            bytes
        };
        let verb = format_args!("resize disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockResize", verb, move |d| {
            d.block_resize(&disk, size, wanted)
        })
    }
}
