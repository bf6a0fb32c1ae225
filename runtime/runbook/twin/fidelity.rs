//! How faithfully a twin does each call of libvirt: the one table of it.
//!
//! A call that is not in the table is done by libvirt's test driver as it is.

use std::collections::HashMap;
use std::sync::LazyLock;

use Fidelity::{Host, NotRehearsed, Shim, Twin};

/// How a twin does a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// The host itself answers, through a connection that cannot change it.
    Host,
    /// libvirt's test driver does it.
    Twin,
    /// virhai does it as QEMU does. What differs is in the text, which may be empty.
    Shim(&'static str),
    /// It is not done, and why.
    NotRehearsed(&'static str),
}

/// How a twin does the C function `call`.
pub fn of(call: &str) -> Fidelity {
    static ROWS: LazyLock<HashMap<&str, Fidelity>> = LazyLock::new(|| rows().collect());
    ROWS.get(call).copied().unwrap_or(Twin)
}

/// The calls that are in the table.
pub fn listed() -> impl Iterator<Item = &'static str> {
    rows().map(|(call, _)| call)
}

fn rows() -> impl Iterator<Item = (&'static str, Fidelity)> {
    TABLE
        .iter()
        .flat_map(|(fidelity, calls)| calls.split_whitespace().map(move |call| (call, *fidelity)))
}

const NO_AGENT: &str = "a twin has no guest whose agent could answer";
const NO_GUEST: &str = "a twin has no guest that runs";
const NO_BLOCKS: &str = "a twin has no blocks of disks that could be copied";
const NO_FILTERS: &str = "the test driver has no network filters";
const NO_SECRETS: &str = "the test driver has no secrets";
const NO_PORTS: &str = "the test driver has no ports of networks";
const NO_DEVICES: &str = "the test driver neither lends nor changes devices of the host";
const NO_DAEMON: &str = "a twin has no daemon";
const NO_SETTING: &str = "the test driver does not have this setting";
const NO_QEMU: &str = "a twin has no QEMU process";

