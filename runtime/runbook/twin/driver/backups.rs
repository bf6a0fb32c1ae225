//! Backups of a twin's guests, and checkpoints: the records of changes that QEMU keeps in images.

use std::collections::{HashMap, HashSet};

use virt::connect::Connect;
use virt::domain::Domain;

use super::layers::{disk, image_of, layers, sizes};
use super::snapshots::unsupported;
use super::{Driver, broken, elements, refused};
use crate::libvirt::checkpoint::{self, Checkpoint};
use crate::libvirt::events;
use crate::libvirt::stand_in::{Backups, Bitmap};
use crate::libvirt::{Failure, Result};
use crate::xml::{Xml, quoted};

/// The bitmaps of the checkpoints that the guests of the twin `connect` have, by the path of their image.
pub(super) fn bitmaps(connect: &Connect) -> HashMap<String, HashSet<String>> {
    let mut all: HashMap<String, HashSet<String>> = HashMap::new();
    for domain in connect.list_all_domains(0).unwrap_or_default() {
        for bitmap in of_checkpoints(&domain) {
            all.entry(bitmap.image).or_default().insert(bitmap.name);
        }
    }
    all
}

/// The bitmaps of the checkpoints of `domain`.
pub(super) fn of_checkpoints(domain: &Domain) -> Vec<Bitmap> {
    let Ok(guest) = guest(domain) else {
        return Vec::new();
    };
    let all = checkpoint::list(domain, 0).unwrap_or_default();
    let of_each = all.iter().map(|one| of_checkpoint(domain, &guest, one));
    of_each.flatten().flatten().collect()
}

fn of_checkpoint(domain: &Domain, guest: &Xml, one: &Checkpoint) -> Result<Vec<Bitmap>> {
    let text = one.xml_desc(virt_sys::VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN)?;
    let xml = Xml::parse(text).map_err(broken)?;
    described(domain, guest, &xml)
}

/// The bitmaps that the XML of a checkpoint names.
fn described(domain: &Domain, guest: &Xml, xml: &Xml) -> Result<Vec<Bitmap>> {
    let checkpoint = xml.find("name").map_err(broken)?.unwrap_or_default();
    let connect = domain.connect()?;
    let mut all = Vec::new();
    for own in elements(xml, "disks/disk[@checkpoint='bitmap']")? {
        let target = own.get("@name").map_err(broken)?;
        let Some(disk) = disk(guest, &target)? else {
            continue;
        };
        let name = own.find("@bitmap").map_err(broken)?;
        all.push(Bitmap {
            checkpoint: checkpoint.clone(),
            image: image_of(&connect, &disk).unwrap_or_default(),
            target,
            name: name.unwrap_or_else(|| checkpoint.clone()),
        });
    }
    Ok(all)
}

fn guest(domain: &Domain) -> Result<Xml> {
    Xml::parse(domain.xml_desc(virt_sys::VIR_DOMAIN_XML_SECURE)?).map_err(broken)
}

/// Refuses a checkpoint of a disk that cannot have a bitmap, and the registration of a bitmap that does not exist.
pub(super) fn check(driver: &Driver, domain: &Domain, xml: &str, flags: u32) -> Result<()> {
    let Ok(wanted) = Xml::parse(xml.to_owned()) else {
        // libvirt's own message is better.
        return Ok(());
    };
    let guest = guest(domain)?;
    if flags & virt_sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE != 0 {
        let validates = flags & virt_sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE != 0;
        let wanted = match validates {
            true => described(domain, &guest, &wanted)?,
            false => Vec::new(),
        };
        for bitmap in wanted {
            check_bitmap(driver, &bitmap)?;
        }
        return Ok(());
    }
    let listed = wanted.has("disks").map_err(broken)?;
    for disk in elements(&guest, "devices/disk[source]")? {
        let target = disk.get("target/@dev").map_err(broken)?;
        let own = format!("disks/disk[@name={}]", quoted(&target));
        let selected = match elements(&wanted, &own)?.first() {
            Some(own) => own.find("@checkpoint").map_err(broken)?.as_deref() != Some("no"),
            None => !listed && !disk.has("readonly").map_err(broken)?,
        };
        let format = disk.find("driver/@type").map_err(broken)?;
        if let Some(format) = format.filter(|format| selected && format != "qcow2") {
            let message =
                format!("checkpoint for disk {target} unsupported for storage type {format}");
            return Err(unsupported(&message));
        }
    }
    Ok(())
}

