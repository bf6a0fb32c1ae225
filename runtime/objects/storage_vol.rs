//! `StorageVol`: a disk image or a device in a pool.

use rhai::Dynamic;
use serde::{Deserialize, Serialize};
use virt::connect::Connect;
pub(crate) use virt::storage_vol::StorageVol as Handle;

use super::object::{Kind, Object, usual_handle};
use super::storage_pool::StoragePool;
use crate::libvirt;

/// A volume of a connection; copies are the same volume.
pub type StorageVol = Object<StorageVolKind>;

/// The kind of a `StorageVol`.
pub struct StorageVolKind;

/// The identity of a volume.
#[derive(Serialize, Deserialize)]
pub struct Place {
    pub(crate) key: String,
    pub(crate) path: String,
}

impl Kind for StorageVolKind {
    type Handle = Handle;
    type Facts = Place;
    usual_handle!(Handle);
    const NOUN: &'static str = "storage volume";
    const OPTIONS: &'static [&'static str] = &["volume"];
    const ELEMENT: &'static str = "volume";
    const IS_PART: bool = true;
    const COLUMNS: &'static [&'static str] = &["Name", "Capacity", "Allocation", "Path"];

    fn row(vol: &StorageVol) -> Vec<String> {
        let size = |bytes| bytesize::ByteSize(bytes).to_string();
        let info = vol.attempt("virStorageVolGetInfo", Handle::info).ok();
        let (capacity, allocation) = info.map_or_else(
            || ("?".to_owned(), String::new()),
            |info| (size(info.capacity), size(info.allocation)),
        );
        vec![vol.name(), capacity, allocation, vol.path().to_owned()]
    }

    fn identity(vol: &StorageVol) -> Vec<(&'static str, String)> {
        vec![("path", vol.path().to_owned())]
    }

    fn is_same(one: &StorageVol, other: &StorageVol) -> bool {
        one.facts().key == other.facts().key
    }

    fn facts(handle: &Handle) -> Place {
        Place {
            key: handle.key().unwrap_or_default(),
            path: handle.path().unwrap_or_default(),
        }
    }

    const LOOK_UP: &'static str = "virStorageVolLookupByKey";

    fn find(connect: &Connect, facts: &Place, _name: &str) -> libvirt::Result<Handle> {
        let found = connect.lookup_storage_vol_by_key(&facts.key);
        Ok(found.or_else(|_| connect.lookup_storage_vol_by_path(&facts.path))?)
    }

    /// The volumes of all active pools.
    fn list(connect: &Connect, _flags: u32) -> libvirt::Result<Vec<Handle>> {
        let active = virt_sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE;
        let pools = connect.list_all_storage_pools(active)?;
        let volumes = pools
            .iter()
            .filter_map(|pool| pool.list_all_volumes(0).ok());
        Ok(volumes.flatten().collect())
    }

    fn parts(whole: &Dynamic) -> Option<libvirt::Result<Vec<Handle>>> {
        let pool = whole.read_lock::<StoragePool>()?.clone();
        let volumes = pool.handle().and_then(|pool| Ok(pool.list_all_volumes(0)?));
        Some(volumes)
    }
}

impl StorageVol {
    /// The path on the host.
    pub fn path(&self) -> &str {
        &self.facts().path
    }
}
