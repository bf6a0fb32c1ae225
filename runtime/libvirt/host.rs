//! What a host has, and what it may do with it: CPUs, memory, pages, sleep.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong};

use virt::connect::Connect;

use super::pinning::numbers;
use super::typed_params::{Scalar, TypedParams, allocated, filled};
use super::{Result, borrowed_text, c_option, c_text, checked, owned_text, pointer};

/// Figures under libvirt's names.
pub type Figures = Vec<(String, u64)>;

/// How many CPUs the host has, those that are on, and how many these are.
pub fn cpu_map(connect: &Connect, flags: c_uint) -> Result<(i64, Vec<i64>, i64)> {
    let (mut map, mut online) = (std::ptr::null_mut(), 0);
    // SAFETY: the handle lives during the call; the map that it allocates has a bit for each CPU, and is ours to free.
    unsafe {
        let count = checked(virt_sys::virNodeGetCPUMap(
            connect.as_ptr(),
            &raw mut map,
            &raw mut online,
            flags,
        ))?;
        let cpus = usize::try_from(count).unwrap_or(0);
        let on = match map.is_null() {
            true => Vec::new(),
            false => numbers(std::slice::from_raw_parts(map, cpus.div_ceil(8)), cpus),
        };
        libc::free(map.cast());
        Ok((i64::from(count), on, i64::from(online)))
    }
}

/// How long the CPU `cpu`, or all of them for -1, did what, in nanoseconds.
pub fn cpu_stats(connect: &Connect, cpu: c_int, flags: c_uint) -> Result<Figures> {
    let mut count = 0;
    // SAFETY: the handle lives during the call, which tells for null how many figures there are.
    checked(unsafe {
        virt_sys::virNodeGetCPUStats(
            connect.as_ptr(),
            cpu,
            std::ptr::null_mut(),
            &raw mut count,
            flags,
        )
    })?;
    // SAFETY: all bits zero is a value of this struct of numbers.
    let none: virt_sys::virNodeCPUStats = unsafe { std::mem::zeroed() };
    let mut stats = vec![none; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the handle and the array, which is as long as said, live during the call.
    checked(unsafe {
        virt_sys::virNodeGetCPUStats(
            connect.as_ptr(),
            cpu,
            stats.as_mut_ptr(),
            &raw mut count,
            flags,
        )
    })?;
    stats.truncate(usize::try_from(count).unwrap_or(0));
    let figures = stats.iter().map(|stat| (name(&stat.field), stat.value));
    Ok(figures.collect())
}

/// The memory of the NUMA cell `cell`, or of all for -1, in KiB.
pub fn memory_stats(connect: &Connect, cell: c_int, flags: c_uint) -> Result<Figures> {
    let mut count = 0;
    // SAFETY: the handle lives during the call, which tells for null how many figures there are.
    checked(unsafe {
        virt_sys::virNodeGetMemoryStats(
            connect.as_ptr(),
            cell,
            std::ptr::null_mut(),
            &raw mut count,
            flags,
        )
    })?;
    // SAFETY: all bits zero is a value of this struct of numbers.
    let none: virt_sys::virNodeMemoryStats = unsafe { std::mem::zeroed() };
    let mut stats = vec![none; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the handle and the array, which is as long as said, live during the call.
    checked(unsafe {
        virt_sys::virNodeGetMemoryStats(
            connect.as_ptr(),
            cell,
            stats.as_mut_ptr(),
            &raw mut count,
            flags,
        )
    })?;
    stats.truncate(usize::try_from(count).unwrap_or(0));
    let figures = stats.iter().map(|stat| (name(&stat.field), stat.value));
    Ok(figures.collect())
}

fn name(field: &[c_char]) -> String {
    // SAFETY: libvirt ends the name with NUL within the field, which was zeros before.
    unsafe { borrowed_text(field.as_ptr()) }.unwrap_or_default()
}

/// How the host shares pages of memory that are alike.
pub fn memory_parameters(connect: &Connect, flags: c_uint) -> Result<Vec<(String, Scalar)>> {
    // SAFETY: the handle lives during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virNodeGetMemoryParameters(connect.as_ptr(), array, length, flags)
        })
    }
}

