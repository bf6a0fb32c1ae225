use std::ffi::{c_uint, c_void};

use virt::domain::Domain;

use super::{Result, c_text, checked};

/// Bytes that the guest sees on its disk.
pub fn block(
    domain: &Domain,
    disk: &str,
    offset: u64,
    size: usize,
    flags: c_uint,
) -> Result<Vec<u8>> {
    let disk = c_text(disk)?;
    let mut bytes = vec![0_u8; size];
    // SAFETY: handle, text and buffer live during the call, which fills as many bytes as it has.
    checked(unsafe {
        virt_sys::virDomainBlockPeek(
            domain.as_ptr(),
            disk.as_ptr(),
            offset,
            size,
            bytes.as_mut_ptr().cast::<c_void>(),
            flags,
        )
    })?;
    Ok(bytes)
}

/// Bytes of the guest's memory, at virtual or physical addresses as `flags` say.
pub fn memory(domain: &Domain, start: u64, size: usize, flags: c_uint) -> Result<Vec<u8>> {
    let mut bytes = vec![0_u8; size];
    // SAFETY: handle and buffer live during the call, which fills as many bytes as it has.
    checked(unsafe {
        virt_sys::virDomainMemoryPeek(
            domain.as_ptr(),
            start,
            size,
            bytes.as_mut_ptr().cast::<c_void>(),
            flags,
        )
    })?;
    Ok(bytes)
}
