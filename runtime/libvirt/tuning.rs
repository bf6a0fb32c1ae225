//! The limits of a guest on its host: processor time, memory, disks and network; and what happens when the guest ends.

use std::ffi::{c_char, c_int, c_uint};

use virt::domain::Domain;
use virt_sys::{virDomainPtr, virTypedParameterPtr};

use super::typed_params::{Scalar, TypedParams, allocated, filled};
use super::{Result, c_text, checked, newer, owned_text};

/// Figures and limits under libvirt's names.
pub type Params = Vec<(String, Scalar)>;

/// A call that fills an array with parameters of a domain.
type Read = unsafe extern "C" fn(virDomainPtr, virTypedParameterPtr, *mut c_int, c_uint) -> c_int;

/// A call that fills an array with parameters of a device of a domain.
type ReadOf = unsafe extern "C" fn(
    virDomainPtr,
    *const c_char,
    virTypedParameterPtr,
    *mut c_int,
    c_uint,
) -> c_int;

/// A call that allocates an array with parameters of a domain.
type Allocate =
    unsafe extern "C" fn(virDomainPtr, *mut virTypedParameterPtr, *mut c_int, c_uint) -> c_int;

/// A call that sets parameters of a domain.
type Set = unsafe extern "C" fn(virDomainPtr, virTypedParameterPtr, c_int, c_uint) -> c_int;

/// A call that sets parameters of a part of a domain, which it finds by name.
type SetOf =
    unsafe extern "C" fn(virDomainPtr, *const c_char, virTypedParameterPtr, c_int, c_uint) -> c_int;

/// # Safety
/// `call` is a call of libvirt's as [`filled`] takes it.
unsafe fn read(call: Read, domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: by this function's contract; the handle lives during the calls.
    unsafe { filled(|array, length| call(domain.as_ptr(), array, length, flags)) }
}

/// # Safety
/// `call` is a call of libvirt's as [`filled`] takes it.
unsafe fn read_of(call: ReadOf, domain: &Domain, device: &str, flags: c_uint) -> Result<Params> {
    let device = c_text(device)?;
    // SAFETY: by this function's contract; handle and string live during the calls.
    unsafe { filled(|array, length| call(domain.as_ptr(), device.as_ptr(), array, length, flags)) }
}

/// # Safety
/// `call` is a call of libvirt's as [`allocated`] takes it.
unsafe fn read_allocated(call: Allocate, domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: by this function's contract; the handle lives during the call.
    unsafe { allocated(|array, length| call(domain.as_ptr(), array, length, flags)) }
}

/// # Safety
/// `call` is a call of libvirt's that reads as many parameters as its third argument says.
unsafe fn set(call: Set, domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: by this function's contract; the handle and the array, which has `count` entries, live during the call.
    checked(unsafe { call(domain.as_ptr(), array, count, flags) }).map(drop)
}

/// # Safety
/// `call` is a call of libvirt's that reads as many parameters as its fourth argument says.
unsafe fn set_of(
    call: SetOf,
    domain: &Domain,
    part: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let part = c_text(part)?;
    let (array, count) = params.parts();
    // SAFETY: by this function's contract; handle, string and the array, which has `count` entries, live during the
    // call.
    checked(unsafe { call(domain.as_ptr(), part.as_ptr(), array, count, flags) }).map(drop)
}

/// Sets how the running guest is scheduled.
pub fn set_scheduler_parameters(domain: &Domain, params: &TypedParams) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetSchedulerParameters(domain.as_ptr(), array, count) })
        .map(drop)
}

/// Sets how the guest is scheduled, as flags say.
pub fn set_scheduler_parameters_flags(
    domain: &Domain,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    // SAFETY: libvirt's call for these parameters.
    unsafe {
        set(
            virt_sys::virDomainSetSchedulerParametersFlags,
            domain,
            params,
            flags,
        )
    }
}

/// The scheduler parameters of the running guest.
pub fn scheduler_parameters(domain: &Domain) -> Result<Params> {
    // SAFETY: the handle lives during the call, which fills the array.
    unsafe {
        scheduled(domain, |array, length| {
            virt_sys::virDomainGetSchedulerParameters(domain.as_ptr(), array, length)
        })
    }
}

/// The scheduler parameters of the guest, with flags.
pub fn scheduler_parameters_flags(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the call, which fills the array.
    unsafe {
        scheduled(domain, |array, length| {
            virt_sys::virDomainGetSchedulerParametersFlags(domain.as_ptr(), array, length, flags)
        })
    }
}

/// The parameters that `call` reads of the scheduler. The length of the array depends on the kind of scheduler.
///
/// # Safety
/// `call` is a call of libvirt's that fills an array of the length that it is given, and writes back how many.
unsafe fn scheduled(
    domain: &Domain,
    call: impl Fn(virTypedParameterPtr, *mut c_int) -> c_int,
) -> Result<Params> {
    let (_, count) = scheduler_type(domain)?;
    // SAFETY: by this function's contract.
    unsafe {
        filled(|array, length| match array.is_null() {
            true => {
                *length = count;
                0
            }
            false => call(array, length),
        })
    }
}

/// The kind of scheduler, and how many parameters it has.
pub fn scheduler_type(domain: &Domain) -> Result<(String, c_int)> {
    let mut count = 0;
    // SAFETY: the handle lives during the call; the result is ours to free.
    let kind = unsafe {
        owned_text(virt_sys::virDomainGetSchedulerType(
            domain.as_ptr(),
            &raw mut count,
        ))
    };
    kind.map(|kind| (kind, count))
}

