//! Secrets: `virt` frees libvirt's memory and keeps its own.

use std::ffi::c_uint;

use virt::secret::Secret;

use super::{Failure, Result, borrowed_text};

/// The user of the secret, such as the path of a volume; empty if none is named.
pub fn usage_id(secret: &Secret) -> Result<String> {
    // SAFETY: the handle lives during the call, and the text as long as the handle.
    let text = unsafe { borrowed_text(virt_sys::virSecretGetUsageID(secret.as_ptr())) };
    text.ok_or_else(Failure::last)
}

/// The value of the secret. No copy of it is left in libvirt's memory.
pub fn value(secret: &Secret, flags: c_uint) -> Result<Vec<u8>> {
    let mut size = 0;
    // SAFETY: the handle lives during the call. The bytes are ours, and freed here once.
    unsafe {
        let bytes = virt_sys::virSecretGetValue(secret.as_ptr(), &raw mut size, flags);
        if bytes.is_null() {
            return Err(Failure::last());
        }
        let value = std::slice::from_raw_parts(bytes, size).to_vec();
        for at in 0..size {
            std::ptr::write_volatile(bytes.add(at), 0);
        }
        libc::free(bytes.cast());
        Ok(value)
    }
}
