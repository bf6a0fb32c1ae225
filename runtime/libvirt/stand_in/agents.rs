//! Calls that ask the agent of a guest. The guests of a twin do not really run, so no agent answers.

use std::ffi::{c_char, c_int, c_longlong, c_uint, c_ulonglong};

use virt::domain::Domain;
use virt_sys::{virDomainPtr, virTypedParameterPtr};

use super::{StandIn, fail, handle, status};
use crate::libvirt::Failure;

/// The agents in guests.
pub trait Agents {
    /// Refuses to ask the agent of a guest where QEMU refuses it.
    fn check_agent(&self, domain: &Domain) -> Result<(), Failure>;
}

/// Fails as QEMU does if it cannot reach the agent; otherwise, because the answer is unknown.
fn unanswered(stand_in: &dyn StandIn, domain: virDomainPtr) {
    let failure = stand_in.check_agent(&handle(domain)).err();
    fail(&failure.unwrap_or_else(|| {
        let message = "only the agent in the guest knows the answer";
        Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST)
    }));
}

/// Functions that ask the agent. They fail with the return value `$missing`.
macro_rules! asked_of_agent {
    ($($name:ident($($arg:ident: $type:ty),*) -> $ret:ty, or $missing:expr;)*) => {
        stand_ins! {$(
            $name(domain: virDomainPtr $(, $arg: $type)*) -> $ret = |stand_in, own| {
                let _ = (own $(, $arg)*);
                unanswered(&*stand_in, domain);
                $missing
            };
        )*}
    };
}

asked_of_agent! {
    virDomainGetHostname(flags: c_uint) -> *mut c_char, or std::ptr::null_mut();
    virDomainGetFSInfo(info: *mut *mut virt_sys::virDomainFSInfoPtr, flags: c_uint) -> c_int, or -1;
    virDomainGetTime(seconds: *mut c_longlong, nanoseconds: *mut c_uint, flags: c_uint) -> c_int, or -1;
    virDomainSetUserPassword(user: *const c_char, password: *const c_char, flags: c_uint) -> c_int, or -1;
    virDomainGetGuestVcpus(params: *mut virTypedParameterPtr, count: *mut c_uint, flags: c_uint) -> c_int, or -1;
    virDomainSetGuestVcpus(map: *const c_char, state: c_int, flags: c_uint) -> c_int, or -1;
    virDomainGetGuestInfo(types: c_uint, params: *mut virTypedParameterPtr, count: *mut c_int, flags: c_uint) -> c_int, or -1;
    virDomainAuthorizedSSHKeysGet(user: *const c_char, keys: *mut *mut *mut c_char, flags: c_uint) -> c_int, or -1;
    virDomainAuthorizedSSHKeysSet(user: *const c_char, keys: *mut *const c_char, count: c_uint, flags: c_uint) -> c_int, or -1;
    virDomainQemuAgentCommand(command: *const c_char, timeout: c_int, flags: c_uint) -> *mut c_char, or std::ptr::null_mut();
}

stand_ins! {
    virDomainSetTime(domain: virDomainPtr, seconds: c_longlong, nanoseconds: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, seconds, nanoseconds, flags);
        match handle(domain).is_active() {
            // libvirt first checks QEMU's capabilities, which are unknown while the guest is off.
            Ok(false) => {
                let message = "Operation not supported: cannot set time: qemu doesn't support rtc-reset-reinjection command";
                fail(&Failure::new(virt_sys::VIR_ERR_OPERATION_UNSUPPORTED, message).in_domain(virt_sys::VIR_FROM_QEMU));
            }
            _ => unanswered(&*stand_in, domain),
        }
        -1
    };
    virDomainFSFreeze(domain: virDomainPtr, mountpoints: *mut *const c_char, count: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, mountpoints, count, flags);
        status(stand_in.check_agent(&handle(domain)))
    };
    virDomainFSThaw(domain: virDomainPtr, mountpoints: *mut *const c_char, count: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, mountpoints, count, flags);
        status(stand_in.check_agent(&handle(domain)))
    };
    virDomainFSTrim(domain: virDomainPtr, mountpoint: *const c_char, minimum: c_ulonglong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, mountpoint, minimum, flags);
        status(stand_in.check_agent(&handle(domain)))
    };
}