const TABLE: &[(Fidelity, &str)] = &[
    (
        Host,
        "virConnectBaselineCPU virConnectCompareCPU virConnectGetCPUModelNames
         virConnectGetCapabilities virConnectGetHostname virConnectGetLibVersion
         virConnectGetMaxVcpus virConnectGetStoragePoolCapabilities virConnectGetSysinfo
         virConnectGetType virConnectGetURI virConnectGetVersion virNodeGetCPUMap
         virNodeGetCPUStats virNodeGetFreeMemory virNodeGetInfo virNodeGetMemoryStats
         virNodeGetSecurityModel",
    ),
    (
        Shim("libvirt tells no read-only client what guests can have: the host is taken to offer all of it"),
        "virConnectGetDomainCapabilities",
    ),
    (
        NotRehearsed("libvirt does not answer this to a read-only client"),
        "virConnectBaselineHypervisorCPU virConnectCompareHypervisorCPU",
    ),
    (
        Shim(""),
        "virConnectOpenAuth virDomainCreate virDomainCreateWithFlags virDomainCreateXML
         virDomainManagedSave virDomainRestore virDomainRestoreFlags virDomainSave
         virDomainSaveImageGetXMLDesc virDomainSaveImageDefineXML virDomainCoreDump
         virDomainCoreDumpWithFormat virDomainShutdownFlags virDomainUndefineFlags",
    ),
    (
        Shim(""),
        "virDomainDefineXML virDomainDefineXMLFlags virDomainSaveFlags",
    ),
    (
        NotRehearsed(NO_AGENT),
        "virDomainAgentSetResponseTimeout virDomainAuthorizedSSHKeysGet virDomainAuthorizedSSHKeysSet
         virDomainGetGuestInfo virDomainGetGuestVcpus virDomainQemuAgentCommand virDomainSetGuestVcpus",
    ),
    (
        NotRehearsed(NO_GUEST),
        "virDomainBlockPeek virDomainOpenChannel virDomainOpenConsole virDomainOpenGraphics
         virDomainOpenGraphicsFD virDomainPMSuspendForDuration virDomainPMWakeup
         virDomainStartDirtyRateCalc virDomainGraphicsReload virDomainSetLaunchSecurityState
         virDomainLxcOpenNamespace",
    ),
    (
        NotRehearsed(NO_BLOCKS),
        "virDomainBackupBegin virDomainBackupGetXMLDesc virDomainBlockCommit virDomainBlockCopy
         virDomainBlockJobAbort virDomainBlockJobSetSpeed virDomainBlockPull virDomainBlockRebase
         virDomainBlockResize virDomainGetBlockJobInfo virDomainSetBlockThreshold
         virStorageVolDownload virStorageVolGetInfoFlags virStorageVolResize virStorageVolUpload
         virStorageVolWipe virStorageVolWipePattern virStreamFinish virStreamRecv
         virStreamRecvFlags virStreamRecvHole virStreamSend virStreamSendHole",
    ),
    (
        NotRehearsed("the twin has no way to move a guest to another host"),
        "virDomainMigrate virDomainMigrate2 virDomainMigrate3 virDomainMigrateToURI
         virDomainMigrateToURI2 virDomainMigrateToURI3 virDomainMigrateGetCompressionCache
         virDomainMigrateGetMaxDowntime virDomainMigrateGetMaxSpeed
         virDomainMigrateSetCompressionCache virDomainMigrateSetMaxDowntime
         virDomainMigrateSetMaxSpeed virDomainMigrateStartPostCopy",
    ),
    (
        NotRehearsed("a twin does each job at once, so that there is none to ask for"),
        "virDomainAbortJob virDomainAbortJobFlags virDomainGetJobInfo virDomainGetJobStats",
    ),
    (
        NotRehearsed("the test driver does not change devices"),
        "virDomainDetachDevice virDomainDetachDeviceAlias virDomainDetachDeviceFlags
         virDomainUpdateDeviceFlags",
    ),
    (
        NotRehearsed(NO_SETTING),
        "virDomainAddIOThread virDomainBlockStatsFlags virDomainDelIOThread
         virDomainDelThrottleGroup virDomainFDAssociate virDomainGetAutostartOnce
         virDomainGetIOThreadInfo virDomainGetSecurityLabelList virDomainManagedSaveDefineXML
         virDomainManagedSaveGetXMLDesc virDomainPinIOThread virDomainRestoreParams
         virDomainSaveParams virDomainSetAutostartOnce virDomainSetIOThreadParams
         virDomainSetThrottleGroup virDomainSetVcpu virNetworkGetMetadata virNetworkSetMetadata
         virNodeAllocPages virNodeGetMemoryParameters virNodeGetSEVInfo
         virNodeSetMemoryParameters virNodeSuspendForDuration virConnectSetIdentity",
    ),
    (
        NotRehearsed(NO_QEMU),
        "virConnectDomainQemuMonitorEventDeregister virConnectDomainQemuMonitorEventRegister
         virConnectDomainXMLFromNative virConnectDomainXMLToNative virDomainQemuAttach
         virDomainQemuMonitorCommand virDomainQemuMonitorCommandWithFiles",
    ),
    (
        NotRehearsed(NO_FILTERS),
        "virConnectListAllNWFilterBindings virConnectListAllNWFilters virConnectNumOfNWFilters
         virNWFilterBindingCreateXML virNWFilterBindingDelete virNWFilterBindingGetXMLDesc
         virNWFilterBindingLookupByPortDev virNWFilterDefineXML virNWFilterDefineXMLFlags
         virNWFilterGetXMLDesc virNWFilterLookupByName virNWFilterLookupByUUIDString
         virNWFilterUndefine",
    ),
    (
        NotRehearsed(NO_SECRETS),
        "virConnectListAllSecrets virConnectNumOfSecrets virConnectSecretEventDeregisterAny
         virConnectSecretEventRegisterAny virSecretDefineXML virSecretGetValue virSecretGetXMLDesc
         virSecretLookupByUUIDString virSecretLookupByUsage virSecretSetValue virSecretUndefine",
    ),
    (
        NotRehearsed(NO_PORTS),
        "virNetworkGetDHCPLeases virNetworkListAllPorts virNetworkPortCreateXML
         virNetworkPortDelete virNetworkPortGetParameters virNetworkPortGetXMLDesc
         virNetworkPortLookupByUUIDString virNetworkPortSetParameters",
    ),
    (
        NotRehearsed(NO_DEVICES),
        "virNodeDeviceCreate virNodeDeviceDefineXML virNodeDeviceDetachFlags virNodeDeviceDettach
         virNodeDeviceGetAutostart virNodeDeviceIsActive virNodeDeviceIsPersistent
         virNodeDeviceReAttach virNodeDeviceReset virNodeDeviceSetAutostart
         virNodeDeviceUndefine virNodeDeviceUpdate",
    ),
    (
        NotRehearsed(NO_DAEMON),
        "virAdmClientClose virAdmClientGetInfo virAdmConnectClose virAdmConnectDaemonShutdown
         virAdmConnectGetLibVersion virAdmConnectGetLoggingFilters virAdmConnectGetLoggingOutputs
         virAdmConnectIsAlive virAdmConnectListServers virAdmConnectLookupServer virAdmConnectOpen
         virAdmConnectSetDaemonTimeout virAdmConnectSetLoggingFilters
         virAdmConnectSetLoggingOutputs virAdmServerGetClientLimits
         virAdmServerGetThreadPoolParameters virAdmServerListClients virAdmServerLookupClient
         virAdmServerSetClientLimits virAdmServerSetThreadPoolParameters
         virAdmServerUpdateTlsFiles",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_listed_once() {
        let mut calls: Vec<&str> = listed().collect();
        calls.sort_unstable();
        let twice: Vec<&[&str]> = calls.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
