//! The maps that calls answer.

use rhai::{Dynamic, Map};

use super::Record;

/// A map that is the record `R`.
pub(crate) type RecordOf<R> = <R as Recorded>::Map;

/// The same where the map reaches the script as it is: of a [`Map`], Rhai builds another.
pub(crate) type RecordValueOf<R> = <R as Recorded>::Value;

/// What has declared keys.
pub(crate) trait Recorded {
    /// What scripts get.
    type Map;
    /// The same as a value.
    type Value;
}

macro_rules! records {
    ($($(#[doc = $what:literal])+ $name:ident { $($key:literal: $kind:literal),* $(,)? $(; $open:ident)? })*) => {
        $($(#[doc = $what])+
        pub(crate) struct $name;

        impl Recorded for $name {
            type Map = Map;
            type Value = Dynamic;
        }

        impl $name {
            /// The table of keys.
            pub(crate) const TABLE: &'static Record = {
                static TABLE: Record = Record {
                    name: stringify!($name),
                    fields: &[$(($key, $kind)),*],
                    open: false $(|| stringify!($open).len() > 0)?,
                    spec: std::sync::OnceLock::new(),
                };
                &TABLE
            };
        })*

        pub(super) const ALL: &[&Record] = &[$($name::TABLE),*];
    };
}

records! {
    /// State and figures of a domain.
    DomainInfo {
        "state": "string of DomainState", "max_memory_kib": "int", "memory_kib": "int", "vcpus": "int",
        "cpu_time_ns": "int",
    }
    /// The state of a domain, and why.
    StateAndReason { "state": "string of DomainState", "reason": "string of DomainReason" }
    /// The end of a wait.
    Waited { "state": "string of DomainGoal", "reason": "string", "gone": "bool" }
    /// The end of a guest.
    Stopped {
        "state": "string of DomainGoal", "reason": "string", "gone": "bool", "by": "string of StoppedBy",
        "seconds": "float", "asked": "array of string", "not_asked": "map", "resumed": "bool",
    }
    /// A domain's job.
    JobInfo {
        "type": "string of JobType", "time_elapsed_ms": "int", "time_remaining_ms": "int",
        "data_total_bytes": "int", "data_processed_bytes": "int", "data_remaining_bytes": "int",
        "memory_total_bytes": "int", "memory_processed_bytes": "int", "memory_remaining_bytes": "int",
        "file_total_bytes": "int", "file_processed_bytes": "int", "file_remaining_bytes": "int",
    }
    /// A domain's job with all of libvirt's figures.
    JobStats { "type": "string of JobType", "operation": "string of JobOperation"; open }
    /// A disk's job.
    BlockJobInfo {
        "type": "string of BlockJobType", "done": "int", "total": "int", "bandwidth_mib_per_s": "int",
        "bandwidth_bytes_per_s": "int",
    }
    /// The hypervisor's channel to a guest.
    ControlInfo { "state": "string of ControlState", "details": "string of ControlError", "state_time_ms": "int" }
    /// A virtual CPU.
    Vcpu {
        "number": "int", "state": "string of VcpuState", "cpu_time_ns": "int", "cpu": "int", "affinity": "array",
    }
    /// A thread for input and output.
    IoThread { "id": "int", "affinity": "array of int" }
    /// The security label of a guest's process.
    SecurityLabel { "label": "string", "enforcing": "bool" }
    /// A guest's share of its host's time; which keys there are depends on the scheduler.
    SchedulerParameters {
        "cap": "int", "cpu_shares": "int", "emulator_period": "int", "emulator_quota": "int", "global_period": "int",
        "global_quota": "int", "iothread_period": "int", "iothread_quota": "int", "limit": "int", "reservation":
        "int", "shares": "int", "vcpu_period": "int", "vcpu_quota": "int", "weight": "int"; open
    }
    /// The limits of a guest's memory on its host, in KiB.
    MemoryParameters {
        "hard_limit": "int", "min_guarantee": "int", "soft_limit": "int", "swap_hard_limit": "int"; open
    }
    /// A guest's share of its host's block input and output.
    BlkioParameters {
        "device_read_bytes_sec": "string", "device_read_iops_sec": "string", "device_weight": "string",
        "device_write_bytes_sec": "string", "device_write_iops_sec": "string", "weight": "int"; open
    }
    /// The NUMA nodes that a guest's memory comes from.
    NumaParameters {
        "numa_mode": "int", "numa_nodeset": "string"; open
    }
    /// The bandwidth of a network card, in KiB/s and KiB.
    InterfaceParameters {
        "inbound.average": "int", "inbound.burst": "int", "inbound.floor": "int", "inbound.peak": "int",
        "outbound.average": "int", "outbound.burst": "int", "outbound.peak": "int"; open
    }
    /// The threads of a daemon's server, and their limits.
    ThreadPoolParameters {
        "freeWorkers": "int", "jobQueueDepth": "int", "maxWorkers": "int", "minWorkers": "int", "nWorkers": "int",
        "prioWorkers": "int"; open
    }
    /// The numbers of clients of a daemon's server, and their limits.
    ClientLimits {
        "nclients": "int", "nclients_max": "int", "nclients_unauth": "int", "nclients_unauth_max": "int"; open
    }
    /// The identity of a daemon's client; which keys there are depends on the way by which it is connected.
    ClientInfo {
        "readonly": "bool", "sasl_user_name": "string", "selinux_context": "string", "sock_addr": "string",
        "tls_x509_dname": "string", "unix_group_id": "int", "unix_group_name": "string", "unix_process_id": "int",
        "unix_user_id": "int", "unix_user_name": "string"; open
    }
    /// The limits of a disk's input and output.
    BlockIoTune {
        "group_name": "string", "read_bytes_sec": "int", "read_bytes_sec_max": "int", "read_bytes_sec_max_length":
        "int", "read_iops_sec": "int", "read_iops_sec_max": "int", "read_iops_sec_max_length": "int", "size_iops_sec":
        "int", "total_bytes_sec": "int", "total_bytes_sec_max": "int", "total_bytes_sec_max_length": "int",
        "total_iops_sec": "int", "total_iops_sec_max": "int", "total_iops_sec_max_length": "int", "write_bytes_sec":
        "int", "write_bytes_sec_max": "int", "write_bytes_sec_max_length": "int", "write_iops_sec": "int",
        "write_iops_sec_max": "int", "write_iops_sec_max_length": "int"; open
    }
    /// The performance events of a guest, and whether the host counts them.
    PerfEvents {
        "alignment_faults": "bool", "branch_instructions": "bool", "branch_misses": "bool", "bus_cycles": "bool",
        "cache_misses": "bool", "cache_references": "bool", "cmt": "bool", "context_switches": "bool", "cpu_clock":
        "bool", "cpu_cycles": "bool", "cpu_migrations": "bool", "emulation_faults": "bool", "instructions": "bool",
        "mbml": "bool", "mbmt": "bool", "page_faults": "bool", "page_faults_maj": "bool", "page_faults_min": "bool",
        "ref_cpu_cycles": "bool", "stalled_cycles_backend": "bool", "stalled_cycles_frontend": "bool", "task_clock":
        "bool"; open
    }
    /// What the host's processor says of a guest's encrypted memory.
    LaunchSecurityInfo {
        "sev-api-major": "int", "sev-api-minor": "int", "sev-build-id": "int", "sev-measurement": "string",
        "sev-policy": "int", "sev-secret": "string", "sev-secret-header": "string", "sev-secret-set-address": "int",
        "sev-snp-policy": "int"; open
    }
    /// What QEMU's monitor answered, and how many files it gave back.
    MonitorAnswer { "answer": "string", "files": "int" }
    /// The sizes of a disk.
    BlockInfo { "capacity_bytes": "int", "allocation_bytes": "int", "physical_bytes": "int" }
    /// The time in a guest.
    GuestTime { "seconds": "int", "nseconds": "int" }
    /// A picture of a guest's screen.
    Screenshot { "mime": "string", "data": "blob" }
    /// How many CPUs a host has, and the numbers of those that are on.
    CpuMap { "cpus": "int", "online": "array of int" }
    /// What a host's CPU did, in nanoseconds.
    HostCpuStats {
        "user_ns": "int", "kernel_ns": "int", "idle_ns": "int", "iowait_ns": "int", "intr_ns": "int",
        "utilization_percent": "int"; open
    }
    /// A host's memory, in KiB.
    HostMemoryStats { "total_kib": "int", "free_kib": "int", "buffers_kib": "int", "cached_kib": "int"; open }
    /// How a host shares pages of memory that are alike.
    HostMemoryParameters {
        "shm_pages_to_scan": "int", "shm_sleep_millisecs": "int", "shm_merge_across_nodes": "int",
        "shm_pages_shared": "int", "shm_pages_sharing": "int", "shm_pages_unshared": "int",
        "shm_pages_volatile": "int", "shm_full_scans": "int"; open
    }
    /// Free pages of one size on one NUMA cell.
    FreePages { "cell": "int", "size_kib": "int", "free": "int" }
    /// A host's security driver.
    SecurityModel { "model": "string", "doi": "string" }
    /// What a host's processor offers for guests with encrypted memory.
    SevInfo {
        "pdh": "string", "cert-chain": "string", "cpu0-id": "string", "cbitpos": "int", "reduced-phys-bits": "int",
        "max-guests": "int", "max-es-guests": "int"; open
    }
    /// A host's CPUs and memory.
    NodeInfo {
        "model": "string", "memory_kib": "int", "cpus": "int", "mhz": "int", "nodes": "int", "sockets": "int",
        "cores": "int", "threads": "int",
    }
    /// A lease of a network's DHCP server; what the guest did not tell is `()`.
    Lease {
        "iface": "?", "expirytime_s": "int", "type": "string of AddressType", "mac": "?", "iaid": "?",
        "ipaddr": "?", "prefix": "int", "hostname": "?", "clientid": "?",
    }
    /// State and sizes of a storage pool.
    PoolInfo {
        "state": "string of PoolState", "capacity_bytes": "int", "allocation_bytes": "int", "available_bytes": "int",
    }
    /// Type and sizes of a volume.
    VolumeInfo {
        "type": "string of VolumeType", "capacity_bytes": "int", "allocation_bytes": "int", "physical_bytes": "int",
    }
    /// What a program in a guest answered.
    ExecResult { "exit_status": "?", "signal": "?", "stdout": "?", "stderr": "?", "truncated": "?" }
    /// An event.
    Event {
        "kind": "string", "time": "DateTime", "domain": "string", "network": "string", "storage_pool": "string",
        "node_device": "string", "secret": "string", "connection": "string", "uuid": "string", "event": "string",
        "detail": "string", "action": "string", "auth_scheme": "string", "channel": "string", "details": "string",
        "device": "string", "disk": "string", "excess_bytes": "int", "flags": "int", "iteration": "int",
        "job": "string", "local": "string", "lost": "int", "memory_kib": "int", "metadata": "string",
        "micros": "int", "new_mac": "string", "new_path": "string", "old_mac": "string", "old_path": "string",
        "operation": "string", "path": "string", "phase": "string", "reason": "string", "recipient": "string",
        "remote": "string", "seconds": "int", "size_kib": "int", "state": "string", "status": "string",
        "threshold_bytes": "int", "uri": "string", "utc_offset_s": "int", "vcpu": "int"; open
    }
}
