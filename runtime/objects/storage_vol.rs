//! `StorageVol`: a disk image or a device in a pool.

use virt::connect::Connect;
pub(crate) use virt::storage_vol::StorageVol as Handle;

use super::object::{Kind, Object};
use crate::libvirt;

/// A volume of a connection; copies are the same volume.
pub type StorageVol = Object<StorageVolKind>;

/// What a `StorageVol` stands for.
pub struct StorageVolKind;

/// What a volume is known by.
pub struct Place {
    pub(crate) key: String,
    pub(crate) path: String,
}

impl Kind for StorageVolKind {
    type Handle = Handle;
    type Facts = Place;
    const TYPE: &'static str = "StorageVol";
    const NOUN: &'static str = "storage volume";
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

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn facts(handle: &Handle) -> Place {
        Place {
            key: handle.key().unwrap_or_default(),
            path: handle.path().unwrap_or_default(),
        }
    }

    const LOOK_UP: &'static str = "virStorageVolLookupByKey";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_STORAGE_VOL;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, facts: &Place, _name: &str) -> libvirt::Result<Handle> {
        let found = connect.lookup_storage_vol_by_key(&facts.key);
        Ok(found.or_else(|_| connect.lookup_storage_vol_by_path(&facts.path))?)
    }
}

impl StorageVol {
    /// The path on the host.
    pub fn path(&self) -> &str {
        &self.facts().path
    }
}
