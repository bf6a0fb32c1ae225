//! Storage volumes.

use std::ffi::{c_char, c_int, c_uint, c_ulonglong};

use virt::storage_vol::StorageVol;
use virt_sys::{virConnectPtr, virStorageVolPtr};

use super::{fail, given, host, recorded, status};

/// The volume `volume` for the time of a call.
fn handle(volume: virStorageVolPtr) -> StorageVol {
    // SAFETY: the caller's handle lives during the call, and the copy has a reference of its own.
    unsafe {
        virt_sys::virStorageVolRef(volume);
        StorageVol::from_ptr(volume)
    }
}

stand_ins! {
    virStoragePoolLookupByTargetPath(conn: virConnectPtr, path: *const c_char) -> virt_sys::virStoragePoolPtr = |stand_in, own| {
        let _ = own;
        match stand_in.pool_at(&host(conn), &given(path).unwrap_or_default()) {
            Ok(pool) => {
                // SAFETY: the reference that is added is the caller's.
                unsafe {
                    let pointer = pool.as_ptr();
                    virt_sys::virStoragePoolRef(pointer);
                    pointer
                }
            }
            Err(failure) => {
                fail(&failure);
                std::ptr::null_mut()
            }
        }
    };
    virStorageVolGetXMLDesc(volume: virStorageVolPtr, flags: c_uint) -> *mut c_char = |stand_in, own| {
        // SAFETY: the caller's handle lives during the call.
        let text = unsafe { own(volume, flags) };
        let plain = given(text).unwrap_or_default();
        match handle(volume).path() {
            Ok(path) if !text.is_null() => recorded(&*stand_in, &path, true, text, &plain),
            _ => text,
        }
    };
    virStorageVolResize(volume: virStorageVolPtr, capacity: c_ulonglong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        status(stand_in.resize(&handle(volume), capacity, flags))
    };
    virStorageVolWipe(volume: virStorageVolPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, volume, flags);
        0
    };
    virStorageVolWipePattern(volume: virStorageVolPtr, algorithm: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, volume, algorithm, flags);
        0
    };
}
