use std::ffi::c_uint;

use virt::domain::Domain;

use super::{Result, c_text, checked};

/// Adds a device to a running guest; `virt` drops the error of this call.
pub fn attach(domain: &Domain, xml: &str) -> Result<()> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe { virt_sys::virDomainAttachDevice(domain.as_ptr(), xml.as_ptr()) }).map(drop)
}

/// Removes the device that libvirt or its owner gave the name `alias`.
pub fn detach_alias(domain: &Domain, alias: &str, flags: c_uint) -> Result<()> {
    let alias = c_text(alias)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe { virt_sys::virDomainDetachDeviceAlias(domain.as_ptr(), alias.as_ptr(), flags) })
        .map(drop)
}
