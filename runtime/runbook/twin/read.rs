//! Reads a host; a read-only connection is enough.

use virt::connect::Connect;
use virt::domain::Domain;

use super::host::{Guest, Host, Interface, Network, Node, Pool, Snapshot};
use crate::libvirt::{self, Failure, Result};

/// Reads the host of `connect`. Secrets are left out: the XML is read without them.
pub fn read(connect: &Connect) -> Result<Host> {
    let mut host = Host {
        uri: connect.uri()?,
        kind: connect.driver_type()?,
        hostname: connect.hostname()?,
        version: connect.hyp_version().unwrap_or_default(),
        lib_version: connect.lib_version()?,
        capabilities: connect.capabilities()?,
        sysinfo: connect.sys_info(0).ok(),
        node: node(connect)?,
        domains: Vec::new(),
        ..Host::default()
    };
    for domain in connect.list_all_domains(0)? {
        // One that is gone by now is not part of the host.
        if let Some(guest) = found(guest(&domain), virt_sys::VIR_ERR_NO_DOMAIN)? {
            host.domains.push(guest);
        }
    }
    let unread = &mut host.unread;
    host.networks = listed(unread, "networks", networks(connect))?;
    host.pools = listed(unread, "storage pools", pools(connect))?;
    host.devices = listed(unread, "node devices", devices(connect))?;
    host.interfaces = listed(unread, "interfaces", interfaces(connect))?;
    Ok(host)
}

/// The objects, or none if the host does not have this kind of object.
fn listed<T>(unread: &mut Vec<String>, kind: &str, read: Result<Vec<T>>) -> Result<Vec<T>> {
    let codes = [
        virt_sys::VIR_ERR_NO_SUPPORT,
        virt_sys::VIR_ERR_NO_CONNECT,
        virt_sys::VIR_ERR_INTERNAL_ERROR,
    ];
    match read {
        Err(failure) if codes.map(i64::from).contains(&failure.code) => {
            if failure.code != i64::from(virt_sys::VIR_ERR_NO_SUPPORT) {
                unread.push(kind.to_owned());
            }
            Ok(Vec::new())
        }
        read => read,
    }
}

/// The object, or `None` if it is gone: `missing` is the error for that.
fn found<T>(read: Result<T>, missing: virt_sys::virErrorNumber) -> Result<Option<T>> {
    match read {
        Ok(object) => Ok(Some(object)),
        Err(failure) if failure.code == i64::from(missing) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn node(connect: &Connect) -> Result<Node> {
    let info = connect.node_info()?;
    Ok(Node {
        model: info.model,
        memory_kib: info.memory,
        cpus: info.cpus,
        mhz: info.mhz,
        nodes: info.nodes,
        sockets: info.sockets,
        cores: info.cores,
        threads: info.threads,
    })
}

fn guest(domain: &Domain) -> Result<Guest> {
    let (state, reason) = libvirt::domain::state(domain)?;
    let persistent = domain.is_persistent()?;
    let active = domain.is_active()?;
    let live = active.then(|| domain.xml_desc(0)).transpose()?;
    let xml = match (&live, persistent) {
        (Some(live), false) => live.clone(),
        _ => domain.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE)?,
    };
    Ok(Guest {
        name: domain.name()?,
        state,
        reason,
        persistent,
        autostart: persistent && domain.autostart().unwrap_or(false),
        managed_save: domain.has_managed_save(0).unwrap_or(false),
        xml,
        live,
        snapshots: snapshots(domain)?,
        checkpoints: checkpoints(domain)?,
    })
}

fn snapshots(domain: &Domain) -> Result<Vec<Snapshot>> {
    let all = domain.list_all_snapshots(virt_sys::VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL);
    let all = all.or_else(|_| domain.list_all_snapshots(0));
    let mut snapshots = Vec::new();
    for snapshot in all.unwrap_or_default() {
        snapshots.push(Snapshot {
            xml: snapshot.xml_desc(0)?,
            current: snapshot.is_current(0).unwrap_or(false),
        });
    }
    Ok(snapshots)
}

fn checkpoints(domain: &Domain) -> Result<Vec<String>> {
    let flags = virt_sys::VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL;
    let all = libvirt::checkpoint::list(domain, flags).unwrap_or_default();
    let no_domain = virt_sys::VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN;
    all.iter()
        .map(|checkpoint| checkpoint.xml_desc(no_domain))
        .collect()
}

fn networks(connect: &Connect) -> Result<Vec<Network>> {
    let mut networks = Vec::new();
    for network in connect.list_all_networks(0)? {
        networks.push(Network {
            name: network.name()?,
            xml: network.xml_desc(0)?,
            active: network.is_active()?,
            persistent: network.is_persistent()?,
            autostart: network.autostart().unwrap_or(false),
        });
    }
    Ok(networks)
}

fn pools(connect: &Connect) -> Result<Vec<Pool>> {
    let mut pools = Vec::new();
    for pool in connect.list_all_storage_pools(0)? {
        let active = pool.is_active()?;
        let mut volumes = Vec::new();
        if active {
            for volume in pool.list_all_volumes(0)? {
                let xml = volume.xml_desc(0).map_err(Failure::from);
                volumes.extend(found(xml, virt_sys::VIR_ERR_NO_STORAGE_VOL)?);
            }
        }
        pools.push(Pool {
            name: pool.name()?,
            xml: pool.xml_desc(0)?,
            active,
            persistent: pool.is_persistent()?,
            autostart: pool.autostart().unwrap_or(false),
            volumes,
        });
    }
    Ok(pools)
}

fn devices(connect: &Connect) -> Result<Vec<String>> {
    let mut devices = Vec::new();
    for device in connect.list_all_node_devices(0)? {
        let xml = device.xml_desc(0).map_err(Failure::from);
        devices.extend(found(xml, virt_sys::VIR_ERR_NO_NODE_DEVICE)?);
    }
    Ok(devices)
}

fn interfaces(connect: &Connect) -> Result<Vec<Interface>> {
    let mut interfaces = Vec::new();
    for interface in connect.list_all_interfaces(0)? {
        interfaces.push(Interface {
            name: interface.name()?,
            xml: interface.xml_desc(0)?,
            active: interface.is_active()?,
        });
    }
    Ok(interfaces)
}
