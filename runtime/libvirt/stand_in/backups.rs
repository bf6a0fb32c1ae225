//! Backups, checkpoints and the sizes of disks.

use std::ffi::{CStr, c_char, c_int, c_uint};

use virt::domain::Domain;
use virt_sys::{virDomainCheckpointPtr, virDomainPtr};

use super::{fail, given, handle, status};
use crate::libvirt::{Failure, Result};

/// A record of changes that QEMU keeps in an image, for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// The checkpoint.
    pub checkpoint: String,
    /// The disk.
    pub target: String,
    /// The path of the image.
    pub image: String,
    /// The name.
    pub name: String,
}

/// Backups and checkpoints of guests.
pub trait Backups {
    /// Makes a backup, which is complete at once.
    fn begin_backup(
        &self,
        domain: &Domain,
        xml: &str,
        checkpoint: Option<&str>,
        flags: u32,
    ) -> Result<()>;

    /// Refuses a checkpoint that QEMU refuses.
    fn check_checkpoint(&self, domain: &Domain, xml: &str, flags: u32) -> Result<()>;

    /// The bitmaps of the checkpoints of a guest.
    fn bitmaps_of(&self, domain: &Domain) -> Vec<Bitmap>;

    /// True if an image has a bitmap.
    fn has_bitmap(&self, bitmap: &Bitmap) -> bool;

    /// Notes that an image has a bitmap now, or no longer.
    fn set_bitmap(&self, bitmap: &Bitmap, exists: bool);

    /// The capacity, the allocation and the physical size of a disk in bytes, if they are known.
    fn block_info(&self, domain: &Domain, disk: &str) -> Option<[u64; 3]>;
}

const REDEFINE: c_uint = virt_sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE;

/// Runs `work` while `domain` runs: libvirt's test driver does not register checkpoints of a guest that is off.
///
/// # Errors
/// Why the guest did not start or stop, or the failure of `work`.
pub fn with_domain_running<T>(domain: &Domain, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if domain.is_active()? {
        return work();
    }
    let (_, reason) = crate::libvirt::domain::state(domain)?;
    let saved = domain.has_managed_save(0)?;
    domain.create()?;
    let result = work();
    match saved {
        true => domain.managed_save(0)?,
        false => domain.destroy()?,
    };
    super::set_reason(domain, u32::try_from(reason).unwrap_or_default());
    result
}

/// The domain of a checkpoint for the time of a call.
fn domain_of(checkpoint: virDomainCheckpointPtr) -> Domain {
    // SAFETY: the caller's handle lives during the call, and so does its domain.
    handle(unsafe { virt_sys::virDomainCheckpointGetDomain(checkpoint) })
}

fn refuse(code: virt_sys::virErrorNumber, message: &str) -> c_int {
    fail(&Failure::new(code, message).in_domain(virt_sys::VIR_FROM_QEMU));
    -1
}

stand_ins! {
    virDomainBackupBegin(domain: virDomainPtr, xml: *const c_char, checkpoint: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        let (xml, checkpoint) = (given(xml).unwrap_or_default(), given(checkpoint));
        status(stand_in.begin_backup(&handle(domain), &xml, checkpoint.as_deref(), flags))
    };
    virDomainBackupGetXMLDesc(domain: virDomainPtr, flags: c_uint) -> *mut c_char = |stand_in, own| {
        let _ = (own, stand_in, domain, flags);
        let message = "Domain backup job id not found: no domain backup job present";
        refuse(virt_sys::VIR_ERR_NO_DOMAIN_BACKUP, message);
        std::ptr::null_mut()
    };
    virDomainCheckpointCreateXML(domain: virDomainPtr, xml: *const c_char, flags: c_uint) -> virDomainCheckpointPtr = |stand_in, own| {
        let guest = handle(domain);
        if let Err(failure) = stand_in.check_checkpoint(&guest, &given(xml).unwrap_or_default(), flags) {
            fail(&failure);
            return std::ptr::null_mut();
        }
        let known = flags & !virt_sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE;
        let make = || {
            // SAFETY: the caller's handle and the text live during the call.
            let made = unsafe { own(domain, xml, known) };
            match made.is_null() {
                true => Err(Failure::last()),
                false => Ok(made),
            }
        };
        let made = match flags & REDEFINE != 0 {
            true => with_domain_running(&guest, make),
            false => make(),
        };
        match made {
            Ok(made) => {
                if flags & REDEFINE == 0 {
                    // SAFETY: the handle lives, and keeps the text.
                    let name = unsafe { CStr::from_ptr(virt_sys::virDomainCheckpointGetName(made)) };
                    let name = name.to_string_lossy();
                    let all = stand_in.bitmaps_of(&guest).into_iter();
                    all.filter(|one| one.checkpoint == name).for_each(|one| stand_in.set_bitmap(&one, true));
                }
                made
            }
            Err(failure) => {
                fail(&failure);
                std::ptr::null_mut()
            }
        }
    };
    virDomainCheckpointDelete(checkpoint: virDomainCheckpointPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let guest = domain_of(checkpoint);
        let only_metadata = flags & virt_sys::VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY != 0;
        if !only_metadata && !guest.is_active().unwrap_or(false) {
            let message = "Operation not supported: cannot delete checkpoint for inactive domain";
            return refuse(virt_sys::VIR_ERR_OPERATION_UNSUPPORTED, message);
        }
        let before = stand_in.bitmaps_of(&guest);
        if !only_metadata && flags & virt_sys::VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY == 0 {
            // SAFETY: the caller's handle lives, and keeps the text.
            let name = unsafe { CStr::from_ptr(virt_sys::virDomainCheckpointGetName(checkpoint)) };
            let name = name.to_string_lossy();
            let missing = before.iter().find(|one| one.checkpoint == name && !stand_in.has_bitmap(one));
            if let Some(one) = missing {
                let message = format!(
                    "internal error: bitmap '{}' not found in backing chain of '{}'",
                    one.name, one.target
                );
                return refuse(virt_sys::VIR_ERR_INTERNAL_ERROR, &message);
            }
        }
        // SAFETY: the caller's handle lives during the call.
        let result = unsafe { own(checkpoint, flags) };
        if result == 0 && !only_metadata {
            let after = stand_in.bitmaps_of(&guest);
            let gone = before.iter().filter(|one| !after.contains(one));
            gone.for_each(|one| stand_in.set_bitmap(one, false));
        }
        result
    };
    virDomainGetBlockInfo(domain: virDomainPtr, disk: *const c_char, info: virt_sys::virDomainBlockInfoPtr, flags: c_uint) -> c_int = |stand_in, own| {
        // SAFETY: the caller passes valid arguments for libvirt's function.
        let result = unsafe { own(domain, disk, info, flags) };
        if result != 0 || info.is_null() {
            return result;
        }
        match stand_in.block_info(&handle(domain), &given(disk).unwrap_or_default()) {
            Some([capacity, allocation, physical]) => {
                let known = virt_sys::virDomainBlockInfo { capacity, allocation, physical };
                // SAFETY: the caller passes a place for this struct.
                unsafe { info.write(known) };
            }
            None => stand_in.differs("virDomainGetBlockInfo", "the test driver invents the answer"),
        }
        result
    };
}