fn check_bitmap(driver: &Driver, bitmap: &Bitmap) -> Result<()> {
    if driver.has_bitmap_in(&bitmap.image, &bitmap.name) {
        return Ok(());
    }
    if driver.is_of_host(&bitmap.image) {
        let why = format!(
            "the rehearsal assumes that {} has no bitmap `{}`: libvirt has no checkpoint of it",
            bitmap.image, bitmap.name
        );
        driver.log.note("virDomainCheckpointCreateXML", why);
    }
    let message = format!(
        "checkpoint inconsistent: missing or broken bitmap '{}' for disk '{}'",
        bitmap.name, bitmap.target
    );
    Err(refused(virt_sys::VIR_ERR_CHECKPOINT_INCONSISTENT, message))
}

/// Makes the backup that `xml` describes, and the checkpoint `checkpoint`. It is complete at once.
pub(super) fn begin(
    driver: &Driver,
    domain: &Domain,
    xml: &str,
    checkpoint: Option<&str>,
    flags: u32,
) -> Result<()> {
    if !domain.is_active()? {
        let message = "Operation not supported: cannot perform disk backup for inactive domain";
        return Err(refused(virt_sys::VIR_ERR_OPERATION_UNSUPPORTED, message));
    }
    let backup = Xml::parse(xml.to_owned()).map_err(broken)?;
    if backup.find("@mode").map_err(broken)?.as_deref() == Some("pull") {
        let message =
            "a backup in pull mode offers the contents of disks, which a twin does not have";
        return Err(
            Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST)
        );
    }
    let guest = guest(domain)?;
    let connect = domain.connect()?;
    let copied = copied(&backup, &guest)?;
    if copied.is_empty() {
        return Err(unsupported("no disks selected for backup"));
    }
    let reuses = flags & virt_sys::VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL != 0;
    let mut new = Vec::new();
    for (disk, own) in &copied {
        let target = disk.get("target/@dev").map_err(broken)?;
        if let Some(name) = incremental(&backup, own.as_ref())? {
            check_incremental(driver, domain, &target, &name)?;
        }
        let Some(path) = destination(&connect, disk, own.as_ref())? else {
            continue;
        };
        match (driver.has_file(&connect, &path), reuses) {
            (true, false) => {
                let message =
                    format!("invalid argument: store '{path}' for backup of '{target}' exists");
                return Err(refused(virt_sys::VIR_ERR_INVALID_ARG, message));
            }
            (false, true) => {
                let why = format!("the rehearsal does not know whether the file {path} exists");
                driver.log.note("virDomainBackupBegin", why);
            }
            (false, false) => {
                let format = match own {
                    Some(own) => own.find("driver/@type").map_err(broken)?,
                    None => None,
                };
                let top = layers(&connect, disk)?.into_iter().next();
                new.push((path, format.unwrap_or_else(|| "qcow2".into()), top));
            }
            (true, true) => {}
        }
    }
    if let Some(xml) = checkpoint {
        checkpoint::create_xml(domain, xml, 0)?;
    }
    for (path, format, top) in new {
        driver.made(&connect, &path, &format, top.as_ref());
    }
    events::tell_job_completed(domain, virt_sys::VIR_DOMAIN_JOB_OPERATION_BACKUP);
    Ok(())
}

