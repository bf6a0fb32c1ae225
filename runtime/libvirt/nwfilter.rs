//! Network filters, and their bindings to the network cards of guests.

use std::ffi::{c_int, c_uint};

use virt::connect::Connect;
use virt::nwfilter::NWFilter;

use super::handle::{handle, owned_list};
use super::{Failure, Result, borrowed_text, c_text, checked, owned_text};

handle! {
    /// A binding of a filter to a network card.
    Binding(virNWFilterBindingPtr) freed by virNWFilterBindingFree
}

/// Defines a filter as flags say.
pub fn define_xml_flags(connect: &Connect, xml: &str, flags: c_uint) -> Result<NWFilter> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        let filter = virt_sys::virNWFilterDefineXMLFlags(connect.as_ptr(), xml.as_ptr(), flags);
        match filter.is_null() {
            true => Err(Failure::last()),
            false => Ok(NWFilter::from_ptr(filter)),
        }
    }
}

/// All filters.
pub fn list(connect: &Connect, flags: c_uint) -> Result<Vec<NWFilter>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list and its objects are ours.
    unsafe {
        let count = virt_sys::virConnectListAllNWFilters(connect.as_ptr(), &raw mut list, flags);
        Ok(owned_list(list, checked(count)?, |filter| {
            NWFilter::from_ptr(filter)
        }))
    }
}

/// The number of filters.
pub fn count(connect: &Connect) -> Result<c_int> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virConnectNumOfNWFilters(connect.as_ptr()) })
}

/// All bindings.
pub fn list_bindings(connect: &Connect, flags: c_uint) -> Result<Vec<Binding>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list and its objects are ours.
    unsafe {
        let count =
            virt_sys::virConnectListAllNWFilterBindings(connect.as_ptr(), &raw mut list, flags);
        Ok(owned_list(list, checked(count)?, Binding))
    }
}

/// Binds a filter to a network card.
pub fn create_binding(connect: &Connect, xml: &str, flags: c_uint) -> Result<Binding> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        Binding::adopt(virt_sys::virNWFilterBindingCreateXML(
            connect.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

/// The binding of the host's network device `device`.
pub fn lookup_binding(connect: &Connect, device: &str) -> Result<Binding> {
    let device = c_text(device)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        Binding::adopt(virt_sys::virNWFilterBindingLookupByPortDev(
            connect.as_ptr(),
            device.as_ptr(),
        ))
    }
}

impl Binding {
    /// The host's network device.
    pub fn port_dev(&self) -> Result<String> {
        // SAFETY: the handle lives during the call, and keeps the text.
        let device = unsafe { borrowed_text(virt_sys::virNWFilterBindingGetPortDev(self.0)) };
        device.ok_or_else(Failure::last)
    }

    /// The filter's name.
    pub fn filter_name(&self) -> Result<String> {
        // SAFETY: the handle lives during the call, and keeps the text.
        let name = unsafe { borrowed_text(virt_sys::virNWFilterBindingGetFilterName(self.0)) };
        name.ok_or_else(Failure::last)
    }

    /// The XML.
    pub fn xml_desc(&self, flags: c_uint) -> Result<String> {
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { owned_text(virt_sys::virNWFilterBindingGetXMLDesc(self.0, flags)) }
    }

    /// Removes it.
    pub fn delete(&self) -> Result<()> {
        // SAFETY: the handle lives during the call.
        checked(unsafe { virt_sys::virNWFilterBindingDelete(self.0) }).map(drop)
    }
}