/// Sets the limits of the guest's memory.
pub fn set_memory_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    // SAFETY: libvirt's call for these parameters.
    unsafe {
        set(
            virt_sys::virDomainSetMemoryParameters,
            domain,
            params,
            flags,
        )
    }
}

/// The limits of the guest's memory, in KiB.
pub fn memory_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { read(virt_sys::virDomainGetMemoryParameters, domain, flags) }
}

/// Sets the limits of the guest's block input and output.
pub fn set_blkio_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { set(virt_sys::virDomainSetBlkioParameters, domain, params, flags) }
}

/// The limits of the guest's block input and output.
pub fn blkio_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { read(virt_sys::virDomainGetBlkioParameters, domain, flags) }
}

/// Sets the NUMA nodes that the guest's memory comes from.
pub fn set_numa_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { set(virt_sys::virDomainSetNumaParameters, domain, params, flags) }
}

/// The NUMA nodes that the guest's memory comes from.
pub fn numa_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { read(virt_sys::virDomainGetNumaParameters, domain, flags) }
}

/// Sets the bandwidth of a network card.
pub fn set_interface_parameters(
    domain: &Domain,
    device: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let call = virt_sys::virDomainSetInterfaceParameters;
    // SAFETY: libvirt's call for these parameters.
    unsafe { set_of(call, domain, device, params, flags) }
}

/// The bandwidth of a network card.
pub fn interface_parameters(domain: &Domain, device: &str, flags: c_uint) -> Result<Params> {
    let call = virt_sys::virDomainGetInterfaceParameters;
    // SAFETY: libvirt's call for these parameters.
    unsafe { read_of(call, domain, device, flags) }
}

/// Limits the input and output of a disk.
pub fn set_block_io_tune(
    domain: &Domain,
    disk: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let call = virt_sys::virDomainSetBlockIoTune;
    // SAFETY: libvirt's call for these parameters.
    unsafe { set_of(call, domain, disk, params, flags) }
}

/// The limits of the input and output of a disk.
pub fn block_io_tune(domain: &Domain, disk: &str, flags: c_uint) -> Result<Params> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { read_of(virt_sys::virDomainGetBlockIoTune, domain, disk, flags) }
}

/// Turns performance events of the guest on and off.
pub fn set_perf_events(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { set(virt_sys::virDomainSetPerfEvents, domain, params, flags) }
}

/// The performance events of the guest that are on.
pub fn perf_events(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: libvirt's call for these parameters.
    unsafe { read_allocated(virt_sys::virDomainGetPerfEvents, domain, flags) }
}

/// The protection of a guest's memory by the host's processor.
pub fn launch_security_info(domain: &Domain, flags: c_uint) -> Result<Params> {
    let call = virt_sys::virDomainGetLaunchSecurityInfo;
    // SAFETY: libvirt's call for these parameters.
    unsafe { read_allocated(call, domain, flags) }
}

/// Puts a secret into the encrypted memory of a guest that has not begun to run.
pub fn set_launch_security_state(
    domain: &Domain,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let call = virt_sys::virDomainSetLaunchSecurityState;
    // SAFETY: libvirt's call for these parameters.
    unsafe { set(call, domain, params, flags) }
}

/// Sets or changes a group of limits that disks of the guest share.
pub fn set_throttle_group(
    domain: &Domain,
    group: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let address = newer(c"virDomainSetThrottleGroup")?;
    // SAFETY: the symbol has this type wherever libvirt has it, since 11.2.
    unsafe {
        let call = std::mem::transmute::<*mut libc::c_void, SetOf>(address);
        set_of(call, domain, group, params, flags)
    }
}

/// Removes a group of limits.
pub fn del_throttle_group(domain: &Domain, group: &str, flags: c_uint) -> Result<()> {
    type Call = unsafe extern "C" fn(virDomainPtr, *const c_char, c_uint) -> c_int;
    let group = c_text(group)?;
    let address = newer(c"virDomainDelThrottleGroup")?;
    // SAFETY: the symbol has this type wherever libvirt has it, since 11.2; handle and string live during the call.
    unsafe {
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(domain.as_ptr(), group.as_ptr(), flags)).map(drop)
    }
}

/// Sets how often the guest's memory figures are taken, in seconds; 0 stops it.
pub fn set_memory_stats_period(domain: &Domain, seconds: c_int, flags: c_uint) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe { virt_sys::virDomainSetMemoryStatsPeriod(domain.as_ptr(), seconds, flags) })
        .map(drop)
}

/// Makes libvirt send an event as soon as a disk's image is written beyond `bytes`.
pub fn set_block_threshold(domain: &Domain, device: &str, bytes: u64, flags: c_uint) -> Result<()> {
    let device = c_text(device)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainSetBlockThreshold(domain.as_ptr(), device.as_ptr(), bytes, flags)
    })
    .map(drop)
}

/// Makes the hypervisor measure for some seconds how fast the guest writes to its memory.
pub fn start_dirty_rate_calc(domain: &Domain, seconds: c_int, flags: c_uint) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe { virt_sys::virDomainStartDirtyRateCalc(domain.as_ptr(), seconds, flags) })
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
    checked(unsafe { virt_sys::virDomainSetLifecycleAction(domain.as_ptr(), when, action, flags) })
        .map(drop)
}
