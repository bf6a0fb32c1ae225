//! Storage volumes.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong};

use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt_sys::{virConnectPtr, virStoragePoolPtr, virStorageVolPtr};

use super::{StandIn, fail, given, host, on, recorded, status};
use crate::libvirt::Failure;

/// Storage volumes.
pub trait Volumes {
    /// Sets the capacity of a storage volume, in bytes.
    fn resize(&self, volume: &StorageVol, capacity: u64, flags: u32) -> Result<(), Failure>;

    /// At most `size` bytes of a volume from `offset` on. Fails if they are unknown.
    fn content(&self, volume: &StorageVol, offset: u64, size: u64) -> Result<Vec<u8>, Failure>;

    /// Writes `bytes` to a volume from `offset` on; without them, its content is unknown from now on.
    fn write(&self, volume: &StorageVol, offset: u64, bytes: Option<&[u8]>) -> Result<(), Failure>;

    /// The XML of a new volume that `xml` describes as a copy of `source`.
    fn copy_xml(&self, xml: &str, source: &StorageVol) -> Result<String, Failure>;

    /// The volume is new: empty, or a copy of `source`.
    fn new_volume(&self, volume: &StorageVol, source: Option<&StorageVol>) -> Result<(), Failure>;

    /// The volume was overwritten with zeros.
    fn wiped(&self, volume: &StorageVol) -> Result<(), Failure>;

    /// The volume with the path `path` was deleted.
    fn deleted(&self, path: &str);

    /// The size of a volume's file in bytes.
    fn physical_size(&self, volume: &StorageVol) -> Result<u64, Failure>;

    /// The storage pool in the folder `path`.
    fn pool_at(&self, connect: &Connect, path: &str) -> Result<StoragePool, Failure>;
}

/// The volume `volume` for the time of a call.
fn handle(volume: virStorageVolPtr) -> StorageVol {
    // SAFETY: the caller's handle lives during the call, and the copy has a reference of its own.
    unsafe {
        virt_sys::virStorageVolRef(volume);
        StorageVol::from_ptr(volume)
    }
}

/// At most `size` bytes of the volume of a twin from `offset` on.
///
/// # Errors
/// The twin does not have them.
pub fn content(volume: &StorageVol, offset: u64, size: u64) -> Result<Vec<u8>, Failure> {
    match on(super::address(&volume.connect()?)) {
        Some(stand_in) => stand_in.content(volume, offset, size),
        None => Ok(Vec::new()),
    }
}

/// Writes `bytes` to the volume of a twin from `offset` on; without them, its content is unknown from now on.
///
/// # Errors
/// The volume is gone.
pub fn write(volume: &StorageVol, offset: u64, bytes: Option<&[u8]>) -> Result<(), Failure> {
    match on(super::address(&volume.connect()?)) {
        Some(stand_in) => stand_in.write(volume, offset, bytes),
        None => Ok(()),
    }
}

/// The new volume `made`, empty or a copy of `source`.
pub(super) fn note_new_volume(
    stand_in: &dyn StandIn,
    made: virStorageVolPtr,
    source: Option<&StorageVol>,
) -> virStorageVolPtr {
    if made.is_null() {
        return made;
    }
    match stand_in.new_volume(&handle(made), source) {
        Ok(()) => made,
        Err(failure) => {
            fail(&failure);
            std::ptr::null_mut()
        }
    }
}

stand_ins! {
    virStorageVolCreateXMLFrom(pool: virStoragePoolPtr, xml: *const c_char, source: virStorageVolPtr, flags: c_uint) -> virStorageVolPtr = |stand_in, own| {
        // The test driver copies only within a pool.
        let _ = own;
        let source = handle(source);
        let xml = match stand_in.copy_xml(&given(xml).unwrap_or_default(), &source) {
            Ok(xml) => CString::new(xml).unwrap_or_default(),
            Err(failure) => {
                fail(&failure);
                return std::ptr::null_mut();
            }
        };
        // SAFETY: the caller's handle and the text live during the call.
        let made = unsafe { virt_sys::virStorageVolCreateXML(pool, xml.as_ptr(), flags) };
        match made.is_null() {
            true => {
                // The end of a handle clears libvirt's last error.
                let failure = Failure::last();
                drop(source);
                fail(&failure);
                made
            }
            false => note_new_volume(&*stand_in, made, Some(&source)),
        }
    };
    virStorageVolDelete(volume: virStorageVolPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let path = handle(volume).path();
        // SAFETY: the caller's handle lives during the call.
        let result = unsafe { own(volume, flags) };
        if let (0, Ok(path)) = (result, path) {
            stand_in.deleted(&path);
        }
        result
    };
    virStorageVolGetInfoFlags(volume: virStorageVolPtr, info: virt_sys::virStorageVolInfoPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        // SAFETY: the caller passes valid arguments for libvirt's functions.
        let result = unsafe { virt_sys::virStorageVolGetInfo(volume, info) };
        if result != 0 || flags & virt_sys::VIR_STORAGE_VOL_GET_PHYSICAL == 0 {
            return result;
        }
        match stand_in.physical_size(&handle(volume)) {
            Ok(size) => {
                // SAFETY: the call above filled it.
                unsafe { (*info).allocation = size };
                0
            }
            Err(failure) => status(Err(failure)),
        }
    };
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
        let _ = (own, flags);
        status(stand_in.wiped(&handle(volume)))
    };
    virStorageVolWipePattern(volume: virStorageVolPtr, algorithm: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, algorithm, flags);
        // The patterns end with random bytes or zeros.
        status(stand_in.write(&handle(volume), 0, None))
    };
}
