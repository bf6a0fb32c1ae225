//! The table of libvirt's calls: how a twin runs each of them.
//!
//! libvirt's test driver runs a call that is not in the table.

use std::collections::HashMap;
use std::sync::LazyLock;

use Fidelity::{Agent, Host, NotRehearsed, Shim, Twin};

/// The ways in which a twin runs a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// The host itself answers, through a connection that cannot change it.
    Host,
    /// libvirt's test driver runs it.
    Twin,
    /// virhai runs it as QEMU does. The text names the difference; it can be empty.
    Shim(&'static str),
    /// It asks the agent in the guest. virhai refuses it where QEMU refuses it; otherwise, the twin does not support it.
    Agent,
    /// The twin does not support it; the text is the reason.
    NotRehearsed(&'static str),
}

/// The way in which a twin runs the C function `call`.
pub fn of_call(call: &str) -> Fidelity {
    static ROWS: LazyLock<HashMap<&str, Fidelity>> = LazyLock::new(|| rows().collect());
    ROWS.get(call).copied().unwrap_or(Twin)
}

/// Calls whose effect is not visible in a picture of a host.
const SHOW_NOWHERE: &str = "virDomainBlockResize virDomainInjectNMI virDomainPMSuspendForDuration virDomainPMWakeup
    virDomainQemuAgentCommand virDomainQemuMonitorCommand virDomainReboot virDomainReset virDomainSendKey
    virDomainSendProcessSignal virDomainSetTime virDomainSetUserPassword virDomainFSTrim virDomainCoreDump
    virDomainCoreDumpWithFormat virDomainBlockCommit virDomainBlockCopy virDomainBlockPull virDomainBlockRebase
    virDomainBackupBegin virStorageVolUpload virStorageVolWipe virStorageVolWipePattern virSecretSetValue
    virNodeSuspendForDuration virNodeDeviceReset virNetworkUpdate virStoragePoolBuild virStoragePoolDelete";

/// The calls among them whose effect is visible if it is in the definition of an object.
const SHOW_IN_DEFINITIONS: &str = "virNetworkUpdate";

/// True if the plan has an entry for `call` itself; `shows` is true if its effect was visible.
pub(super) fn is_noted_itself(call: &str, shows: bool) -> bool {
    let is_in = |calls: &str| calls.split_whitespace().any(|one| one == call);
    is_in(SHOW_NOWHERE) && !(shows && is_in(SHOW_IN_DEFINITIONS))
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

const NO_GUEST: &str = "the guests of a twin do not run";
const NO_BLOCKS: &str = "the disks of a twin have no content to copy";
const NO_FILTERS: &str = "the test driver has no network filters";
const NO_SECRETS: &str = "the test driver has no secrets";
const NO_PORTS: &str = "the test driver has no network ports";
const NO_DEVICES: &str = "the test driver cannot change or assign devices of the host";
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
         virNodeGetSecurityModel virConnectListAllNWFilterBindings virConnectListAllNWFilters
         virConnectNumOfNWFilters virNWFilterGetXMLDesc virNWFilterLookupByName
         virNWFilterLookupByUUIDString virConnectListAllSecrets virConnectNumOfSecrets
         virSecretGetXMLDesc virSecretLookupByUUIDString virSecretLookupByUsage",
    ),
    (
        Shim("libvirt does not report the features for guests to a read-only client: the twin accepts all features"),
        "virConnectGetDomainCapabilities",
    ),
    (
        NotRehearsed("libvirt does not answer this call for a read-only client"),
        "virConnectBaselineHypervisorCPU virConnectCompareHypervisorCPU",
    ),
    (
        Shim(""),
        "virConnectOpenAuth virDomainCreate virDomainCreateWithFlags virDomainCreateXML
         virDomainManagedSave virDomainManagedSaveRemove virDomainRestore virDomainRestoreFlags
         virDomainSaveImageGetXMLDesc virDomainSaveImageDefineXML virDomainUndefine virDomainUndefineFlags
         virDomainGetState virDomainIsUpdated virDomainSuspend virDomainReboot virDomainSetAutostart
         virDomainRename virDomainSetMemory virDomainSetMemoryFlags",
    ),
    (
        Shim(""),
        "virDomainDefineXML virDomainDefineXMLFlags",
    ),
    (
        Shim("the file is in a temporary folder: the rehearsal does not check that the host can write to its path"),
        "virDomainSave virDomainSaveFlags virDomainCoreDump virDomainCoreDumpWithFormat",
    ),
    (
        Shim("the guest of a twin shuts down at once"),
        "virDomainShutdown virDomainShutdownFlags",
    ),
    (
        Shim(""),
        "virDomainAbortJob virDomainAbortJobFlags virDomainGetBlockJobInfo virDomainGetJobInfo virDomainGetJobStats
         virDomainMigrateSetMaxDowntime virDomainMigrateSetMaxSpeed virDomainGetDiskErrors
         virStorageVolResize virStoragePoolLookupByTargetPath",
    ),
    (
        Shim("the twin restarts a running guest to change its devices, so the events differ"),
        "virDomainAttachDevice virDomainAttachDeviceFlags virDomainUpdateDeviceFlags",
    ),
    (
        Shim("a running guest of a twin releases each device at once, and restarts for that, so the events differ"),
        "virDomainDetachDevice virDomainDetachDeviceAlias virDomainDetachDeviceFlags",
    ),
    (
        Shim("a rehearsal does not check that both hosts reach the storage of the guest"),
        "virDomainMigrate virDomainMigrate2 virDomainMigrate3 virDomainMigrateToURI
         virDomainMigrateToURI2 virDomainMigrateToURI3",
    ),
    (
        Shim("the twin restarts a running guest to change the images of its disks, so the events differ; a block job is ready, or complete, at once"),
        "virDomainBlockCommit virDomainBlockCopy virDomainBlockJobAbort virDomainBlockJobSetSpeed
         virDomainBlockPull virDomainBlockRebase",
    ),
    (
        Shim(""),
        "virDomainSnapshotCreateXML virDomainSnapshotDelete virDomainRevertToSnapshot virStoragePoolRefresh
         virDomainCheckpointCreateXML virDomainCheckpointDelete virDomainBackupGetXMLDesc virDomainGetBlockInfo
         virStorageVolDelete virStorageVolDownload virStorageVolGetInfoFlags virStorageVolUpload virStoragePoolDestroy
         virNetworkGetXMLDesc virNetworkDestroy virNetworkSetAutostart virNetworkUndefine virNetworkCreateXML
         virNetworkCreateXMLFlags virNetworkDefineXML virNetworkDefineXMLFlags virStoragePoolCreateXML
         virStoragePoolSetAutostart",
    ),
    (
        Shim("a rehearsal does not check that the folder of the pool exists"),
        "virStoragePoolCreate",
    ),
    (
        Shim("a rehearsal does not check that the host has room for the volume"),
        "virStorageVolCreateXML virStorageVolCreateXMLFrom",
    ),
    (
        Shim("a twin has no contents of disks"),
        "virDomainBlockResize virStorageVolWipe virStorageVolWipePattern",
    ),
    (
        Shim("a backup is complete at once, and its images have no content"),
        "virDomainBackupBegin",
    ),
    (
        Shim("a guest of a twin prints nothing"),
        "virDomainOpenChannel virDomainOpenConsole",
    ),
    (
        Shim("the test driver invents the answer"),
        "virConnectGetAllDomainStats virDomainListGetStats virDomainBlockStats
         virDomainGetCPUStats virDomainGetLaunchSecurityInfo
         virDomainGetPerfEvents virDomainGetVcpus virDomainInterfaceAddresses
         virDomainInterfaceStats virDomainMemoryPeek virDomainMemoryStats virDomainScreenshot
         virNodeGetCellsFreeMemory virNodeGetFreePages
         virStoragePoolGetInfo",
    ),
    (
        Shim("the test driver invents the CPU time"),
        "virDomainGetInfo",
    ),
    (
        Agent,
        "virDomainAuthorizedSSHKeysGet virDomainAuthorizedSSHKeysSet
         virDomainGetFSInfo virDomainGetGuestInfo virDomainGetGuestVcpus virDomainGetHostname virDomainGetTime
         virDomainSetTime virDomainSetUserPassword virDomainQemuAgentCommand virDomainSetGuestVcpus",
    ),
    (
        Shim("only the guest knows its file systems: the twin freezes, thaws and trims none of them"),
        "virDomainFSFreeze virDomainFSThaw virDomainFSTrim",
    ),
    (
        NotRehearsed(NO_GUEST),
        "virDomainAgentSetResponseTimeout virDomainBlockPeek virDomainOpenGraphics
         virDomainOpenGraphicsFD virDomainPMSuspendForDuration virDomainPMWakeup
         virDomainStartDirtyRateCalc virDomainGraphicsReload virDomainSetLaunchSecurityState
         virDomainLxcOpenNamespace",
    ),
    (
        NotRehearsed(NO_BLOCKS),
        "virDomainSetBlockThreshold",
    ),
    (
        NotRehearsed("a twin cannot move a guest to another host"),
        "virDomainMigrateGetCompressionCache
         virDomainMigrateGetMaxDowntime virDomainMigrateGetMaxSpeed
         virDomainMigrateSetCompressionCache virDomainMigrateStartPostCopy",
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
        "virNWFilterBindingCreateXML virNWFilterBindingDelete virNWFilterBindingGetXMLDesc
         virNWFilterBindingLookupByPortDev virNWFilterDefineXML virNWFilterDefineXMLFlags
         virNWFilterUndefine",
    ),
    (
        NotRehearsed(NO_SECRETS),
        "virConnectSecretEventDeregisterAny
         virConnectSecretEventRegisterAny virSecretDefineXML virSecretGetValue virSecretSetValue virSecretUndefine",
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
