use std::ffi::{c_char, c_uint, c_ulong};

use virt::domain::Domain;

use super::typed_params::TypedParams;
use super::{Result, c_option, c_text, checked, pointer};

/// Merges images of the disk's chain, from `top` down into `base`.
pub fn commit(
    domain: &Domain,
    disk: &str,
    base: Option<&str>,
    top: Option<&str>,
    bandwidth: u64,
    flags: c_uint,
) -> Result<()> {
    let (disk, base, top) = (c_text(disk)?, c_option(base)?, c_option(top)?);
    // SAFETY: handle and strings live during the call; null is allowed for base and top.
    checked(unsafe {
        virt_sys::virDomainBlockCommit(
            domain.as_ptr(),
            disk.as_ptr(),
            pointer(&base),
            pointer(&top),
            rate(bandwidth),
            flags,
        )
    })
    .map(drop)
}

/// Copies the data of the disk's backing images into its own image.
pub fn pull(domain: &Domain, disk: &str, bandwidth: u64, flags: c_uint) -> Result<()> {
    let disk = c_text(disk)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainBlockPull(domain.as_ptr(), disk.as_ptr(), rate(bandwidth), flags)
    })
    .map(drop)
}

/// Copies the data of the backing images above `base` into the disk's own, or copies the disk to `base`.
pub fn rebase(
    domain: &Domain,
    disk: &str,
    base: Option<&str>,
    bandwidth: u64,
    flags: c_uint,
) -> Result<()> {
    let (disk, base) = (c_text(disk)?, c_option(base)?);
    // SAFETY: handle and strings live during the call; null is allowed for the base.
    checked(unsafe {
        virt_sys::virDomainBlockRebase(
            domain.as_ptr(),
            disk.as_ptr(),
            pointer(&base),
            rate(bandwidth),
            flags,
        )
    })
    .map(drop)
}

/// Copies the disk to the target in the XML.
pub fn copy(
    domain: &Domain,
    disk: &str,
    xml: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let (disk, xml) = (c_text(disk)?, c_text(xml)?);
    let (array, length) = params.parts();
    // SAFETY: handle, strings and parameters live during the call.
    checked(unsafe {
        virt_sys::virDomainBlockCopy(
            domain.as_ptr(),
            disk.as_ptr(),
            xml.as_ptr(),
            array,
            length,
            flags,
        )
    })
    .map(drop)
}

/// Ends the job of the disk.
pub fn abort(domain: &Domain, disk: &str, flags: c_uint) -> Result<()> {
    let disk = c_text(disk)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe { virt_sys::virDomainBlockJobAbort(domain.as_ptr(), disk.as_ptr(), flags) })
        .map(drop)
}

/// Limits the speed of the disk's job.
pub fn set_speed(domain: &Domain, disk: &str, bandwidth: u64, flags: c_uint) -> Result<()> {
    let disk = c_text(disk)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainBlockJobSetSpeed(domain.as_ptr(), disk.as_ptr(), rate(bandwidth), flags)
    })
    .map(drop)
}

/// The job of the disk, or `None` if it has none.
pub fn info(
    domain: &Domain,
    disk: &str,
    flags: c_uint,
) -> Result<Option<virt_sys::virDomainBlockJobInfo>> {
    let disk = c_text(disk)?;
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: virt_sys::virDomainBlockJobInfo = unsafe { std::mem::zeroed() };
    // SAFETY: handle and string live during the call, which writes one struct.
    let found = checked(unsafe {
        virt_sys::virDomainGetBlockJobInfo(
            domain.as_ptr(),
            disk.as_ptr().cast::<c_char>(),
            &raw mut info,
            flags,
        )
    })?;
    Ok((found > 0).then_some(info))
}

fn rate(bandwidth: u64) -> c_ulong {
    c_ulong::try_from(bandwidth).unwrap_or(c_ulong::MAX)
}
