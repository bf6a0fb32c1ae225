use std::sync::OnceLock;

use super::borrowed_text;

/// A failed libvirt call as libvirt describes it.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// libvirt's number for what went wrong, a `virErrorNumber`.
    pub code: i64,
    /// libvirt's number for the part that reports it, a `virErrorDomain`.
    pub domain: i64,
    /// libvirt's words.
    pub message: String,
    /// libvirt's first number of detail; `errno` where the message is about a system call.
    pub int1: i64,
    /// virhai's own advice on this failure.
    pub advice: Option<&'static str>,
}

impl Failure {
    /// The failure of the last libvirt call on this thread.
    pub fn last() -> Self {
        // SAFETY: the pointer is to this thread's own error, valid until its next libvirt call.
        unsafe {
            let error = virt_sys::virGetLastError();
            let Some(error) = error.as_ref() else {
                return Self::new(
                    virt_sys::VIR_ERR_INTERNAL_ERROR,
                    "libvirt reported a failure and gave no reason for it",
                );
            };
            Self {
                code: i64::from(error.code),
                domain: i64::from(error.domain),
                message: borrowed_text(error.message).unwrap_or_default(),
                int1: i64::from(error.int1),
                advice: None,
            }
        }
    }

    /// A failure that virhai found before libvirt could.
    pub fn new(code: virt_sys::virErrorNumber, message: impl Into<String>) -> Self {
        Self {
            code: i64::from(code),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same failure with `advice`.
    #[must_use]
    pub fn advise(self, advice: &'static str) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    /// What a string with a NUL byte gets, since C cannot take it.
    pub fn nul_byte() -> Self {
        Self::new(
            virt_sys::VIR_ERR_INVALID_ARG,
            "the text holds a NUL byte, which libvirt cannot take",
        )
    }

    /// What a call gets that the libvirt at hand does not have.
    pub fn too_old(call: &str) -> Self {
        Self::new(
            virt_sys::VIR_ERR_NO_SUPPORT,
            format!("the libvirt on this machine is too old: it has no {call}"),
        )
    }
}

/// Taken on the thread of the failed call, before any other one.
impl From<virt::error::Error> for Failure {
    fn from(error: virt::error::Error) -> Self {
        if error.message().starts_with("Null byte passed to CString") {
            return Self::nul_byte();
        }
        let last = Self::last();
        let code = i64::from(error.code().to_raw());
        if last.code == code {
            return last;
        }
        Self {
            code,
            domain: i64::from(error.domain().to_raw()),
            message: error.message().to_owned(),
            ..Self::default()
        }
    }
}

/// Stops libvirt from printing failures to standard error; they all arrive as errors.
///
/// libvirt's log goes nowhere either, unless the user sent it somewhere. Has to come before
/// any thread is started, since it changes the environment.
pub fn silence_libvirt() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let asked = [
            "LIBVIRT_DEBUG",
            "LIBVIRT_LOG_OUTPUTS",
            "LIBVIRT_LOG_FILTERS",
        ];
        if asked.iter().all(|name| std::env::var_os(name).is_none()) {
            // SAFETY: libvirt reads the variable when it is initialized, and the program calls
            // this first, while it has one thread.
            unsafe { std::env::set_var("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null") };
        }
        virt::error::clear_error_callback();
    });
}