/// Sets how the host shares pages of memory that are alike.
pub fn set_memory_parameters(connect: &Connect, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virNodeSetMemoryParameters(connect.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The free memory of `count` NUMA cells from the cell `first`, in bytes.
pub fn cells_free_memory(connect: &Connect, first: c_int, count: usize) -> Result<Vec<u64>> {
    let mut free: Vec<c_ulonglong> = vec![0; count];
    // SAFETY: the handle and the array, which is as long as said, live during the call.
    let filled = checked(unsafe {
        virt_sys::virNodeGetCellsFreeMemory(
            connect.as_ptr(),
            free.as_mut_ptr(),
            first,
            c_int::try_from(count).unwrap_or(c_int::MAX),
        )
    })?;
    free.truncate(usize::try_from(filled).unwrap_or(0));
    Ok(free)
}

/// How many pages of each size, in KiB, are free on each of `count` NUMA cells from the cell `first`.
pub fn free_pages(
    connect: &Connect,
    sizes: &[c_uint],
    first: c_int,
    count: c_uint,
    flags: c_uint,
) -> Result<Vec<Vec<u64>>> {
    let mut sizes = sizes.to_vec();
    let mut counts: Vec<c_ulonglong> = vec![0; sizes.len() * count as usize];
    // SAFETY: the handle and the arrays, which are as long as said, live during the call.
    let filled = checked(unsafe {
        virt_sys::virNodeGetFreePages(
            connect.as_ptr(),
            sizes.len() as c_uint,
            sizes.as_mut_ptr(),
            first,
            count,
            counts.as_mut_ptr(),
            flags,
        )
    })?;
    counts.truncate(usize::try_from(filled).unwrap_or(0));
    Ok(counts
        .chunks(sizes.len().max(1))
        .map(<[c_ulonglong]>::to_vec)
        .collect())
}

/// Sets or adds pages, by their sizes in KiB, on each of `count` NUMA cells from the cell `first`.
pub fn alloc_pages(
    connect: &Connect,
    pages: &[(c_uint, u64)],
    first: c_int,
    count: c_uint,
    flags: c_uint,
) -> Result<i64> {
    let (mut sizes, mut counts): (Vec<c_uint>, Vec<c_ulonglong>) = pages.iter().copied().unzip();
    // SAFETY: the handle and the arrays, which are as long as said, live during the call.
    checked(unsafe {
        virt_sys::virNodeAllocPages(
            connect.as_ptr(),
            sizes.len() as c_uint,
            sizes.as_mut_ptr(),
            counts.as_mut_ptr(),
            first,
            count,
            flags,
        )
    })
    .map(i64::from)
}

/// What the host's processor offers for encrypted guests.
pub fn sev_info(connect: &Connect, flags: c_uint) -> Result<Vec<(String, Scalar)>> {
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        allocated(|array, length| {
            virt_sys::virNodeGetSEVInfo(connect.as_ptr(), array, length, flags)
        })
    }
}

/// Puts the host to sleep, for `seconds`.
pub fn suspend_for_duration(
    connect: &Connect,
    target: c_uint,
    seconds: u64,
    flags: c_uint,
) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe {
        virt_sys::virNodeSuspendForDuration(connect.as_ptr(), target, seconds, flags)
    })
    .map(drop)
}

/// Says who is behind the calls of this connection.
pub fn set_identity(connect: &Connect, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virConnectSetIdentity(connect.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The largest CPU that all hosts with `cpus` have.
pub fn baseline_cpu(connect: &Connect, cpus: &[String], flags: c_uint) -> Result<String> {
    let owned = cpus
        .iter()
        .map(|cpu| c_text(cpu))
        .collect::<Result<Vec<_>>>()?;
    let mut list = pointers(&owned);
    // SAFETY: the handle and the strings, as many as said, live during the call; the answer is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectBaselineCPU(
            connect.as_ptr(),
            list.as_mut_ptr(),
            list.len() as c_uint,
            flags,
        ))
    }
}

/// The largest CPU that the hypervisors of all hosts with `cpus` can give to a guest of that emulator, architecture,
/// machine type and kind of domain.
pub fn baseline_hypervisor_cpu(
    connect: &Connect,
    guest: [Option<&str>; 4],
    cpus: &[String],
    flags: c_uint,
) -> Result<String> {
    let [emulator, arch, machine, kind] = guest;
    let (emulator, arch) = (c_option(emulator)?, c_option(arch)?);
    let (machine, kind) = (c_option(machine)?, c_option(kind)?);
    let owned = cpus
        .iter()
        .map(|cpu| c_text(cpu))
        .collect::<Result<Vec<_>>>()?;
    let mut list = pointers(&owned);
    // SAFETY: the handle and the strings, as many as said, live during the call; the answer is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectBaselineHypervisorCPU(
            connect.as_ptr(),
            pointer(&emulator),
            pointer(&arch),
            pointer(&machine),
            pointer(&kind),
            list.as_mut_ptr(),
            list.len() as c_uint,
            flags,
        ))
    }
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).collect()
}

/// The XML of a domain for the hypervisor's own configuration.
pub fn domain_xml_from_native(
    connect: &Connect,
    format: &str,
    config: &str,
    flags: c_uint,
) -> Result<String> {
    let (format, config) = (c_text(format)?, c_text(config)?);
    // SAFETY: handle and strings live during the call; the answer is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectDomainXMLFromNative(
            connect.as_ptr(),
            format.as_ptr(),
            config.as_ptr(),
            flags,
        ))
    }
}

/// The hypervisor's own configuration for the XML of a domain.
pub fn domain_xml_to_native(
    connect: &Connect,
    format: &str,
    xml: &str,
    flags: c_uint,
) -> Result<String> {
    let (format, xml) = (c_text(format)?, c_text(xml)?);
    // SAFETY: handle and strings live during the call; the answer is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectDomainXMLToNative(
            connect.as_ptr(),
            format.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}
