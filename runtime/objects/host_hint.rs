//! Advice that names the host's alternative to a missing part.

use virt::connect::Connect;

use super::call_class::CallClass;
use super::connection::Connection;
use crate::libvirt::Failure;
use crate::xml::Xml;

/// Advice on `failure` that only the host of `connection` can give; `None` if it cannot be asked at once.
pub(crate) fn host_hint(connection: &Connection, failure: &Failure) -> Option<String> {
    let question = Question::of(&failure.message)?;
    let (permit, connect) = (connection.permit_now()?, connection.connect().ok()?);
    let answer = connection.wait_for(
        CallClass::Query,
        permit,
        &|| "ask what the host has".to_owned(),
        move || Ok(question.ask(&connect)),
    );
    answer.ok().flatten()
}

/// A question for the host.
enum Question {
    Emulator,
    Bridges,
    Architectures,
}

impl Question {
    fn of(message: &str) -> Option<Self> {
        let about = |words: &[&str]| words.iter().all(|word| message.contains(word));
        if about(&["Cannot check QEMU binary"]) || about(&["emulator", "not found"]) {
            return Some(Question::Emulator);
        }
        let bridge = about(&["bridge helper"])
            || about(&["Cannot get interface MTU"])
            || about(&["bridge", "No such device"]);
        if bridge {
            return Some(Question::Bridges);
        }
        about(&["No emulator found for arch"]).then_some(Question::Architectures)
    }

    fn ask(&self, connect: &Connect) -> Option<String> {
        match self {
            Question::Emulator => {
                let capabilities = connect.domain_capabilities(None, None, None, None, 0).ok()?;
                let path = Xml::parse(capabilities).ok()?.find("path").ok()??;
                Some(format!(
                    "this host has {path}: give that as <emulator>, or leave <emulator> out"
                ))
            }
            Question::Architectures => {
                let xml = Xml::parse(connect.capabilities().ok()?).ok()?;
                let names = xml.texts("guest/arch/@name").ok()?;
                Some(format!("this host has emulators for {}", names.join(", ")))
            }
            Question::Bridges => Some(match bridges(connect) {
                names if names.is_empty() => {
                    "libvirt knows no bridge on this host: `list_all_networks()` and `list_all_interfaces()` would show one".to_owned()
                }
                names => format!(
                    "the bridges of this host that libvirt knows are {}; for users other than root, /etc/qemu/bridge.conf must allow the bridge",
                    names.join(", ")
                ),
            }),
        }
    }
}

/// The names of the bridges of networks that run, and of the host's own.
fn bridges(connect: &Connect) -> Vec<String> {
    let active = virt_sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE;
    let networks = connect.list_all_networks(active).unwrap_or_default();
    let mut names: Vec<String> = networks
        .iter()
        .filter_map(|network| network.bridge_name().ok())
        .collect();
    for interface in connect.list_all_interfaces(0).unwrap_or_default() {
        let xml = interface
            .xml_desc(0)
            .ok()
            .and_then(|xml| Xml::parse(xml).ok());
        let is_bridge =
            xml.is_some_and(|xml| xml.find("@type").ok().flatten().as_deref() == Some("bridge"));
        if let Some(name) = interface.name().ok().filter(|_| is_bridge) {
            names.push(name);
        }
    }
    names.sort();
    names.dedup();
    names
}
