//! Options and progress of a transfer.

use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, whole};
use crate::libvirt::Failure;
use crate::objects::blocking_stream::BlockingStream;
use crate::objects::call_class::CallClass;
use crate::objects::storage_vol::StorageVol;
use crate::run::waiting::Counter;
use crate::vocabulary::{Size, options};

/// Interval between two progress reports to the script.
const EVERY: Duration = Duration::from_millis(200);

options! {
    /// Options of a transfer: the part of the volume, holes, progress.
    pub(crate) struct TransferOptions {
        /// Offset in the volume at which the transfer begins.
        offset: Size = 0,
        /// Number of bytes at most; 0 for all.
        length: Size = 0,
        /// True if holes stay holes; if not given, the volume decides.
        sparse: Option<bool>,
        /// Closure `|done, total|`, called during the transfer.
        progress: Option<FnPtr>,
    }
}

/// The part of a volume that is transferred, and how.
#[derive(Default)]
pub(super) struct Plan {
    /// The offset in the volume at which the transfer begins.
    pub(super) offset: u64,
    /// The maximum number of bytes; 0 for all.
    pub(super) length: u64,
    /// True if holes stay holes, if the script says so.
    pub(super) sparse: Option<bool>,
    progress: Option<FnPtr>,
}

impl Plan {
    pub(super) fn new(ctx: &NativeCallContext, options: &Map) -> RhaiResultOf<Self> {
        let options = TransferOptions::read(ctx, options)?;
        Ok(Self {
            offset: options.offset.0,
            length: options.length.0,
            sparse: options.sparse,
            progress: options.progress,
        })
    }
}

/// The reasons why a transfer ended early.
pub(super) enum Halt {
    /// libvirt, or the local file, failed.
    Failure(Failure),
    /// The progress closure of the script threw this.
    Script(Box<EvalAltResult>),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        let mut failure = Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, error.to_string());
        failure.int1 = i64::from(error.raw_os_error().unwrap_or(0));
        Self::Failure(failure)
    }
}

/// The progress of a transfer.
pub(super) struct Progress<'a> {
    ctx: &'a NativeCallContext<'a>,
    closure: Option<&'a FnPtr>,
    pub(super) done: u64,
    pub(super) total: u64,
    told: Instant,
    counter: &'a Counter,
}

impl<'a> Progress<'a> {
    pub(super) fn new(
        ctx: &'a NativeCallContext,
        plan: &'a Plan,
        total: u64,
        counter: &'a Counter,
    ) -> Self {
        counter.set(0, total);
        Self {
            counter,
            ctx,
            closure: plan.progress.as_ref(),
            done: 0,
            total,
            told: Instant::now(),
        }
    }

    /// Counts `bytes`, and reports them to the script at intervals.
    pub(super) fn count(&mut self, bytes: u64) -> Result<(), Halt> {
        self.done += bytes;
        self.counter.set(self.done, self.total);
        let due = self.told.elapsed() >= EVERY || self.done >= self.total;
        if let Some(closure) = self.closure.filter(|_| due && bytes > 0) {
            self.told = Instant::now();
            let told = (whole(self.done), whole(self.total));
            let _: Dynamic = closure
                .call_within_context(self.ctx, told)
                .map_err(Halt::Script)?;
        }
        Ok(())
    }
}

/// The call that ends a transfer.
pub(super) const FINISH: &str = "virStreamFinish";

/// A stream that `open` has connected with the volume.
///
/// `call` connects it, which the script makes in order to `verb` the volume.
pub(super) fn connected(
    vol: &StorageVol,
    call: &'static str,
    verb: &'static str,
    open: impl FnOnce(
        &virt::storage_vol::StorageVol,
        &virt::stream::Stream,
    ) -> Result<(), virt::error::Error>
    + Send
    + 'static,
) -> Result<BlockingStream, Failure> {
    let handle = vol.handle()?;
    let permit = vol.permit(call)?;
    let interrupt = vol.connection().session().interrupt();
    let pipe = BlockingStream::new(&handle.connect()?, interrupt)?;
    let stream = pipe.stream().clone();
    let action = || vol.action(&verb);
    let connection = vol.connection();
    connection.observe(call, CallClass::Long, &action, || {
        connection.wait_for(CallClass::Long, permit, &action, move || {
            Ok(open(&handle, &stream)?)
        })
    })?;
    Ok(pipe)
}
