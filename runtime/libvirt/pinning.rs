//! Pinning of a guest's threads to the host's CPUs, and its IO threads.

use std::ffi::{c_int, c_uint};

use virt::domain::Domain;

use super::typed_params::TypedParams;
use super::{Result, c_text, checked, host};

/// The number of CPUs of the guest's host; if the driver does not report it, the maximum.
pub fn host_cpus(domain: &Domain) -> Result<usize> {
    let connect = domain.connect()?;
    match host::cpu_map(&connect, 0) {
        Ok((count, _)) => Ok(usize::try_from(count).unwrap_or(0)),
        Err(_) => host::most_cpus(&connect),
    }
}

/// The maximum number of CPUs of the guest's host.
pub fn most_host_cpus(domain: &Domain) -> Result<usize> {
    host::most_cpus(&domain.connect()?)
}

/// CPUs of a host as libvirt takes them: a bit for each.
pub struct CpuMap(Vec<u8>);

impl CpuMap {
    /// The map of those of `cpus` that a host with `host_cpus` has.
    pub fn new(cpus: &[usize], host_cpus: usize) -> Self {
        let mut map = vec![0_u8; host_cpus.div_ceil(8)];
        for cpu in cpus.iter().filter(|cpu| **cpu < host_cpus) {
            map[cpu / 8] |= 1 << (cpu % 8);
        }
        Self(map)
    }

    /// Makes `call` with the map and its length in bytes.
    fn give(&self, call: impl FnOnce(*mut u8, c_int) -> c_int) -> Result<()> {
        let mut map = self.0.clone();
        let length = length(&map);
        checked(call(map.as_mut_ptr(), length)).map(drop)
    }
}

/// The numbers of the CPUs whose bits are set.
pub(super) fn numbers(map: &[u8], host_cpus: usize) -> Vec<i64> {
    (0..host_cpus.min(map.len() * 8))
        .filter(|cpu| map[cpu / 8] & (1 << (cpu % 8)) != 0)
        .map(|cpu| cpu as i64)
        .collect()
}

/// The map's length as C takes it.
fn length(map: &[u8]) -> c_int {
    c_int::try_from(map.len()).unwrap_or(c_int::MAX)
}

/// Pins the running guest's virtual CPU `vcpu` to `cpus`.
pub fn pin_vcpu(domain: &Domain, vcpu: c_uint, cpus: &CpuMap) -> Result<()> {
    // SAFETY: handle and map, which is as long as said, live during the call.
    cpus.give(|map, length| unsafe {
        virt_sys::virDomainPinVcpu(domain.as_ptr(), vcpu, map, length)
    })
}

/// Pins the virtual CPU `vcpu` to `cpus`, with flags.
pub fn pin_vcpu_flags(domain: &Domain, vcpu: c_uint, cpus: &CpuMap, flags: c_uint) -> Result<()> {
    // SAFETY: handle and map, which is as long as said, live during the call.
    cpus.give(|map, length| unsafe {
        virt_sys::virDomainPinVcpuFlags(domain.as_ptr(), vcpu, map, length, flags)
    })
}

/// The CPUs that each of `count` virtual CPUs may run on.
pub fn vcpu_pin_info(domain: &Domain, count: usize, flags: c_uint) -> Result<Vec<Vec<i64>>> {
    let host_cpus = host_cpus(domain)?;
    let each = host_cpus.div_ceil(8);
    let mut maps = vec![0_u8; count * each];
    // SAFETY: handle and maps, `count` of `each` bytes, live during the call.
    let filled = checked(unsafe {
        virt_sys::virDomainGetVcpuPinInfo(
            domain.as_ptr(),
            c_int::try_from(count).unwrap_or(c_int::MAX),
            maps.as_mut_ptr(),
            c_int::try_from(each).unwrap_or(c_int::MAX),
            flags,
        )
    })?;
    Ok(maps
        .chunks(each.max(1))
        .take(usize::try_from(filled).unwrap_or(0))
        .map(|map| numbers(map, host_cpus))
        .collect())
}

