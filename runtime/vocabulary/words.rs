//! The words that calls return and take.

use rhai::ImmutableString;

use super::Enumeration;
use crate::constants::Words;

/// A word out of the enumeration `E`.
pub(crate) type WordOf<E> = <E as Worded>::Word;

/// An argument that is a word out of the enumeration `E`, or a list of them.
pub(crate) type WordsOf<E> = <E as Worded>::Words;

/// An argument that is a constant of the enumeration `E`, or the word for it.
pub(crate) type ConstantOf<E> = <E as Worded>::Words;

/// A type with words.
pub(crate) trait Worded {
    /// The value that scripts get.
    type Word;
    /// The value that scripts pass.
    type Words;
    /// The words.
    const WORDS: &'static Enumeration;
}

macro_rules! enumerations {
    ($($(#[doc = $what:literal])+ $name:ident = [$($group:literal less $prefix:literal),* $(,)?] $(+ [$($own:literal),*])?;)*) => {
        $($(#[doc = $what])+
        pub(crate) struct $name;

        impl Worded for $name {
            type Word = ImmutableString;
            type Words = rhai::Dynamic;
            const WORDS: &'static Enumeration = Self::TABLE;
        }

        impl $name {
            /// The table of words.
            pub(crate) const TABLE: &'static Enumeration = {
                static TABLE: Enumeration = Enumeration {
                    name: stringify!($name),
                    of_libvirt: &[$({
                        static WORDS: Words = Words::new($group, $prefix);
                        &WORDS
                    }),*],
                    own: &[$($($own),*)?],
                    declared: std::sync::OnceLock::new(),
                };
                &TABLE
            };
        })*

        pub(super) const ALL: &[&Enumeration] = &[$($name::TABLE),*];
    };
}

enumerations! {
    /// The states of a domain.
    DomainState = ["virDomainState" less "VIR_DOMAIN_"];
    /// The states that a wait can end in.
    DomainGoal = ["virDomainState" less "VIR_DOMAIN_"] + ["undefined"];
    /// The reasons for a domain's states, each table at the index of its state's number.
    DomainReason = [
        "virDomainNostateReason" less "VIR_DOMAIN_NOSTATE_",
        "virDomainRunningReason" less "VIR_DOMAIN_RUNNING_",
        "virDomainBlockedReason" less "VIR_DOMAIN_BLOCKED_",
        "virDomainPausedReason" less "VIR_DOMAIN_PAUSED_",
        "virDomainShutdownReason" less "VIR_DOMAIN_SHUTDOWN_",
        "virDomainShutoffReason" less "VIR_DOMAIN_SHUTOFF_",
        "virDomainCrashedReason" less "VIR_DOMAIN_CRASHED_",
        "virDomainPMSuspendedReason" less "VIR_DOMAIN_PMSUSPENDED_",
    ];
    /// The types of a domain's job.
    JobType = ["virDomainJobType" less "VIR_DOMAIN_JOB_"];
    /// The operations that a domain's job belongs to.
    JobOperation = ["virDomainJobOperation" less "VIR_DOMAIN_JOB_OPERATION_"];
    /// The types of a disk's job.
    BlockJobType = ["virDomainBlockJobType" less "VIR_DOMAIN_BLOCK_JOB_TYPE_"] + ["none"];
    /// The states of the hypervisor's channel to a guest.
    ControlState = ["virDomainControlState" less "VIR_DOMAIN_CONTROL_"];
    /// The failures of that channel.
    ControlError = ["virDomainControlErrorReason" less "VIR_DOMAIN_CONTROL_ERROR_REASON_"];
    /// The states of a virtual CPU.
    VcpuState = ["virVcpuState" less "VIR_VCPU_"];
    /// The errors of a disk.
    DiskError = ["virDomainDiskErrorCode" less "VIR_DOMAIN_DISK_ERROR_"];
    /// The kinds of IP address.
    AddressType = ["virIPAddrType" less "VIR_IP_ADDR_TYPE_"];
    /// The states of a storage pool.
    PoolState = ["virStoragePoolState" less "VIR_STORAGE_POOL_"];
    /// The types of a volume.
    VolumeType = ["virStorageVolType" less "VIR_STORAGE_VOL_"];
    /// The things that use secrets.
    SecretUsage = ["virSecretUsageType" less "VIR_SECRET_USAGE_TYPE_"];
    /// The ways to wipe a volume.
    WipeAlgorithm = ["virStorageVolWipeAlgorithm" less "VIR_STORAGE_VOL_WIPE_ALG_"];
    /// The result of comparing two CPUs.
    CpuComparison = ["virCPUCompareResult" less "VIR_CPU_COMPARE_"];
    /// The reasons for the end of a connection.
    CloseReason = ["virConnectCloseReason" less "VIR_CONNECT_CLOSE_REASON_"];
    /// The ways by which a client is connected to a daemon.
    ClientTransport = ["virClientTransport" less "VIR_CLIENT_TRANS_"];
    /// The ways in which a guest's memory is bound to NUMA nodes.
    NumaMode = ["virDomainNumatuneMemMode" less "VIR_DOMAIN_NUMATUNE_MEM_"];
    /// The ends of a guest that something can follow.
    LifecycleEvent = ["virDomainLifecycle" less "VIR_DOMAIN_LIFECYCLE_"];
    /// The action at the end of a guest.
    LifecycleAction = ["virDomainLifecycleAction" less "VIR_DOMAIN_LIFECYCLE_ACTION_"];
    /// The signals to processes in a guest.
    ProcessSignal = ["virDomainProcessSignal" less "VIR_DOMAIN_PROCESS_SIGNAL_"];
    /// The target of a suspend.
    SuspendTarget = ["virNodeSuspendTarget" less "VIR_NODE_SUSPEND_TARGET_"];
    /// The kind of a difference between two documents.
    DifferenceKind = [] + ["added", "removed", "changed"];
    /// The time at which a change of a definition takes effect.
    EditEffect = [] + ["live", "next boot", "impossible"];
    /// The days of the week.
    Weekday = [] + ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    /// The step that stopped a guest.
    StoppedBy = [] + ["shutdown", "agent", "destroy", "nothing"];
}
