//! Opens a host of the test driver with the objects of another host.
//!
//! The test driver reads a document `<node>`. Calls then create the objects that this document cannot have.

use std::fmt::Write as _;
use std::io::Write as _;

use virt::connect::Connect;

use super::host::{Guest, Host, Network, Node, Pool};
use super::log::Log;
use crate::libvirt::connection::{Credentials, open_auth};
use crate::libvirt::{self, Failure, Result, event_loop, stand_in};

/// The namespace of the test driver's own elements.
const NAMESPACE: &str = "http://libvirt.org/schemas/domain/test/1.0";

/// Opens a twin of `host`. Leaves out objects that the test driver refuses, and notes them.
pub(super) fn load(host: &Host, log: &Log) -> Result<Connect> {
    event_loop::start();
    let parts = parts(host);
    let all: Vec<&str> = parts.iter().map(|part| part.xml.as_str()).collect();
    let connect = match open(&host.node, &all) {
        Ok(connect) => connect,
        Err(_) => {
            let accepted = accepted(host, &parts, log);
            open(&host.node, &accepted)?
        }
    };
    complete(&connect, host, log)?;
    Ok(connect)
}

/// An object of a host as the test driver reads it.
struct Part {
    noun: &'static str,
    name: String,
    xml: String,
}

fn parts(host: &Host) -> Vec<Part> {
    let guests = host.domains.iter().map(|guest| Part {
        noun: "domain",
        name: guest.name.clone(),
        xml: domain(guest),
    });
    let networks = host.networks.iter().map(|network| Part {
        noun: "network",
        name: network.name.clone(),
        xml: network.xml.clone(),
    });
    let interfaces = host.interfaces.iter().map(|interface| Part {
        noun: "interface",
        name: interface.name.clone(),
        xml: interface.xml.clone(),
    });
    let pools = host.pools.iter().map(|pool| Part {
        noun: "storage pool",
        name: pool.name.clone(),
        xml: with_children(&pool.xml, "pool", &pool.volumes.concat()),
    });
    let devices = host.devices.iter().map(|device| Part {
        noun: "node device",
        name: String::new(),
        xml: device.clone(),
    });
    let all = guests.chain(networks).chain(interfaces).chain(pools);
    all.chain(devices).collect()
}

/// The parts that the test driver takes one by one. The others are noted.
fn accepted<'a>(host: &Host, parts: &'a [Part], log: &Log) -> Vec<&'a str> {
    let mut accepted = Vec::new();
    for part in parts {
        match open(&host.node, &[&part.xml]) {
            Ok(_) => accepted.push(part.xml.as_str()),
            Err(failure) => log.note(
                "",
                format!(
                    "the twin has no {} `{}`: the test driver refused it ({})",
                    part.noun, part.name, failure.message
                ),
            ),
        }
    }
    accepted
}

fn open(node: &Node, parts: &[&str]) -> Result<Connect> {
    let broken = |error: std::io::Error| {
        let message = format!("cannot write the twin to a temporary file: {error}");
        Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message)
    };
    let mut file = tempfile::Builder::new()
        .prefix("virhai-twin-")
        .suffix(".xml")
        .tempfile()
        .map_err(broken)?;
    file.write_all(document(node, parts).as_bytes())
        .map_err(broken)?;
    let uri = format!("test://{}", file.path().display());
    open_auth(Some(&uri), &Credentials::default(), 0)
}

fn document(node: &Node, parts: &[&str]) -> String {
    let mut text = String::from("<node><cpu>");
    let figures = [
        ("mhz", u64::from(node.mhz)),
        ("active", u64::from(node.cpus)),
        ("nodes", u64::from(node.nodes)),
        ("sockets", u64::from(node.sockets)),
        ("cores", u64::from(node.cores)),
        ("threads", u64::from(node.threads)),
    ];
    for (name, value) in figures {
        let _ = write!(text, "<{name}>{value}</{name}>");
    }
    let _ = write!(
        text,
        "<model>{}</model></cpu><memory>{}</memory>",
        node.model, node.memory_kib
    );
    for part in parts {
        text.push_str(without_declaration(part));
    }
    text.push_str("</node>");
    text
}

fn without_declaration(xml: &str) -> &str {
    let rest = xml.trim_start().strip_prefix("<?xml");
    rest.and_then(|rest| rest.split_once("?>"))
        .map_or(xml, |(_, rest)| rest)
}

