//! Calls that QEMU accepts or refuses in other states of a guest than the test driver, and the reasons of states.

use std::ffi::{c_char, c_int, c_uint};

use parking_lot::Mutex;
use virt::domain::Domain;
use virt_sys::virDomainPtr;

use super::life::{is_paused, uuid};
use super::{fail, given, handle};
use crate::libvirt::Failure;

/// A reason that QEMU has for a state, if the test driver has another one.
struct Reason {
    connection: usize,
    uuid: String,
    /// The state, the test driver's reason, and the guest's id when it was noted: it holds while these are the same.
    seen: (c_int, c_int, c_uint),
    reason: c_int,
}

static REASONS: Mutex<Vec<Reason>> = Mutex::new(Vec::new());

/// Guests that end with their connection: the address of the connection, the UUID and the id.
static BOUND: Mutex<Vec<(usize, String, c_uint)>> = Mutex::new(Vec::new());

/// Forgets the guests on the connection at `address`.
pub(super) fn forget(address: usize) {
    REASONS.lock().retain(|one| one.connection != address);
    BOUND.lock().retain(|(own, ..)| *own != address);
}

/// The state, the test driver's reason for it, and the guest's id.
fn seen(domain: virDomainPtr) -> (c_int, c_int, c_uint) {
    let own = own!(virDomainGetState(virDomainPtr, *mut c_int, *mut c_int, c_uint) -> c_int);
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the caller's handle lives during the calls, which write two numbers.
    let id = unsafe {
        own(domain, &raw mut state, &raw mut reason, 0);
        virt_sys::virDomainGetID(domain)
    };
    (state, reason, id)
}

fn connection(domain: virDomainPtr) -> usize {
    // SAFETY: the caller's handle lives during the call. The pointer is only compared.
    unsafe { virt_sys::virDomainGetConnect(domain) }.addr()
}

/// Forgets the reason of the last state of `domain`, which starts.
pub(super) fn forget_reason(domain: virDomainPtr) {
    let (connection, uuid) = (connection(domain), uuid(domain));
    let mut all = REASONS.lock();
    all.retain(|one| one.connection != connection || one.uuid != uuid);
}

/// Gives the state of `domain` the reason `reason`, until the state changes.
pub(super) fn set_reason_of(domain: virDomainPtr, reason: u32) {
    let (connection, uuid) = (connection(domain), uuid(domain));
    let mut all = REASONS.lock();
    all.retain(|one| one.connection != connection || one.uuid != uuid);
    all.push(Reason {
        connection,
        uuid,
        seen: seen(domain),
        reason: c_int::try_from(reason).unwrap_or_default(),
    });
}

/// Gives the state of `domain` the reason `reason`, until the state changes.
pub fn set_reason(domain: &Domain, reason: u32) {
    // SAFETY: the handle lives during the call.
    set_reason_of(unsafe { domain.as_ptr() }, reason);
}

/// Gives a guest that goes on from saved memory the reason that QEMU has.
pub(super) fn set_restored(domain: virDomainPtr) {
    let reason = match is_paused(domain) {
        true => virt_sys::VIR_DOMAIN_PAUSED_MIGRATION,
        false => virt_sys::VIR_DOMAIN_RUNNING_RESTORED,
    };
    set_reason_of(domain, reason);
}

/// Gives a guest that a call paused and resumed the reason that QEMU has.
pub(super) fn set_resumed(domain: virDomainPtr) {
    if u32::try_from(seen(domain).0) == Ok(virt_sys::VIR_DOMAIN_RUNNING) {
        set_reason_of(domain, virt_sys::VIR_DOMAIN_RUNNING_UNPAUSED);
    }
}

/// Notes that the running guest `domain` ends with its connection.
pub(super) fn bind_of(domain: virDomainPtr) {
    let bound = (connection(domain), uuid(domain), seen(domain).2);
    BOUND.lock().push(bound);
}

/// Notes that the running guest `domain` ends with its connection.
pub fn bind(domain: &Domain) {
    // SAFETY: the handle lives during the call.
    bind_of(unsafe { domain.as_ptr() });
}

/// True if the running guest `domain` ends with its connection.
pub fn is_bound(domain: &Domain) -> bool {
    // SAFETY: the handle lives during the call.
    let domain = unsafe { domain.as_ptr() };
    let bound = (connection(domain), uuid(domain), seen(domain).2);
    BOUND.lock().contains(&bound)
}

fn refuse(code: virt_sys::virErrorNumber, message: &str) -> c_int {
    fail(&Failure::new(code, message).in_domain(virt_sys::VIR_FROM_QEMU));
    -1
}

fn is_transient(domain: virDomainPtr) -> bool {
    // SAFETY: the caller's handle lives during the call.
    unsafe { virt_sys::virDomainIsPersistent(domain) == 0 }
}

fn has_managed_save(domain: virDomainPtr) -> c_int {
    // SAFETY: the caller's handle lives during the call.
    unsafe { virt_sys::virDomainHasManagedSaveImage(domain, 0) }
}

