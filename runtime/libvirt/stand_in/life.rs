//! The life of guests: definition, start, stop, save and restore.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::path::PathBuf;

use virt::connect::Connect;
use virt_sys::{virConnectPtr, virDomainPtr, virTypedParameterPtr};

use super::states::{bind_of, forget_reason, set_restored, set_resumed};
use super::{StandIn, given, handle, host, recorded, status, unknown};
use crate::libvirt::Failure;

/// The definitions and saves of guests.
pub trait Lifecycle {
    /// The XML of a guest as the host stores it, where a client gives it as `xml`.
    fn definition(&self, xml: &str) -> String;

    /// The XML of the object `key` as the host gave it, if the test driver still gives for it the same, `own`, as when
    /// the twin was made: the definition if it is `inactive`.
    fn recorded(&self, key: &str, inactive: bool, own: &str) -> Option<String>;

    /// The temporary file on this machine for the host's file `path`.
    fn file(&self, path: &str) -> PathBuf;

    /// The guest `uuid` was saved while it was paused, or was not, as a save in `file` or by libvirt.
    fn saved(&self, uuid: &str, file: Option<&str>, paused: bool);

    /// True if the guest that is started from such a save stays paused.
    fn was_paused(&self, uuid: &str, file: Option<&str>) -> bool;

