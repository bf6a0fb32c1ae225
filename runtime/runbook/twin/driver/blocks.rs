//! Block jobs on the disks of a twin's guests, which change the sources of the disks in the XML. A job is ready, or
//! complete, at once.

use virt::domain::Domain;

use super::layers::{Layer, disk, layers, switch};
use super::{Driver, broken, refused};
use crate::libvirt::events;
use crate::libvirt::stand_in::{BlockJob, BlockJobs};
use crate::libvirt::{Failure, Result};
use crate::xml::Xml;

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

fn invalid_argument(message: &str) -> Failure {
    refused(
        virt_sys::VIR_ERR_INVALID_ARG,
        format!("invalid argument: {message}"),
    )
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
}

impl BlockJobs for Driver {
    fn begin_block_job(&self, domain: &Domain, disk: &str, job: &BlockJob) -> Result<()> {
        begin(self, domain, disk, job)
    }

    fn end_block_job(&self, domain: &Domain, disk: &str, pivot: bool) -> Result<()> {
        end(self, domain, disk, pivot)
    }

    fn block_job(&self, domain: &Domain, disk: &str) -> Result<Option<u32>> {
        kind_of_job(self, domain, disk)
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
}
