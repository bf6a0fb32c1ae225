//! Devices of guests, and jobs on guests.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_ulonglong};

use virt::domain::Domain;
use virt_sys::virDomainPtr;

use super::{StandIn, fail, given, handle, status};
use crate::libvirt::Failure;

/// A change of a device of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// It is added.
    Attach,
    /// It is removed.
    Detach,
    /// The device with an alias is removed.
    DetachAlias,
    /// It gets other settings.
    Update,
}

/// The devices of guests.
pub trait Devices {
    /// Changes the devices of a guest.
    fn change_device(
        &self,
        domain: &Domain,
        change: DeviceChange,
        what: &str,
        flags: u32,
    ) -> Result<(), Failure>;

    /// True if the guest with the live XML `xml` has a balloon device.
    fn has_balloon(&self, xml: &str) -> bool;
}

fn change(
    stand_in: &dyn StandIn,
    domain: virDomainPtr,
    change: DeviceChange,
    what: *const c_char,
    flags: c_uint,
) -> c_int {
    let what = given(what).unwrap_or_default();
    status(stand_in.change_device(&handle(domain), change, &what, flags))
}

/// Refuses to abort a job: there are no jobs.
fn no_job(domain: virDomainPtr) -> c_int {
    if let Err(failure) = running(domain) {
        return status(Err(failure));
    }
    let message = "Requested operation is not valid: no job is active on the domain";
    fail(
        &Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message)
            .in_domain(virt_sys::VIR_FROM_QEMU),
    );
    -1
}

stand_ins! {
    virDomainAttachDevice(domain: virDomainPtr, xml: *const c_char) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::Attach, xml, 0)
    };
    virDomainAttachDeviceFlags(domain: virDomainPtr, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::Attach, xml, flags)
    };
    virDomainDetachDevice(domain: virDomainPtr, xml: *const c_char) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::Detach, xml, 0)
    };
    virDomainDetachDeviceFlags(domain: virDomainPtr, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::Detach, xml, flags)
    };
    virDomainDetachDeviceAlias(domain: virDomainPtr, alias: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::DetachAlias, alias, flags)
    };
    virDomainUpdateDeviceFlags(domain: virDomainPtr, xml: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        change(&*stand_in, domain, DeviceChange::Update, xml, flags)
    };
    virDomainBlockResize(domain: virDomainPtr, disk: *const c_char, size: c_ulonglong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, disk, size, flags);
        status(running(domain))
    };
    virDomainSetMemory(domain: virDomainPtr, memory: c_ulong) -> c_int = |stand_in, own| {
        if status(has_balloon(&*stand_in, domain, 0)) != 0 {
            return -1;
        }
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(domain, memory) }
    };
    virDomainSetMemoryFlags(domain: virDomainPtr, memory: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        if status(has_balloon(&*stand_in, domain, flags)) != 0 {
            return -1;
        }
        // SAFETY: the same.
        unsafe { own(domain, memory, flags) }
    };
    virDomainGetJobInfo(domain: virDomainPtr, info: virt_sys::virDomainJobInfoPtr) -> c_int = |stand_in, own| {
        let _ = (own, stand_in);
        if let Err(failure) = running(domain) {
            return status(Err(failure));
        }
        if !info.is_null() {
            // SAFETY: the caller passes a place for this struct of numbers, of which all bits zero is a value.
            unsafe { info.write(std::mem::zeroed()) };
        }
        0
    };
    virDomainGetJobStats(domain: virDomainPtr, kind: *mut c_int, params: *mut virt_sys::virTypedParameterPtr, count: *mut c_int, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in);
        let completed = flags & virt_sys::VIR_DOMAIN_JOB_STATS_COMPLETED != 0;
        if let Err(failure) = running(domain)
            && !completed
        {
            return status(Err(failure));
        }
        // SAFETY: the caller passes places for a number, a list and its length.
        unsafe {
            kind.write(0);
            params.write(std::ptr::null_mut());
            count.write(0);
        }
        0
    };
    virDomainGetDiskErrors(domain: virDomainPtr, errors: virt_sys::virDomainDiskErrorPtr, most: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, domain, errors, most, flags);
        0
    };
    virDomainAbortJob(domain: virDomainPtr) -> c_int = |stand_in, own| {
        let _ = (own, stand_in);
        no_job(domain)
    };
    virDomainAbortJobFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, flags);
        no_job(domain)
    };
}

/// Refuses calls that need a running guest.
fn running(domain: virDomainPtr) -> Result<(), Failure> {
    match handle(domain).is_active()? {
        true => Ok(()),
        false => {
            let message = "Requested operation is not valid: domain is not running";
            Err(Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message)
                .in_domain(virt_sys::VIR_FROM_QEMU))
        }
    }
}

/// Refuses to change the memory of a running guest that has no balloon device.
fn has_balloon(stand_in: &dyn StandIn, domain: virDomainPtr, flags: c_uint) -> Result<(), Failure> {
    let domain = handle(domain);
    let is_live =
        match flags & (virt_sys::VIR_DOMAIN_AFFECT_LIVE | virt_sys::VIR_DOMAIN_AFFECT_CONFIG) {
            0 => domain.is_active()?,
            impact => impact & virt_sys::VIR_DOMAIN_AFFECT_LIVE != 0,
        };
    if !is_live || flags & virt_sys::VIR_DOMAIN_MEM_MAXIMUM != 0 {
        return Ok(());
    }
    match stand_in.has_balloon(&domain.xml_desc(0)?) {
        true => Ok(()),
        false => {
            let message = "Requested operation is not valid: Unable to change memory of active domain without \
                           the balloon device and guest OS balloon driver";
            Err(Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message)
                .in_domain(virt_sys::VIR_FROM_QEMU))
        }
    }
}