    /// Fails if a guest that is off cannot start, because the rehearsal deleted an image of its disks; `xml` is its
    /// definition.
    fn has_images(&self, connect: &Connect, call: &'static str, xml: &str) -> Result<(), Failure>;

    /// The guest `uuid` starts.
    fn starts(&self, uuid: &str);
}

/// The UUID of a domain.
pub(super) fn uuid(domain: virDomainPtr) -> String {
    let read = |buffer| {
        // SAFETY: the caller's handle lives during the call, which fills a buffer of this length.
        unsafe { virt_sys::virDomainGetUUIDString(domain, buffer) }
    };
    crate::libvirt::handle::uuid_text(read).unwrap_or_default()
}

/// True if a domain is paused.
pub(super) fn is_paused(domain: virDomainPtr) -> bool {
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the caller's handle lives during the call, which writes two numbers.
    unsafe { virt_sys::virDomainGetState(domain, &raw mut state, &raw mut reason, 0) };
    u32::try_from(state) == Ok(virt_sys::VIR_DOMAIN_PAUSED)
}

/// Pauses the domain that just started, if it is to be `paused`.
fn settle(domain: virDomainPtr, paused: bool) {
    if paused {
        // SAFETY: the caller's handle lives during the call.
        unsafe { virt_sys::virDomainSuspend(domain) };
    }
}

/// True if a saved guest is paused after its restore.
fn comes_back_paused(flags: c_uint, was_paused: bool) -> bool {
    match flags {
        _ if flags & virt_sys::VIR_DOMAIN_SAVE_PAUSED != 0 => true,
        _ if flags & virt_sys::VIR_DOMAIN_SAVE_RUNNING != 0 => false,
        _ => was_paused,
    }
}

/// The temporary file for the host's file at `path`, as a C string.
fn file(stand_in: &dyn StandIn, path: *const c_char) -> Option<(String, CString)> {
    let path = given(path)?;
    let own = stand_in.file(&path).into_os_string().into_encoded_bytes();
    Some((path, CString::new(own).ok()?))
}

const START_PAUSED: c_uint = virt_sys::VIR_DOMAIN_START_PAUSED;
const AUTODESTROY: c_uint = virt_sys::VIR_DOMAIN_START_AUTODESTROY;

/// Fails if the rehearsal deleted an image of `domain`, which is off.
fn has_images(
    stand_in: &dyn StandIn,
    call: &'static str,
    domain: virDomainPtr,
) -> Result<(), Failure> {
    let domain = handle(domain);
    if domain.is_active()? {
        return Ok(());
    }
    let flags = virt_sys::VIR_DOMAIN_XML_SECURE | virt_sys::VIR_DOMAIN_XML_INACTIVE;
    stand_in.has_images(&domain.connect()?, call, &domain.xml_desc(flags)?)
}

fn tell_of_start(stand_in: &dyn StandIn, call: &'static str, domain: virDomainPtr, flags: c_uint) {
    if flags & AUTODESTROY != 0 {
        bind_of(domain);
        stand_in.differs(call, "the guest is not destroyed when the connection ends");
    }
}

stand_ins! {
    virDomainDefineXML(conn: virConnectPtr, xml: *const c_char) -> virDomainPtr = |stand_in, own| {
        let xml = CString::new(stand_in.definition(&given(xml).unwrap_or_default())).unwrap_or_default();
        // SAFETY: the caller's handle and the text live during the call.
        unsafe { own(conn, xml.as_ptr()) }
    };
    virDomainDefineXMLFlags(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virDomainPtr = |stand_in, own| {
        let xml = CString::new(stand_in.definition(&given(xml).unwrap_or_default())).unwrap_or_default();
        // SAFETY: the caller's handle and the text live during the call.
        unsafe { own(conn, xml.as_ptr(), flags) }
    };
    virDomainGetXMLDesc(domain: virDomainPtr, flags: c_uint) -> *mut c_char = |stand_in, own| {
        // SAFETY: the caller's handle lives during the call.
        let text = unsafe { own(domain, flags) };
        let known = virt_sys::VIR_DOMAIN_XML_SECURE | virt_sys::VIR_DOMAIN_XML_INACTIVE;
        if text.is_null() || flags & !known != 0 {
            return text;
        }
        let inactive = flags & virt_sys::VIR_DOMAIN_XML_INACTIVE;
        // SAFETY: the same; the result is ours to free.
        let plain = unsafe { crate::libvirt::owned_text(own(domain, inactive)) };
        recorded(&*stand_in, &uuid(domain), inactive != 0, text, &plain.unwrap_or_default())
    };
    virDomainCreateXML(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virDomainPtr = |stand_in, own| {
        let xml = stand_in.definition(&given(xml).unwrap_or_default());
        let images = stand_in.has_images(&host(conn), "virDomainCreateXML", &xml);
        if status(images) != 0 {
            return std::ptr::null_mut();
        }
        let xml = CString::new(xml).unwrap_or_default();
        // SAFETY: the caller's handle and the text live during the call.
        let domain = unsafe { own(conn, xml.as_ptr(), flags & virt_sys::VIR_DOMAIN_START_VALIDATE) };
        if !domain.is_null() {
            forget_reason(domain);
            settle(domain, flags & START_PAUSED != 0);
            tell_of_start(&*stand_in, "virDomainCreateXML", domain, flags);
        }
        domain
    };
    virDomainCreate(domain: virDomainPtr) -> c_int = |stand_in, own| {
        if status(has_images(&*stand_in, "virDomainCreate", domain)) != 0 {
            return -1;
        }
        // SAFETY: the caller's handle lives during the calls.
        let saved = unsafe { virt_sys::virDomainHasManagedSaveImage(domain, 0) } == 1;
        stand_in.starts(&uuid(domain));
        forget_reason(domain);
        // SAFETY: the same.
        let result = unsafe { own(domain) };
        if result == 0 {
            settle(domain, saved && stand_in.was_paused(&uuid(domain), None));
            if saved {
                set_restored(domain);
            }
        }
        result
    };
    virDomainCreateWithFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        if status(has_images(&*stand_in, "virDomainCreateWithFlags", domain)) != 0 {
            return -1;
        }
        // SAFETY: the caller's handle lives during the calls.
        let mut saved = unsafe { virt_sys::virDomainHasManagedSaveImage(domain, 0) } == 1;
        if saved && flags & virt_sys::VIR_DOMAIN_START_FORCE_BOOT != 0 {
            // SAFETY: the same.
            unsafe { virt_sys::virDomainManagedSaveRemove(domain, 0) };
            saved = false;
        }
        stand_in.starts(&uuid(domain));
        forget_reason(domain);
        // SAFETY: the same.
        let result = unsafe { own(domain, 0) };
        if result == 0 {
            settle(domain, flags & START_PAUSED != 0 || (saved && stand_in.was_paused(&uuid(domain), None)));
            if saved {
                set_restored(domain);
            }
            tell_of_start(&*stand_in, "virDomainCreateWithFlags", domain, flags);
        }
        result
    };
    virDomainManagedSave(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let paused = comes_back_paused(flags, is_paused(domain));
        // SAFETY: the caller's handle lives during the call.
        let result = unsafe { own(domain, 0) };
        if result == 0 {
            stand_in.saved(&uuid(domain), None, paused);
        }
        result
    };
    virDomainSave(domain: virDomainPtr, to: *const c_char) -> c_int = |stand_in, own| {
        let Some((path, own_file)) = file(&*stand_in, to) else { return -1 };
        let paused = is_paused(domain);
        stand_in.saved(&uuid(domain), Some(&path), paused);
        // SAFETY: the caller's handle and the path live during the call.
        unsafe { own(domain, own_file.as_ptr()) }
    };
    virDomainSaveFlags(domain: virDomainPtr, to: *const c_char, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((path, own_file)) = file(&*stand_in, to) else { return -1 };
        if !xml.is_null() {
            stand_in.differs("virDomainSaveFlags", "the XML in the save image does not change");
        }
        let paused = comes_back_paused(flags, is_paused(domain));
        stand_in.saved(&uuid(domain), Some(&path), paused);
        // SAFETY: the caller's handle and the path live during the call.
        unsafe { own(domain, own_file.as_ptr(), std::ptr::null(), 0) }
    };
    virDomainRestore(conn: virConnectPtr, from: *const c_char) -> c_int = |stand_in, own| {
        let Some((path, own_file)) = file(&*stand_in, from) else { return -1 };
        // SAFETY: the caller's handle and the path live during the call.
        let result = unsafe { own(conn, own_file.as_ptr()) };
        restored(&*stand_in, conn, &path, &own_file, result, 0)
    };
    virDomainRestoreFlags(conn: virConnectPtr, from: *const c_char, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((path, own_file)) = file(&*stand_in, from) else { return -1 };
        // SAFETY: the caller's handle and the texts live during the call.
        let result = unsafe { own(conn, own_file.as_ptr(), xml, 0) };
        restored(&*stand_in, conn, &path, &own_file, result, flags)
    };
    virDomainSaveImageGetXMLDesc(conn: virConnectPtr, from: *const c_char, flags: c_uint) -> *mut c_char = |stand_in, own| {
        let Some((_, own_file)) = file(&*stand_in, from) else { return std::ptr::null_mut() };
        // SAFETY: the caller's handle and the path live during the call.
        unsafe { own(conn, own_file.as_ptr(), flags) }
    };
    virDomainSaveImageDefineXML(conn: virConnectPtr, from: *const c_char, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((_, own_file)) = file(&*stand_in, from) else { return -1 };
        // SAFETY: the caller's handle and the texts live during the call.
        unsafe { own(conn, own_file.as_ptr(), xml, flags & virt_sys::VIR_DOMAIN_XML_SECURE) }
    };
    virDomainCoreDump(domain: virDomainPtr, to: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((_, own_file)) = file(&*stand_in, to) else { return -1 };
        // SAFETY: the caller's handle and the path live during the call.
        dumped(domain, flags, unsafe { own(domain, own_file.as_ptr(), flags) })
    };
    virDomainCoreDumpWithFormat(domain: virDomainPtr, to: *const c_char, format: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((_, own_file)) = file(&*stand_in, to) else { return -1 };
        // SAFETY: the caller's handle and the path live during the call.
        dumped(domain, flags, unsafe { own(domain, own_file.as_ptr(), format, flags) })
    };
    virDomainSaveParams(domain: virDomainPtr, params: virTypedParameterPtr, count: c_int, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, domain, params, count, flags, stand_in);
        unknown("virDomainSaveParams");
        -1
    };
    virDomainRestoreParams(conn: virConnectPtr, params: virTypedParameterPtr, count: c_int, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, conn, params, count, flags, stand_in);
        unknown("virDomainRestoreParams");
        -1
    };
}

