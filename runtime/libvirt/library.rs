//! Libraries of libvirt's that are loaded when they are first needed, so that the program starts without them.

use std::ffi::CStr;
use std::sync::OnceLock;

use super::{Failure, Result};

/// The packages with the libraries.
pub const PACKAGES: &str = "it comes with libvirt: install the package libvirt0 on Debian and Ubuntu, libvirt-libs on Fedora, libvirt on Arch Linux";

/// A library that may be missing.
pub struct Library {
    file: &'static CStr,
    name: &'static str,
    /// Its address; 0 if it cannot be loaded.
    handle: OnceLock<usize>,
}

impl Library {
    /// The library in `file`, which messages call `name`.
    pub const fn new(file: &'static CStr, name: &'static str) -> Self {
        Self {
            file,
            name,
            handle: OnceLock::new(),
        }
    }
}

/// The address of the function `call` of `library`.
pub fn load(library: &Library, call: &'static CStr) -> Result<*mut libc::c_void> {
    let handle = *library.handle.get_or_init(|| {
        // SAFETY: loads a library of libvirt's by its name, and never unloads it.
        let handle =
            unsafe { libc::dlopen(library.file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        handle.expose_provenance()
    });
    if handle == 0 {
        return Err(Failure::new(
            virt_sys::VIR_ERR_NO_SUPPORT,
            format!(
                "the library {} is not installed on this machine ({})",
                library.name,
                library.file.to_string_lossy()
            ),
        )
        .advise(PACKAGES));
    }
    // SAFETY: looks a name up in a library that is loaded.
    let address =
        unsafe { libc::dlsym(std::ptr::with_exposed_provenance_mut(handle), call.as_ptr()) };
    if address.is_null() {
        return Err(Failure::too_old(&call.to_string_lossy()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_its_package() {
        static MISSING: Library = Library::new(c"libvirt-nothing.so.0", "libvirt-nothing");
        let failure = load(&MISSING, c"virNothing").expect_err("no system has it");
        assert!(failure.message.contains("libvirt-nothing.so.0"));
        assert!(
            failure
                .advice
                .is_some_and(|advice| advice.contains("libvirt0 on Debian"))
        );
    }
}
