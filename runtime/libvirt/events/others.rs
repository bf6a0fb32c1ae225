//! Events of networks, storage pools, node devices and secrets.

use std::ffi::{c_char, c_int, c_void};

use virt_sys::{virConnectPtr, virNetworkPtr, virNodeDevicePtr, virSecretPtr, virStoragePoolPtr};

use super::{
    Callback, EventKind, Field, NETWORK, NODE_DEVICE, SECRET, STORAGE_POOL, Subject, callbacks,
    deliver, field, gathered, text, uuid, word, words,
};
use crate::constants::Words;
use crate::libvirt::borrowed_text;

words! {
    NETWORK_EVENT = "virNetworkEventLifecycleType" less "VIR_NETWORK_EVENT_";
    NETWORK_METADATA = "virNetworkMetadataType" less "VIR_NETWORK_METADATA_";
    STORAGE_POOL_EVENT = "virStoragePoolEventLifecycleType" less "VIR_STORAGE_POOL_EVENT_";
    NODE_DEVICE_EVENT = "virNodeDeviceEventLifecycleType" less "VIR_NODE_DEVICE_EVENT_";
    SECRET_EVENT = "virSecretEventLifecycleType" less "VIR_SECRET_EVENT_";
}

impl Subject for virNetworkPtr {
    unsafe fn identity(self) -> (String, String) {
        // SAFETY: the caller vouches for the pointer.
        unsafe {
            let name = borrowed_text(virt_sys::virNetworkGetName(self));
            let uuid = uuid(|buffer| virt_sys::virNetworkGetUUID(self, buffer));
            (name.unwrap_or_default(), uuid)
        }
    }
}

impl Subject for virStoragePoolPtr {
    unsafe fn identity(self) -> (String, String) {
        // SAFETY: the caller vouches for the pointer.
        unsafe {
            let name = borrowed_text(virt_sys::virStoragePoolGetName(self));
            let uuid = uuid(|buffer| virt_sys::virStoragePoolGetUUID(self, buffer));
            (name.unwrap_or_default(), uuid)
        }
    }
}

impl Subject for virNodeDevicePtr {
    unsafe fn identity(self) -> (String, String) {
        // SAFETY: the caller vouches for the pointer.
        let name = unsafe { borrowed_text(virt_sys::virNodeDeviceGetName(self)) };
        (name.unwrap_or_default(), String::new())
    }
}

/// A secret is identified by its usage, such as the path of a volume.
impl Subject for virSecretPtr {
    unsafe fn identity(self) -> (String, String) {
        // SAFETY: the caller vouches for the pointer.
        unsafe {
            let name = borrowed_text(virt_sys::virSecretGetUsageID(self));
            let uuid = uuid(|buffer| virt_sys::virSecretGetUUID(self, buffer));
            (name.unwrap_or_default(), uuid)
        }
    }
}

callbacks! {
    NETWORK virNetworkPtr {
        "network_lifecycle" VIR_NETWORK_EVENT_ID_LIFECYCLE
            network_lifecycle(event: c_int, _detail: c_int) -> [word event(NETWORK_EVENT) = event];
        "network_metadata_change" VIR_NETWORK_EVENT_ID_METADATA_CHANGE
            network_metadata_change(kind: c_int, uri: *const c_char) ->
            [word metadata(NETWORK_METADATA) = kind, text uri = uri];
    }
    STORAGE_POOL virStoragePoolPtr {
        "storage_pool_lifecycle" VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE
            storage_pool_lifecycle(event: c_int, _detail: c_int) -> [word event(STORAGE_POOL_EVENT) = event];
        "storage_pool_refresh" VIR_STORAGE_POOL_EVENT_ID_REFRESH
            storage_pool_refresh() -> [];
    }
    NODE_DEVICE virNodeDevicePtr {
        "node_device_lifecycle" VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE
            node_device_lifecycle(event: c_int, _detail: c_int) -> [word event(NODE_DEVICE_EVENT) = event];
        "node_device_update" VIR_NODE_DEVICE_EVENT_ID_UPDATE
            node_device_update() -> [];
    }
    SECRET virSecretPtr {
        "secret_lifecycle" VIR_SECRET_EVENT_ID_LIFECYCLE
            secret_lifecycle(event: c_int, _detail: c_int) -> [word event(SECRET_EVENT) = event];
        "secret_value_changed" VIR_SECRET_EVENT_ID_VALUE_CHANGED
            secret_value_changed() -> [];
    }
}
