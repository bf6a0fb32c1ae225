//! Long calls: an interrupt aborts their libvirt job.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rhai::NativeCallContext;
use virt::connect::Connect;

use crate::api::arguments::RhaiResultOf;
use crate::libvirt::typed_params::Scalar;
use crate::libvirt::{self, Failure};
use crate::objects::call_class::CallClass;
use crate::objects::connection::Connection;
use crate::objects::domain::{Domain, Handle};
use crate::run::waiting::{JobProgress, ReadProgress};

/// The purpose of a job.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    Save,
    Dump,
    Snapshot,
    Revert,
    /// Migration to a host that this client also has a connection to.
    Migrate(&'a Connection),
    /// Migration to a host that only the daemon connects to.
    MigrateByDaemon,
}

impl Work<'_> {
    /// The number of this operation in libvirt's job statistics.
    fn operation(self) -> u32 {
        match self {
            Work::Save => virt_sys::VIR_DOMAIN_JOB_OPERATION_SAVE,
            Work::Dump => virt_sys::VIR_DOMAIN_JOB_OPERATION_DUMP,
            Work::Snapshot => virt_sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT,
            Work::Revert => virt_sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT,
            Work::Migrate(_) | Work::MigrateByDaemon => {
                virt_sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT
            }
        }
    }
}

impl Domain {
    /// Makes one long libvirt call, which an interrupt ends by aborting its job.
    pub(crate) fn job<T: Send + 'static, E: Into<Failure>>(
        &self,
        ctx: &NativeCallContext,
        work: Work,
        call: &'static str,
        verb: impl fmt::Display,
        run: impl FnOnce(&Handle) -> Result<T, E> + Send + 'static,
    ) -> RhaiResultOf<T> {
        let action = || self.action(&verb);
        let connection = self.connection();
        let make = || self.try_job(work, call, &verb, run);
        let destination = match work {
            Work::Migrate(destination) => Some(Some(destination)),
            Work::MigrateByDaemon => Some(None),
            _ => None,
        };
        let result = match destination {
            Some(there) => connection.observe_move(call, &action, self.uuid(), there, make),
            None => connection.observe(call, CallClass::of(call), &action, make),
        };
        result.map_err(|failure| self.error(ctx, failure, call, &verb).throw())
    }

    fn try_job<T: Send + 'static, E: Into<Failure>>(
        &self,
        work: Work,
        call: &'static str,
        verb: &dyn fmt::Display,
        run: impl FnOnce(&Handle) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure> {
        let handle = self.handle()?;
        let interrupt = self.connection().session().interrupt();
        if interrupt.stopping().is_some() {
            return Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_ABORTED,
                "the script was stopped",
            ));
        }
        let (permit, other) = match work {
            Work::Migrate(destination) => {
                let name = self.name();
                self.connection()
                    .permits_with(destination, call, &[&name])?
            }
            _ => (self.permit(call)?, None),
        };
        let end = Arc::new(End::default());
        let (operation, job, seen) = (work.operation(), Arc::clone(&handle), Arc::clone(&end));
        let _guard = interrupt.on_stop(move || abort(&job, operation, &seen));
        let own = self.clone();
        let action = || self.action(verb);
        let connection = self.connection();
        let progress = progress_of_job(connection, {
            let handle = Arc::clone(&handle);
            move |_| Ok(Arc::clone(&handle))
        });
        connection.wait_for_job(
            CallClass::Long,
            permit,
            &action,
            Some(progress),
            move || {
                let _other = other;
                let result = own
                    .refuse_namesake(&handle)
                    .and_then(|()| run(&handle).map_err(Into::into));
                end.reach();
                result
            },
        )
    }
}

/// Reads how far the job of the domain is that `find` finds. It uses a permit only if one is free, so that it never
/// delays a call of the script.
pub(crate) fn progress_of_job(
    connection: &Connection,
    find: impl Fn(&Connect) -> Result<Arc<Handle>, Failure> + Send + Sync + 'static,
) -> ReadProgress {
    progress(connection, move |connect| {
        let job = libvirt::domain::job_info(&*find(connect)?)?;
        // A migration sends some of the memory again, and does not send empty memory.
        let left = job.dataRemaining.min(job.dataTotal);
        let known = JobProgress::of(job.dataTotal - left, job.dataTotal);
        Ok(known.map(|known| JobProgress {
            left: (job.timeRemaining > 0).then(|| Duration::from_millis(job.timeRemaining)),
            ..known
        }))
    })
}

/// Reads how far the job of the disk `disk` is, in the same way.
pub(crate) fn progress_of_block_job(
    connection: &Connection,
    disk: String,
    find: impl Fn(&Connect) -> Result<Arc<Handle>, Failure> + Send + Sync + 'static,
) -> ReadProgress {
    progress(connection, move |connect| {
        let job = libvirt::block_job::info(&*find(connect)?, &disk, 0)?;
        // QEMU says 0 of 1 before it knows the size.
        Ok(job
            .filter(|job| job.end > 1)
            .and_then(|job| JobProgress::of(job.cur, job.end)))
    })
}

fn progress(
    connection: &Connection,
    read: impl Fn(&Connect) -> Result<Option<JobProgress>, Failure> + Send + Sync + 'static,
) -> ReadProgress {
    let connection = connection.clone();
    Arc::new(move || {
        let _permit = connection.permit_now()?;
        let connect = connection.connect().ok()?;
        read(&connect).ok().flatten()
    })
}

/// The end of a call, for the thread that would abort it.
#[derive(Default)]
struct End {
    reached: Mutex<bool>,
    news: Condvar,
}

impl End {
    fn reach(&self) {
        *self.reached.lock() = true;
        self.news.notify_all();
    }

    /// True if the call ends within `patience`.
    fn within(&self, patience: Duration) -> bool {
        let mut reached = self.reached.lock();
        self.news
            .wait_while_for(&mut reached, |reached| !*reached, patience);
        *reached
    }
}

/// Aborts the job of a call, which may not have begun it yet: libvirt has no event for that.
fn abort(handle: &Handle, operation: u32, end: &End) {
    let mut patience = Duration::ZERO;
    while !end.within(patience) {
        if may_be(handle, operation) && libvirt::domain::abort_job(handle).is_ok() {
            return;
        }
        patience = (patience * 2).clamp(Duration::from_millis(20), Duration::from_secs(1));
    }
}

/// True if the running job can be this `operation`, and not one that another client began.
fn may_be(handle: &Handle, operation: u32) -> bool {
    let figures = match libvirt::domain::job_stats(handle, 0) {
        Ok((kind, _)) if kind == i64::from(virt_sys::VIR_DOMAIN_JOB_NONE) => return false,
        Ok((_, figures)) => figures,
        // A driver that cannot report jobs has no jobs of other kinds either.
        Err(failure) => return failure.code == i64::from(virt_sys::VIR_ERR_NO_SUPPORT),
    };
    let told = figures.iter().find(|(name, _)| name == "operation");
    told.is_none_or(
        |(_, value)| matches!(value, Scalar::Int(told) if *told == operation.cast_signed()),
    )
}
