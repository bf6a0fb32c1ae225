use std::ffi::{c_char, c_int, c_uint, c_ulong, c_ulonglong};

use virt::connect::Connect;
use virt::domain::Domain;

use super::typed_params::{Scalar, TypedParams, blank, filled, read_filled, read_owned};
use super::{Failure, Result, c_option, c_text, checked, newer, owned_text, owned_texts, pointer};

/// The state and its reason as libvirt's numbers; `virt` answers a failed call with state -1.
pub fn state(domain: &Domain) -> Result<(i64, i64)> {
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the handle lives during the call, which writes two numbers.
    checked(unsafe {
        virt_sys::virDomainGetState(domain.as_ptr(), &raw mut state, &raw mut reason, 0)
    })?;
    Ok((i64::from(state), i64::from(reason)))
}

/// State, memory, vcpus and CPU time in one call.
pub fn info(domain: &Domain) -> Result<virt_sys::virDomainInfo> {
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: virt_sys::virDomainInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the handle lives during the call, which writes one struct.
    checked(unsafe { virt_sys::virDomainGetInfo(domain.as_ptr(), &raw mut info) })?;
    Ok(info)
}

/// The id that the handle remembers, or none.
pub fn id(domain: &Domain) -> Option<i64> {
    // SAFETY: reads the handle, which lives during the call.
    let id = unsafe { virt_sys::virDomainGetID(domain.as_ptr()) };
    (id != c_uint::MAX).then_some(i64::from(id))
}

/// Sets the memory of the running guest; `virt` drops the error of this call.
pub fn set_memory(domain: &Domain, kib: u64) -> Result<()> {
    let kib = c_ulong::try_from(kib).unwrap_or(c_ulong::MAX);
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainSetMemory(domain.as_ptr(), kib) }).map(drop)
}

/// The sizes of a disk; `virt` drops the error of this call and returns values that it never read.
pub fn block_info(
    domain: &Domain,
    disk: &str,
    flags: c_uint,
) -> Result<virt_sys::virDomainBlockInfo> {
    let disk = c_text(disk)?;
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: virt_sys::virDomainBlockInfo = unsafe { std::mem::zeroed() };
    // SAFETY: handle and string live during the call, which writes one struct.
    checked(unsafe {
        virt_sys::virDomainGetBlockInfo(domain.as_ptr(), disk.as_ptr(), &raw mut info, flags)
    })?;
    Ok(info)
}

/// Writes the memory of the guest to the file `to` and stops it.
pub fn save(domain: &Domain, to: &str) -> Result<()> {
    let to = c_text(to)?;
    // SAFETY: handle and path live during the call.
    checked(unsafe { virt_sys::virDomainSave(domain.as_ptr(), to.as_ptr()) }).map(drop)
}

/// Like [`save`], with changed XML and flags.
pub fn save_flags(domain: &Domain, to: &str, xml: Option<&str>, flags: c_uint) -> Result<()> {
    let (to, xml) = (c_text(to)?, c_option(xml)?);
    // SAFETY: handle and strings live during the call.
    checked(unsafe {
        virt_sys::virDomainSaveFlags(domain.as_ptr(), to.as_ptr(), pointer(&xml), flags)
    })
    .map(drop)
}

/// Like [`save`], as typed parameters.
pub fn save_params(domain: &Domain, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, length) = params.parts();
    // SAFETY: handle and parameters live during the call.
    checked(unsafe { virt_sys::virDomainSaveParams(domain.as_ptr(), array, length, flags) })
        .map(drop)
}

/// The XML in the managed save image.
pub fn managed_save_xml(domain: &Domain, flags: c_uint) -> Result<String> {
    // SAFETY: the handle lives during the call; the result is ours to free.
    unsafe {
        owned_text(virt_sys::virDomainManagedSaveGetXMLDesc(
            domain.as_ptr(),
            flags,
        ))
    }
}

/// Changes the XML in the managed save image.
pub fn managed_save_define_xml(domain: &Domain, xml: &str, flags: c_uint) -> Result<()> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainManagedSaveDefineXML(domain.as_ptr(), xml.as_ptr(), flags)
    })
    .map(drop)
}

/// Ends the job that runs on the domain.
pub fn abort_job(domain: &Domain) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainAbortJob(domain.as_ptr()) }).map(drop)
}

/// Ends the job that runs on the domain, as flags say.
pub fn abort_job_flags(domain: &Domain, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainAbortJobFlags(domain.as_ptr(), flags) }).map(drop)
}

