//! The contents of a twin's volumes: data that the script wrote, and small files of the host.

use std::sync::OnceLock;

use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::{Driver, broken, storage};
use crate::libvirt::stand_in::Volumes;
use crate::libvirt::stream::{self, Received};
use crate::libvirt::{Failure, Result};
use crate::xml::Xml;

/// The longest file of a host that a twin reads, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The part of a file that is received at once.
const PART: usize = 64 * 1024;

/// The content of a volume.
#[derive(Debug, Clone)]
pub(super) struct Content {
    base: Base,
    /// The parts that the script wrote, each with its offset.
    written: Vec<(u64, Vec<u8>)>,
}

/// The content of a volume before the script wrote to it.
#[derive(Debug, Clone)]
enum Base {
    Zeros,
    /// That of the host's volume with this path.
    OfHost(String),
    Unknown,
}

/// A connection that the host lets read the contents of volumes, opened when it is needed.
pub(super) struct Reader {
    open: Option<Box<dyn Fn() -> Result<Connect> + Send + Sync>>,
    opened: OnceLock<Option<Connect>>,
}

impl Reader {
    pub(super) fn new(open: Option<Box<dyn Fn() -> Result<Connect> + Send + Sync>>) -> Self {
        Self {
            open,
            opened: OnceLock::new(),
        }
    }

    /// The whole content of the host's volume with the path `path`, if it is small and can be read.
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let open = || self.open.as_ref().and_then(|open| open().ok());
        let connect = self.opened.get_or_init(open).as_ref()?;
        let volume = connect.lookup_storage_vol_by_path(path).ok()?;
        download(connect, &volume).ok()
    }
}

fn download(connect: &Connect, volume: &StorageVol) -> Result<Vec<u8>> {
    let pipe = stream::new_blocking(connect)?;
    volume.download(&pipe, 0, LONGEST, 0)?;
    let (mut all, mut buffer) = (Vec::new(), vec![0; PART]);
    while let Received::Bytes(count) = stream::receive(&pipe, &mut buffer, 0)? {
        all.extend_from_slice(&buffer[..count]);
    }
    stream::finish(&pipe)?;
    Ok(all)
}

fn format_of(volume: &StorageVol) -> Result<String> {
    let xml = Xml::parse(volume.xml_desc(0)?).map_err(broken)?;
    let format = xml.find("target/format/@type").map_err(broken)?;
    Ok(format.unwrap_or_else(|| "raw".into()))
}

/// The size of the file of `volume` in bytes.
pub(super) fn length(volume: &StorageVol) -> Result<u64> {
    let xml = Xml::parse(volume.xml_desc(0)?).map_err(broken)?;
    let told = xml.find("physical").map_err(broken)?;
    if let Some(told) = told.and_then(|told| told.parse().ok()) {
        return Ok(told);
    }
    let info = volume.info()?;
    Ok(match format_of(volume)?.as_str() {
        "raw" => info.capacity,
        _ => info.allocation,
    })
}

impl Driver {
    /// True if the volume with the path `path` is the host's.
    pub(super) fn is_of_host(&self, path: &str) -> bool {
        let known = self.recorded.contains_key(&(path.to_owned(), true));
        known && !self.contents.lock().contains_key(path)
    }

    fn known_content(&self, path: &str) -> Content {
        let known = self.contents.lock().get(path).cloned();
        known.unwrap_or_else(|| Content {
            base: match self.is_of_host(path) {
                true => Base::OfHost(path.to_owned()),
                false => Base::Unknown,
            },
            written: Vec::new(),
        })
    }

