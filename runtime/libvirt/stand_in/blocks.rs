//! Snapshots with disks in new files, and block jobs.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulong, c_ulonglong};

use virt::domain::Domain;
use virt_sys::{virDomainPtr, virDomainSnapshotPtr, virStoragePoolPtr, virTypedParameterPtr};

use super::states::{set_reason_of, set_resumed};
use super::{StandIn, fail, given, handle, pool, status};
use crate::libvirt::Failure;

/// A job on a disk of a guest.
#[derive(Debug, Clone)]
pub enum BlockJob {
    /// Merges the images from `top` down into `base`.
    Commit {
        /// The path of the lowest image; without it, the lowest of all.
        base: Option<String>,
        /// The path of the uppermost image; without it, the one that the guest writes to.
        top: Option<String>,
        /// A combination of `virDomainBlockCommitFlags`.
        flags: u32,
    },
    /// Copies the data of the images above `base` into the image that the guest writes to.
    Pull {
        /// The path of the image that stays; without it, none.
        base: Option<String>,
    },
    /// Copies the disk.
    Copy {
        /// The `<disk>` with the copy.
        xml: String,
        /// A combination of `virDomainBlockCopyFlags`.
        flags: u32,
    },
}

/// Jobs on the disks of guests.
pub trait BlockJobs {
    /// Begins a job on the disk `disk`, its target or the path of its image.
    fn begin_block_job(&self, domain: &Domain, disk: &str, job: &BlockJob) -> Result<(), Failure>;

    /// Ends the job on a disk; with `pivot`, the guest continues in its result.
    fn end_block_job(&self, domain: &Domain, disk: &str, pivot: bool) -> Result<(), Failure>;

    /// The type of the job on a disk, one of `virDomainBlockJobType`.
    fn block_job(&self, domain: &Domain, disk: &str) -> Result<Option<u32>, Failure>;
}

/// Snapshots of guests.
pub trait Snapshots {
    /// Puts the disks of a guest on the new files that the snapshot `xml` names.
    fn lay_over(&self, domain: &Domain, xml: &str) -> Result<(), Failure>;

    /// Refuses a snapshot that QEMU refuses.
    fn check_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<(), Failure>;

    /// The whole XML of the snapshot of disks without memory that a client describes as `xml`.
    fn disk_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<String, Failure>;

    /// True if the snapshot `xml` has memory or a disk in a file of its own.
    fn is_external(&self, xml: &str) -> bool;
}

/// The flags of snapshots that the test driver does not have.
const UNKNOWN: c_uint = virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    | virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
    | virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
    | virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_LIVE
    | virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE;

/// The flags with which the test driver takes the whole XML of a snapshot.
const REDEFINE: c_uint =
    virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT;

/// Stops the guest after a snapshot, if it runs.
fn halt(domain: virDomainPtr) {
    // SAFETY: the caller's handle lives during the call.
    if unsafe { virt_sys::virDomainDestroy(domain) } == 0 {
        set_reason_of(domain, virt_sys::VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT);
    }
}

/// The XML of a snapshot.
fn snapshot_xml(snapshot: virDomainSnapshotPtr) -> String {
    // SAFETY: the caller's handle lives during the call; the result is ours to free.
    let text =
        unsafe { crate::libvirt::owned_text(virt_sys::virDomainSnapshotGetXMLDesc(snapshot, 0)) };
    text.unwrap_or_default()
}

/// Refuses a call on a snapshot that has disks in files of its own.
fn refuse_external(stand_in: &dyn StandIn, snapshot: virDomainSnapshotPtr) -> bool {
    let external = stand_in.is_external(&snapshot_xml(snapshot));
    if external {
        let message = "the twin has no contents of the files of an external snapshot";
        fail(
            &Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST),
        );
    }
    external
}

fn begin(
    stand_in: &dyn StandIn,
    domain: virDomainPtr,
    disk: *const c_char,
    job: &BlockJob,
) -> c_int {
    let disk = given(disk).unwrap_or_default();
    status(stand_in.begin_block_job(&handle(domain), &disk, job))
}