/// The running job in libvirt's fixed struct.
pub fn job_info(domain: &Domain) -> Result<virt_sys::virDomainJobInfo> {
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: virt_sys::virDomainJobInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the handle lives during the call, which writes one struct.
    checked(unsafe { virt_sys::virDomainGetJobInfo(domain.as_ptr(), &raw mut info) })?;
    Ok(info)
}

/// The type of the running or last job, and every figure that libvirt has of it.
pub fn job_stats(domain: &Domain, flags: c_uint) -> Result<(i64, Vec<(String, Scalar)>)> {
    let (mut kind, mut array, mut length) = (0, std::ptr::null_mut(), 0);
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        checked(virt_sys::virDomainGetJobStats(
            domain.as_ptr(),
            &raw mut kind,
            &raw mut array,
            &raw mut length,
            flags,
        ))?;
        Ok((i64::from(kind), read_owned(array, length)))
    }
}

/// State, details and the time in it of the channel to the hypervisor.
pub fn control_info(domain: &Domain, flags: c_uint) -> Result<(i64, i64, u64)> {
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: virt_sys::virDomainControlInfo = unsafe { std::mem::zeroed() };
    // SAFETY: the handle lives during the call, which writes one struct.
    checked(unsafe { virt_sys::virDomainGetControlInfo(domain.as_ptr(), &raw mut info, flags) })?;
    Ok((
        i64::from(info.state),
        i64::from(info.details),
        info.stateTime,
    ))
}

/// Puts the guest to sleep by its own power management.
pub fn pm_suspend_for_duration(
    domain: &Domain,
    target: c_uint,
    seconds: u64,
    flags: c_uint,
) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe {
        virt_sys::virDomainPMSuspendForDuration(domain.as_ptr(), target, seconds, flags)
    })
    .map(drop)
}

/// Sends a non-maskable interrupt to the guest.
pub fn inject_nmi(domain: &Domain, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainInjectNMI(domain.as_ptr(), flags) }).map(drop)
}

/// Sends a signal to the process `pid` in the guest.
pub fn send_process_signal(domain: &Domain, pid: i64, signal: c_uint, flags: c_uint) -> Result<()> {
    // SAFETY: the handle is alive; the rest are numbers.
    checked(unsafe { virt_sys::virDomainSendProcessSignal(domain.as_ptr(), pid, signal, flags) })
        .map(drop)
}

/// Presses keys of the guest's keyboard.
pub fn send_key(
    domain: &Domain,
    codeset: c_uint,
    hold_ms: c_uint,
    keys: &mut [c_uint],
    flags: c_uint,
) -> Result<()> {
    let count = c_int::try_from(keys.len()).unwrap_or(c_int::MAX);
    // SAFETY: the handle and the keys, `count` of them, live during the call.
    checked(unsafe {
        virt_sys::virDomainSendKey(
            domain.as_ptr(),
            codeset,
            hold_ms,
            keys.as_mut_ptr(),
            count,
            flags,
        )
    })
    .map(drop)
}

/// The maximum number of disks for which libvirt's protocol reports errors.
const DISKS: usize = 256;

/// The disks of an active domain that failed, by their targets, each with a `virDomainDiskErrorCode`.
pub fn disk_errors(domain: &Domain, flags: c_uint) -> Result<Vec<(String, i64)>> {
    let none = virt_sys::virDomainDiskError {
        disk: std::ptr::null_mut(),
        error: 0,
    };
    let mut errors = vec![none; DISKS];
    // SAFETY: the handle lives during the call, which fills at most as many entries as there are.
    let count = checked(unsafe {
        virt_sys::virDomainGetDiskErrors(
            domain.as_ptr(),
            errors.as_mut_ptr(),
            DISKS as c_uint,
            flags,
        )
    })?;
    errors.truncate(usize::try_from(count).unwrap_or(0));
    // SAFETY: each entry that was filled has a string that is ours to free. All are taken, also after one that fails.
    let disks: Vec<_> = errors
        .into_iter()
        .map(|error| unsafe { owned_text(error.disk) }.map(|disk| (disk, i64::from(error.error))))
        .collect();
    disks.into_iter().collect()
}

/// Every figure that libvirt has of the disk; the path may be empty for all of them.
pub fn block_stats_flags(
    domain: &Domain,
    disk: &str,
    flags: c_uint,
) -> Result<Vec<(String, Scalar)>> {
    let disk = c_text(disk)?;
    // SAFETY: handle and string live during the calls, which fill the array.
    unsafe {
        filled(|array, length| {
            virt_sys::virDomainBlockStatsFlags(domain.as_ptr(), disk.as_ptr(), array, length, flags)
        })
    }
}

