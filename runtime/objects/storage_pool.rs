//! `StoragePool`: where volumes are kept.

use virt::connect::Connect;
pub(crate) use virt::storage_pool::StoragePool as Handle;

use super::object::{Kind, Object};
use super::storage_vol::StorageVol;
use crate::libvirt;
use crate::vocabulary::PoolState;

/// A pool of a connection; copies are the same pool.
pub type StoragePool = Object<StoragePoolKind>;

/// What a `StoragePool` stands for.
pub struct StoragePoolKind;

impl Kind for StoragePoolKind {
    type Handle = Handle;
    /// The UUID.
    type Facts = String;
    const TYPE: &'static str = "StoragePool";
    const NOUN: &'static str = "storage pool";
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

    fn identity(pool: &StoragePool) -> Vec<(&'static str, String)> {
        vec![("uuid", pool.uuid().to_owned())]
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn facts(handle: &Handle) -> String {
        handle.uuid_string().unwrap_or_default()
    }

    fn uuid(facts: &String) -> Option<&str> {
        Some(facts)
    }

    const LOOK_UP: &'static str = "virStoragePoolLookupByUUIDString";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_STORAGE_POOL;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, facts: &String, _name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_storage_pool_by_uuid_string(facts)?)
    }
}

impl StoragePool {
    /// The UUID, which never changes.
    pub fn uuid(&self) -> &str {
        self.facts()
    }

    /// A script's volume for libvirt's handle.
    pub(crate) fn adopt(&self, volume: virt::storage_vol::StorageVol) -> StorageVol {
        StorageVol::new(self.connection().clone(), volume)
    }
}
