//! Backups of a running guest's disks.

use std::ffi::c_uint;

use virt::domain::Domain;

use super::{Result, c_option, c_text, checked, owned_text, pointer};

/// Begins a backup, and makes the checkpoint that a later one counts from.
pub fn begin(domain: &Domain, xml: &str, checkpoint: Option<&str>, flags: c_uint) -> Result<()> {
    let (xml, checkpoint) = (c_text(xml)?, c_option(checkpoint)?);
    // SAFETY: handle and strings live during the call; null is allowed for the checkpoint.
    checked(unsafe {
        virt_sys::virDomainBackupBegin(domain.as_ptr(), xml.as_ptr(), pointer(&checkpoint), flags)
    })
    .map(drop)
}

/// The backup that runs, as XML.
pub fn xml_desc(domain: &Domain, flags: c_uint) -> Result<String> {
    // SAFETY: the handle lives during the call; the result is ours to free.
    unsafe { owned_text(virt_sys::virDomainBackupGetXMLDesc(domain.as_ptr(), flags)) }
}
