//! What a guest may take of its host: processor time, memory, disks, network; and what happens at the end of its life.

use std::ffi::{c_int, c_uint};

use virt::domain::Domain;

use super::typed_params::{Scalar, TypedParams, allocated, filled};
use super::{Result, c_text, checked, newer, owned_text};

/// Figures and limits under libvirt's names.
type Params = Vec<(String, Scalar)>;

/// Sets how the running guest is scheduled.
pub fn set_scheduler_parameters(domain: &Domain, params: &TypedParams) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetSchedulerParameters(domain.as_ptr(), array, count) })
        .map(drop)
}

/// Sets how the guest is scheduled.
pub fn set_scheduler_parameters_flags(
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

/// How the running guest is scheduled.
pub fn scheduler_parameters(domain: &Domain) -> Result<Params> {
    let (_, count) = scheduler_type(domain)?;
    // SAFETY: the handle lives during the call. This one call does not tell a length for null: the
    // kind of scheduler does.
    unsafe {
        filled(|array, length| match array.is_null() {
            true => {
                *length = count;
                0
            }
            false => virt_sys::virDomainGetSchedulerParameters(domain.as_ptr(), array, length),
        })
    }
}

/// How the guest is scheduled, as flags say.
pub fn scheduler_parameters_flags(domain: &Domain, flags: c_uint) -> Result<Params> {
    let (_, count) = scheduler_type(domain)?;
    // SAFETY: as in `scheduler_parameters`.
    unsafe {
        filled(|array, length| match array.is_null() {
            true => {
                *length = count;
                0
            }
            false => virt_sys::virDomainGetSchedulerParametersFlags(
                domain.as_ptr(),
                array,
                length,
                flags,
            ),
        })
    }
}

/// The kind of scheduler, and how many parameters it has.
pub fn scheduler_type(domain: &Domain) -> Result<(String, c_int)> {
    let mut count = 0;
    // SAFETY: the handle lives during the call; the answer is ours to free.
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
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetMemoryParameters(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The limits of the guest's memory, in KiB.
pub fn memory_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainGetMemoryParameters(domain.as_ptr(), array, length, flags)
        })
    }
}

/// Sets the limits of the guest's block input and output.
pub fn set_blkio_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetBlkioParameters(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The limits of the guest's block input and output.
pub fn blkio_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainGetBlkioParameters(domain.as_ptr(), array, length, flags)
        })
    }
}

/// Sets the NUMA nodes that the guest's memory comes from.
pub fn set_numa_parameters(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetNumaParameters(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The NUMA nodes that the guest's memory comes from.
pub fn numa_parameters(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainGetNumaParameters(domain.as_ptr(), array, length, flags)
        })
    }
}

/// Sets the bandwidth of a network card.
pub fn set_interface_parameters(
    domain: &Domain,
    device: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let device = c_text(device)?;
    let (array, count) = params.parts();
    // SAFETY: handle and string live during the call, and the array is as long as `count` says.
    checked(unsafe {
        virt_sys::virDomainSetInterfaceParameters(
            domain.as_ptr(),
            device.as_ptr(),
            array,
            count,
            flags,
        )
    })
    .map(drop)
}

/// The bandwidth of a network card.
pub fn interface_parameters(domain: &Domain, device: &str, flags: c_uint) -> Result<Params> {
    let device = c_text(device)?;
    // SAFETY: handle and string live during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainGetInterfaceParameters(
                domain.as_ptr(),
                device.as_ptr(),
                array,
                length,
                flags,
            )
        })
    }
}

/// Limits the input and output of a disk.
pub fn set_block_io_tune(
    domain: &Domain,
    disk: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let disk = c_text(disk)?;
    let (array, count) = params.parts();
    // SAFETY: handle and string live during the call, and the array is as long as `count` says.
    checked(unsafe {
        virt_sys::virDomainSetBlockIoTune(domain.as_ptr(), disk.as_ptr(), array, count, flags)
    })
    .map(drop)
}

/// The limits of the input and output of a disk.
pub fn block_io_tune(domain: &Domain, disk: &str, flags: c_uint) -> Result<Params> {
    let disk = c_text(disk)?;
    // SAFETY: handle and string live during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainGetBlockIoTune(domain.as_ptr(), disk.as_ptr(), array, length, flags)
        })
    }
}

/// Turns performance events of the guest on and off.
pub fn set_perf_events(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virDomainSetPerfEvents(domain.as_ptr(), array, count, flags) })
        .map(drop)
}

/// Which performance events of the guest are on.
pub fn perf_events(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        allocated(|array, length| {
            virt_sys::virDomainGetPerfEvents(domain.as_ptr(), array, length, flags)
        })
    }
}

/// What the host's processor says of the guest's encrypted memory.
pub fn launch_security_info(domain: &Domain, flags: c_uint) -> Result<Params> {
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        allocated(|array, length| {
            virt_sys::virDomainGetLaunchSecurityInfo(domain.as_ptr(), array, length, flags)
        })
    }
}

/// Puts a secret into the encrypted memory of a guest that has not begun to run.
pub fn set_launch_security_state(
    domain: &Domain,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe {
        virt_sys::virDomainSetLaunchSecurityState(domain.as_ptr(), array, count, flags)
    })
    .map(drop)
}

/// Sets or changes a group of limits that disks of the guest share.
pub fn set_throttle_group(
    domain: &Domain,
    group: &str,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    type Call = unsafe extern "C" fn(
        virt_sys::virDomainPtr,
        *const std::ffi::c_char,
        virt_sys::virTypedParameterPtr,
        c_int,
        c_uint,
    ) -> c_int;
    let group = c_text(group)?;
    let (array, count) = params.parts();
    // SAFETY: the symbol has this type wherever libvirt has it, since 11.2; handle, string and parameters live
    // during the call.
    unsafe {
        let address = newer(c"virDomainSetThrottleGroup")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(domain.as_ptr(), group.as_ptr(), array, count, flags)).map(drop)
    }
}

/// Removes a group of limits.
pub fn del_throttle_group(domain: &Domain, group: &str, flags: c_uint) -> Result<()> {
    type Call =
        unsafe extern "C" fn(virt_sys::virDomainPtr, *const std::ffi::c_char, c_uint) -> c_int;
    let group = c_text(group)?;
    // SAFETY: as in `set_throttle_group`.
    unsafe {
        let address = newer(c"virDomainDelThrottleGroup")?;
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

/// Has libvirt tell once a disk's image is written beyond `bytes`.
pub fn set_block_threshold(domain: &Domain, device: &str, bytes: u64, flags: c_uint) -> Result<()> {
    let device = c_text(device)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainSetBlockThreshold(domain.as_ptr(), device.as_ptr(), bytes, flags)
    })
    .map(drop)
}

/// Has the hypervisor measure for some seconds how fast the guest writes to its memory.
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
