use std::ffi::{c_int, c_uint};
use std::fs::File;
use std::os::fd::AsRawFd;

use virt::connect::Connect;
use virt::domain::Domain;

use super::{Failure, Result, c_text, checked};

/// The numbers of open files.
pub(super) fn numbers(files: &[File]) -> Vec<c_int> {
    files.iter().map(AsRawFd::as_raw_fd).collect()
}

/// Boots a domain whose first process inherits `files`.
pub fn create(domain: &Domain, files: &[File], flags: c_uint) -> Result<()> {
    let mut numbers = numbers(files);
    let count = c_uint::try_from(numbers.len()).unwrap_or(c_uint::MAX);
    // SAFETY: the handle, the array, which is as long as said, and the files live during the call.
    checked(unsafe {
        virt_sys::virDomainCreateWithFiles(domain.as_ptr(), count, numbers.as_mut_ptr(), flags)
    })
    .map(drop)
}

/// Boots a transient domain from XML whose first process inherits `files`.
pub fn create_xml(connect: &Connect, xml: &str, files: &[File], flags: c_uint) -> Result<Domain> {
    let xml = c_text(xml)?;
    let mut numbers = numbers(files);
    let count = c_uint::try_from(numbers.len()).unwrap_or(c_uint::MAX);
    // SAFETY: handle, text, the array, which is as long as said, and the files live during the call.
    let created = unsafe {
        virt_sys::virDomainCreateXMLWithFiles(
            connect.as_ptr(),
            xml.as_ptr(),
            count,
            numbers.as_mut_ptr(),
            flags,
        )
    };
    if created.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, and the one reference to it is ours.
    Ok(unsafe { Domain::from_ptr(created) })
}

/// Lends open files to the domain, which a disk's source names as the group `name`, until the connection is closed.
pub fn associate(domain: &Domain, name: &str, files: &[File], flags: c_uint) -> Result<()> {
    let name = c_text(name)?;
    let mut numbers = numbers(files);
    let count = c_uint::try_from(numbers.len()).unwrap_or(c_uint::MAX);
    // SAFETY: handle, string, the array, which is as long as said, and the files live during the call.
    checked(unsafe {
        virt_sys::virDomainFDAssociate(
            domain.as_ptr(),
            name.as_ptr(),
            count,
            numbers.as_mut_ptr(),
            flags,
        )
    })
    .map(drop)
}
