//! Checkpoints of domains.

use std::ffi::c_uint;

use virt::domain::Domain;

use super::handle::{handle, owned_list};
use super::{Failure, Result, borrowed_text, c_text, checked, owned_text};

handle! {
    /// A checkpoint of a domain.
    Checkpoint(virDomainCheckpointPtr) freed by virDomainCheckpointFree
}

/// Makes a checkpoint.
pub fn create_xml(domain: &Domain, xml: &str, flags: c_uint) -> Result<Checkpoint> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        Checkpoint::adopt(virt_sys::virDomainCheckpointCreateXML(
            domain.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

/// The checkpoint called `name`.
pub fn lookup_by_name(domain: &Domain, name: &str, flags: c_uint) -> Result<Checkpoint> {
    let name = c_text(name)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        Checkpoint::adopt(virt_sys::virDomainCheckpointLookupByName(
            domain.as_ptr(),
            name.as_ptr(),
            flags,
        ))
    }
}

/// The checkpoints that `flags` select.
pub fn list(domain: &Domain, flags: c_uint) -> Result<Vec<Checkpoint>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list and its objects are ours.
    unsafe {
        let count = virt_sys::virDomainListAllCheckpoints(domain.as_ptr(), &raw mut list, flags);
        Ok(owned_list(list, checked(count)?, Checkpoint))
    }
}

impl Checkpoint {
    /// The name.
    pub fn name(&self) -> Result<String> {
        // SAFETY: the handle lives during the call, and keeps the text.
        let name = unsafe { borrowed_text(virt_sys::virDomainCheckpointGetName(self.0)) };
        name.ok_or_else(Failure::last)
    }

    /// The XML.
    pub fn xml_desc(&self, flags: c_uint) -> Result<String> {
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { owned_text(virt_sys::virDomainCheckpointGetXMLDesc(self.0, flags)) }
    }

    /// The domain that it is of.
    pub fn domain(&self) -> Result<Domain> {
        // SAFETY: the handle lives during the calls. The domain is the handle's: a reference of our own is taken.
        unsafe {
            let domain = virt_sys::virDomainCheckpointGetDomain(self.0);
            if domain.is_null() {
                return Err(Failure::last());
            }
            checked(virt_sys::virDomainRef(domain))?;
            Ok(Domain::from_ptr(domain))
        }
    }

    /// The checkpoint before it.
    pub fn parent(&self, flags: c_uint) -> Result<Self> {
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { Self::adopt(virt_sys::virDomainCheckpointGetParent(self.0, flags)) }
    }

    /// The checkpoints after it that `flags` select.
    pub fn children(&self, flags: c_uint) -> Result<Vec<Self>> {
        let mut list = std::ptr::null_mut();
        // SAFETY: the handle lives during the call; the list and its objects are ours.
        unsafe {
            let count = virt_sys::virDomainCheckpointListAllChildren(self.0, &raw mut list, flags);
            Ok(owned_list(list, checked(count)?, Self))
        }
    }

    /// Removes it.
    pub fn delete(&self, flags: c_uint) -> Result<()> {
        // SAFETY: the handle lives during the call.
        checked(unsafe { virt_sys::virDomainCheckpointDelete(self.0, flags) }).map(drop)
    }
}