/// Follows a dump of the guest's memory, which pauses the guest for that long.
fn dumped(domain: virDomainPtr, flags: c_uint, result: c_int) -> c_int {
    if result == 0 && flags & virt_sys::VIR_DUMP_LIVE == 0 {
        set_resumed(domain);
    }
    result
}

/// Pauses the guest that was restored from the file `path`, if it was paused or is to be.
fn restored(
    stand_in: &dyn StandIn,
    conn: virConnectPtr,
    path: &str,
    own_file: &CStr,
    result: c_int,
    flags: c_uint,
) -> c_int {
    if result != 0 {
        return result;
    }
    let own =
        own!(virDomainSaveImageGetXMLDesc(virConnectPtr, *const c_char, c_uint) -> *mut c_char);
    // SAFETY: the caller's handle and the path live during the call; the result is ours to free.
    let xml =
        unsafe { crate::libvirt::owned_text(own(conn, own_file.as_ptr(), 0)) }.unwrap_or_default();
    let uuid = xml
        .split_once("<uuid>")
        .and_then(|(_, rest)| rest.split_once("</uuid>"));
    let Some((uuid, _)) = uuid else { return result };
    let paused = comes_back_paused(flags, stand_in.was_paused(uuid, Some(path)));
    if let Ok(uuid) = CString::new(uuid) {
        // SAFETY: handle and text live during the call; the domain that it answers is freed here.
        unsafe {
            let domain = virt_sys::virDomainLookupByUUIDString(conn, uuid.as_ptr());
            if !domain.is_null() {
                settle(domain, paused);
                set_restored(domain);
                virt_sys::virDomainFree(domain);
            }
        }
    }
    result
}
