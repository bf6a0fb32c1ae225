//! The agents in the guests: a twin knows whether one is connected, but not its answers.

use std::collections::HashSet;

use virt::domain::Domain;

use super::{Driver, Host, broken, refused};
use crate::libvirt::stand_in::Agents;
use crate::libvirt::{self, Result};
use crate::xml::Xml;

/// The channel of QEMU's agent in the XML of a guest.
const CHANNEL: &str = "devices/channel/target[@name='org.qemu.guest_agent.0']";

/// The UUIDs of the running guests of `host` whose agent is not connected.
pub(super) fn disconnected(host: &Host) -> HashSet<String> {
    let live = host.domains.iter().filter_map(|guest| guest.live.as_ref());
    let all = live.filter_map(|xml| {
        let guest = Xml::parse(xml.clone()).ok()?;
        let state = guest.find(&format!("{CHANNEL}/@state")).ok()?;
        let connected = state.as_deref() == Some("connected");
        guest.find("uuid").ok()?.filter(|_| !connected)
    });
    all.collect()
}

/// Refuses to ask the agent of `domain` where QEMU refuses it. The agent of a guest that started in the rehearsal is taken as
/// connected.
pub(super) fn check(driver: &Driver, domain: &Domain) -> Result<()> {
    let (state, _) = libvirt::domain::state(domain)?;
    if u32::try_from(state) != Ok(virt_sys::VIR_DOMAIN_RUNNING) {
        let message = "Requested operation is not valid: domain is not running";
        return Err(refused(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    let guest = Xml::parse(domain.xml_desc(0)?).map_err(broken)?;
    if !guest.has(CHANNEL).map_err(broken)? {
        let message = "argument unsupported: QEMU guest agent is not configured";
        return Err(refused(virt_sys::VIR_ERR_ARGUMENT_UNSUPPORTED, message));
    }
    if driver.disconnected.lock().contains(&domain.uuid_string()?) {
        let message = "Guest agent is not responding: QEMU guest agent is not connected";
        return Err(refused(virt_sys::VIR_ERR_AGENT_UNRESPONSIVE, message));
    }
    Ok(())
}

impl Agents for Driver {
    fn check_agent(&self, domain: &Domain) -> Result<()> {
        check(self, domain)
    }
}
