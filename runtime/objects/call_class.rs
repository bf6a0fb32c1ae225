//! How long each libvirt call may take, and which calls may use the last free place of a connection.

use std::time::Duration;

/// A class of libvirt calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
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

use Class::{Change, Local, Long, Query, Read};

/// How long a call that is stopped in the middle may still take before it is abandoned: less than
/// the program waits for its script, so that there is time to undo.
const QUICK_AFTER_STOP: Duration = Duration::from_secs(5);
const LONG_AFTER_STOP: Duration = Duration::from_secs(8);

impl Class {
    /// The class of the C function `call`.
    pub(crate) fn of(call: &str) -> Self {
        let found = TABLE.binary_search_by_key(&call, |(name, _)| name);
        debug_assert!(found.is_ok(), "`{call}` has no class");
        // Nothing is abandoned by mistake.
        found.map_or(Long, |index| TABLE[index].1)
    }

    /// Whether such calls can change something.
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

    /// How long a call may still take after the script was stopped.
    pub(crate) fn after_stop(self) -> Duration {
        match self {
            Long => LONG_AFTER_STOP,
            _ => QUICK_AFTER_STOP,
        }
    }
}

/// Whether the C function `call` can change something on the host.
pub fn may_change(call: &str) -> bool {
    Class::of(call).may_change()
}