/// Pins the hypervisor's own threads for this guest to `cpus`.
pub fn pin_emulator(domain: &Domain, cpus: &CpuMap, flags: c_uint) -> Result<()> {
    // SAFETY: handle and map, which is as long as said, live during the call.
    cpus.give(|map, length| unsafe {
        virt_sys::virDomainPinEmulator(domain.as_ptr(), map, length, flags)
    })
}

/// The CPUs that the hypervisor's own threads for this guest may run on.
pub fn emulator_pin_info(domain: &Domain, flags: c_uint) -> Result<Vec<i64>> {
    let host_cpus = host_cpus(domain)?;
    let mut map = vec![0_u8; host_cpus.div_ceil(8)];
    let length = length(&map);
    // SAFETY: handle and map, which is as long as said, live during the call.
    checked(unsafe {
        virt_sys::virDomainGetEmulatorPinInfo(domain.as_ptr(), map.as_mut_ptr(), length, flags)
    })?;
    Ok(numbers(&map, host_cpus))
}

/// The number of each IO thread, and the CPUs it may run on.
pub fn io_thread_info(domain: &Domain, flags: c_uint) -> Result<Vec<(i64, Vec<i64>)>> {
    let host_cpus = host_cpus(domain)?;
    let mut list: *mut virt_sys::virDomainIOThreadInfoPtr = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list that it allocates, and each entry in it,
    // are ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainGetIOThreadInfo(
            domain.as_ptr(),
            &raw mut list,
            flags,
        ))?;
        let threads = (0..usize::try_from(count).unwrap_or(0))
            .map(|index| {
                let entry = *list.add(index);
                let length = usize::try_from((*entry).cpumaplen).unwrap_or(0);
                let map: &[u8] = match (*entry).cpumap.is_null() {
                    true => &[],
                    false => std::slice::from_raw_parts((*entry).cpumap, length),
                };
                let thread = (i64::from((*entry).iothread_id), numbers(map, host_cpus));
                virt_sys::virDomainIOThreadInfoFree(entry);
                thread
            })
            .collect();
        libc::free(list.cast());
        Ok(threads)
    }
}

/// Pins the IO thread `id` to `cpus`.
pub fn pin_io_thread(domain: &Domain, id: c_uint, cpus: &CpuMap, flags: c_uint) -> Result<()> {
    // SAFETY: handle and map, which is as long as said, live during the call.
    cpus.give(|map, length| unsafe {
        virt_sys::virDomainPinIOThread(domain.as_ptr(), id, map, length, flags)
    })
}

/// Adds an IO thread.
pub fn add_io_thread(domain: &Domain, id: c_uint, flags: c_uint) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe { virt_sys::virDomainAddIOThread(domain.as_ptr(), id, flags) }).map(drop)
}

/// Removes an IO thread.
pub fn del_io_thread(domain: &Domain, id: c_uint, flags: c_uint) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe { virt_sys::virDomainDelIOThread(domain.as_ptr(), id, flags) }).map(drop)
}

/// Sets how an IO thread polls.
pub fn set_io_thread_params(
    domain: &Domain,
    id: c_uint,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let (array, count) = params.parts();
    // SAFETY: the handle is alive, and the array is as long as `count` says.
    checked(unsafe {
        virt_sys::virDomainSetIOThreadParams(domain.as_ptr(), id, array, count, flags)
    })
    .map(drop)
}

/// Turns the virtual CPUs that `vcpus` lists on or off.
pub fn set_vcpu(domain: &Domain, vcpus: &str, on: bool, flags: c_uint) -> Result<()> {
    let vcpus = c_text(vcpus)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainSetVcpu(domain.as_ptr(), vcpus.as_ptr(), c_int::from(on), flags)
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::{CpuMap, numbers};

    #[test]
    fn cpus_are_bits_and_back() {
        for (cpus, host, map) in [
            (vec![0, 2], 8, vec![0b101]),
            (vec![], 8, vec![0]),
            (vec![8], 9, vec![0, 1]),
            (vec![7, 9], 9, vec![0x80, 0]),
        ] {
            assert_eq!(CpuMap::new(&cpus, host).0, map, "{cpus:?}");
            let kept: Vec<i64> = cpus
                .iter()
                .filter(|cpu| **cpu < host)
                .map(|cpu| *cpu as i64)
                .collect();
            assert_eq!(numbers(&map, host), kept);
        }
    }
}
