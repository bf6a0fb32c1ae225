//! What a guest's cgroups allow it, and what happens at the end of its life.

use std::ffi::{c_int, c_uint};

use virt::domain::Domain;

use super::typed_params::TypedParams;
use super::{Result, checked};

/// Sets how the guest is scheduled.
pub fn set_scheduler_parameters(
    domain: &Domain,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe {
        virt_sys::virDomainSetSchedulerParametersFlags(domain.as_ptr(), array, count, flags)
    })
    .map(drop)
}

/// Sets the limits of the guest's memory.
pub fn set_memory_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetMemoryParameters(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// Sets the limits of the guest's block input and output.
pub fn set_blkio_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetBlkioParameters(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// Sets what happens when the guest goes off, reboots or crashes.
pub fn set_lifecycle_action(
    domain: &Domain,
    when: c_uint,
    action: c_uint,
    flags: c_uint,
) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    let result: c_int =
        unsafe { virt_sys::virDomainSetLifecycleAction(domain.as_ptr(), when, action, flags) };
    checked(result).map(drop)
}
