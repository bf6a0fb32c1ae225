use std::sync::OnceLock;

use super::borrowed_text;
use crate::constants;

/// A failed libvirt call as libvirt describes it.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// libvirt's number of the error, a `virErrorNumber`.
    pub code: i64,
    /// libvirt's number for the part that reports it, a `virErrorDomain`.
    pub domain: i64,
    /// libvirt's words.
    pub message: String,
    /// libvirt's first number of detail; `errno` if the message is about a system call.
    pub int1: i64,
    /// virhai's own advice on this failure.
    pub advice: Option<&'static str>,
    /// The kind of the failure, if libvirt's code does not tell.
    pub kind: FailureKind,
}

/// Kinds of failures without their own code in libvirt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailureKind {
    /// None of the others.
    #[default]
    Other,
    /// The connection to the host is gone, so that the outcome of the call is unknown.
    LostConnection,
    /// The connection was gone before the call, which therefore had no effect.
    NeverSent,
    /// The guest keeps the tray of its drive closed.
    ClosedTray,
    /// The guest's agent went while it was asked.
    LostAgent,
}

/// Words of ssh about a host that it cannot reach or log in to.
pub(crate) const NOT_OPENED: [&str; 4] = [
    "ssh: Could not resolve hostname",
    "ssh: connect to host",
    "Host key verification failed",
    "Permission denied (",
];

impl FailureKind {
    /// The kind of the failure that libvirt reports with `code` and `message`. libvirt
    /// distinguishes these only by its message; no other code of virhai derives them from it.
    fn of(code: i64, message: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        // QEMU names the device or not: "Tray of the device", "Tray of device 'ide0-1-0'".
        let is_closed = says(&["Tray of"]) && says(&["is not open"]);
        if is_closed || says(&["wait for tray to open", "waiting to open tray"]) {
            return Self::ClosedTray;
        }
        if says(&[
            "agent disappeared",
            "disappeared while",
            "End of file from agent",
        ]) {
            return Self::LostAgent;
        }
        let lost = match u32::try_from(code).unwrap_or_default() {
            // The host reports lost connections to a guest that died with the same messages.
            virt_sys::VIR_ERR_SYSTEM_ERROR if says(&["agent:", "monitor:"]) => false,
            // A connection that could not be opened, such as that of a migration to the other host.
            virt_sys::VIR_ERR_SYSTEM_ERROR | virt_sys::VIR_ERR_RPC if says(&NOT_OPENED) => false,
            virt_sys::VIR_ERR_SYSTEM_ERROR | virt_sys::VIR_ERR_RPC => says(&[
                "End of file",
                "Broken pipe",
                "Connection reset",
                "keepalive",
            ]),
            // libvirt says this before it sends anything.
            virt_sys::VIR_ERR_INTERNAL_ERROR if says(&["client socket is closed"]) => {
                return Self::NeverSent;
            }
            virt_sys::VIR_ERR_INTERNAL_ERROR => says(&[
                "connection closed due to keepalive timeout",
                "received hangup",
            ]),
            _ => false,
        };
        match lost {
            true => Self::LostConnection,
            false => Self::Other,
        }
    }
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
            let message = borrowed_text(error.message).unwrap_or_default();
            Self::told(
                i64::from(error.code),
                i64::from(error.domain),
                message,
                i64::from(error.int1),
            )
        }
    }

    /// A failure that libvirt reported, in this or another process.
    pub fn told(code: i64, domain: i64, message: String, int1: i64) -> Self {
        Self {
            code,
            domain,
            kind: FailureKind::of(code, &message),
            message,
            int1,
            advice: None,
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

    /// The same failure, reported by the part of libvirt with the number `domain`.
    #[must_use]
    pub fn in_domain(self, domain: virt_sys::virErrorDomain) -> Self {
        Self {
            domain: i64::from(domain),
            ..self
        }
    }

    /// The connection to the host was lost while virhai waited, which `message` says.
    pub fn lost(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::LostConnection,
            advice: Some(
                "connect again with `connect(uri)`, and check whether the call took effect",
            ),
            ..Self::new(virt_sys::VIR_ERR_RPC, message)
        }
    }

    /// True if the connection is gone.
    pub fn lost_connection(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::LostConnection | FailureKind::NeverSent
        )
    }

    /// True if a change of a medium failed because the guest keeps its tray closed.
    pub fn tray_is_closed(&self) -> bool {
        self.kind == FailureKind::ClosedTray
    }

    /// The same failure with `advice`.
    #[must_use]
    pub fn advise(self, advice: &'static str) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    /// The failure for a string with a NUL byte, which C does not accept.
    pub fn nul_byte() -> Self {
        Self::new(
            virt_sys::VIR_ERR_INVALID_ARG,
            "the text contains a NUL byte, which libvirt does not accept",
        )
    }

    /// The failure for a call that this libvirt does not have.
    pub fn too_old(call: &str) -> Self {
        Self::new(
            virt_sys::VIR_ERR_NO_SUPPORT,
            match (
                constants::version_of(call),
                super::connection::running_version(),
            ) {
                (Some(needed), Ok(here)) => format!(
                    "{call} needs libvirt {needed}, this is {}.{}.{}",
                    here / 1_000_000,
                    here / 1000 % 1000,
                    here % 1000
                ),
                _ => format!("the libvirt on this machine is too old: it has no {call}"),
            },
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
            kind: FailureKind::of(code, error.message()),
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
            // SAFETY: libvirt reads the variables when it is initialized, and the program calls
            // this first, while it has one thread.
            unsafe {
                std::env::set_var("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null");
                // Processes that libvirt forks forget the outputs and keep this level: errors only.
                std::env::set_var("LIBVIRT_DEBUG", "4");
            }
        }
        virt::error::clear_error_callback();
    });
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_connection_that_could_not_be_opened_is_not_lost() {
        for (why, lost) in [
            (
                "ssh: Could not resolve hostname b: Name or service not known: Connection reset by peer",
                false,
            ),
            (
                "ssh: connect to host b port 22: Connection refused: Connection reset by peer",
                false,
            ),
            (
                "Host key verification failed.: Connection reset by peer",
                false,
            ),
            ("Connection reset by peer", true),
        ] {
            let message = format!("Cannot recv data: {why}");
            let code = i64::from(virt_sys::VIR_ERR_SYSTEM_ERROR);
            let failure = Failure::told(code, 7, message, 0);
            assert_eq!(failure.lost_connection(), lost, "{why}");
        }
    }

    #[test]
    fn a_tray_that_is_closed_is_known_by_each_of_the_messages() {
        for (message, closed) in [
            ("Tray of the device is not open", true),
            ("Tray of device 'ide0-1-0' is not open", true),
            (
                "Device 'ide0-1-0' is locked and force was not specified, wait for tray to open and try again",
                true,
            ),
            ("timed out waiting to open tray of 'hdc'", true),
            ("the pool is not open", false),
        ] {
            let code = i64::from(virt_sys::VIR_ERR_INTERNAL_ERROR);
            let failure = Failure::told(code, 10, message.to_owned(), 0);
            assert_eq!(failure.tray_is_closed(), closed, "{message}");
        }
    }
}