/// CPU figures: `count` host CPUs from `first`, or the total if `first` is -1.
pub fn cpu_stats(
    domain: &Domain,
    first: c_int,
    count: c_uint,
    flags: c_uint,
) -> Result<Vec<Vec<(String, Scalar)>>> {
    // SAFETY: the handle lives during the call; a null array asks for the number of figures.
    let per_cpu = checked(unsafe {
        virt_sys::virDomainGetCPUStats(domain.as_ptr(), std::ptr::null_mut(), 0, first, 1, flags)
    })?;
    let per_cpu = usize::try_from(per_cpu).unwrap_or(0);
    let mut params = blank(per_cpu * count as usize);
    // SAFETY: the array has `per_cpu` entries for each of `count` CPUs.
    unsafe {
        let filled = checked(virt_sys::virDomainGetCPUStats(
            domain.as_ptr(),
            params.as_mut_ptr(),
            per_cpu as c_uint,
            first,
            count,
            flags,
        ))?;
        let filled = usize::try_from(filled).unwrap_or(0);
        Ok(params
            .chunks_mut(per_cpu.max(1))
            .map(|chunk| {
                let length = filled.min(chunk.len());
                read_filled(&mut chunk[..length])
            })
            .collect())
    }
}

/// The number of host CPUs that [`cpu_stats`] covers.
pub fn cpu_stats_count(domain: &Domain, flags: c_uint) -> Result<u32> {
    // SAFETY: the handle lives during the call; null and zeros ask for the number of CPUs.
    checked(unsafe {
        virt_sys::virDomainGetCPUStats(domain.as_ptr(), std::ptr::null_mut(), 0, 0, 0, flags)
    })
    .map(c_int::unsigned_abs)
}

/// One virtual CPU of a running guest.
#[derive(Debug, Clone)]
pub struct Vcpu {
    /// Its number.
    pub number: i64,
    /// A `virVcpuState`.
    pub state: i64,
    /// The time it used, in nanoseconds.
    pub time_ns: u64,
    /// The host CPU it runs on, or a `virVcpuHostCpuState`.
    pub cpu: i64,
    /// The host CPUs it may run on.
    pub affinity: Vec<i64>,
}

/// The virtual CPUs of a running guest, `count` at most, on a host with `host_cpus`.
pub fn vcpus(domain: &Domain, count: usize, host_cpus: usize) -> Result<Vec<Vcpu>> {
    let map_length = host_cpus.div_ceil(8);
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut info: Vec<virt_sys::virVcpuInfo> = vec![unsafe { std::mem::zeroed() }; count];
    let mut maps = vec![0_u8; count * map_length];
    // SAFETY: `count` structs and as many maps of `map_length` bytes are there to be written.
    let filled = checked(unsafe {
        virt_sys::virDomainGetVcpus(
            domain.as_ptr(),
            info.as_mut_ptr(),
            c_int::try_from(count).unwrap_or(0),
            maps.as_mut_ptr(),
            c_int::try_from(map_length).unwrap_or(0),
        )
    })?;
    Ok(info
        .iter()
        .zip(maps.chunks(map_length.max(1)))
        .take(usize::try_from(filled).unwrap_or(0))
        .map(|(vcpu, map)| Vcpu {
            number: i64::from(vcpu.number),
            state: i64::from(vcpu.state),
            time_ns: vcpu.cpuTime,
            cpu: i64::from(vcpu.cpu),
            affinity: super::pinning::numbers(map, host_cpus),
        })
        .collect())
}

/// The guest's memory figures, each a `virDomainMemoryStatTags` and its value.
pub fn memory_stats(domain: &Domain, flags: c_uint) -> Result<Vec<(i64, u64)>> {
    const MOST: usize = 64;
    // SAFETY: all bits zero is a value of this struct of numbers.
    let mut stats: Vec<virt_sys::virDomainMemoryStatStruct> =
        vec![unsafe { std::mem::zeroed() }; MOST];
    // SAFETY: the handle lives during the call, which writes `MOST` entries at most.
    let filled = checked(unsafe {
        virt_sys::virDomainMemoryStats(domain.as_ptr(), stats.as_mut_ptr(), MOST as c_uint, flags)
    })?;
    stats.truncate(usize::try_from(filled).unwrap_or(0));
    Ok(stats
        .iter()
        .map(|stat| (i64::from(stat.tag), stat.val))
        .collect())
}