/// `xml`, whose root is called `root`, with `children` at its end.
fn with_children(xml: &str, root: &str, children: &str) -> String {
    match xml.rfind(&format!("</{root}>")) {
        Some(end) => format!("{}{children}{}", &xml[..end], &xml[end..]),
        None => xml.to_owned(),
    }
}

/// A guest in its state, and with its snapshots.
fn domain(guest: &Guest) -> String {
    let state = match guest.state {
        state if state == i64::from(virt_sys::VIR_DOMAIN_NOSTATE) => {
            i64::from(virt_sys::VIR_DOMAIN_RUNNING)
        }
        state => state,
    };
    let mut own = format!("<t:runstate xmlns:t='{NAMESPACE}'>{state}</t:runstate>");
    if !guest.persistent {
        let _ = write!(own, "<t:transient xmlns:t='{NAMESPACE}'/>");
    }
    if guest.managed_save && guest.live.is_none() {
        let _ = write!(own, "<t:hasmanagedsave xmlns:t='{NAMESPACE}'/>");
    }
    for snapshot in &guest.snapshots {
        let active = if snapshot.current {
            "<active>1</active>"
        } else {
            "<active>0</active>"
        };
        let whole = with_children(&snapshot.xml, "domainsnapshot", active);
        let inner = whole.split_once('>').map_or("", |(_, inner)| inner);
        let inner = inner
            .rsplit_once("</domainsnapshot>")
            .map_or(inner, |(inner, _)| inner);
        let _ = write!(
            own,
            "<t:domainsnapshot xmlns:t='{NAMESPACE}'>{inner}</t:domainsnapshot>"
        );
    }
    with_children(guest.live.as_ref().unwrap_or(&guest.xml), "domain", &own)
}

/// Creates the objects that the document cannot have.
fn complete(connect: &Connect, host: &Host, log: &Log) -> Result<()> {
    for guest in &host.domains {
        let Ok(domain) = connect.lookup_domain_by_name(&guest.name) else {
            continue;
        };
        let refused = |what: &str, failure: Failure| {
            log.note(
                "",
                format!(
                    "the twin's domain `{}` lacks {what}: {}",
                    guest.name, failure.message
                ),
            );
        };
        if guest.persistent && guest.live.is_some() && guest.live.as_ref() != Some(&guest.xml) {
            let defined = connect.define_domain_xml(&guest.xml).map_err(Failure::from);
            if let Err(failure) = defined {
                refused("its definition", failure);
            }
        }
        if guest.autostart {
            domain.set_autostart(true)?;
        }
        for checkpoint in &guest.checkpoints {
            let flags = virt_sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE;
            let made = stand_in::with_domain_running(&domain, || {
                libvirt::checkpoint::create_xml(&domain, checkpoint, flags)
            });
            if let Err(failure) = made {
                refused("a checkpoint", failure);
            }
        }
        if guest.state != i64::from(virt_sys::VIR_DOMAIN_NOSTATE) {
            stand_in::set_reason(&domain, u32::try_from(guest.reason).unwrap_or_default());
        }
    }
    for network in &host.networks {
        set_network(connect, network)?;
    }
    for pool in &host.pools {
        set_pool(connect, pool)?;
    }
    for interface in host.interfaces.iter().filter(|interface| !interface.active) {
        if let Ok(found) = connect.lookup_interface_by_name(&interface.name) {
            found.destroy(0)?;
        }
    }
    Ok(())
}

fn set_network(connect: &Connect, network: &Network) -> Result<()> {
    let Ok(found) = connect.lookup_network_by_name(&network.name) else {
        return Ok(());
    };
    if network.autostart {
        found.set_autostart(true)?;
    }
    if !network.active || !network.persistent {
        found.destroy()?;
    }
    if !network.persistent {
        found.undefine()?;
        connect.create_network_xml(&network.xml)?;
    }
    Ok(())
}

fn set_pool(connect: &Connect, pool: &Pool) -> Result<()> {
    let Ok(found) = connect.lookup_storage_pool_by_name(&pool.name) else {
        return Ok(());
    };
    if pool.autostart {
        found.set_autostart(true)?;
    }
    if !pool.active {
        found.destroy()?;
    }
    Ok(())
}
