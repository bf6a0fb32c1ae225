//! The objects that a connection gives out, the list of their kinds, and the calls on them.

pub mod admin;
pub mod any;
pub(crate) mod blocking_stream;
pub(crate) mod c_text;
pub(crate) mod call_class;
pub(crate) mod call_thread;
pub mod connection;
pub(crate) mod granted;
pub(crate) mod host_hint;
pub(crate) mod missing;
pub(crate) mod natural_order;
pub mod object;
pub(crate) mod uri;
pub(crate) mod watch;

// The kinds of objects, in the order of the list below.
pub mod domain;
pub mod domain_checkpoint;
pub mod domain_snapshot;
pub mod interface;
pub mod network;
pub mod network_port;
pub mod node_device;
pub mod nwfilter;
pub mod nwfilter_binding;
pub mod secret;
pub mod storage_pool;
pub mod storage_vol;

/// The list of the kinds of objects. `for_each_kind!(each)` calls the macro `each` with all of it.
///
/// A row has the kind's module here and in `api/`, its [`object::Kind`], its type in scripts, libvirt's error for an
/// object that does not exist, the hint for that error, and libvirt's calls by their [`call_class::CallClass`]. The calls of
/// domains stand with those of the connection in `call_class.rs`.
macro_rules! for_each_kind {
    ($each:ident) => {
        $each! {
            domain DomainKind {
                Domain VIR_ERR_NO_DOMAIN "`list_all_domains()` shows the domains that this host has"
            } {}
            domain_checkpoint DomainCheckpointKind {
                DomainCheckpoint VIR_ERR_NO_DOMAIN_CHECKPOINT
                "`list_all_checkpoints()` shows the checkpoints that the domain has"
            } {
                Local: virDomainCheckpointGetConnect virDomainCheckpointGetDomain
                    virDomainCheckpointGetName;
                Read: virDomainCheckpointGetParent virDomainCheckpointListAllChildren
                    virDomainCheckpointLookupByName virDomainListAllCheckpoints;
                Query: virDomainCheckpointGetXMLDesc;
                Long: virDomainCheckpointCreateXML virDomainCheckpointDelete;
            }
            domain_snapshot DomainSnapshotKind {
                DomainSnapshot VIR_ERR_NO_DOMAIN_SNAPSHOT
                "`list_all_snapshots()` shows the snapshots that the domain has"
            } {
                Local: virDomainSnapshotGetConnect virDomainSnapshotGetDomain
                    virDomainSnapshotGetName;
                Read: virDomainHasCurrentSnapshot virDomainListAllSnapshots virDomainSnapshotCurrent
                    virDomainSnapshotGetParent virDomainSnapshotGetXMLDesc
                    virDomainSnapshotHasMetadata virDomainSnapshotIsCurrent
                    virDomainSnapshotListAllChildren virDomainSnapshotLookupByName
                    virDomainSnapshotNum virDomainSnapshotNumChildren;
                Long: virDomainRevertToSnapshot virDomainSnapshotCreateXML virDomainSnapshotDelete;
            }
            interface InterfaceKind {
                Interface VIR_ERR_NO_INTERFACE "`list_all_interfaces()` shows the interfaces that this host has"
            } {
                Local: virInterfaceGetConnect virInterfaceGetMACString virInterfaceGetName;
                Read: virConnectListAllInterfaces virConnectNumOfDefinedInterfaces
                    virConnectNumOfInterfaces virInterfaceGetXMLDesc virInterfaceIsActive
                    virInterfaceLookupByMACString virInterfaceLookupByName;
                Change: virInterfaceChangeBegin virInterfaceChangeCommit virInterfaceDefineXML
                    virInterfaceUndefine;
                Long: virInterfaceChangeRollback virInterfaceCreate virInterfaceDestroy;
            }
            network NetworkKind {
                Network VIR_ERR_NO_NETWORK "`list_all_networks()` shows the networks that this host has"
            } {
                Local: virNetworkGetConnect virNetworkGetName virNetworkGetUUIDString;
                Read: virConnectListAllNetworks virConnectNumOfDefinedNetworks
                    virConnectNumOfNetworks virNetworkGetAutostart virNetworkGetBridgeName
                    virNetworkGetMetadata virNetworkGetXMLDesc virNetworkIsActive
                    virNetworkIsPersistent virNetworkLookupByName virNetworkLookupByUUIDString;
                Query: virNetworkGetDHCPLeases;
                Change: virNetworkCreate virNetworkCreateXML virNetworkCreateXMLFlags
                    virNetworkDefineXML virNetworkDefineXMLFlags virNetworkDestroy
                    virNetworkSetAutostart virNetworkSetMetadata virNetworkUndefine
                    virNetworkUpdate;
            }
            network_port NetworkPortKind {
                NetworkPort VIR_ERR_NO_NETWORK_PORT "`list_all_ports()` shows the ports that the network has"
            } {
                Local: virNetworkPortGetNetwork virNetworkPortGetUUIDString;
                Read: virNetworkListAllPorts virNetworkPortGetParameters virNetworkPortGetXMLDesc
                    virNetworkPortLookupByUUIDString;
                Change: virNetworkPortCreateXML virNetworkPortDelete virNetworkPortSetParameters;
            }
            node_device NodeDeviceKind {
                NodeDevice VIR_ERR_NO_NODE_DEVICE "`list_all_devices()` shows the devices that this host has"
            } {
                Local: virNodeDeviceGetName;
                Read: virConnectListAllNodeDevices virNodeDeviceGetAutostart virNodeDeviceGetParent
                    virNodeDeviceGetXMLDesc virNodeDeviceIsActive virNodeDeviceIsPersistent
                    virNodeDeviceListCaps virNodeDeviceLookupByName virNodeDeviceLookupSCSIHostByWWN
                    virNodeDeviceNumOfCaps virNodeListDevices virNodeNumOfDevices;
                Change: virNodeDeviceDefineXML virNodeDeviceSetAutostart virNodeDeviceUndefine
                    virNodeDeviceUpdate;
                Long: virNodeDeviceCreate virNodeDeviceCreateXML virNodeDeviceDestroy
                    virNodeDeviceDetachFlags virNodeDeviceDettach virNodeDeviceReAttach
                    virNodeDeviceReset;
            }
            nwfilter NWFilterKind {
                NWFilter VIR_ERR_NO_NWFILTER "`list_all_nw_filters()` shows the network filters that this host has"
            } {
                Local: virNWFilterGetName virNWFilterGetUUIDString;
                Read: virConnectListAllNWFilters virConnectNumOfNWFilters virNWFilterGetXMLDesc
                    virNWFilterLookupByName virNWFilterLookupByUUIDString;
                Change: virNWFilterDefineXML virNWFilterDefineXMLFlags virNWFilterUndefine;
            }
            nwfilter_binding NWFilterBindingKind {
                NWFilterBinding VIR_ERR_NO_NWFILTER_BINDING
                "`list_all_nw_filter_bindings()` shows the filters that are active on this host"
            } {
                Local: virNWFilterBindingGetFilterName virNWFilterBindingGetPortDev;
                Read: virConnectListAllNWFilterBindings virNWFilterBindingGetXMLDesc
                    virNWFilterBindingLookupByPortDev;
                Change: virNWFilterBindingCreateXML virNWFilterBindingDelete;
            }
            secret SecretKind {
                Secret VIR_ERR_NO_SECRET "`list_all_secrets()` shows the secrets that this host has"
            } {
                Local: virSecretGetConnect virSecretGetUUIDString virSecretGetUsageID virSecretGetUsageType;
                Read: virConnectListAllSecrets virConnectNumOfSecrets virSecretGetValue
                    virSecretGetXMLDesc virSecretLookupByUUIDString virSecretLookupByUsage;
                Change: virSecretDefineXML virSecretSetValue virSecretUndefine;
            }
            storage_pool StoragePoolKind {
                StoragePool VIR_ERR_NO_STORAGE_POOL "`list_all_storage_pools()` shows the pools that this host has"
            } {
                Local: virStoragePoolGetConnect virStoragePoolGetName virStoragePoolGetUUIDString;
                Read: virConnectListAllStoragePools virConnectNumOfDefinedStoragePools
                    virConnectNumOfStoragePools virStoragePoolGetAutostart virStoragePoolGetInfo
                    virStoragePoolGetXMLDesc virStoragePoolIsActive virStoragePoolIsPersistent
                    virStoragePoolListAllVolumes virStoragePoolLookupByName
                    virStoragePoolLookupByTargetPath virStoragePoolLookupByUUIDString
                    virStoragePoolLookupByVolume virStoragePoolNumOfVolumes;
                Query: virConnectGetStoragePoolCapabilities;
                Change: virStoragePoolDefineXML virStoragePoolDestroy virStoragePoolSetAutostart
                    virStoragePoolUndefine;
                Long: virConnectFindStoragePoolSources virStoragePoolBuild virStoragePoolCreate
                    virStoragePoolCreateXML virStoragePoolDelete virStoragePoolRefresh;
            }
            storage_vol StorageVolKind {
                StorageVol VIR_ERR_NO_STORAGE_VOL
                "`list_all_volumes()` shows the volumes of a pool; `refresh()` finds changes that were not made by libvirt"
            } {
                Local: virStorageVolGetConnect virStorageVolGetKey virStorageVolGetName;
                Read: virStorageVolGetPath virStorageVolGetXMLDesc virStorageVolLookupByKey
                    virStorageVolLookupByName virStorageVolLookupByPath;
                Query: virStorageVolGetInfo virStorageVolGetInfoFlags;
                Long: virStorageVolCreateXML virStorageVolCreateXMLFrom virStorageVolDelete
                    virStorageVolDownload virStorageVolResize virStorageVolUpload virStorageVolWipe
                    virStorageVolWipePattern;
            }
        }
    };
}
pub(crate) use for_each_kind;