const CANNOT_UNDEFINE: &str = "Requested operation is not valid: cannot undefine transient domain";

/// Why QEMU refuses to ask the guest to shut down.
fn refuse_shutdown(domain: virDomainPtr, flags: c_uint) -> Option<c_int> {
    if is_paused(domain) {
        let message = "Requested operation is not valid: domain is not running";
        return Some(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    let guest = handle(domain);
    let by_agent = flags == virt_sys::VIR_DOMAIN_SHUTDOWN_GUEST_AGENT;
    let has_agent = || {
        guest
            .xml_desc(0)
            .is_ok_and(|xml| xml.contains("org.qemu.guest_agent.0"))
    };
    if by_agent && guest.is_active().unwrap_or(false) && !has_agent() {
        let message = "argument unsupported: QEMU guest agent is not configured";
        return Some(refuse(virt_sys::VIR_ERR_ARGUMENT_UNSUPPORTED, message));
    }
    None
}

/// Why QEMU refuses to undefine `domain`: it is transient, or has checkpoints that no flag includes.
fn refuse_undefine(domain: virDomainPtr, flags: c_uint) -> Option<c_int> {
    if is_transient(domain) {
        return Some(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, CANNOT_UNDEFINE));
    }
    let guest = handle(domain);
    let all = crate::libvirt::checkpoint::list(&guest, 0).unwrap_or_default();
    let included = flags & virt_sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA != 0;
    if all.is_empty() || included || guest.is_active().unwrap_or(false) {
        return None;
    }
    let message = format!(
        "Requested operation is not valid: cannot delete inactive domain with {} checkpoints",
        all.len()
    );
    Some(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, &message))
}

stand_ins! {
    virDomainGetState(domain: virDomainPtr, state: *mut c_int, reason: *mut c_int, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // SAFETY: the caller passes valid arguments for libvirt's function.
        let result = unsafe { own(domain, state, reason, flags) };
        if result == 0 && !reason.is_null() {
            let (connection, uuid, now) = (connection(domain), uuid(domain), seen(domain));
            let all = REASONS.lock();
            let known = all.iter().find(|one| one.connection == connection && one.uuid == uuid && one.seen == now);
            if let Some(known) = known {
                // SAFETY: the caller passes a place for a number.
                unsafe { reason.write(known.reason) };
            }
        }
        result
    };
    virDomainIsUpdated(domain: virDomainPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // SAFETY: the caller's handle lives during the calls. The test driver does not look whether the domain exists.
        unsafe {
            match virt_sys::virDomainIsActive(domain) {
                -1 => -1,
                _ => own(domain),
            }
        }
    };
    virDomainSuspend(domain: virDomainPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match is_paused(domain) {
            true => 0,
            // SAFETY: the caller's handle lives during the call.
            false => unsafe { own(domain) },
        }
    };
    virDomainReboot(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match is_paused(domain) {
            true => 0,
            // SAFETY: the caller's handle lives during the call.
            false => unsafe { own(domain, flags) },
        }
    };
    virDomainShutdown(domain: virDomainPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // SAFETY: the caller's handle lives during the call.
        refuse_shutdown(domain, 0).unwrap_or_else(|| unsafe { own(domain) })
    };
    virDomainShutdownFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // SAFETY: the caller's handle lives during the call.
        refuse_shutdown(domain, flags).unwrap_or_else(|| unsafe { own(domain, 0) })
    };
    virDomainUndefine(domain: virDomainPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        // SAFETY: the caller's handle lives during the call.
        refuse_undefine(domain, 0).unwrap_or_else(|| unsafe { own(domain) })
    };
    virDomainUndefineFlags(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        let known = virt_sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | virt_sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        // The files of firmware and TPM are not part of the twin.
        // SAFETY: the caller's handle lives during the call.
        refuse_undefine(domain, flags).unwrap_or_else(|| unsafe { own(domain, flags & known) })
    };
    virDomainSetAutostart(domain: virDomainPtr, autostart: c_int) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match is_transient(domain) {
            true => refuse(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: cannot set autostart for transient domain",
            ),
            // SAFETY: the caller's handle lives during the call.
            false => unsafe { own(domain, autostart) },
        }
    };
    virDomainRename(domain: virDomainPtr, name: *const c_char, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        let is_empty = given(name).unwrap_or_default().is_empty();
        match has_managed_save(domain) {
            1 if !is_empty => refuse(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: domain with a managed saved state can't be renamed",
            ),
            // SAFETY: the caller's handle and the text live during the call.
            _ => unsafe { own(domain, name, flags) },
        }
    };
    virDomainManagedSaveRemove(domain: virDomainPtr, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match has_managed_save(domain) {
            0 => refuse(
                virt_sys::VIR_ERR_SYSTEM_ERROR,
                "failed to remove the managed save file: No such file or directory",
            ),
            // SAFETY: the caller's handle lives during the call.
            _ => unsafe { own(domain, flags) },
        }
    };
}
