//! Questions about a host.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong};

use virt::connect::Connect;
use virt_sys::{virConnectPtr, virNodeInfoPtr};

use super::{StandIn, copied, copied_text, fail, given, unknown};
use crate::libvirt::Failure;

/// The facts that a stand-in knows about its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The URI.
    Uri,
    /// The name of the hypervisor.
    Type,
    /// The host's own name.
    Hostname,
    /// The XML of its capabilities.
    Capabilities,
    /// The XML of its hardware.
    Sysinfo,
    /// The version of the hypervisor.
    Version,
    /// The version of the host's libvirt.
    LibVersion,
}

/// The facts that a stand-in knows about its host.
pub trait Facts {
    /// A read-only connection to the host, if there is one.
    fn original(&self) -> Option<Connect>;

    /// The facts about the host that are known without a call.
    fn fact(&self, fact: Fact) -> Option<&CStr>;

    /// The XML of the domain capabilities for that emulator, architecture, machine and type.
    fn domain_capabilities(&self, guest: [Option<String>; 4]) -> Result<String, Failure>;
}

/// The answer of an [`asked`] call that is known without the host.
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
    virConnectNumOfNWFilters(conn) -> c_int, or -1;
    virConnectListAllNWFilters(conn, filters: *mut *mut virt_sys::virNWFilterPtr, flags: c_uint) -> c_int, or -1;
    virConnectListAllNWFilterBindings(conn, bindings: *mut *mut virt_sys::virNWFilterBindingPtr, flags: c_uint) -> c_int, or -1;
    virNWFilterLookupByName(conn, name: *const c_char) -> virt_sys::virNWFilterPtr, or std::ptr::null_mut();
    virNWFilterLookupByUUIDString(conn, uuid: *const c_char) -> virt_sys::virNWFilterPtr, or std::ptr::null_mut();
    virConnectNumOfSecrets(conn) -> c_int, or -1;
    virConnectListAllSecrets(conn, secrets: *mut *mut virt_sys::virSecretPtr, flags: c_uint) -> c_int, or -1;
    virSecretLookupByUUIDString(conn, uuid: *const c_char) -> virt_sys::virSecretPtr, or std::ptr::null_mut();
    virSecretLookupByUsage(conn, kind: c_int, usage: *const c_char) -> virt_sys::virSecretPtr, or std::ptr::null_mut();
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
}
