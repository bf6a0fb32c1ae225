//! What a guest's host is busy with: a save, a migration, a dump.

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, fields, flag_bits, map, whole};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{JobInfo, JobOperation, JobStats, JobType, RecordOf};

fn stats(ctx: &NativeCallContext, dom: &Domain, flags: u32) -> RhaiResultOf<Map> {
    let (kind, figures) = dom.call(ctx, "virDomainGetJobStats", "read the job of", move |d| {
        libvirt::domain::job_stats(d, flags)
    })?;
    let mut stats = map(figures);
    stats.insert("type".into(), JobType::TABLE.word(kind).into());
    if let Some(operation) = stats.get_mut("operation")
        && let Ok(number) = operation.as_int()
    {
        *operation = JobOperation::TABLE.word(number).into();
    }
    Ok(stats)
}

#[export_module]
pub(super) mod functions {
    /// Ends the job that runs on this domain; the call that began it throws
    /// `VIR_ERR_OPERATION_ABORTED`, and the guest goes on as before.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.abort_job();
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
    /// }
    /// ```
    /// Calls virDomainAbortJob.
    #[rhai_fn(name = "abort_job", pure, return_raw)]
    pub fn abort_job(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(
            &ctx,
            "virDomainAbortJob",
            "abort the job of",
            libvirt::domain::abort_job,
        )
    }

    /// Ends the job that runs on this domain; `VIR_DOMAIN_ABORT_JOB_POSTCOPY` pauses a
    /// post-copy migration.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.abort_job(0);
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
    /// }
    /// ```
    /// Calls virDomainAbortJobFlags.
    #[rhai_fn(name = "abort_job", pure, return_raw)]
    pub fn abort_job_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainAbortJobFlags",
            "abort the job of",
            move |d| libvirt::domain::abort_job_flags(d, wanted),
        )
    }

    /// The job that runs: `type` (`none`, `bounded`, `unbounded`, ...), `time_elapsed_ms`,
    /// `time_remaining_ms`, and `data_`, `memory_` and `file_` each with `total_bytes`,
    /// `processed_bytes` and `remaining_bytes`.
    ///
    /// ```rhai,qemu
    /// assert_eq(connect().lookup_by_name("web").job_info().type, "none");
    /// ```
    /// Calls virDomainGetJobInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn job_info(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<RecordOf<JobInfo>> {
        let info = dom.call(
            &ctx,
            "virDomainGetJobInfo",
            "read the job of",
            libvirt::domain::job_info,
        )?;
        Ok(JobInfo::TABLE.of(fields! {
            "type": JobType::TABLE.word(i64::from(info.type_)),
            "time_elapsed_ms": whole(info.timeElapsed),
            "time_remaining_ms": whole(info.timeRemaining),
            "data_total_bytes": whole(info.dataTotal),
            "data_processed_bytes": whole(info.dataProcessed),
            "data_remaining_bytes": whole(info.dataRemaining),
            "memory_total_bytes": whole(info.memTotal),
            "memory_processed_bytes": whole(info.memProcessed),
            "memory_remaining_bytes": whole(info.memRemaining),
            "file_total_bytes": whole(info.fileTotal),
            "file_processed_bytes": whole(info.fileProcessed),
            "file_remaining_bytes": whole(info.fileRemaining),
        }))
    }

    /// The job that runs, as `type` and every figure that libvirt has, under libvirt's names.
    ///
    /// ```rhai,qemu
    /// assert_eq(connect().lookup_by_name("web").job_stats().type, "none");
    /// ```
    /// Calls virDomainGetJobStats.
    #[rhai_fn(name = "job_stats", pure, return_raw)]
    pub fn job_stats(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<RecordOf<JobStats>> {
        stats(&ctx, dom, 0)
    }

    /// The job that runs, or with `VIR_DOMAIN_JOB_STATS_COMPLETED` the last one that ended.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save();
    /// dom.create();
    /// assert_eq(dom.job_stats(VIR_DOMAIN_JOB_STATS_COMPLETED).operation, "save");
    /// ```
    /// Calls virDomainGetJobStats.
    #[rhai_fn(name = "job_stats", pure, return_raw)]
    pub fn job_stats_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<JobStats>> {
        let wanted = flag_bits(&ctx, flags)?;
        stats(&ctx, dom, wanted)
    }
}
