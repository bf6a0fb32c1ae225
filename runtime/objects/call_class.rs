//! Time limits of libvirt calls, and the calls that may use the last free place of a connection.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use super::for_each_kind;

/// A class of libvirt calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallClass {
    /// Answered by the library itself: the host is not asked.
    Local,
    /// Answered by the host without asking the guest or changing anything, so that it is quick
    /// even while a guest is frozen. Aborting a job belongs here too: it must get through.
    Read,
    /// Asks the guest or the host's storage: quick by nature, but can hang with them.
    Query,
    /// Changes something and is quick by nature, but can hang with the guest or with other calls.
    Change,
    /// Can take as long as the data, the guest or the script wants.
    Long,
}

use CallClass::{Change, Local, Long, Query, Read};

/// Time for a call that is stopped in the middle before it is abandoned: less than the program waits for its script, so
/// that there is time to undo.
const QUICK_AFTER_STOP: Duration = Duration::from_secs(5);
const LONG_AFTER_STOP: Duration = Duration::from_secs(8);

impl CallClass {
    /// The class of the C function `call`.
    pub(crate) fn of(call: &str) -> Self {
        static CLASSES: LazyLock<HashMap<&str, CallClass>> = LazyLock::new(|| all().collect());
        let found = CLASSES.get(call);
        debug_assert!(found.is_some(), "`{call}` has no class");
        // An unknown call counts as long, so that no call is abandoned by mistake.
        found.copied().unwrap_or(Long)
    }

    /// True if such calls can change a host.
    pub(crate) fn may_change(self) -> bool {
        matches!(self, Change | Long)
    }

    /// The time limit for a call, where `limit` is that of the session.
    pub(crate) fn limit(self, limit: Option<Duration>) -> Option<Duration> {
        match self {
            Local | Long => None,
            Read | Query | Change => limit,
        }
    }

    /// Time limit for a call after the script was stopped.
    pub(crate) fn after_stop(self) -> Duration {
        match self {
            Long => LONG_AFTER_STOP,
            _ => QUICK_AFTER_STOP,
        }
    }
}

/// Calls that have no effect by themselves, but give a script control of a guest or of a job.
const POWERFUL: [&str; 7] = [
    "virDomainAbortJob",
    "virDomainAbortJobFlags",
    "virDomainLxcOpenNamespace",
    "virDomainOpenChannel",
    "virDomainOpenConsole",
    "virDomainOpenGraphics",
    "virDomainOpenGraphicsFD",
];

/// True if the C function `call` changes something, or gives a script the control to do so. Calls on a stream were allowed
/// when the stream was opened.
pub(crate) fn changes(call: &str) -> bool {
    let carries = call.starts_with("virStream") || call == "virConnectOpenAuth";
    (may_change(call) && !carries) || POWERFUL.contains(&call)
}

/// True if the C function `call` can change the host.
pub fn may_change(call: &str) -> bool {
    CallClass::of(call).may_change()
}

/// The names of all classified calls.
pub fn classified() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}

/// Every C function that a script can reach.
fn all() -> impl Iterator<Item = (&'static str, CallClass)> {
    TABLE.iter().chain(OF_KINDS).copied()
}

macro_rules! calls_of_kinds {
    ($($module:ident $kind:ident $about:tt { $($class:ident: $($call:ident)*;)* })*) => {
        /// The C functions of each kind of object, from the list of kinds.
        const OF_KINDS: &[(&str, CallClass)] = &[$($($((stringify!($call), $class),)*)*)*];
    };
}
for_each_kind!(calls_of_kinds);

