//! Storage pools and new volumes that the test driver treats in another way than the host.

use std::ffi::{c_char, c_int, c_uint};

use virt::storage_pool::StoragePool;
use virt_sys::{virConnectPtr, virStoragePoolPtr, virStorageVolPtr};

use super::storage::note_new_volume;
use super::{fail, given, host, pool, status};
use crate::libvirt::Failure;

/// Storage pools.
pub trait Pools {
    /// The name in the XML of an object.
    fn name_in(&self, xml: &str) -> Option<String>;

    /// The pool started.
    fn opens(&self, pool: &StoragePool) -> Result<(), Failure>;

    /// The pool is about to stop.
    fn closes(&self, pool: &StoragePool) -> Result<(), Failure>;

    /// Shows the files in the folder of `pool` that snapshots and block jobs made.
    fn show_new_files(&self, pool: &StoragePool) -> Result<(), Failure>;
}

fn refusal(code: virt_sys::virErrorNumber, message: impl Into<String>) -> Failure {
    Failure::new(code, message).in_domain(virt_sys::VIR_FROM_STORAGE)
}

/// True if the pool that `xml` describes is defined, and is not active.
fn is_defined(stand_in: &dyn super::StandIn, conn: virConnectPtr, xml: &str) -> bool {
    let Some(name) = stand_in.name_in(xml) else {
        return false;
    };
    let known = host(conn).lookup_storage_pool_by_name(&name);
    known.is_ok_and(|known| {
        known.is_persistent().unwrap_or(false) && !known.is_active().unwrap_or(true)
    })
}

stand_ins! {
    virStoragePoolCreateXML(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virStoragePoolPtr = |stand_in, own| {
        let defined = is_defined(&*stand_in, conn, &given(xml).unwrap_or_default());
        // SAFETY: the caller's handle and the text live during the call.
        let made = unsafe { own(conn, xml, flags) };
        if defined && !made.is_null() {
            // The test driver forgets that the pool is persistent.
            // SAFETY: the same; the second handle is ours to free.
            unsafe {
                let again = virt_sys::virStoragePoolDefineXML(conn, xml, 0);
                if !again.is_null() {
                    virt_sys::virStoragePoolFree(again);
                }
            }
        }
        if !made.is_null()
            && let Err(failure) = stand_in.opens(&pool(made))
        {
            fail(&failure);
            return std::ptr::null_mut();
        }
        made
    };
    virStoragePoolCreate(own_pool: virStoragePoolPtr, flags: c_uint) -> c_int = |stand_in, own| {
        // SAFETY: the caller's handle lives during the call.
        match unsafe { own(own_pool, flags) } {
            0 => status(stand_in.opens(&pool(own_pool))),
            failed => failed,
        }
    };
    virStoragePoolDestroy(own_pool: virStoragePoolPtr) -> c_int = |stand_in, own| {
        if let Err(failure) = stand_in.closes(&pool(own_pool)) {
            return status(Err(failure));
        }
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(own_pool) }
    };
    virStoragePoolSetAutostart(own_pool: virStoragePoolPtr, autostart: c_int) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // The end of a handle clears libvirt's last error, so it comes before the call.
        let persistent = pool(own_pool).is_persistent();
        match persistent {
            Ok(false) => {
                let message = "internal error: pool has no config file";
                status(Err(refusal(virt_sys::VIR_ERR_INTERNAL_ERROR, message)))
            }
            // SAFETY: the caller's handle lives during the call.
            _ => unsafe { own(own_pool, autostart) },
        }
    };
    virStorageVolCreateXML(own_pool: virStoragePoolPtr, xml: *const c_char, flags: c_uint) -> virStorageVolPtr = |stand_in, own| {
        let name = stand_in.name_in(&given(xml).unwrap_or_default()).unwrap_or_default();
        let place = pool(own_pool);
        let refused = if !place.is_active().unwrap_or(false) {
            None
        } else if name.contains('/') {
            let message = format!("Requested operation is not valid: volume name '{name}' cannot contain '/'");
            Some(refusal(virt_sys::VIR_ERR_OPERATION_INVALID, message))
        } else if place.lookup_storage_vol_by_name(&name).is_ok() {
            let message = format!("storage volume '{name}' exists already");
            Some(refusal(virt_sys::VIR_ERR_STORAGE_VOL_EXIST, message))
        } else {
            None
        };
        drop(place);
        match refused {
            Some(failure) => {
                fail(&failure);
                std::ptr::null_mut()
            }
            // SAFETY: the caller's handle and the text live during the call.
            None => note_new_volume(&*stand_in, unsafe { own(own_pool, xml, flags) }, None),
        }
    };
}
