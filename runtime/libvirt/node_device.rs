//! Devices of a host: the calls that `virt` lacks.

use std::ffi::{c_char, c_int, c_uint};

use virt::connect::Connect;
use virt::nodedev::NodeDevice;

use super::{
    Failure, Result, borrowed_text, c_option, c_text, checked, newer, owned_text, pointer,
};

/// Defines a device, without starting it.
pub fn define_xml(connect: &Connect, xml: &str, flags: c_uint) -> Result<NodeDevice> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        let device = virt_sys::virNodeDeviceDefineXML(connect.as_ptr(), xml.as_ptr(), flags);
        match device.is_null() {
            true => Err(Failure::last()),
            false => Ok(NodeDevice::from_ptr(device)),
        }
    }
}

/// The names of the devices with the capability `capability`, or of all.
pub fn names(connect: &Connect, capability: Option<&str>, flags: c_uint) -> Result<Vec<String>> {
    let capability = c_option(capability)?;
    let capability = pointer(&capability);
    loop {
        // SAFETY: handle and string live during the calls. libvirt fills at most `room` places of the list with
        // strings that are ours to free.
        unsafe {
            let count = virt_sys::virNodeNumOfDevices(connect.as_ptr(), capability, flags);
            let room = checked(count)?.saturating_add(16);
            let mut list: Vec<*mut c_char> =
                vec![std::ptr::null_mut(); usize::try_from(room).unwrap_or_default()];
            let listed = virt_sys::virNodeListDevices(
                connect.as_ptr(),
                capability,
                list.as_mut_ptr(),
                room,
                flags,
            );
            let listed = checked(listed)?;
            let filled = list
                .into_iter()
                .take(usize::try_from(listed).unwrap_or_default());
            let names: Vec<Result<String>> = filled.map(|name| owned_text(name)).collect();
            // More may have come between the two calls.
            if listed < room {
                return names.into_iter().collect();
            }
        }
    }
}

/// The number of devices with the capability `capability`, or of all.
pub fn count(connect: &Connect, capability: Option<&str>, flags: c_uint) -> Result<c_int> {
    let capability = c_option(capability)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe { virt_sys::virNodeNumOfDevices(connect.as_ptr(), pointer(&capability), flags) })
}

/// The device that this one is on; none at the top.
pub fn parent(device: &NodeDevice) -> Result<Option<String>> {
    // SAFETY: the handle lives during the call, and keeps the text.
    let parent = unsafe { borrowed_text(virt_sys::virNodeDeviceGetParent(device.as_ptr())) };
    if parent.is_some() {
        return Ok(parent);
    }
    let failure = Failure::last();
    // Drivers report the lack of a parent as an internal error.
    let internal = failure.code == i64::from(virt_sys::VIR_ERR_INTERNAL_ERROR);
    match device.xml_desc(0) {
        Ok(xml) if internal && !xml.contains("<parent>") => Ok(None),
        _ => Err(failure),
    }
}

/// Starts a device that is defined.
pub fn create(device: &NodeDevice, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virNodeDeviceCreate(device.as_ptr(), flags) }).map(drop)
}

/// Forgets the definition of a device.
pub fn undefine(device: &NodeDevice, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virNodeDeviceUndefine(device.as_ptr(), flags) }).map(drop)
}

/// True if the device starts with its parent.
pub fn autostart(device: &NodeDevice) -> Result<bool> {
    let mut on = 0;
    // SAFETY: the handle and the number live during the call.
    checked(unsafe { virt_sys::virNodeDeviceGetAutostart(device.as_ptr(), &raw mut on) })?;
    Ok(on != 0)
}

/// Sets whether the device starts with its parent.
pub fn set_autostart(device: &NodeDevice, on: bool) -> Result<()> {
    // SAFETY: the handle lives during the call.
    let result = unsafe { virt_sys::virNodeDeviceSetAutostart(device.as_ptr(), c_int::from(on)) };
    checked(result).map(drop)
}

/// True if the device is started.
pub fn is_active(device: &NodeDevice) -> Result<bool> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virNodeDeviceIsActive(device.as_ptr()) }).map(|is| is != 0)
}

/// True if the device is defined.
pub fn is_persistent(device: &NodeDevice) -> Result<bool> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virNodeDeviceIsPersistent(device.as_ptr()) }).map(|is| is != 0)
}

/// Changes a device by its new XML.
pub fn update(device: &NodeDevice, xml: &str, flags: c_uint) -> Result<()> {
    type Call = unsafe extern "C" fn(virt_sys::virNodeDevicePtr, *const c_char, c_uint) -> c_int;
    let xml = c_text(xml)?;
    // SAFETY: the symbol has this type wherever libvirt has it, since 10.1; handle and string live during the call.
    unsafe {
        let address = newer(c"virNodeDeviceUpdate")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(device.as_ptr(), xml.as_ptr(), flags)).map(drop)
    }
}
