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
    JobStats { "type": "string of JobType"; open }
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
    /// The sizes of a disk.
    BlockInfo { "capacity_bytes": "int", "allocation_bytes": "int", "physical_bytes": "int" }
    /// The time in a guest.
    GuestTime { "seconds": "int", "nseconds": "int" }
    /// A picture of a guest's screen.
    Screenshot { "mime": "string", "data": "blob" }
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
    Event { "kind": "string"; open }
}
