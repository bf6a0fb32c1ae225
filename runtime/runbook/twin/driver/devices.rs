//! Devices of a twin's guests, which are changed in their XML.

use virt::connect::Connect;
use virt::domain::Domain;

use super::{Driver, broken};
use crate::libvirt::stand_in::{self, DeviceChange, Devices};
use crate::libvirt::{self, Failure, Result};
use crate::xml::{Place, Selected, Xml};

/// The attributes that identify a device of a kind, the best first.
const IDENTITIES: [&str; 6] = [
    "mac/@address",
    "target/@dev",
    "target/@name",
    "source/address/@bus",
    "alias/@name",
    "@index",
];

/// Changes a device of `domain` as `flags` say: while it runs, in its definition, or both.
pub(super) fn apply(domain: &Domain, change: DeviceChange, what: &str, flags: u32) -> Result<()> {
    let active = domain.is_active()?;
    let (live, config) = (
        virt_sys::VIR_DOMAIN_AFFECT_LIVE,
        virt_sys::VIR_DOMAIN_AFFECT_CONFIG,
    );
    let asked = flags & (live | config);
    let (on_live, on_config) = match asked {
        0 => (active, !active),
        _ => (asked & live != 0, asked & config != 0),
    };
    if on_live && !active {
        let message = "Requested operation is not valid: domain is not running";
        return Err(invalid(message));
    }
    if on_config && !domain.is_persistent()? {
        let message =
            "Requested operation is not valid: transient domains do not have any persistent config";
        return Err(invalid(message));
    }
    let secure = virt_sys::VIR_DOMAIN_XML_SECURE;
    let inactive = virt_sys::VIR_DOMAIN_XML_INACTIVE | secure;
    // Both new documents are built before either is applied.
    let new_config = match on_config {
        true => Some(edited(&domain.xml_desc(inactive)?, change, what)?),
        false => None,
    };
    let new_live = match on_live {
        true => Some(edited(&domain.xml_desc(secure)?, change, what)?),
        false => None,
    };
    let connect = domain.connect()?;
    if let Some(live) = new_live {
        let kept = domain
            .is_persistent()?
            .then(|| domain.xml_desc(inactive))
            .transpose()?;
        replace(&connect, domain, &live)?;
        if let Some(kept) = kept.filter(|_| new_config.is_none()) {
            connect.define_domain_xml(&kept)?;
        }
    }
    if let Some(config) = new_config {
        connect.define_domain_xml(&config)?;
    }
    Ok(())
}

/// Changes the XML of `domain` by `edit`: first that of the running guest, which `edit` gets with `true`, then that of its
/// definition.
pub(super) fn rewrite(
    domain: &Domain,
    mut edit: impl FnMut(&Xml, bool) -> Result<()>,
) -> Result<()> {
    let secure = virt_sys::VIR_DOMAIN_XML_SECURE;
    let inactive = virt_sys::VIR_DOMAIN_XML_INACTIVE | secure;
    let mut edited = |flags, live| {
        let xml = Xml::parse(domain.xml_desc(flags)?).map_err(broken)?;
        edit(&xml, live)?;
        Ok::<_, Failure>(xml.text())
    };
    // Both new documents are built before either is applied.
    let live = match domain.is_active()? {
        true => Some(edited(secure, true)?),
        false => None,
    };
    let config = match domain.is_persistent()? {
        true => Some(edited(inactive, false)?),
        false => None,
    };
    let connect = domain.connect()?;
    if let Some(live) = live {
        replace(&connect, domain, &live)?;
    }
    if let Some(config) = config {
        connect.define_domain_xml(&config)?;
    }
    Ok(())
}

fn invalid(message: &str) -> Failure {
    Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message).in_domain(virt_sys::VIR_FROM_QEMU)
}

/// Runs the guest with other XML. The test driver cannot change a running guest, so the guest is
/// restarted.
fn replace(connect: &Connect, domain: &Domain, xml: &str) -> Result<()> {
    let (state, reason) = libvirt::domain::state(domain)?;
    let is_bound = stand_in::is_bound(domain);
    domain.destroy()?;
    let there = connect.create_domain_xml(xml, 0)?;
    if u32::try_from(state) == Ok(virt_sys::VIR_DOMAIN_PAUSED) {
        there.suspend()?;
    }
    stand_in::set_reason(&there, u32::try_from(reason).unwrap_or_default());
    if is_bound {
        stand_in::bind(&there);
    }
    Ok(())
}

