//! The functions that a stand-in answers, with the names and arguments of libvirt's own.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::sync::Arc;

use virt_sys::{virConnectPtr, virDomainPtr, virErrorPtr, virNodeInfoPtr, virTypedParameterPtr};

use super::{Fact, StandIn, fail, libvirts_own, on, reported};
use crate::libvirt::{Failure, borrowed_text};

/// What the first argument of a function leads to.
trait OfConnection: Copy {
    /// The connection.
    ///
    /// # Safety
    /// It is null, or a handle that lives during the call.
    unsafe fn connection(self) -> virConnectPtr;

    /// Its stand-in, if it has one.
    ///
    /// # Safety
    /// The same.
    unsafe fn stand_in(self) -> Option<Arc<dyn StandIn>> {
        // SAFETY: by this function's contract.
        on(unsafe { self.connection() }.addr())
    }
}

impl OfConnection for virConnectPtr {
    unsafe fn connection(self) -> virConnectPtr {
        self
    }
}

impl OfConnection for virDomainPtr {
    unsafe fn connection(self) -> virConnectPtr {
        match self.is_null() {
            true => std::ptr::null_mut(),
            // SAFETY: not null, and by this function's contract alive. It takes no reference.
            false => unsafe { virt_sys::virDomainGetConnect(self) },
        }
    }
}

/// libvirt's own function with the name and the type of the function around.
macro_rules! own {
    ($name:ident($($type:ty),*) -> $ret:ty) => {{
        static ADDRESS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        let name = const {
            match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("names have no NUL bytes"),
            }
        };
        let address = *ADDRESS.get_or_init(|| libvirts_own(name).expose_provenance());
        let address: *mut c_void = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: libvirt's header declares the function with this type.
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($type),*) -> $ret>(address) }
    }};
}

/// Functions that have a stand-in's body where there is a stand-in.
macro_rules! stand_ins {
    ($($name:ident($first:ident: $kind:ty $(, $arg:ident: $type:ty)*) -> $ret:ty = |$stand_in:ident, $own:ident| $body:expr;)*) => {$(
        /// libvirt's function of this name, or a stand-in's.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($first: $kind $(, $arg: $type)*) -> $ret {
            let $own = own!($name($kind $(, $type)*) -> $ret);
            // SAFETY: the caller passes a handle that lives during the call.
            let stand_in = unsafe { $first.stand_in() };
            match stand_in {
                // SAFETY: the caller passes what libvirt's function takes.
                None => unsafe { $own($first $(, $arg)*) },
                Some($stand_in) => $body,
            }
        }
    )*};
}

/// Functions that ask the host that the stand-in stands for. Without it there is no answer, which is `$missing`.
macro_rules! asked {
    ($($name:ident($conn:ident $(, $arg:ident: $type:ty)*) -> $ret:ty, or $missing:expr;)*) => {
        stand_ins! {$(
            $name($conn: virConnectPtr $(, $arg: $type)*) -> $ret = |stand_in, own| match stand_in.original() {
                // SAFETY: the caller passes what libvirt's function takes; the other connection lives during the call.
                Some(original) => unsafe { own(original.as_ptr() $(, $arg)*) },
                None => {
                    unknown(stringify!($name));
                    $missing
                }
            };
        )*}
    };
}

fn unknown(call: &str) {
    let message = format!("the saved twin does not hold the answer of {call}");
    fail(&Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST));
}

/// A copy that the caller frees.
fn copied(text: &CStr) -> *mut c_char {
    // SAFETY: a C string, which is copied into memory from malloc.
    unsafe { libc::strdup(text.as_ptr()) }
}

fn copied_text(text: &str) -> *mut c_char {
    copied(&CString::new(text.replace('\0', " ")).unwrap_or_default())
}

/// The C string of `text`, which a caller of libvirt's function passed.
fn given(text: *const c_char) -> Option<String> {
    // SAFETY: null or a C string that lives during the call, as libvirt's functions take it.
    unsafe { borrowed_text(text) }
}

/// What [`asked`] calls answer of which is known without the host.
fn fact(stand_in: &dyn StandIn, fact: Fact, call: &str) -> *mut c_char {
    match stand_in.fact(fact) {
        Some(text) => copied(text),
        None => {
            unknown(call);
            std::ptr::null_mut()
        }
    }
}

