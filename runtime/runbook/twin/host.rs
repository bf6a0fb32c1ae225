//! The data of a host from which a twin is made.

use serde::{Deserialize, Serialize};

/// The objects of a host, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The URI that libvirt gives it.
    pub uri: String,
    /// The name of the hypervisor.
    #[serde(rename = "type")]
    pub kind: String,
    /// The host's own name.
    pub hostname: String,
    /// The version of the hypervisor, as libvirt's number.
    pub version: u32,
    /// The version of the host's libvirt, as its number.
    pub lib_version: u32,
    /// The XML of its capabilities.
    pub capabilities: String,
    /// The XML of its hardware, if the host gives it.
    pub sysinfo: Option<String>,
    /// Its memory and CPUs.
    pub node: Node,
    /// The guests.
    pub domains: Vec<Guest>,
    /// The networks.
    pub networks: Vec<Network>,
    /// The storage pools.
    pub pools: Vec<Pool>,
    /// The XML of the devices.
    pub devices: Vec<String>,
    /// The interfaces of the host.
    pub interfaces: Vec<Interface>,
    /// Kinds of objects that the host has and that could not be read.
    pub unread: Vec<String>,
}

/// Memory and CPUs of a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub model: String,
    pub memory_kib: u64,
    pub cpus: u32,
    pub mhz: u32,
    pub nodes: u32,
    pub sockets: u32,
    pub cores: u32,
    pub threads: u32,
}

/// A guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    pub name: String,
    /// Its state, a `virDomainState`.
    pub state: i64,
    /// The reason of its state, a number whose meaning depends on the state.
    #[serde(default)]
    pub reason: i64,
    pub persistent: bool,
    pub autostart: bool,
    pub managed_save: bool,
    /// Its definition, or the running configuration of a guest without one.
    pub xml: String,
    /// The XML of the running object.
    pub live: Option<String>,
    /// The XML of its snapshots, parents before children.
    pub snapshots: Vec<Snapshot>,
    /// The XML of its checkpoints, parents before children.
    pub checkpoints: Vec<String>,
}

/// A snapshot of a guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub xml: String,
    pub current: bool,
}

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub name: String,
    pub xml: String,
    pub active: bool,
    pub persistent: bool,
    pub autostart: bool,
}

/// A storage pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    pub name: String,
    pub xml: String,
    pub active: bool,
    pub persistent: bool,
    pub autostart: bool,
    /// The XML of its volumes.
    pub volumes: Vec<String>,
}

/// An interface of a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    pub name: String,
    pub xml: String,
    pub active: bool,
}
