//! The files of a twin's host that its storage pools show: those that a rehearsal made, and those of pools that stopped.

use std::collections::HashSet;

use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::Driver;
use super::layers::Layer;
use crate::libvirt::Result;
use crate::libvirt::stand_in::Pools;
use crate::runbook::twin::host::Host;
use crate::xml::{Xml, escaped_attribute};

/// A file that is in no storage pool; a pool in its folder shows it after its next refresh.
#[derive(Debug, Clone)]
pub(super) struct NewFile {
    path: String,
    /// The XML of its volume.
    xml: String,
}

/// The folder of a pool of files.
fn folder_of(xml: &str) -> Option<String> {
    let pool = Xml::parse(xml.to_owned()).ok()?;
    let kind = pool.find("@type").ok()??;
    let folder = pool.find("target/path").ok()??;
    let folder = folder.trim_end_matches('/').to_owned();
    ["dir", "fs", "netfs", "vstorage"]
        .contains(&kind.as_str())
        .then_some(folder)
}

/// The folders of the active pools of `host`.
pub(super) fn folders(host: &Host) -> HashSet<String> {
    let active = host.pools.iter().filter(|pool| pool.active);
    active.filter_map(|pool| folder_of(&pool.xml)).collect()
}

impl Driver {
    /// Notes the new file `path`, which is as large as the image `like`.
    pub(super) fn made(&self, connect: &Connect, path: &str, format: &str, like: Option<&Layer>) {
        let volume = like
            .and_then(Layer::path)
            .and_then(|path| connect.lookup_storage_vol_by_path(&path).ok());
        let capacity = volume.and_then(|volume| Some(volume.info().ok()?.capacity));
        self.note_file(path, format, capacity.unwrap_or_default());
    }

    /// Notes the new file `path` with that capacity in bytes.
    pub(super) fn note_file(&self, path: &str, format: &str, capacity: u64) {
        self.deleted.lock().remove(path);
        let mut files = self.new_files.lock();
        if files.iter().any(|file| file.path == path) {
            return;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let xml = format!(
            "<volume><name>{}</name><capacity>{capacity}</capacity><allocation>0</allocation>\
             <target><format type='{}'/></target></volume>",
            escaped_attribute(name),
            escaped_attribute(format)
        );
        let path = path.to_owned();
        files.push(NewFile { path, xml });
    }

    /// True if `path` is in a folder whose files are known.
    pub(super) fn is_in_known_folder(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| self.folders.lock().contains(folder))
    }

    /// True if the file `path` is known, in a storage pool or outside.
    pub(super) fn has_file(&self, connect: &Connect, path: &str) -> bool {
        let outside = self.new_files.lock().iter().any(|file| file.path == path);
        outside || connect.lookup_storage_vol_by_path(path).is_ok()
    }

    /// Shows the known files in the folder of `pool`, which starts.
    pub(super) fn open_folder_of(&self, pool: &StoragePool) -> Result<()> {
        if let Some(folder) = folder_of(&pool.xml_desc(0)?) {
            if self.folders.lock().insert(folder.clone()) {
                let why = format!("the rehearsal does not know the files that {folder} had before");
                self.log.note("virStoragePoolCreateXML", why);
            }
            self.show_files_in(pool)?;
        }
        Ok(())
    }

    /// Keeps the files of `pool`, which stops.
    pub(super) fn keep_files_of(&self, pool: &StoragePool) -> Result<()> {
        if folder_of(&pool.xml_desc(0)?).is_none() || !pool.is_active()? {
            return Ok(());
        }
        for volume in pool.list_all_volumes(0)? {
            let (path, xml) = (volume.path()?, volume.xml_desc(0)?);
            self.new_files.lock().push(NewFile { path, xml });
        }
        Ok(())
    }

    /// Makes volumes of the new files in the folder of `pool`.
    pub(super) fn show_files_in(&self, pool: &StoragePool) -> Result<()> {
        let Some(folder) = folder_of(&pool.xml_desc(0)?) else {
            return Ok(());
        };
        let mut found = Vec::new();
        self.new_files.lock().retain(|file| {
            let inside = file
                .path
                .rsplit_once('/')
                .is_some_and(|(own, _)| own == folder);
            if inside {
                found.push(file.clone());
            }
            !inside
        });
        for file in found {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            if pool.lookup_storage_vol_by_name(name).is_ok() {
                continue;
            }
            let content = self.contents.lock().get(&file.path).cloned();
            StorageVol::create_xml(pool, &file.xml, 0)?;
            // It is not new: only the pool is.
            match content {
                Some(content) => self.contents.lock().insert(file.path, content),
                None => self.contents.lock().remove(&file.path),
            };
        }
        Ok(())
    }
}

impl Pools for Driver {
    fn name_in(&self, xml: &str) -> Option<String> {
        Xml::parse(xml.to_owned()).ok()?.find("name").ok()?
    }

    fn opens(&self, pool: &StoragePool) -> Result<()> {
        self.open_folder_of(pool)
    }

    fn closes(&self, pool: &StoragePool) -> Result<()> {
        self.keep_files_of(pool)
    }

    fn show_new_files(&self, pool: &StoragePool) -> Result<()> {
        self.show_files_in(pool)
    }
}