fn number(stand_in: &dyn StandIn, fact: Fact, to: *mut c_ulong, call: &str) -> c_int {
    let known = stand_in
        .fact(fact)
        .and_then(|text| text.to_str().ok()?.parse().ok());
    match known {
        Some(known) if !to.is_null() => {
            // SAFETY: the caller passes a place for a number.
            unsafe { *to = known };
            0
        }
        _ => {
            unknown(call);
            -1
        }
    }
}

/// The UUID of a domain.
fn uuid(domain: virDomainPtr) -> String {
    let read = |buffer| {
        // SAFETY: the caller's handle lives during the call, which fills a buffer of this length.
        unsafe { virt_sys::virDomainGetUUIDString(domain, buffer) }
    };
    crate::libvirt::handle::uuid_text(read).unwrap_or_default()
}

/// Whether a domain is paused.
fn is_paused(domain: virDomainPtr) -> bool {
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

/// Whether a guest that was saved comes back paused.
fn comes_back_paused(flags: c_uint, was_paused: bool) -> bool {
    match flags {
        _ if flags & virt_sys::VIR_DOMAIN_SAVE_PAUSED != 0 => true,
        _ if flags & virt_sys::VIR_DOMAIN_SAVE_RUNNING != 0 => false,
        _ => was_paused,
    }
}

/// The host's file at `path`, as a C string of the file that stands for it.
fn file(stand_in: &dyn StandIn, path: *const c_char) -> Option<(String, CString)> {
    let path = given(path)?;
    let own = stand_in.file(&path).into_os_string().into_encoded_bytes();
    Some((path, CString::new(own).ok()?))
}

const START_PAUSED: c_uint = virt_sys::VIR_DOMAIN_START_PAUSED;
const AUTODESTROY: c_uint = virt_sys::VIR_DOMAIN_START_AUTODESTROY;

fn tell_of_start(stand_in: &dyn StandIn, call: &'static str, flags: c_uint) {
    if flags & AUTODESTROY != 0 {
        stand_in.differs(call, "the guest is not destroyed when the connection ends");
    }
}

/// libvirt's last error of this thread, or that of a stand-in's call.
#[unsafe(no_mangle)]
unsafe extern "C" fn virGetLastError() -> virErrorPtr {
    let own = own!(virGetLastError() -> virErrorPtr);
    // SAFETY: takes no arguments.
    reported().unwrap_or_else(|| unsafe { own() })
}

asked! {
    virNodeGetInfo(conn, info: virNodeInfoPtr) -> c_int, or -1;
    virConnectGetMaxVcpus(conn, kind: *const c_char) -> c_int, or -1;
    virConnectCompareCPU(conn, xml: *const c_char, flags: c_uint) -> c_int, or -1;
    virConnectBaselineCPU(conn, xmls: *mut *const c_char, count: c_uint, flags: c_uint) -> *mut c_char, or std::ptr::null_mut();
    virConnectGetCPUModelNames(conn, arch: *const c_char, models: *mut *mut *mut c_char, flags: c_uint) -> c_int, or -1;
    virConnectGetStoragePoolCapabilities(conn, flags: c_uint) -> *mut c_char, or std::ptr::null_mut();
    virNodeGetFreeMemory(conn) -> std::ffi::c_ulonglong, or 0;
    virNodeGetMemoryStats(conn, cell: c_int, params: virt_sys::virNodeMemoryStatsPtr, count: *mut c_int, flags: c_uint) -> c_int, or -1;
    virNodeGetCPUStats(conn, cpu: c_int, params: virt_sys::virNodeCPUStatsPtr, count: *mut c_int, flags: c_uint) -> c_int, or -1;
    virNodeGetCPUMap(conn, map: *mut *mut std::ffi::c_uchar, online: *mut c_uint, flags: c_uint) -> c_int, or -1;
    virNodeGetSecurityModel(conn, model: virt_sys::virSecurityModelPtr) -> c_int, or -1;
}

stand_ins! {
    virConnectGetURI(conn: virConnectPtr) -> *mut c_char = |stand_in, own| {
        let _ = own;
        fact(&*stand_in, Fact::Uri, "virConnectGetURI")
    };
    virConnectGetType(conn: virConnectPtr) -> *const c_char = |stand_in, own| match stand_in.fact(Fact::Type) {
        // The stand-in lives as long as its connection.
        Some(text) => text.as_ptr(),
        // SAFETY: the caller's handle lives during the call.
        None => unsafe { own(conn) },
    };
    virConnectGetHostname(conn: virConnectPtr) -> *mut c_char = |stand_in, own| {
        let _ = own;
        fact(&*stand_in, Fact::Hostname, "virConnectGetHostname")
    };
    virConnectGetCapabilities(conn: virConnectPtr) -> *mut c_char = |stand_in, own| {
        let _ = own;
        fact(&*stand_in, Fact::Capabilities, "virConnectGetCapabilities")
    };
    virConnectGetSysinfo(conn: virConnectPtr, flags: c_uint) -> *mut c_char = |stand_in, own| {
        let _ = (own, flags);
        fact(&*stand_in, Fact::Sysinfo, "virConnectGetSysinfo")
    };
    virConnectGetVersion(conn: virConnectPtr, version: *mut c_ulong) -> c_int = |stand_in, own| {
        let _ = own;
        number(&*stand_in, Fact::Version, version, "virConnectGetVersion")
    };
    virConnectGetLibVersion(conn: virConnectPtr, version: *mut c_ulong) -> c_int = |stand_in, own| {
        let _ = own;
        number(&*stand_in, Fact::LibVersion, version, "virConnectGetLibVersion")
    };
    virConnectGetDomainCapabilities(conn: virConnectPtr, emulator: *const c_char, arch: *const c_char, machine: *const c_char, kind: *const c_char, flags: c_uint) -> *mut c_char = |stand_in, own| {
        let _ = (own, flags);
        match stand_in.domain_capabilities([emulator, arch, machine, kind].map(given)) {
            Ok(xml) => copied_text(&xml),
            Err(failure) => {
                fail(&failure);
                std::ptr::null_mut()
            }
        }
    };
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
    virDomainCreateXML(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virDomainPtr = |stand_in, own| {
        let xml = CString::new(stand_in.definition(&given(xml).unwrap_or_default())).unwrap_or_default();
        // SAFETY: the caller's handle and the text live during the call.
        let domain = unsafe { own(conn, xml.as_ptr(), flags & virt_sys::VIR_DOMAIN_START_VALIDATE) };
        if !domain.is_null() {
            settle(domain, flags & START_PAUSED != 0);
            tell_of_start(&*stand_in, "virDomainCreateXML", flags);
        }
        domain
    };
    virDomainCreate(domain: virDomainPtr) -> c_int = |stand_in, own| {
        // SAFETY: the caller's handle lives during the calls.
        let saved = unsafe { virt_sys::virDomainHasManagedSaveImage(domain, 0) } == 1;
        // SAFETY: the same.
        let result = unsafe { own(domain) };
        if result == 0 {
            settle(domain, saved && stand_in.was_paused(&uuid(domain), None));
        }
        result
    };
    virDomainCreateWithFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        // SAFETY: the caller's handle lives during the calls.
        let mut saved = unsafe { virt_sys::virDomainHasManagedSaveImage(domain, 0) } == 1;
        if saved && flags & virt_sys::VIR_DOMAIN_START_FORCE_BOOT != 0 {
            // SAFETY: the same.
            unsafe { virt_sys::virDomainManagedSaveRemove(domain, 0) };
            saved = false;
        }
        // SAFETY: the same.
        let result = unsafe { own(domain, 0) };
        if result == 0 {
            settle(domain, flags & START_PAUSED != 0 || (saved && stand_in.was_paused(&uuid(domain), None)));
            tell_of_start(&*stand_in, "virDomainCreateWithFlags", flags);
        }
        result
    };
    virDomainUndefineFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let known = virt_sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | virt_sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        let _ = stand_in;
        // The files of firmware and TPM are not part of the twin.
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(domain, flags & known) }
    };
    virDomainShutdownFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (stand_in, flags);
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(domain, 0) }
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
            stand_in.differs("virDomainSaveFlags", "the XML in the save image stays as it was");
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
        unsafe { own(domain, own_file.as_ptr(), flags) }
    };
    virDomainCoreDumpWithFormat(domain: virDomainPtr, to: *const c_char, format: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let Some((_, own_file)) = file(&*stand_in, to) else { return -1 };
        // SAFETY: the caller's handle and the path live during the call.
        unsafe { own(domain, own_file.as_ptr(), format, flags) }
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
    // SAFETY: the caller's handle and the path live during the call; the answer is ours to free.
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
                virt_sys::virDomainFree(domain);
            }
        }
    }
    result
}