    /// At most `size` bytes of `volume` from `offset` on.
    pub(super) fn content_of(
        &self,
        volume: &StorageVol,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u8>> {
        let unknown = || {
            let message = "the twin does not have the content of the volume";
            Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST)
        };
        let content = self.known_content(&volume.path()?);
        let length = length(volume)?;
        let end = offset.saturating_add(size).min(length);
        let count = usize::try_from(end.saturating_sub(offset)).unwrap_or_default();
        let start = usize::try_from(offset).map_err(|_| unknown())?;
        let mut bytes = match &content.base {
            Base::Zeros => vec![0; count],
            Base::OfHost(path) if length <= LONGEST => {
                let all = self.reader.read(path).ok_or_else(unknown)?;
                let part = all.into_iter().skip(start).take(count);
                part.collect()
            }
            Base::OfHost(_) | Base::Unknown => {
                let covers = |(from, part): &(u64, Vec<u8>)| {
                    *from <= offset && from + part.len() as u64 >= end
                };
                if !content.written.iter().any(covers) {
                    return Err(unknown());
                }
                vec![0; count]
            }
        };
        for (from, part) in &content.written {
            for (at, byte) in part.iter().enumerate() {
                let place = (from + at as u64).checked_sub(offset);
                let place = place.and_then(|place| usize::try_from(place).ok());
                if let Some(own) = place.and_then(|place| bytes.get_mut(place)) {
                    *own = *byte;
                }
            }
        }
        Ok(bytes)
    }

    /// Writes `bytes` to `volume` from `offset` on; without them, its content is unknown from now on.
    pub(super) fn write_to(
        &self,
        volume: &StorageVol,
        offset: u64,
        bytes: Option<&[u8]>,
    ) -> Result<()> {
        let path = volume.path()?;
        let content = match bytes {
            Some(bytes) => {
                let mut content = self.known_content(&path);
                let end = offset.saturating_add(bytes.len() as u64);
                content.written.retain(|(from, part)| {
                    *from < offset || from.saturating_add(part.len() as u64) > end
                });
                content.written.push((offset, bytes.to_vec()));
                content
            }
            None => Content {
                base: Base::Unknown,
                written: Vec::new(),
            },
        };
        self.contents.lock().insert(path, content);
        Ok(())
    }

    /// Notes the content of the new volume `volume`, which is empty or a copy of `source`.
    pub(super) fn made_volume(
        &self,
        volume: &StorageVol,
        source: Option<&StorageVol>,
    ) -> Result<()> {
        let format = format_of(volume)?;
        let content = match source {
            Some(source) if format_of(source)? == format => self.known_content(&source.path()?),
            None if format == "raw" => Content {
                base: Base::Zeros,
                written: Vec::new(),
            },
            _ => Content {
                base: Base::Unknown,
                written: Vec::new(),
            },
        };
        let path = volume.path()?;
        self.deleted.lock().remove(&path);
        self.contents.lock().insert(path, content);
        Ok(())
    }

    /// Forgets the content of the deleted volume with the path `path`, and the bitmaps in it.
    pub(super) fn forget_content(&self, path: &str) {
        self.bitmaps.lock().remove(path);
        let gone = Content {
            base: Base::Unknown,
            written: Vec::new(),
        };
        self.contents.lock().insert(path.to_owned(), gone);
    }
}

impl Volumes for Driver {
    fn resize(&self, volume: &StorageVol, capacity: u64, flags: u32) -> Result<()> {
        storage::resize(volume, capacity, flags)
    }

    fn content(&self, volume: &StorageVol, offset: u64, size: u64) -> Result<Vec<u8>> {
        self.content_of(volume, offset, size)
    }

    fn write(&self, volume: &StorageVol, offset: u64, bytes: Option<&[u8]>) -> Result<()> {
        self.write_to(volume, offset, bytes)
    }

    fn copy_xml(&self, xml: &str, source: &StorageVol) -> Result<String> {
        storage::copy_xml(xml, source)
    }

    fn new_volume(&self, volume: &StorageVol, source: Option<&StorageVol>) -> Result<()> {
        self.made_volume(volume, source)
    }

    fn wiped(&self, volume: &StorageVol) -> Result<()> {
        self.made_volume(volume, None)
    }

    fn deleted(&self, path: &str) {
        self.deleted.lock().insert(path.to_owned());
        self.forget_content(path);
    }

    fn physical_size(&self, volume: &StorageVol) -> Result<u64> {
        length(volume)
    }

    fn pool_at(&self, connect: &Connect, path: &str) -> Result<StoragePool> {
        storage::pool_at(connect, path)
    }
}