/// The names of all classified calls.
pub fn classified() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// Every C function that a script can reach, sorted by name.
const TABLE: &[(&str, Class)] = &[
    ("virConnectClose", Query),
    ("virConnectCompareCPU", Query),
    ("virConnectCompareHypervisorCPU", Query),
    ("virConnectDomainEventDeregisterAny", Query),
    ("virConnectDomainEventRegisterAny", Query),
    ("virConnectFindStoragePoolSources", Long),
    ("virConnectGetAllDomainStats", Query),
    ("virConnectGetCPUModelNames", Read),
    ("virConnectGetCapabilities", Query),
    ("virConnectGetDomainCapabilities", Query),
    ("virConnectGetHostname", Read),
    ("virConnectGetLibVersion", Read),
    ("virConnectGetMaxVcpus", Read),
    ("virConnectGetStoragePoolCapabilities", Query),
    ("virConnectGetSysinfo", Query),
    ("virConnectGetType", Read),
    ("virConnectGetURI", Local),
    ("virConnectGetVersion", Read),
    ("virConnectIsAlive", Local),
    ("virConnectIsEncrypted", Read),
    ("virConnectIsSecure", Read),
    ("virConnectListAllDomains", Read),
    ("virConnectListAllInterfaces", Read),
    ("virConnectListAllNetworks", Read),
    ("virConnectListAllStoragePools", Read),
    ("virConnectNetworkEventRegisterAny", Query),
    ("virConnectNodeDeviceEventRegisterAny", Query),
    ("virConnectNumOfDefinedDomains", Read),
    ("virConnectNumOfDefinedInterfaces", Read),
    ("virConnectNumOfDefinedNetworks", Read),
    ("virConnectNumOfDefinedStoragePools", Read),
    ("virConnectNumOfDomains", Read),
    ("virConnectNumOfInterfaces", Read),
    ("virConnectNumOfNetworks", Read),
    ("virConnectNumOfStoragePools", Read),
    ("virConnectOpenAuth", Long),
    ("virConnectRef", Local),
    ("virConnectSecretEventRegisterAny", Query),
    ("virConnectSetKeepAlive", Local),
    ("virConnectStoragePoolEventRegisterAny", Query),
    ("virDomainAbortJob", Read),
    ("virDomainAbortJobFlags", Read),
    ("virDomainAgentSetResponseTimeout", Change),
    ("virDomainAttachDevice", Change),
    ("virDomainAttachDeviceFlags", Change),
    ("virDomainAuthorizedSSHKeysGet", Query),
    ("virDomainAuthorizedSSHKeysSet", Change),
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
    ("virDomainDestroy", Change),
    ("virDomainDestroyFlags", Change),
    ("virDomainDetachDevice", Change),
    ("virDomainDetachDeviceAlias", Change),
    ("virDomainDetachDeviceFlags", Change),
    ("virDomainFSFreeze", Long),
    ("virDomainFSThaw", Long),
    ("virDomainFSTrim", Long),
    ("virDomainGetAutostart", Read),
    ("virDomainGetAutostartOnce", Read),
    ("virDomainGetBlockInfo", Query),
    ("virDomainGetBlockJobInfo", Query),
    ("virDomainGetCPUStats", Query),
    ("virDomainGetConnect", Local),
    ("virDomainGetControlInfo", Read),
    ("virDomainGetFSInfo", Query),
    ("virDomainGetGuestInfo", Query),
    ("virDomainGetGuestVcpus", Query),
    ("virDomainGetHostname", Query),
    ("virDomainGetID", Local),
    ("virDomainGetInfo", Read),
    ("virDomainGetJobInfo", Query),
    ("virDomainGetJobStats", Query),
    ("virDomainGetMaxMemory", Read),
    ("virDomainGetMaxVcpus", Read),
    ("virDomainGetMessages", Read),
    ("virDomainGetMetadata", Read),
    ("virDomainGetName", Local),
    ("virDomainGetOSType", Read),
    ("virDomainGetState", Read),
    ("virDomainGetTime", Query),
    ("virDomainGetUUIDString", Local),
    ("virDomainGetVcpus", Query),
    ("virDomainGetVcpusFlags", Query),
    ("virDomainGetXMLDesc", Query),
    ("virDomainHasCurrentSnapshot", Read),
    ("virDomainHasManagedSaveImage", Read),
    ("virDomainInjectNMI", Change),
    ("virDomainInterfaceAddresses", Query),
    ("virDomainInterfaceStats", Query),
    ("virDomainIsActive", Read),
    ("virDomainIsPersistent", Read),
    ("virDomainIsUpdated", Read),
    ("virDomainListAllSnapshots", Read),
    ("virDomainListGetStats", Query),
    ("virDomainLookupByID", Read),
    ("virDomainLookupByName", Read),
    ("virDomainLookupByUUIDString", Read),
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
    ("virDomainOpenConsole", Query),
    ("virDomainPMSuspendForDuration", Change),
    ("virDomainPMWakeup", Change),
    ("virDomainQemuAgentCommand", Long),
    ("virDomainQemuMonitorCommand", Change),
    ("virDomainReboot", Change),
    ("virDomainRename", Change),
    ("virDomainReset", Change),
    ("virDomainRestore", Long),
    ("virDomainRestoreFlags", Long),
    ("virDomainRestoreParams", Long),
    ("virDomainResume", Change),
    ("virDomainRevertToSnapshot", Long),
    ("virDomainSave", Long),
    ("virDomainSaveFlags", Long),
    ("virDomainSaveImageDefineXML", Change),
    ("virDomainSaveImageGetXMLDesc", Query),
    ("virDomainSaveParams", Long),
    ("virDomainScreenshot", Query),
    ("virDomainSendKey", Change),
    ("virDomainSetAutostart", Change),
    ("virDomainSetAutostartOnce", Change),
    ("virDomainSetBlkioParameters", Change),
    ("virDomainSetGuestVcpus", Change),
    ("virDomainSetLifecycleAction", Change),
    ("virDomainSetMaxMemory", Change),
    ("virDomainSetMemory", Change),
    ("virDomainSetMemoryFlags", Change),
    ("virDomainSetMemoryParameters", Change),
    ("virDomainSetMetadata", Change),
    ("virDomainSetSchedulerParametersFlags", Change),
    ("virDomainSetTime", Change),
    ("virDomainSetUserPassword", Change),
    ("virDomainSetVcpus", Change),
    ("virDomainSetVcpusFlags", Change),
    ("virDomainShutdown", Change),
    ("virDomainShutdownFlags", Change),
    ("virDomainSnapshotCreateXML", Long),
    ("virDomainSnapshotCurrent", Read),
    ("virDomainSnapshotDelete", Long),
    ("virDomainSnapshotGetConnect", Local),
    ("virDomainSnapshotGetDomain", Local),
    ("virDomainSnapshotGetName", Local),
    ("virDomainSnapshotGetParent", Read),
    ("virDomainSnapshotGetXMLDesc", Read),
    ("virDomainSnapshotHasMetadata", Read),
    ("virDomainSnapshotIsCurrent", Read),
    ("virDomainSnapshotListAllChildren", Read),
    ("virDomainSnapshotLookupByName", Read),
    ("virDomainSnapshotNum", Read),
    ("virDomainSnapshotNumChildren", Read),
    ("virDomainSuspend", Change),
    ("virDomainUndefine", Change),
    ("virDomainUndefineFlags", Change),
    ("virDomainUpdateDeviceFlags", Change),
    ("virGetLastError", Local),
    ("virGetVersion", Local),
    ("virInterfaceChangeBegin", Change),
    ("virInterfaceChangeCommit", Change),
    ("virInterfaceChangeRollback", Long),
    ("virInterfaceCreate", Long),
    ("virInterfaceDefineXML", Change),
    ("virInterfaceDestroy", Long),
    ("virInterfaceGetConnect", Local),
    ("virInterfaceGetMACString", Local),
    ("virInterfaceGetName", Local),
    ("virInterfaceGetXMLDesc", Read),
    ("virInterfaceIsActive", Read),
    ("virInterfaceLookupByMACString", Read),
    ("virInterfaceLookupByName", Read),
    ("virInterfaceUndefine", Change),
    ("virNetworkCreate", Change),
    ("virNetworkCreateXML", Change),
    ("virNetworkCreateXMLFlags", Change),
    ("virNetworkDefineXML", Change),
    ("virNetworkDefineXMLFlags", Change),
    ("virNetworkDestroy", Change),
    ("virNetworkGetAutostart", Read),
    ("virNetworkGetBridgeName", Read),
    ("virNetworkGetConnect", Local),
    ("virNetworkGetDHCPLeases", Query),
    ("virNetworkGetMetadata", Read),
    ("virNetworkGetName", Local),
    ("virNetworkGetUUIDString", Local),
    ("virNetworkGetXMLDesc", Read),
    ("virNetworkIsActive", Read),
    ("virNetworkIsPersistent", Read),
    ("virNetworkLookupByName", Read),
    ("virNetworkLookupByUUIDString", Read),
    ("virNetworkSetAutostart", Change),
    ("virNetworkSetMetadata", Change),
    ("virNetworkUndefine", Change),
    ("virNetworkUpdate", Change),
    ("virNodeGetFreeMemory", Read),
    ("virNodeGetInfo", Read),
    ("virStoragePoolBuild", Long),
    ("virStoragePoolCreate", Long),
    ("virStoragePoolCreateXML", Long),
    ("virStoragePoolDefineXML", Change),
    ("virStoragePoolDelete", Long),
    ("virStoragePoolDestroy", Change),
    ("virStoragePoolGetAutostart", Read),
    ("virStoragePoolGetConnect", Local),
    ("virStoragePoolGetInfo", Read),
    ("virStoragePoolGetName", Local),
    ("virStoragePoolGetUUIDString", Local),
    ("virStoragePoolGetXMLDesc", Read),
    ("virStoragePoolIsActive", Read),
    ("virStoragePoolIsPersistent", Read),
    ("virStoragePoolListAllVolumes", Read),
    ("virStoragePoolLookupByName", Read),
    ("virStoragePoolLookupByTargetPath", Read),
    ("virStoragePoolLookupByUUIDString", Read),
    ("virStoragePoolLookupByVolume", Read),
    ("virStoragePoolNumOfVolumes", Read),
    ("virStoragePoolRefresh", Long),
    ("virStoragePoolSetAutostart", Change),
    ("virStoragePoolUndefine", Change),
    ("virStorageVolCreateXML", Long),
    ("virStorageVolCreateXMLFrom", Long),
    ("virStorageVolDelete", Long),
    ("virStorageVolDownload", Long),
    ("virStorageVolGetConnect", Local),
    ("virStorageVolGetInfo", Query),
    ("virStorageVolGetInfoFlags", Query),
    ("virStorageVolGetKey", Local),
    ("virStorageVolGetName", Local),
    ("virStorageVolGetPath", Read),
    ("virStorageVolGetXMLDesc", Read),
    ("virStorageVolLookupByKey", Read),
    ("virStorageVolLookupByName", Read),
    ("virStorageVolLookupByPath", Read),
    ("virStorageVolResize", Long),
    ("virStorageVolUpload", Long),
    ("virStorageVolWipe", Long),
    ("virStorageVolWipePattern", Long),
    ("virStreamAbort", Local),
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
    fn the_table_is_sorted_and_has_each_call_once() {
        let wrong = TABLE.windows(2).find(|pair| pair[0].0 >= pair[1].0);
        assert_eq!(wrong, None);
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
            ("virStorageVolCreateXML", None),
        ] {
            assert_eq!(Class::of(call).limit(minute), limit, "{call}");
        }
    }
}
