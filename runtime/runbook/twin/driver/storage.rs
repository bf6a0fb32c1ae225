//! Storage volumes of a twin.

use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::broken;
use crate::libvirt::{Failure, Result};
use crate::xml::{Place, Xml};

/// Sets the capacity of `volume`. The test driver cannot do that, so the volume is created again under its name.
pub(super) fn resize(volume: &StorageVol, capacity: u64, flags: u32) -> Result<()> {
    let info = volume.info()?;
    let delta = flags & virt_sys::VIR_STORAGE_VOL_RESIZE_DELTA != 0;
    let shrink = flags & virt_sys::VIR_STORAGE_VOL_RESIZE_SHRINK != 0;
    let capacity = match (delta, shrink) {
        (true, true) => info.capacity.saturating_sub(capacity),
        (true, false) => info.capacity.saturating_add(capacity),
        (false, _) => capacity,
    };
    if capacity < info.capacity && !shrink {
        let message = "invalid argument: can't shrink capacity below current capacity unless shrink flag explicitly specified";
        return Err(Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message)
            .in_domain(virt_sys::VIR_FROM_STORAGE));
    }
    let xml = Xml::parse(volume.xml_desc(0)?).map_err(broken)?;
    xml.remove("capacity").map_err(broken)?;
    xml.set("capacity", &capacity.to_string()).map_err(broken)?;
    let pool = volume.lookup_storage_pool()?;
    volume.delete(0)?;
    StorageVol::create_xml(&pool, &xml.text(), 0)?;
    Ok(())
}

/// The XML of a new volume that `xml` describes as a copy of `source`: it is not smaller.
pub(super) fn copy_xml(xml: &str, source: &StorageVol) -> Result<String> {
    let wanted = Xml::parse(xml.to_owned()).map_err(broken)?;
    let least = source.info()?.capacity;
    let bytes = |text: &str| match wanted.find("capacity/@unit") {
        Ok(None) => text.parse::<u64>().ok(),
        Ok(Some(unit)) if unit == "bytes" => text.parse().ok(),
        // Larger units are rare; libvirt reads them.
        _ => Some(u64::MAX),
    };
    let told = wanted.find("capacity").map_err(broken)?;
    if told
        .and_then(|told| bytes(&told))
        .is_none_or(|told| told < least)
    {
        let capacity = format!("<capacity unit='bytes'>{least}</capacity>");
        if wanted.has("capacity").map_err(broken)? {
            wanted.remove("capacity").map_err(broken)?;
        }
        wanted.insert(".", Place::In, &capacity).map_err(broken)?;
    }
    Ok(wanted.text())
}

/// The storage pool in the folder `path`.
pub(super) fn pool_at(connect: &Connect, path: &str) -> Result<StoragePool> {
    for pool in connect.list_all_storage_pools(0)? {
        let xml = Xml::parse(pool.xml_desc(0)?).ok();
        let own = xml.and_then(|xml| xml.find("target/path").ok().flatten());
        if own.is_some_and(|own| own.trim_end_matches('/') == path.trim_end_matches('/')) {
            return Ok(pool);
        }
    }
    let message =
        format!("Storage pool not found: no storage pool with matching target path '{path}'");
    Err(Failure::new(virt_sys::VIR_ERR_NO_STORAGE_POOL, message)
        .in_domain(virt_sys::VIR_FROM_STORAGE))
}