/// Sets the metadata of one kind, or removes it if `text` is `None`.
pub fn set_metadata(
    domain: &Domain,
    kind: c_int,
    text: Option<&str>,
    key: Option<&str>,
    uri: Option<&str>,
    flags: c_uint,
) -> Result<()> {
    let (text, key, uri) = (c_option(text)?, c_option(key)?, c_option(uri)?);
    // SAFETY: handle and strings live during the call; null is allowed for each string.
    checked(unsafe {
        virt_sys::virDomainSetMetadata(
            domain.as_ptr(),
            kind,
            pointer(&text),
            pointer(&key),
            pointer(&uri),
            flags,
        )
    })
    .map(drop)
}

/// Reads a piece of metadata; `virt` panics on a NUL byte in the URI.
pub fn metadata(domain: &Domain, kind: c_int, uri: Option<&str>, flags: c_uint) -> Result<String> {
    let uri = c_option(uri)?;
    // SAFETY: handle and string live during the call; the result is ours to free.
    unsafe {
        owned_text(virt_sys::virDomainGetMetadata(
            domain.as_ptr(),
            kind,
            pointer(&uri),
            flags,
        ))
    }
}

/// Moves the guest to the host behind `destination`, as typed parameters say.
pub fn migrate3(
    domain: &Domain,
    destination: &Connect,
    params: &TypedParams,
    flags: c_uint,
) -> Result<Domain> {
    let (array, length) = params.parts();
    // SAFETY: handles and parameters live during the call.
    let moved = unsafe {
        virt_sys::virDomainMigrate3(
            domain.as_ptr(),
            destination.as_ptr(),
            array,
            length.unsigned_abs(),
            flags,
        )
    };
    if moved.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, and the one reference to it is ours.
    Ok(unsafe { Domain::from_ptr(moved) })
}

/// Moves the guest to the host at `uri`, as typed parameters say.
pub fn migrate_to_uri3(
    domain: &Domain,
    uri: Option<&str>,
    params: &TypedParams,
    flags: c_uint,
) -> Result<()> {
    let uri = c_option(uri)?;
    let (array, length) = params.parts();
    // SAFETY: handle, string and parameters live during the call.
    checked(unsafe {
        virt_sys::virDomainMigrateToURI3(
            domain.as_ptr(),
            pointer(&uri),
            array,
            length.unsigned_abs(),
            flags,
        )
    })
    .map(drop)
}

/// Switches a migration that was started with POSTCOPY to post-copy.
pub fn migrate_start_post_copy(domain: &Domain, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainMigrateStartPostCopy(domain.as_ptr(), flags) }).map(drop)
}

/// The longest pause at the end of a live migration, in milliseconds.
pub fn migrate_max_downtime(domain: &Domain, flags: c_uint) -> Result<u64> {
    let mut downtime: c_ulonglong = 0;
    // SAFETY: the handle lives during the call, which writes one number.
    checked(unsafe {
        virt_sys::virDomainMigrateGetMaxDowntime(domain.as_ptr(), &raw mut downtime, flags)
    })?;
    Ok(downtime)
}

/// True if the guest starts once with its host, at the host's next start.
pub fn autostart_once(domain: &Domain) -> Result<bool> {
    type Call = unsafe extern "C" fn(virt_sys::virDomainPtr, *mut c_int) -> c_int;
    let mut on = 0;
    // SAFETY: the symbol has this type wherever libvirt has it, since 11.2; handle and number
    // live during the call.
    unsafe {
        let address = newer(c"virDomainGetAutostartOnce")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(domain.as_ptr(), &raw mut on))?;
    }
    Ok(on != 0)
}

/// Sets whether the guest starts once with its host, at the host's next start.
pub fn set_autostart_once(domain: &Domain, on: bool) -> Result<()> {
    type Call = unsafe extern "C" fn(virt_sys::virDomainPtr, c_int) -> c_int;
    // SAFETY: as in `autostart_once`.
    unsafe {
        let address = newer(c"virDomainSetAutostartOnce")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(domain.as_ptr(), c_int::from(on))).map(drop)
    }
}

/// Notices of tainting and deprecation that libvirt keeps of the domain.
pub fn messages(domain: &Domain, flags: c_uint) -> Result<Vec<String>> {
    let mut list: *mut *mut c_char = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list and its strings are ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainGetMessages(
            domain.as_ptr(),
            &raw mut list,
            flags,
        ))?;
        owned_texts(list, count)
    }
}

/// True if the domain has a current snapshot.
pub fn has_current_snapshot(domain: &Domain, flags: c_uint) -> Result<bool> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainHasCurrentSnapshot(domain.as_ptr(), flags) })
        .map(|has| has != 0)
}