stand_ins! {
    virDomainSnapshotCreateXML(domain: virDomainPtr, xml: *const c_char, flags: c_uint) -> virDomainSnapshotPtr = |stand_in, own| {
        if flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE != 0 {
            stand_in.differs("virDomainSnapshotCreateXML", "the twin freezes no file systems");
        }
        if let Err(failure) = stand_in.check_snapshot(&handle(domain), &given(xml).unwrap_or_default(), flags) {
            fail(&failure);
            return std::ptr::null_mut();
        }
        let disk_only = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY != 0;
        let whole = match disk_only && flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE == 0 {
            true => match stand_in.disk_snapshot(&handle(domain), &given(xml).unwrap_or_default(), flags) {
                Ok(whole) => Some(CString::new(whole).unwrap_or_default()),
                Err(failure) => {
                    fail(&failure);
                    return std::ptr::null_mut();
                }
            },
            false => None,
        };
        let snapshot = match &whole {
            // SAFETY: the caller's handle and the text live during the call.
            Some(whole) => unsafe { own(domain, whole.as_ptr(), REDEFINE) },
            // SAFETY: the same.
            None => unsafe { own(domain, xml, flags & !UNKNOWN) },
        };
        if snapshot.is_null() || flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE != 0 {
            return snapshot;
        }
        let xml = snapshot_xml(snapshot);
        if flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA != 0 {
            // SAFETY: the handle lives; it stays valid without the snapshot.
            unsafe { virt_sys::virDomainSnapshotDelete(snapshot, virt_sys::VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) };
        }
        if let Err(failure) = stand_in.lay_over(&handle(domain), &xml) {
            // SAFETY: the handle is ours.
            unsafe { virt_sys::virDomainSnapshotFree(snapshot) };
            fail(&failure);
            return std::ptr::null_mut();
        }
        if xml.contains("<memory snapshot='external'") {
            set_resumed(domain);
        }
        if disk_only && flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_HALT != 0 {
            halt(domain);
        }
        snapshot
    };
    virDomainSnapshotDelete(snapshot: virDomainSnapshotPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let metadata = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY != 0;
        if !metadata && refuse_external(&*stand_in, snapshot) {
            return -1;
        }
        // The test driver does not have this flag: its snapshots are only metadata.
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(snapshot, flags & !virt_sys::VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) }
    };
    virDomainRevertToSnapshot(snapshot: virDomainSnapshotPtr, flags: c_uint) -> c_int = |stand_in, own| {
        if refuse_external(&*stand_in, snapshot) {
            return -1;
        }
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(snapshot, flags) }
    };
    virDomainBlockCommit(domain: virDomainPtr, disk: *const c_char, base: *const c_char, top: *const c_char, bandwidth: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, bandwidth);
        begin(&*stand_in, domain, disk, &BlockJob::Commit { base: given(base), top: given(top), flags })
    };
    virDomainBlockPull(domain: virDomainPtr, disk: *const c_char, bandwidth: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, bandwidth, flags);
        begin(&*stand_in, domain, disk, &BlockJob::Pull { base: None })
    };
    virDomainBlockRebase(domain: virDomainPtr, disk: *const c_char, base: *const c_char, bandwidth: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, bandwidth);
        if flags & virt_sys::VIR_DOMAIN_BLOCK_REBASE_COPY != 0 {
            let message = "a copy by this call is not part of a twin; virDomainBlockCopy is";
            fail(&Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST));
            return -1;
        }
        begin(&*stand_in, domain, disk, &BlockJob::Pull { base: given(base) })
    };
    virDomainBlockCopy(domain: virDomainPtr, disk: *const c_char, xml: *const c_char, params: virTypedParameterPtr, count: c_int, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, params, count);
        begin(&*stand_in, domain, disk, &BlockJob::Copy { xml: given(xml).unwrap_or_default(), flags })
    };
    virDomainBlockJobAbort(domain: virDomainPtr, disk: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        let pivot = flags & virt_sys::VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT != 0;
        status(stand_in.end_block_job(&handle(domain), &given(disk).unwrap_or_default(), pivot))
    };
    virDomainBlockJobSetSpeed(domain: virDomainPtr, disk: *const c_char, bandwidth: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, bandwidth, flags);
        let disk = given(disk).unwrap_or_default();
        match stand_in.block_job(&handle(domain), &disk) {
            Ok(Some(_)) => 0,
            Ok(None) => {
                let message = format!("invalid argument: disk {disk} does not have an active block job");
                fail(&Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message).in_domain(virt_sys::VIR_FROM_QEMU));
                -1
            }
            Err(failure) => status(Err(failure)),
        }
    };
    virDomainGetBlockJobInfo(domain: virDomainPtr, disk: *const c_char, info: virt_sys::virDomainBlockJobInfoPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, flags);
        match stand_in.block_job(&handle(domain), &given(disk).unwrap_or_default()) {
            Ok(Some(kind)) => {
                const DONE: c_ulonglong = 1;
                let found = virt_sys::virDomainBlockJobInfo {
                    type_: c_int::try_from(kind).unwrap_or_default(),
                    bandwidth: 0,
                    cur: DONE,
                    end: DONE,
                };
                if !info.is_null() {
                    // SAFETY: the caller passes a place for this struct.
                    unsafe { info.write(found) };
                }
                1
            }
            Ok(None) => 0,
            Err(failure) => status(Err(failure)),
        }
    };
    virStoragePoolRefresh(own_pool: virStoragePoolPtr, flags: c_uint) -> c_int = |stand_in, own| {
        // SAFETY: the caller's handle lives during the call.
        let result = unsafe { own(own_pool, flags) };
        match result {
            0 => status(stand_in.show_new_files(&pool(own_pool))),
            failed => failed,
        }
    };
}
