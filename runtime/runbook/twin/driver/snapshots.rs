//! Snapshots of a twin's guests: what QEMU refuses, and disks that continue in new files.

use virt::connect::Connect;
use virt::domain::Domain;

use super::layers::{Layer, disk, layers, switch};
use super::{Driver, agents, broken, elements, refused};
use crate::libvirt::Result;
use crate::libvirt::stand_in::Snapshots;
use crate::xml::{Xml, escaped_attribute};

pub(super) fn unsupported(message: &str) -> crate::libvirt::Failure {
    let message = format!("unsupported configuration: {message}");
    refused(virt_sys::VIR_ERR_CONFIG_UNSUPPORTED, message)
}

/// Puts the disks of `domain` on the files that the external snapshot `xml` names.
pub(super) fn lay_over(driver: &Driver, domain: &Domain, xml: &str) -> Result<()> {
    let snapshot = Xml::parse(xml).map_err(broken)?;
    let external = elements(&snapshot, "disks/disk[@snapshot='external']")?;
    if external.is_empty() {
        return Ok(());
    }
    let connect = domain.connect()?;
    let guest = Xml::parse(domain.xml_desc(virt_sys::VIR_DOMAIN_XML_SECURE)?).map_err(broken)?;
    let mut switches = Vec::new();
    for overlay in external {
        let target = overlay.get("@name").map_err(broken)?;
        let Some(disk) = disk(&guest, &target)? else {
            continue;
        };
        let Some(source) = overlay.texts("source").map_err(broken)?.pop() else {
            continue;
        };
        let format = overlay.find("driver/@type").map_err(broken)?;
        let format = format.unwrap_or_else(|| "qcow2".into());
        let kind = overlay.find("@type").map_err(broken)?;
        let top = Layer {
            kind: kind.unwrap_or_else(|| "file".into()),
            format: Some(format.clone()),
            source,
        };
        let mut chain = layers(&connect, &disk)?;
        if let Some(path) = top.path().filter(|_| top.kind == "file") {
            driver.made(&connect, &path, &format, chain.first());
        }
        chain.insert(0, top);
        switches.push((target, chain));
    }
    if domain.is_active()? && !switches.is_empty() {
        let why = "the twin restarts a running guest to change the images of its disks, so the events differ";
        driver.log.note("virDomainSnapshotCreateXML", why);
    }
    switch(domain, &switches)
}

