//! The images behind the disks of a twin's guests, and block jobs, which change the sources of the disks in the XML. A block
//! job is ready, or complete, at once.

use std::collections::HashSet;

use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::{Driver, broken, contents, devices};
use crate::libvirt::events;
use crate::libvirt::stand_in::BlockJob;
use crate::libvirt::{Failure, Result};
use crate::runbook::twin::host::Host;
use crate::xml::{Place, Selected, Xml, escaped_attribute, quoted};

/// The longest chain of images that is followed.
const LONGEST_CHAIN: usize = 200;

/// A block job that waits for its end.
#[derive(Debug, Clone)]
pub(super) struct Job {
    uuid: String,
    target: String,
    /// One of `virDomainBlockJobType`.
    pub kind: u32,
    /// The images of the disk after a pivot, the top image first.
    pivot: Vec<Layer>,
}

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

pub(super) fn refused(code: virt_sys::virErrorNumber, message: impl Into<String>) -> Failure {
    Failure::new(code, message).in_domain(virt_sys::VIR_FROM_QEMU)
}

fn invalid_argument(message: &str) -> Failure {
    refused(
        virt_sys::VIR_ERR_INVALID_ARG,
        format!("invalid argument: {message}"),
    )
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

/// The disk `name` of the running guest `domain`: its target and its images.
fn running_disk(domain: &Domain, name: &str) -> Result<(String, Vec<Layer>)> {
    if !domain.is_active()? {
        return Err(refused(
            virt_sys::VIR_ERR_OPERATION_INVALID,
            "Requested operation is not valid: domain is not running",
        ));
    }
    let guest = Xml::parse(domain.xml_desc(virt_sys::VIR_DOMAIN_XML_SECURE)?).map_err(broken)?;
    let Some(disk) = disk(&guest, name)? else {
        return Err(invalid_argument(&format!(
            "disk '{name}' not found in domain"
        )));
    };
    let target = disk.get("target/@dev").map_err(broken)?;
    Ok((target, layers(&domain.connect()?, &disk)?))
}

/// Begins `job` on the disk `name`.
pub(super) fn begin(driver: &Driver, domain: &Domain, name: &str, job: &BlockJob) -> Result<()> {
    let (target, chain) = running_disk(domain, name)?;
    let uuid = domain.uuid_string()?;
    if driver.job(&uuid, &target).is_some() {
        let message =
            format!("Operation not supported: disk '{target}' already in active block job");
        return Err(refused(virt_sys::VIR_ERR_OPERATION_UNSUPPORTED, message));
    }
    let (kind, wanted, waits) = match job {
        BlockJob::Commit { base, top, flags } => {
            let (wanted, active) =
                committed(&target, &chain, base.as_deref(), top.as_deref(), *flags)?;
            let kind = match active {
                true => virt_sys::VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT,
                false => virt_sys::VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT,
            };
            (kind, wanted, active)
        }
        BlockJob::Pull { base } => {
            let wanted = pulled(&target, &chain, base.as_deref())?;
            (virt_sys::VIR_DOMAIN_BLOCK_JOB_TYPE_PULL, wanted, false)
        }
        BlockJob::Copy { xml, flags } => {
            let wanted = copied(driver, domain, &chain, xml, *flags)?;
            (virt_sys::VIR_DOMAIN_BLOCK_JOB_TYPE_COPY, wanted, true)
        }
    };
    if waits {
        driver.jobs.lock().push(Job {
            uuid,
            target: target.clone(),
            kind,
            pivot: wanted,
        });
        events::tell_block_job(domain, &target, kind, virt_sys::VIR_DOMAIN_BLOCK_JOB_READY);
        return Ok(());
    }
    if wanted != chain {
        switch(domain, &[(target.clone(), wanted)])?;
    }
    events::tell_block_job(
        domain,
        &target,
        kind,
        virt_sys::VIR_DOMAIN_BLOCK_JOB_COMPLETED,
    );
    Ok(())
}

/// The place of the image `path` in `chain`, below the first `above` images.
fn place_of(chain: &[Layer], path: &str, above: usize) -> Option<usize> {
    let found = chain
        .iter()
        .skip(above)
        .position(|layer| layer.path().as_deref() == Some(path));
    found.map(|at| at + above)
}

/// The images after a commit from `top` down into `base`, and whether `top` is the image that the guest writes to.
fn committed(
    target: &str,
    chain: &[Layer],
    base: Option<&str>,
    top: Option<&str>,
    flags: u32,
) -> Result<(Vec<Layer>, bool)> {
    let wants_active = flags & virt_sys::VIR_DOMAIN_BLOCK_COMMIT_ACTIVE != 0;
    let shallow = flags & virt_sys::VIR_DOMAIN_BLOCK_COMMIT_SHALLOW != 0;
    let missing = |path: &str| {
        invalid_argument(&format!(
            "could not find image '{path}' in chain for '{target}'"
        ))
    };
    let from = match top {
        None => 0,
        Some(path) => place_of(chain, path, 0).ok_or_else(|| missing(path))?,
    };
    let named = |at: usize| chain.get(at).and_then(Layer::path).unwrap_or_default();
    if from == 0 && !wants_active {
        let message = format!("commit of '{target}' active layer requires active flag");
        return Err(invalid_argument(&message));
    }
    if from > 0 && wants_active {
        let message = format!(
            "active commit requested but '{}' is not active",
            named(from)
        );
        return Err(invalid_argument(&message));
    }
    if from + 1 >= chain.len() {
        let message = format!(
            "top '{}' in chain for '{target}' has no backing file",
            named(from)
        );
        return Err(invalid_argument(&message));
    }
    let into = match base {
        None if shallow => from + 1,
        None => chain.len() - 1,
        Some(path) => place_of(chain, path, from + 1).ok_or_else(|| missing(path))?,
    };
    if shallow && into != from + 1 {
        let message = format!(
            "base '{}' is not immediately below '{}' in chain for '{target}'",
            named(into),
            named(from)
        );
        return Err(invalid_argument(&message));
    }
    let kept = [&chain[..from], &chain[into..]].concat();
    Ok((kept, from == 0))
}

/// The images after the data down to `base` was copied into the top image.
fn pulled(target: &str, chain: &[Layer], base: Option<&str>) -> Result<Vec<Layer>> {
    let rest = match base {
        None => chain.len(),
        Some(path) => place_of(chain, path, 1).ok_or_else(|| {
            invalid_argument(&format!("could not find image '{path}' beneath '{target}'"))
        })?,
    };
    let top = chain.get(..1).unwrap_or_default();
    Ok([top, &chain[rest.max(1).min(chain.len())..]].concat())
}

/// The images after a pivot to the copy that `xml`, a `<disk>`, describes.
fn copied(
    driver: &Driver,
    domain: &Domain,
    chain: &[Layer],
    xml: &str,
    flags: u32,
) -> Result<Vec<Layer>> {
    if domain.is_persistent()? && flags & virt_sys::VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB == 0 {
        let message = "Requested operation is not valid: domain is not transient";
        return Err(refused(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    let wanted = Xml::parse(xml.to_owned()).map_err(broken)?;
    let Some(source) = wanted.texts("source").map_err(broken)?.pop() else {
        return Err(refused(
            virt_sys::VIR_ERR_XML_ERROR,
            "XML error: missing source information for the disk",
        ));
    };
    let own = chain.first().and_then(|top| top.format.clone());
    let copy = Layer {
        kind: wanted
            .find("@type")
            .map_err(broken)?
            .unwrap_or_else(|| "file".into()),
        format: wanted.find("driver/@type").map_err(broken)?.or(own),
        source,
    };
    let reuses = flags & virt_sys::VIR_DOMAIN_BLOCK_COPY_REUSE_EXT != 0;
    if let (Some(path), "file", false) = (copy.path(), copy.kind.as_str(), reuses) {
        let format = copy.format.clone().unwrap_or_else(|| "raw".into());
        driver.made(&domain.connect()?, &path, &format, chain.first());
    }
    let shallow = flags & virt_sys::VIR_DOMAIN_BLOCK_COPY_SHALLOW != 0;
    let below = match shallow {
        true => chain.get(1..).unwrap_or_default(),
        false => &[],
    };
    Ok([&[copy], below].concat())
}

/// Ends the job on the disk `name`; with `pivot`, the guest continues in its result.
pub(super) fn end(driver: &Driver, domain: &Domain, name: &str, pivot: bool) -> Result<()> {
    let (target, _) = running_disk(domain, name)?;
    let uuid = domain.uuid_string()?;
    let Some(job) = driver.job(&uuid, &target) else {
        let message = format!("disk {target} does not have an active block job");
        return Err(invalid_argument(&message));
    };
    if pivot {
        switch(domain, &[(target.clone(), job.pivot.clone())])?;
    }
    driver.forget_jobs(&uuid, Some(&target));
    let status = match pivot {
        true => virt_sys::VIR_DOMAIN_BLOCK_JOB_COMPLETED,
        false => virt_sys::VIR_DOMAIN_BLOCK_JOB_CANCELED,
    };
    events::tell_block_job(domain, &target, job.kind, status);
    Ok(())
}

/// The type of the job on the disk `name`, if it has one.
pub(super) fn kind_of_job(driver: &Driver, domain: &Domain, name: &str) -> Result<Option<u32>> {
    let (target, _) = running_disk(domain, name)?;
    let job = driver.job(&domain.uuid_string()?, &target);
    Ok(job.map(|job| job.kind))
}

impl Driver {
    fn job(&self, uuid: &str, target: &str) -> Option<Job> {
        let jobs = self.jobs.lock();
        let found = jobs
            .iter()
            .find(|job| job.uuid == uuid && job.target == target);
        found.cloned()
    }

    /// Forgets the jobs of the guest `uuid`, or of one of its disks.
    pub(super) fn forget_jobs(&self, uuid: &str, target: Option<&str>) {
        let concerned = |job: &Job| job.uuid == uuid && target.is_none_or(|own| own == job.target);
        self.jobs.lock().retain(|job| !concerned(job));
    }

    /// Notes the new file `path`, which is as large as the image `like`.
    pub(super) fn made(&self, connect: &Connect, path: &str, format: &str, like: Option<&Layer>) {
        let volume = like
            .and_then(Layer::path)
            .and_then(|path| connect.lookup_storage_vol_by_path(&path).ok());
        let capacity = volume.and_then(|volume| Some(volume.info().ok()?.capacity));
        let name = path.rsplit('/').next().unwrap_or_default();
        let xml = format!(
            "<volume><name>{}</name><capacity>{}</capacity><allocation>0</allocation>\
             <target><format type='{}'/></target></volume>",
            escaped_attribute(name),
            capacity.unwrap_or_default(),
            escaped_attribute(format)
        );
        let path = path.to_owned();
        self.new_files.lock().push(NewFile { path, xml });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(paths: &[&str]) -> Vec<Layer> {
        let all = paths.iter();
        all.map(|path| Layer::of_file(path, Some("qcow2".into())))
            .collect()
    }

    #[test]
    fn a_commit_takes_the_images_out_that_it_merged() {
        let all = chain(&["/c", "/b", "/a"]);
        let active = virt_sys::VIR_DOMAIN_BLOCK_COMMIT_ACTIVE;
        let done = |base, top, flags| committed("vda", &all, base, top, flags);
        assert_eq!(done(None, None, active).ok(), Some((chain(&["/a"]), true)));
        let shallow = active | virt_sys::VIR_DOMAIN_BLOCK_COMMIT_SHALLOW;
        assert_eq!(
            done(None, None, shallow).ok(),
            Some((chain(&["/b", "/a"]), true))
        );
        let inner = done(Some("/a"), Some("/b"), 0).ok();
        assert_eq!(inner, Some((chain(&["/c", "/a"]), false)));
        for wrong in [
            done(None, None, 0),
            done(Some("/c"), Some("/b"), 0),
            done(None, Some("/a"), 0),
        ] {
            let failure = wrong.expect_err("it is refused");
            assert_eq!(failure.code, i64::from(virt_sys::VIR_ERR_INVALID_ARG));
        }
    }

    #[test]
    fn a_pull_leaves_the_images_below_the_base() {
        let all = chain(&["/c", "/b", "/a"]);
        assert_eq!(pulled("vda", &all, None).ok(), Some(chain(&["/c"])));
        assert_eq!(
            pulled("vda", &all, Some("/a")).ok(),
            Some(chain(&["/c", "/a"]))
        );
        assert!(pulled("vda", &all, Some("/x")).is_err());
    }

    #[test]
    fn the_xml_of_a_disk_shows_its_images() {
        let disk = Xml::parse(
            "<disk type='file'><driver name='qemu' type='raw'/><source file='/a'/><target dev='vda'/></disk>",
        )
        .expect("it is XML");
        set_layers(&disk, &chain(&["/b", "/a"])).expect("the disk has a target");
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