/// The C functions of the admin API, of the connection, of domains and of streams, sorted by name.
const TABLE: &[(&str, CallClass)] = &[
    ("virAdmClientClose", Change),
    ("virAdmClientGetID", Local),
    ("virAdmClientGetInfo", Read),
    ("virAdmClientGetTimestamp", Local),
    ("virAdmClientGetTransport", Local),
    ("virAdmConnectClose", Query),
    ("virAdmConnectDaemonShutdown", Change),
    ("virAdmConnectGetLibVersion", Read),
    ("virAdmConnectGetLoggingFilters", Read),
    ("virAdmConnectGetLoggingOutputs", Read),
    ("virAdmConnectGetURI", Local),
    // It waits in the helper process for the calls before it, which can hang.
    ("virAdmConnectIsAlive", Read),
    ("virAdmConnectListServers", Read),
    ("virAdmConnectLookupServer", Read),
    ("virAdmConnectOpen", Long),
    ("virAdmConnectRegisterCloseCallback", Local),
    ("virAdmConnectSetDaemonTimeout", Change),
    ("virAdmConnectSetLoggingFilters", Change),
    ("virAdmConnectSetLoggingOutputs", Change),
    ("virAdmConnectUnregisterCloseCallback", Local),
    ("virAdmServerGetClientLimits", Read),
    ("virAdmServerGetName", Local),
    ("virAdmServerGetThreadPoolParameters", Read),
    ("virAdmServerListClients", Read),
    ("virAdmServerLookupClient", Read),
    ("virAdmServerSetClientLimits", Change),
    ("virAdmServerSetThreadPoolParameters", Change),
    ("virAdmServerUpdateTlsFiles", Change),
    ("virConnectBaselineCPU", Query),
    ("virConnectBaselineHypervisorCPU", Query),
    ("virConnectClose", Query),
    ("virConnectCompareCPU", Query),
    ("virConnectCompareHypervisorCPU", Query),
    ("virConnectDomainEventDeregisterAny", Query),
    ("virConnectDomainEventRegisterAny", Query),
    ("virConnectDomainQemuMonitorEventDeregister", Query),
    ("virConnectDomainQemuMonitorEventRegister", Query),
    ("virConnectDomainXMLFromNative", Query),
    ("virConnectDomainXMLToNative", Query),
    ("virConnectGetAllDomainStats", Query),
    ("virConnectGetCPUModelNames", Read),
    ("virConnectGetCapabilities", Query),
    ("virConnectGetDomainCapabilities", Query),
    ("virConnectGetHostname", Read),
    ("virConnectGetLibVersion", Read),
    ("virConnectGetMaxVcpus", Read),
    ("virConnectGetSysinfo", Query),
    ("virConnectGetType", Read),
    ("virConnectGetURI", Local),
    ("virConnectGetVersion", Read),
    ("virConnectIsAlive", Local),
    ("virConnectIsEncrypted", Read),
    ("virConnectIsSecure", Read),
    ("virConnectListAllDomains", Read),
    ("virConnectNetworkEventDeregisterAny", Query),
    ("virConnectNetworkEventRegisterAny", Query),
    ("virConnectNodeDeviceEventDeregisterAny", Query),
    ("virConnectNodeDeviceEventRegisterAny", Query),
    ("virConnectNumOfDefinedDomains", Read),
    ("virConnectNumOfDomains", Read),
    ("virConnectOpenAuth", Long),
    ("virConnectRef", Local),
    ("virConnectRegisterCloseCallback", Query),
    ("virConnectSecretEventDeregisterAny", Query),
    ("virConnectSecretEventRegisterAny", Query),
    ("virConnectSetIdentity", Change),
    ("virConnectSetKeepAlive", Local),
    ("virConnectStoragePoolEventDeregisterAny", Query),
    ("virConnectStoragePoolEventRegisterAny", Query),
    ("virConnectUnregisterCloseCallback", Query),
    ("virDomainAbortJob", Read),
    ("virDomainAbortJobFlags", Read),
    ("virDomainAddIOThread", Change),
    ("virDomainAgentSetResponseTimeout", Change),
    ("virDomainAttachDevice", Change),
    ("virDomainAttachDeviceFlags", Change),
    ("virDomainAuthorizedSSHKeysGet", Query),
    ("virDomainAuthorizedSSHKeysSet", Change),
    ("virDomainBackupBegin", Long),
    ("virDomainBackupGetXMLDesc", Query),
    ("virDomainBlockCommit", Long),
    ("virDomainBlockCopy", Long),
    ("virDomainBlockJobAbort", Long),
    ("virDomainBlockJobSetSpeed", Change),
    ("virDomainBlockPeek", Query),
    ("virDomainBlockPull", Long),
    ("virDomainBlockRebase", Long),
    ("virDomainBlockResize", Change),
    ("virDomainBlockStats", Query),
    ("virDomainBlockStatsFlags", Query),
    ("virDomainCoreDump", Long),
    ("virDomainCoreDumpWithFormat", Long),
    ("virDomainCreate", Long),
    ("virDomainCreateWithFiles", Long),
    ("virDomainCreateWithFlags", Long),
    ("virDomainCreateXML", Long),
    ("virDomainCreateXMLWithFiles", Long),
    ("virDomainDefineXML", Change),
    ("virDomainDefineXMLFlags", Change),
    ("virDomainDelIOThread", Change),
    ("virDomainDelThrottleGroup", Change),
    ("virDomainDestroy", Change),
    ("virDomainDestroyFlags", Change),
    ("virDomainDetachDevice", Change),
    ("virDomainDetachDeviceAlias", Change),
    ("virDomainDetachDeviceFlags", Change),
    ("virDomainFDAssociate", Change),
    ("virDomainFSFreeze", Long),
    ("virDomainFSThaw", Long),
    ("virDomainFSTrim", Long),
    ("virDomainGetAutostart", Read),
    ("virDomainGetAutostartOnce", Read),
    ("virDomainGetBlkioParameters", Read),
    ("virDomainGetBlockInfo", Query),
    ("virDomainGetBlockIoTune", Query),
    ("virDomainGetBlockJobInfo", Query),
    ("virDomainGetCPUStats", Query),
    ("virDomainGetConnect", Local),
    ("virDomainGetControlInfo", Read),
    ("virDomainGetDiskErrors", Query),
    ("virDomainGetEmulatorPinInfo", Read),
    ("virDomainGetFSInfo", Query),
    ("virDomainGetGuestInfo", Query),
    ("virDomainGetGuestVcpus", Query),
    ("virDomainGetHostname", Query),
    ("virDomainGetID", Local),
    ("virDomainGetIOThreadInfo", Query),
    ("virDomainGetInfo", Read),
    ("virDomainGetInterfaceParameters", Read),
    ("virDomainGetJobInfo", Query),
    ("virDomainGetJobStats", Query),
    ("virDomainGetLaunchSecurityInfo", Query),
    ("virDomainGetMaxMemory", Read),
    ("virDomainGetMaxVcpus", Read),
    ("virDomainGetMemoryParameters", Read),
    ("virDomainGetMessages", Read),
    ("virDomainGetMetadata", Read),
    ("virDomainGetName", Local),
    ("virDomainGetNumaParameters", Read),
    ("virDomainGetOSType", Read),
    ("virDomainGetPerfEvents", Read),
    ("virDomainGetSchedulerParameters", Read),
    ("virDomainGetSchedulerParametersFlags", Read),
    ("virDomainGetSchedulerType", Read),
    ("virDomainGetSecurityLabel", Read),
    ("virDomainGetSecurityLabelList", Read),
    ("virDomainGetState", Read),
    ("virDomainGetTime", Query),
    ("virDomainGetUUIDString", Local),
    ("virDomainGetVcpuPinInfo", Read),
    ("virDomainGetVcpus", Query),
    ("virDomainGetVcpusFlags", Query),
    ("virDomainGetXMLDesc", Query),
    ("virDomainGraphicsReload", Change),
    ("virDomainHasManagedSaveImage", Read),
    ("virDomainInjectNMI", Change),
    ("virDomainInterfaceAddresses", Query),
    ("virDomainInterfaceStats", Query),
    ("virDomainIsActive", Read),
    ("virDomainIsPersistent", Read),
    ("virDomainIsUpdated", Read),
    ("virDomainListGetStats", Query),
    ("virDomainLookupByID", Read),
    ("virDomainLookupByName", Read),
    ("virDomainLookupByUUIDString", Read),
    ("virDomainLxcOpenNamespace", Query),
    ("virDomainManagedSave", Long),
    ("virDomainManagedSaveDefineXML", Change),
    ("virDomainManagedSaveGetXMLDesc", Query),
    ("virDomainManagedSaveRemove", Change),
    ("virDomainMemoryPeek", Query),
    ("virDomainMemoryStats", Query),
    ("virDomainMigrate", Long),
    ("virDomainMigrate2", Long),
    ("virDomainMigrate3", Long),
    ("virDomainMigrateGetCompressionCache", Query),
    ("virDomainMigrateGetMaxDowntime", Query),
    ("virDomainMigrateGetMaxSpeed", Read),
    ("virDomainMigrateSetCompressionCache", Change),
    ("virDomainMigrateSetMaxDowntime", Change),
    ("virDomainMigrateSetMaxSpeed", Change),
    ("virDomainMigrateStartPostCopy", Change),
    ("virDomainMigrateToURI", Long),
    ("virDomainMigrateToURI2", Long),
    ("virDomainMigrateToURI3", Long),
    ("virDomainOpenChannel", Query),
    ("virDomainOpenConsole", Query),
    ("virDomainOpenGraphics", Query),
    ("virDomainOpenGraphicsFD", Query),
    ("virDomainPMSuspendForDuration", Change),
    ("virDomainPMWakeup", Change),
    ("virDomainPinEmulator", Change),
    ("virDomainPinIOThread", Change),
    ("virDomainPinVcpu", Change),
    ("virDomainPinVcpuFlags", Change),
    ("virDomainQemuAgentCommand", Long),
    ("virDomainQemuAttach", Change),
    ("virDomainQemuMonitorCommand", Change),
    ("virDomainQemuMonitorCommandWithFiles", Change),
    ("virDomainReboot", Change),
    ("virDomainRename", Change),
    ("virDomainReset", Change),
    ("virDomainRestore", Long),
    ("virDomainRestoreFlags", Long),
    ("virDomainRestoreParams", Long),
    ("virDomainResume", Change),
    ("virDomainSave", Long),
    ("virDomainSaveFlags", Long),
    ("virDomainSaveImageDefineXML", Change),
    ("virDomainSaveImageGetXMLDesc", Query),
    ("virDomainSaveParams", Long),
    ("virDomainScreenshot", Query),
    ("virDomainSendKey", Change),
    ("virDomainSendProcessSignal", Change),
    ("virDomainSetAutostart", Change),
    ("virDomainSetAutostartOnce", Change),
    ("virDomainSetBlkioParameters", Change),
    ("virDomainSetBlockIoTune", Change),
    ("virDomainSetBlockThreshold", Change),
    ("virDomainSetGuestVcpus", Change),
    ("virDomainSetIOThreadParams", Change),
    ("virDomainSetInterfaceParameters", Change),
    ("virDomainSetLaunchSecurityState", Change),
    ("virDomainSetLifecycleAction", Change),
    ("virDomainSetMaxMemory", Change),
    ("virDomainSetMemory", Change),
    ("virDomainSetMemoryFlags", Change),
    ("virDomainSetMemoryParameters", Change),
    ("virDomainSetMemoryStatsPeriod", Change),
    ("virDomainSetMetadata", Change),
    ("virDomainSetNumaParameters", Change),
    ("virDomainSetPerfEvents", Change),
    ("virDomainSetSchedulerParameters", Change),
    ("virDomainSetSchedulerParametersFlags", Change),
    ("virDomainSetThrottleGroup", Change),
    ("virDomainSetTime", Change),
    ("virDomainSetUserPassword", Change),
    ("virDomainSetVcpu", Change),
    ("virDomainSetVcpus", Change),
    ("virDomainSetVcpusFlags", Change),
    ("virDomainShutdown", Change),
    ("virDomainShutdownFlags", Change),
    ("virDomainStartDirtyRateCalc", Change),
    ("virDomainSuspend", Change),
    ("virDomainUndefine", Change),
    ("virDomainUndefineFlags", Change),
    ("virDomainUpdateDeviceFlags", Change),
    ("virGetLastError", Local),
    ("virGetVersion", Local),
    ("virNodeAllocPages", Long),
    ("virNodeGetCPUMap", Read),
    ("virNodeGetCPUStats", Read),
    ("virNodeGetCellsFreeMemory", Read),
    ("virNodeGetFreeMemory", Read),
    ("virNodeGetFreePages", Read),
    ("virNodeGetInfo", Read),
    ("virNodeGetMemoryParameters", Read),
    ("virNodeGetMemoryStats", Read),
    ("virNodeGetSEVInfo", Query),
    ("virNodeGetSecurityModel", Read),
    ("virNodeSetMemoryParameters", Change),
    ("virNodeSuspendForDuration", Long),
    ("virStreamAbort", Local),
    ("virStreamEventAddCallback", Local),
    ("virStreamEventRemoveCallback", Local),
    ("virStreamEventUpdateCallback", Local),
    ("virStreamFinish", Long),
    ("virStreamNew", Local),
    ("virStreamRecv", Long),
    ("virStreamRecvFlags", Long),
    ("virStreamRecvHole", Long),
    ("virStreamSend", Long),
    ("virStreamSendHole", Long),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_call_has_one_class() {
        let wrong = TABLE.windows(2).find(|pair| pair[0].0 >= pair[1].0);
        assert_eq!(wrong, None);
        let mut calls: Vec<&str> = classified().collect();
        calls.sort_unstable();
        let twice = calls.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
    }

    #[test]
    fn only_calls_that_are_quick_by_nature_have_a_time_limit() {
        let minute = Some(Duration::from_secs(60));
        for (call, limit) in [
            ("virDomainGetState", minute),
            ("virDomainSuspend", minute),
            ("virDomainDestroy", minute),
            ("virDomainDefineXML", minute),
            ("virDomainMigrate3", None),
            ("virDomainCreate", None),
            ("virDomainManagedSave", None),
            ("virDomainQemuAgentCommand", None),
        ] {
            assert_eq!(CallClass::of(call).limit(minute), limit, "{call}");
        }
    }
}