/// The disks of `guest` that the backup copies, each with its element in `backup`, if that lists
/// disks.
fn copied(backup: &Xml, guest: &Xml) -> Result<Vec<(Xml, Option<Xml>)>> {
    let mut all = Vec::new();
    if !backup.has("disks").map_err(broken)? {
        for disk in elements(guest, "devices/disk[source]")? {
            if !disk.has("readonly").map_err(broken)? {
                all.push((disk, None));
            }
        }
        return Ok(all);
    }
    for own in elements(backup, "disks/disk")? {
        let name = own.get("@name").map_err(broken)?;
        let Some(disk) = disk(guest, &name)? else {
            return Err(unsupported(&format!("no disk named '{name}'")));
        };
        if own.find("@backup").map_err(broken)?.as_deref() != Some("no") {
            all.push((disk, Some(own)));
        }
    }
    Ok(all)
}

/// The checkpoint from which on the changes of a disk are copied; none if the whole disk is.
fn incremental(backup: &Xml, own: Option<&Xml>) -> Result<Option<String>> {
    if let Some(own) = own {
        if own.find("@backupmode").map_err(broken)?.as_deref() == Some("full") {
            return Ok(None);
        }
        if let Some(name) = own.find("@incremental").map_err(broken)? {
            return Ok(Some(name));
        }
    }
    backup.find("incremental").map_err(broken)
}

fn check_incremental(driver: &Driver, domain: &Domain, target: &str, name: &str) -> Result<()> {
    let all = of_checkpoints(domain);
    let found = all
        .iter()
        .find(|one| one.checkpoint == name && one.target == target);
    match found {
        Some(bitmap) => check_bitmap(driver, bitmap),
        None => {
            let message = format!(
                "Domain checkpoint not found: Checkpoint '{name}' for incremental backup of disk '{target}' not found"
            );
            Err(refused(virt_sys::VIR_ERR_NO_DOMAIN_CHECKPOINT, message))
        }
    }
}

/// The file that a disk is copied into; none if it is not a file.
fn destination(connect: &Connect, disk: &Xml, own: Option<&Xml>) -> Result<Option<String>> {
    if let Some(own) = own {
        let kind = own.find("@type").map_err(broken)?;
        if kind.is_some_and(|kind| kind != "file") {
            return Ok(None);
        }
        if let Some(path) = own.find("target/@file").map_err(broken)? {
            return Ok(Some(path));
        }
    }
    let now = jiff::Timestamp::now().as_second();
    let image = image_of(connect, disk);
    Ok(image.map(|image| format!("{image}.{now}")))
}

impl Driver {
    /// True if the image `image` has the bitmap `name`.
    pub(super) fn has_bitmap_in(&self, image: &str, name: &str) -> bool {
        let all = self.bitmaps.lock();
        all.get(image).is_some_and(|own| own.contains(name))
    }
}

impl Backups for Driver {
    fn begin_backup(
        &self,
        domain: &Domain,
        xml: &str,
        checkpoint: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        begin(self, domain, xml, checkpoint, flags)
    }

    fn check_checkpoint(&self, domain: &Domain, xml: &str, flags: u32) -> Result<()> {
        check(self, domain, xml, flags)
    }

    fn bitmaps_of(&self, domain: &Domain) -> Vec<Bitmap> {
        of_checkpoints(domain)
    }

    fn has_bitmap(&self, bitmap: &Bitmap) -> bool {
        self.has_bitmap_in(&bitmap.image, &bitmap.name)
    }

    fn set_bitmap(&self, bitmap: &Bitmap, exists: bool) {
        let mut all = self.bitmaps.lock();
        let own = all.entry(bitmap.image.clone()).or_default();
        if exists {
            own.insert(bitmap.name.clone());
        } else {
            own.remove(&bitmap.name);
        }
    }

    fn block_info(&self, domain: &Domain, disk: &str) -> Option<[u64; 3]> {
        sizes(self, domain, disk)
    }
}