/// Refuses a snapshot that QEMU refuses: without a disk to take a snapshot of, with memory of a guest that is off, or
/// within a disk that cannot hold it.
pub(super) fn check(domain: &Domain, xml: &str, flags: u32) -> Result<()> {
    if flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE != 0 {
        return Ok(());
    }
    let halts = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_HALT != 0;
    if halts && !domain.is_persistent()? {
        let message =
            "Requested operation is not valid: cannot halt after transient domain snapshot";
        return Err(refused(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    let Ok(snapshot) = Xml::parse(xml.to_owned()) else {
        // libvirt's own message is better.
        return Ok(());
    };
    let disk_only = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY != 0;
    let with_memory = snapshot
        .has("memory[@snapshot='external']")
        .map_err(broken)?;
    if with_memory && (disk_only || !domain.is_active()?) {
        let message = "XML error: memory state cannot be saved with offline or disk-only snapshot";
        return Err(refused(virt_sys::VIR_ERR_XML_ERROR, message));
    }
    if with_memory || disk_only || snapshot.has("disks").map_err(broken)? {
        return Ok(());
    }
    let guest = Xml::parse(domain.xml_desc(0)?).map_err(broken)?;
    let mut written = Vec::new();
    for disk in elements(&guest, "devices/disk[source]")? {
        if !disk.has("readonly").map_err(broken)? {
            written.push(disk);
        }
    }
    if written.is_empty() {
        return Err(unsupported("nothing selected for snapshot"));
    }
    for disk in written {
        let format = disk.find("driver/@type").map_err(broken)?;
        if let Some(format) = format.filter(|format| format != "qcow2") {
            let target = disk.get("target/@dev").map_err(broken)?;
            return Err(unsupported(&format!(
                "internal snapshot for disk {target} unsupported for storage type {format}"
            )));
        }
    }
    Ok(())
}

/// The whole XML of a snapshot of disks without memory, which a client describes as `xml`: the
/// files over the disks, the guest and the snapshot before. Refuses the snapshots that QEMU
/// refuses.
pub(super) fn of_disks(driver: &Driver, domain: &Domain, xml: &str, flags: u32) -> Result<String> {
    let wanted = Xml::parse(xml.to_owned()).map_err(broken)?;
    let active = domain.is_active()?;
    let live = domain.xml_desc(virt_sys::VIR_DOMAIN_XML_SECURE)?;
    let guest = Xml::parse(live.clone()).map_err(broken)?;
    refuse_flags(driver, domain, active, flags)?;
    let now = jiff::Timestamp::now().as_second().to_string();
    let name = wanted.find("name").map_err(broken)?;
    let name = name.unwrap_or_else(|| now.clone());
    let reuses = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT != 0;
    let disks = overlays(driver, domain, &guest, &wanted, &name, reuses)?;
    let known = domain.list_all_snapshots(0)?;
    let mut parent = String::new();
    for snapshot in known {
        let own = snapshot.name()?;
        if own == name {
            let message = format!("operation failed: domain moment {name} already exists");
            return Err(refused(virt_sys::VIR_ERR_OPERATION_FAILED, message));
        }
        if snapshot.is_current(0)? {
            parent = format!("<parent><name>{}</name></parent>", escaped_attribute(&own));
        }
    }
    let description = wanted.find("description").map_err(broken)?;
    let description = description.map(|text| {
        let text = escaped_attribute(&text);
        format!("<description>{text}</description>")
    });
    let state = if active { "disk-snapshot" } else { "shutoff" };
    Ok(format!(
        "<domainsnapshot><name>{}</name>{}<state>{state}</state>{parent}<creationTime>{now}</creationTime>\
         <memory snapshot='no'/><disks>{disks}</disks>{live}</domainsnapshot>",
        escaped_attribute(&name),
        description.unwrap_or_default(),
    ))
}

/// Refuses flags that QEMU refuses with a snapshot of disks.
fn refuse_flags(driver: &Driver, domain: &Domain, active: bool, flags: u32) -> Result<()> {
    if flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_LIVE != 0 {
        let message = "Operation not supported: live snapshot creation is supported only during full system snapshots";
        return Err(refused(virt_sys::VIR_ERR_OPERATION_UNSUPPORTED, message));
    }
    let quiesces = active && flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE != 0;
    match quiesces {
        true => agents::check(driver, domain),
        false => Ok(()),
    }
}

/// The `<disk>` elements of the snapshot `name` of the disks of `guest`, which `wanted` may describe.
fn overlays(
    driver: &Driver,
    domain: &Domain,
    guest: &Xml,
    wanted: &Xml,
    name: &str,
    reuses: bool,
) -> Result<String> {
    let mut asked = Vec::new();
    for element in elements(wanted, "disks/disk")? {
        let own = element.get("@name").map_err(broken)?;
        let Some(found) = disk(guest, &own)? else {
            return Err(unsupported(&format!("no disk named '{own}'")));
        };
        asked.push((found.get("target/@dev").map_err(broken)?, element));
    }
    let connect = domain.connect()?;
    let mut all = String::new();
    let mut selected = false;
    for disk in elements(guest, "devices/disk")? {
        let target = disk.get("target/@dev").map_err(broken)?;
        let own = asked.iter().find(|(of, _)| *of == target);
        let own = own.map(|(_, element)| element);
        match mode(&disk, own)?.as_str() {
            "no" | "manual" => {
                let target = escaped_attribute(&target);
                all.push_str(&format!("<disk name='{target}' snapshot='no'/>"));
            }
            "internal" => {
                let message = format!(
                    "active qemu domains require external disk snapshots; disk {target} requested internal"
                );
                return Err(unsupported(&message));
            }
            _ => {
                selected = true;
                let top = layers(&connect, &disk)?.into_iter().next();
                let overlay = overlay(&target, top.as_ref(), own, name)?;
                refuse_file(driver, &connect, &target, &overlay, reuses)?;
                all.push_str(&element(&target, &overlay));
            }
        }
    }
    match selected {
        true => Ok(all),
        false => Err(unsupported("nothing selected for snapshot")),
    }
}

/// The treatment of the disk `disk` by the snapshot; the client describes it as `own`.
fn mode(disk: &Xml, own: Option<&Xml>) -> Result<String> {
    if let Some(own) = own {
        if let Some(mode) = own.find("@snapshot").map_err(broken)? {
            return Ok(mode);
        }
        if own.has("source").map_err(broken)? {
            return Ok("external".into());
        }
    }
    if let Some(mode) = disk.find("@snapshot").map_err(broken)? {
        return Ok(mode);
    }
    let empty = !disk.has("source").map_err(broken)?;
    let fixed = empty || disk.has("readonly").map_err(broken)?;
    Ok(if fixed { "no" } else { "external" }.into())
}

/// The file over the disk `target`, whose image is `top`: the one that the client names, or one beside the image.
fn overlay(target: &str, top: Option<&Layer>, own: Option<&Xml>, name: &str) -> Result<Layer> {
    let format = match own {
        Some(own) => own.find("driver/@type").map_err(broken)?,
        None => None,
    };
    let format = Some(format.unwrap_or_else(|| "qcow2".into()));
    if let Some(own) = own
        && let Some(source) = own.texts("source").map_err(broken)?.pop()
    {
        let kind = own.find("@type").map_err(broken)?;
        return Ok(Layer {
            kind: kind.unwrap_or_else(|| "file".into()),
            format,
            source,
        });
    }
    let path = top
        .filter(|top| top.kind == "file")
        .and_then(Layer::path)
        .ok_or_else(|| {
            unsupported(&format!(
                "source for disk '{target}' is not a regular file; refusing to generate external snapshot name"
            ))
        })?;
    let folder = path.rfind('/').map_or(0, |at| at + 1);
    let stem = path[folder..]
        .rfind('.')
        .map_or(path.as_str(), |dot| &path[..folder + dot]);
    Ok(Layer::of_file(&format!("{stem}.{name}"), format))
}

/// Refuses a new file that exists, and a file to use again that does not.
fn refuse_file(
    driver: &Driver,
    connect: &Connect,
    target: &str,
    overlay: &Layer,
    reuses: bool,
) -> Result<()> {
    let Some(path) = overlay.path().filter(|_| overlay.kind == "file") else {
        return Ok(());
    };
    let is_there = driver.has_file(connect, &path);
    match (is_there, reuses) {
        (true, false) => Err(unsupported(&format!(
            "external snapshot file for disk {target} already exists and is not a block device: {path}"
        ))),
        (false, true) => {
            let why = format!("the rehearsal does not know whether the file {path} exists");
            driver.log.note("virDomainSnapshotCreateXML", why);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn element(target: &str, overlay: &Layer) -> String {
    let format = overlay.format.as_deref().unwrap_or("qcow2");
    format!(
        "<disk name='{}' snapshot='external' type='{}'><driver type='{}'/>{}</disk>",
        escaped_attribute(target),
        escaped_attribute(&overlay.kind),
        escaped_attribute(format),
        overlay.source
    )
}

/// True if the snapshot `xml` stores a disk in a separate file.
pub(super) fn is_external(xml: &str) -> bool {
    let snapshot = Xml::parse(xml.to_owned()).ok();
    snapshot.is_some_and(|snapshot| {
        let external = "disks/disk[@snapshot='external']";
        let memory = "memory[@snapshot='external']";
        snapshot.has(external).unwrap_or(true) || snapshot.has(memory).unwrap_or(true)
    })
}

impl Snapshots for Driver {
    fn lay_over(&self, domain: &Domain, xml: &str) -> Result<()> {
        lay_over(self, domain, xml)
    }

    fn check_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<()> {
        check(domain, xml, flags)
    }

    fn disk_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<String> {
        of_disks(self, domain, xml, flags)
    }

    fn is_external(&self, xml: &str) -> bool {
        is_external(xml)
    }
}
