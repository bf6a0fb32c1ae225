//! A host's CPUs, memory, pages and suspend.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong};

use virt::connect::Connect;

use super::typed_params::{Scalar, TypedParams, allocated, filled};
use super::{Result, borrowed_text, c_options, c_text, checked, filled_array, owned_text, pointer};

/// Figures under libvirt's names.
pub type Figures = Vec<(String, u64)>;

/// A guest's emulator, architecture, machine type and kind of domain; `None` is libvirt's choice.
pub type GuestMachine = [Option<String>; 4];

/// The number of the host's CPUs, and the numbers of the online ones.
pub fn cpu_map(connect: &Connect, flags: c_uint) -> Result<(i64, Vec<i64>)> {
    let (mut map, mut online) = (std::ptr::null_mut(), 0);
    // SAFETY: the handle lives during the call; the map that it allocates is ours to free. It has a byte for every CPU
    // up to the last that is on, and is not read beyond that one.
    unsafe {
        let count = checked(virt_sys::virNodeGetCPUMap(
            connect.as_ptr(),
            &raw mut map,
            &raw mut online,
            flags,
        ))?;
        let on = match map.is_null() {
            true => Vec::new(),
            false => online_cpus(count, online as usize, |at| *map.add(at)),
        };
        libc::free(map.cast());
        Ok((i64::from(count), on))
    }
}

/// The numbers of the first `online` of `count` CPUs whose bits are set in the map that has the byte `byte(at)`.
///
/// libvirt leaves out the bytes after the last CPU that is on.
fn online_cpus(count: c_int, online: usize, byte: impl Fn(usize) -> u8) -> Vec<i64> {
    (0..i64::from(count))
        .filter(|cpu| byte((cpu / 8) as usize) & (1 << (cpu % 8)) != 0)
        .take(online)
        .collect()
}

/// The maximum number of the host's CPUs.
pub(super) fn most_cpus(connect: &Connect) -> Result<usize> {
    let host = connect.node_info()?;
    let parts = [host.nodes, host.sockets, host.cores, host.threads];
    Ok(parts.iter().map(|count| *count as usize).product())
}

/// The time in nanoseconds that the CPU `cpu`, or all CPUs for -1, spent on each kind of work.
pub fn cpu_stats(connect: &Connect, cpu: c_int, flags: c_uint) -> Result<Figures> {
    // SAFETY: the handle lives during the calls, which fill the array of structs of numbers.
    let stats: Vec<virt_sys::virNodeCPUStats> = unsafe {
        filled_array(|array, length| {
            virt_sys::virNodeGetCPUStats(connect.as_ptr(), cpu, array, length, flags)
        })
    }?;
    let figures = stats.iter().map(|stat| (name(&stat.field), stat.value));
    Ok(figures.collect())
}

/// The memory of the NUMA cell `cell`, or of all for -1, in KiB.
pub fn memory_stats(connect: &Connect, cell: c_int, flags: c_uint) -> Result<Figures> {
    // SAFETY: the handle lives during the calls, which fill the array of structs of numbers.
    let stats: Vec<virt_sys::virNodeMemoryStats> = unsafe {
        filled_array(|array, length| {
            virt_sys::virNodeGetMemoryStats(connect.as_ptr(), cell, array, length, flags)
        })
    }?;
    let figures = stats.iter().map(|stat| (name(&stat.field), stat.value));
    Ok(figures.collect())
}

fn name(field: &[c_char]) -> String {
    // SAFETY: libvirt ends the name with NUL within the field, which was zeros before.
    unsafe { borrowed_text(field.as_ptr()) }.unwrap_or_default()
}

/// Parameters of kernel same-page merging.
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

/// The number of free pages of each size, in KiB, on each of `count` NUMA cells from the cell `first`.
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

/// The processor's support for encrypted guests.
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

/// Sets the user for the calls of this connection.
pub fn set_identity(connect: &Connect, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe { virt_sys::virConnectSetIdentity(connect.as_ptr(), array, count, flags) })
        .map(drop)
}

/// The largest CPU that all hosts with `cpus` have.
pub fn baseline_cpu(connect: &Connect, cpus: &[String], flags: c_uint) -> Result<String> {
    let owned = c_texts(cpus)?;
    let mut list = pointers(&owned);
    // SAFETY: the handle and the strings, as many as said, live during the call; the result is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectBaselineCPU(
            connect.as_ptr(),
            list.as_mut_ptr(),
            list.len() as c_uint,
            flags,
        ))
    }
}

/// The largest CPU that the hypervisors of all hosts with `cpus` can give to such a guest.
pub fn baseline_hypervisor_cpu(
    connect: &Connect,
    guest: &GuestMachine,
    cpus: &[String],
    flags: c_uint,
) -> Result<String> {
    let [emulator, arch, machine, kind] = c_options(guest)?;
    let owned = c_texts(cpus)?;
    let mut list = pointers(&owned);
    // SAFETY: the handle and the strings, as many as said, live during the call; the result is ours to free.
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

fn c_texts(texts: &[String]) -> Result<Vec<CString>> {
    texts.iter().map(|text| c_text(text)).collect()
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
    // SAFETY: handle and strings live during the call; the result is ours to free.
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
    // SAFETY: handle and strings live during the call; the result is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectDomainXMLToNative(
            connect.as_ptr(),
            format.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::online_cpus;

    #[test]
    fn a_cpu_map_is_not_read_beyond_its_end() {
        for (count, online, map, numbers) in [
            (8, 3, vec![0b10101], vec![0, 2, 4]),
            (16, 2, vec![0b11], vec![0, 1]),
            (64, 2, vec![1, 1], vec![0, 8]),
            (4, 0, vec![], vec![]),
            (2, 2, vec![0b111], vec![0, 1]),
        ] {
            assert_eq!(online_cpus(count, online, |at| map[at]), numbers, "{map:?}");
        }
    }
}