/// The XML of a guest with a changed device.
fn edited(xml: &str, change: DeviceChange, what: &str) -> Result<String> {
    let guest = Xml::parse(xml).map_err(broken)?;
    let device = match change {
        DeviceChange::DetachAlias => None,
        _ => Some(Xml::parse(what).map_err(broken)?),
    };
    let all = match guest.select("devices/*").map_err(broken)? {
        Selected::Elements(all) => all,
        Selected::Texts(_) => Vec::new(),
    };
    let found = all.into_iter().find(|own| match &device {
        None => own.find("alias/@name").ok().flatten().as_deref() == Some(what),
        Some(device) => is_same(own, device),
    });
    match (change, device, found) {
        (DeviceChange::Attach, Some(_), Some(own)) if own.name() != "graphics" => {
            let name = own
                .find("target/@dev")
                .ok()
                .flatten()
                .unwrap_or_else(|| own.name());
            let message = format!("operation failed: target {name} already exists");
            return Err(Failure::new(virt_sys::VIR_ERR_OPERATION_FAILED, message)
                .in_domain(virt_sys::VIR_FROM_QEMU));
        }
        (DeviceChange::Attach, Some(device), _) => {
            guest
                .insert("devices", Place::In, &device.text())
                .map_err(broken)?;
        }
        (DeviceChange::Update, Some(device), Some(own)) => {
            own.insert(".", Place::After, &device.text())
                .map_err(broken)?;
            own.remove(".").map_err(broken)?;
        }
        (DeviceChange::Detach | DeviceChange::DetachAlias, _, Some(own)) => {
            own.remove(".").map_err(broken)?;
        }
        _ => {
            let message = "device not found: no target device in the domain's configuration";
            return Err(Failure::new(virt_sys::VIR_ERR_DEVICE_MISSING, message)
                .in_domain(virt_sys::VIR_FROM_QEMU));
        }
    }
    Ok(guest.text())
}

/// True if `own` is the device that `other` describes.
fn is_same(own: &Xml, other: &Xml) -> bool {
    if own.name() != other.name() {
        return false;
    }
    let value = |device: &Xml, path: &str| device.find(path).ok().flatten();
    for path in IDENTITIES {
        if let (Some(own), Some(other)) = (value(own, path), value(other, path)) {
            return own == other;
        }
    }
    match own.name().as_str() {
        "graphics" => value(own, "@type") == value(other, "@type"),
        "memballoon" | "rng" | "watchdog" | "tpm" | "video" => true,
        _ => own
            .diff(other)
            .is_ok_and(|differences| differences.is_empty()),
    }
}

impl Devices for Driver {
    fn change_device(
        &self,
        domain: &Domain,
        change: DeviceChange,
        what: &str,
        flags: u32,
    ) -> Result<()> {
        apply(domain, change, what, flags)
    }

    fn has_balloon(&self, xml: &str) -> bool {
        let guest = Xml::parse(xml.to_owned()).ok();
        let model = guest.and_then(|guest| guest.find("devices/memballoon/@model").ok()?);
        // QEMU's driver adds a device to a guest that names none.
        model.as_deref() != Some("none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: &str = "<domain><devices><disk><target dev='vda'/></disk>\
        <interface><mac address='52:54:00:00:00:01'/><link state='up'/></interface></devices></domain>";

    #[test]
    fn devices_are_added_changed_and_removed_by_what_identifies_them() {
        let disk = "<disk><source file='/b'/><target dev='vdb'/></disk>";
        let added = edited(GUEST, DeviceChange::Attach, disk).expect("the target is free");
        assert!(added.contains("/b"), "{added}");
        let card = "<interface><mac address='52:54:00:00:00:01'/><link state='down'/></interface>";
        let changed = edited(GUEST, DeviceChange::Update, card).expect("the card is there");
        assert!(
            changed.contains("down") && !changed.contains("'up'"),
            "{changed}"
        );
        let removed = edited(&added, DeviceChange::Detach, disk).expect("the disk is there");
        assert!(
            !removed.contains("vdb") && removed.contains("vda"),
            "{removed}"
        );
    }

    #[test]
    fn an_existing_target_and_a_missing_device_are_refused() {
        let taken = "<disk><target dev='vda'/></disk>";
        let missing = "<disk><target dev='vdz'/></disk>";
        let refused = |change, device| {
            edited(GUEST, change, device)
                .expect_err("it is refused")
                .code
        };
        assert_eq!(
            refused(DeviceChange::Attach, taken),
            i64::from(virt_sys::VIR_ERR_OPERATION_FAILED)
        );
        assert_eq!(
            refused(DeviceChange::Detach, missing),
            i64::from(virt_sys::VIR_ERR_DEVICE_MISSING)
        );
    }
}
