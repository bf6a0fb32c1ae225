//! The images behind the disks of a twin's guests, as the XML of the guests and the storage volumes show them.

use virt::connect::Connect;
use virt::domain::Domain;

use super::{Driver, broken, contents, devices};
use crate::libvirt::Result;
use crate::xml::{Place, Selected, Xml, escaped_attribute, quoted};

/// The longest chain of images that is followed.
const LONGEST_CHAIN: usize = 200;

/// The path of the image of `disk`.
pub(super) fn image_of(connect: &Connect, disk: &Xml) -> Option<String> {
    let find = |path| disk.find(path).ok().flatten();
    if let Some(path) = find("source/@file").or_else(|| find("source/@dev")) {
        return Some(path);
    }
    let pool = connect
        .lookup_storage_pool_by_name(&find("source/@pool")?)
        .ok()?;
    let volume = pool.lookup_storage_vol_by_name(&find("source/@volume")?);
    volume.ok()?.path().ok()
}

/// The capacity, the allocation and the physical size of a disk, if the twin or the host knows them.
pub(super) fn sizes(driver: &Driver, domain: &Domain, name: &str) -> Option<[u64; 3]> {
    let connect = domain.connect().ok()?;
    let guest = Xml::parse(domain.xml_desc(virt_sys::VIR_DOMAIN_XML_SECURE).ok()?).ok()?;
    let image = image_of(&connect, &disk(&guest, name).ok()??)?;
    if let Ok(volume) = connect.lookup_storage_vol_by_path(&image) {
        let info = volume.info().ok()?;
        let physical = contents::length(&volume).ok()?;
        return Some([info.capacity, info.allocation, physical]);
    }
    let host = driver.original.as_ref()?;
    let there = host.lookup_domain_by_uuid_string(&domain.uuid_string().ok()?);
    let there = there.ok()?;
    let own = Xml::parse(there.xml_desc(0).ok()?).ok()?;
    if image_of(host, &disk(&own, name).ok()??)? != image {
        return None;
    }
    let info = there.block_info(name, 0).ok()?;
    Some([info.capacity, info.allocation, info.physical])
}

/// An image of a disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// The type of its source, such as `file`.
    pub kind: String,
    pub format: Option<String>,
    /// The `<source>` element.
    pub source: String,
}

impl Layer {
    pub fn of_file(path: &str, format: Option<String>) -> Self {
        Self {
            kind: "file".into(),
            format,
            source: format!("<source file='{}'/>", escaped_attribute(path)),
        }
    }

    /// Its file or device, if it has one.
    pub fn path(&self) -> Option<String> {
        let source = Xml::parse(self.source.clone()).ok()?;
        let found = ["@file", "@dev"].into_iter();
        let mut found = found.filter_map(|path| source.find(path).ok().flatten());
        found.next()
    }
}

/// The disk called `name`, which is its target or the path of its image.
pub(super) fn disk(guest: &Xml, name: &str) -> Result<Option<Xml>> {
    let by_target = format!("devices/disk[target/@dev={}]", quoted(name));
    let by_path = format!("devices/disk[source/@file={}]", quoted(name));
    for path in [by_target, by_path] {
        if let Selected::Elements(found) = guest.select(&path).map_err(broken)?
            && let Some(disk) = found.into_iter().next()
        {
            return Ok(Some(disk));
        }
    }
    Ok(None)
}

/// The images of a disk, the top image first.
pub(super) fn layers(connect: &Connect, disk: &Xml) -> Result<Vec<Layer>> {
    let mut all = Vec::new();
    let mut element = disk.clone();
    let mut format = "driver/@type";
    while let Some(source) = element.texts("source").map_err(broken)?.pop() {
        all.push(Layer {
            kind: element
                .find("@type")
                .map_err(broken)?
                .unwrap_or_else(|| "file".into()),
            format: element.find(format).map_err(broken)?,
            source,
        });
        format = "format/@type";
        let below = match element.select("backingStore").map_err(broken)? {
            Selected::Elements(below) => below.into_iter().next(),
            Selected::Texts(_) => None,
        };
        match below {
            Some(below) => element = below,
            // The XML of a guest that is off does not show them.
            None => {
                all.extend(backing(connect, &all));
                break;
            }
        }
        if all.len() > LONGEST_CHAIN {
            break;
        }
    }
    Ok(all)
}

/// The images below the last of `known`, from the storage volumes.
fn backing(connect: &Connect, known: &[Layer]) -> Vec<Layer> {
    let mut found = Vec::new();
    let mut path = known.last().and_then(Layer::path);
    while let Some(top) = path
        && found.len() < LONGEST_CHAIN
    {
        let volume = connect.lookup_storage_vol_by_path(&top);
        let xml = volume.ok().and_then(|volume| volume.xml_desc(0).ok());
        let xml = xml.and_then(|xml| Xml::parse(xml).ok());
        let below = |what: &str| xml.as_ref()?.find(&format!("backingStore/{what}")).ok()?;
        path = below("path").filter(|path| !path.is_empty());
        if let Some(path) = &path {
            found.push(Layer::of_file(path, below("format/@type")));
        }
    }
    found
}

/// Gives a disk the images `layers`.
fn set_layers(disk: &Xml, layers: &[Layer]) -> Result<()> {
    let [top, below @ ..] = layers else {
        return Ok(());
    };
    for old in ["source", "backingStore"] {
        if disk.has(old).map_err(broken)? {
            disk.remove(old).map_err(broken)?;
        }
    }
    disk.set("@type", &top.kind).map_err(broken)?;
    if let Some(format) = &top.format {
        disk.set("driver/@type", format).map_err(broken)?;
    }
    // The innermost element first.
    let mut chain = String::new();
    for layer in below.iter().rev() {
        let format = layer.format.as_deref().unwrap_or("raw");
        let (kind, source) = (escaped_attribute(&layer.kind), &layer.source);
        let format = escaped_attribute(format);
        chain = format!(
            "<backingStore type='{kind}'><format type='{format}'/>{source}{chain}</backingStore>"
        );
    }
    for part in [&top.source, &chain] {
        if !part.is_empty() {
            disk.insert("target", Place::Before, part).map_err(broken)?;
        }
    }
    Ok(())
}

/// Puts the disk `target` of `domain` on the images `layers`. The definition follows if its disk has the same top image.
pub(super) fn switch(domain: &Domain, switches: &[(String, Vec<Layer>)]) -> Result<()> {
    let connect = domain.connect()?;
    let mut tops: Vec<(String, Option<String>)> = Vec::new();
    devices::rewrite(domain, |guest, live| {
        for (target, wanted) in switches {
            let Some(disk) = disk(guest, target)? else {
                continue;
            };
            let own = layers(&connect, &disk)?;
            let top = own.first().and_then(Layer::path);
            if live {
                tops.push((target.clone(), top));
            } else if tops
                .iter()
                .any(|(of, before)| of == target && *before != top)
            {
                continue;
            }
            set_layers(&disk, wanted)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xml_of_a_disk_shows_its_images() {
        let disk = Xml::parse(
            "<disk type='file'><driver name='qemu' type='raw'/><source file='/a'/><target dev='vda'/></disk>",
        )
        .expect("it is XML");
        set_layers(
            &disk,
            &["/b", "/a"].map(|path| Layer::of_file(path, Some("qcow2".into()))),
        )
        .expect("the disk has a target");
        let text = disk.text();
        assert!(
            text.contains("type=\"qcow2\"") || text.contains("type='qcow2'"),
            "{text}"
        );
        assert!(
            text.contains("<source file='/b'/><backingStore type='file'>"),
            "{text}"
        );
    }
}
