//! `StoragePool`: a place for volumes.

use virt::connect::Connect;
pub(crate) use virt::storage_pool::StoragePool as Handle;

use super::object::{Kind, Object, known_by_uuid, usual_handle};
use super::storage_vol::StorageVol;
use crate::libvirt;
use crate::vocabulary::PoolState;

/// A pool of a connection; copies are the same pool.
pub type StoragePool = Object<StoragePoolKind>;

/// The kind of a `StoragePool`.
pub struct StoragePoolKind;

impl Kind for StoragePoolKind {
    known_by_uuid!(
        Handle,
        "virStoragePoolLookupByUUIDString",
        lookup_storage_pool_by_uuid_string
    );
    usual_handle!(Handle);
    const NOUN: &'static str = "storage pool";
    const OPTIONS: &'static [&'static str] = &["pool", "storage_pool"];
    const ELEMENT: &'static str = "pool";
    const INACTIVE: Option<(&'static str, u32)> = Some((
        "VIR_STORAGE_XML_INACTIVE",
        virt_sys::VIR_STORAGE_XML_INACTIVE,
    ));
    const COLUMNS: &'static [&'static str] = &["Name", "State", "Capacity", "Available"];

    fn row(pool: &StoragePool) -> Vec<String> {
        let size = |bytes| bytesize::ByteSize(bytes).to_string();
        let info = pool.attempt("virStoragePoolGetInfo", Handle::info).ok();
        let (state, capacity, available) = info.map_or_else(
            || ("?".to_owned(), String::new(), String::new()),
            |info| {
                let state = PoolState::TABLE.word(i64::from(info.state)).to_string();
                (state, size(info.capacity), size(info.available))
            },
        );
        vec![pool.name(), state, capacity, available]
    }

    fn by_name(connect: &Connect, name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_storage_pool_by_name(name)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_storage_pools(flags)?)
    }
}

impl StoragePool {
    /// A script's volume for libvirt's handle.
    pub(crate) fn adopt(&self, volume: virt::storage_vol::StorageVol) -> StorageVol {
        StorageVol::new(self.connection().clone(), volume)
    }
}
