//! The versions of virhai and libvirt.

use crate::libvirt::{connection, share_heap, silence_libvirt};

/// The versions that matter in a bug report.
#[derive(Debug, Clone)]
pub struct Versions {
    /// virhai's own.
    pub virhai: &'static str,
    /// The libvirt whose headers virhai was built with.
    pub libvirt_compiled: String,
    /// The libvirt that this process runs with.
    pub libvirt_running: String,
}

/// The versions of this program.
pub fn versions() -> Versions {
    let text = |packed: u64| {
        format!(
            "{}.{}.{}",
            packed / 1_000_000,
            packed / 1000 % 1000,
            packed % 1000
        )
    };
    Versions {
        virhai: env!("CARGO_PKG_VERSION"),
        libvirt_compiled: env!("VIRHAI_LIBVIRT_COMPILED").to_owned(),
        libvirt_running: connection::running_version().map_or_else(|_| "unknown".into(), text),
    }
}

/// Prepares the process for libvirt, and initializes libvirt on a separate thread while the program
/// does something else. Must be called first, before any other thread exists.
pub fn warm_up() {
    share_heap();
    silence_libvirt();
    // Without the thread, the first connection does the same.
    let _ = std::thread::Builder::new()
        .name("warm up".into())
        .spawn(connection::initialize);
}
