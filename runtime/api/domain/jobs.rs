//! Jobs of a guest's host: a save, a migration, a dump.

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, map};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{IfKnown, JobOperation, JobType, RecordOf, Whole, Word, record};

record! {
    /// Job that runs on a domain.
    pub(crate) struct JobInfo {
        /// Type of the job.
        r#type: Word<JobType>,
        /// Time since it began.
        time_elapsed_ms: Whole,
        /// Estimated time until it ends.
        time_remaining_ms: Whole,
        /// Size of all data to transfer.
        data_total_bytes: Whole,
        /// Size of the transferred data.
        data_processed_bytes: Whole,
        /// Size of the remaining data.
        data_remaining_bytes: Whole,
        /// Size of the memory.
        memory_total_bytes: Whole,
        /// Size of the transferred memory.
        memory_processed_bytes: Whole,
        /// Size of the remaining memory.
        memory_remaining_bytes: Whole,
        /// Size of the disks.
        file_total_bytes: Whole,
        /// Size of the transferred data of the disks.
        file_processed_bytes: Whole,
        /// Size of the remaining data of the disks.
        file_remaining_bytes: Whole,
    }
}

record! {
    /// Job that runs on a domain, with every figure that libvirt has.
    pub(crate) struct JobStats {
        /// Type of the job.
        r#type: Word<JobType>,
        /// Operation that the job belongs to.
        operation: IfKnown<Word<JobOperation>>,
        .. open
    }
}

fn stats(ctx: &NativeCallContext, dom: &Domain, flags: u32) -> RhaiResultOf<Map> {
    let (kind, figures) = dom.call(ctx, "virDomainGetJobStats", "read the job of", move |d| {
        libvirt::domain::job_stats(d, flags)
    })?;
    let mut stats = map(figures);
    let operation = stats.get("operation").and_then(|it| it.as_int().ok());
    let operation = operation.map(|number| JobOperation::TABLE.word(number).into());
    let known = JobStats {
        r#type: JobType::TABLE.word(kind).into(),
        operation: IfKnown(operation),
    };
    stats.extend(known.into_map());
    Ok(stats)
}

#[export_module]
pub(super) mod functions {
    /// Ends the job that runs on this domain; the call that began it throws `VIR_ERR_OPERATION_ABORTED`, and the guest
    /// continues to run.
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

    /// The running job: `type` (`none`, `bounded`, `unbounded`, ...), `time_elapsed_ms`,
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
        Ok(JobInfo {
            r#type: JobType::TABLE.word(i64::from(info.type_)).into(),
            time_elapsed_ms: Whole(info.timeElapsed),
            time_remaining_ms: Whole(info.timeRemaining),
            data_total_bytes: Whole(info.dataTotal),
            data_processed_bytes: Whole(info.dataProcessed),
            data_remaining_bytes: Whole(info.dataRemaining),
            memory_total_bytes: Whole(info.memTotal),
            memory_processed_bytes: Whole(info.memProcessed),
            memory_remaining_bytes: Whole(info.memRemaining),
            file_total_bytes: Whole(info.fileTotal),
            file_processed_bytes: Whole(info.fileProcessed),
            file_remaining_bytes: Whole(info.fileRemaining),
        }
        .into_map())
    }

    /// The running job, as `type` and all statistics that libvirt has, under libvirt's names.
    ///
    /// ```rhai,qemu
    /// assert_eq(connect().lookup_by_name("web").job_stats().type, "none");
    /// ```
    /// Calls virDomainGetJobStats.
    #[rhai_fn(name = "job_stats", pure, return_raw)]
    pub fn job_stats(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<RecordOf<JobStats>> {
        stats(&ctx, dom, 0)
    }

    /// The running job, or with `VIR_DOMAIN_JOB_STATS_COMPLETED` the last one that ended.
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
