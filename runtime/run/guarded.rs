//! Runs work that may panic.

use rhai::EvalAltResult;

/// The beginning of the error message for a defect of virhai.
pub const DEFECT: &str = "internal error (please report this)";

/// Ends the script with `error` from a place that cannot return it: Rhai ignores errors of
/// functions that turn values into text. [`guarded`] catches it.
pub(crate) fn unwind(error: Box<EvalAltResult>) -> ! {
    std::panic::resume_unwind(Box::new(error))
}

/// Runs `work`; turns a panic, which would be a defect of virhai, into an error that scripts cannot
/// catch, and returns the error that `unwind` was given.
pub fn guarded<T>(
    work: impl FnOnce() -> Result<T, Box<EvalAltResult>>,
) -> Result<T, Box<EvalAltResult>> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let panic = match panic.downcast::<Box<EvalAltResult>>() {
            Ok(error) => return Err(*error),
            Err(panic) => panic,
        };
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Err(EvalAltResult::ErrorSystem(DEFECT.into(), text.into()).into())
    })
}
