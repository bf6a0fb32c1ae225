//! Migrations of a twin's guests to another twin.

use virt::connect::Connect;
use virt::domain::Domain;

use super::Driver;
use crate::libvirt::stand_in::{self, Destination, Migration, Migrations};
use crate::libvirt::{self, Failure, Result};
use crate::xml::Xml;

fn has(wanted: &Migration, flag: virt_sys::virDomainMigrateFlags) -> bool {
    wanted.flags & u64::from(flag) != 0
}

fn refuse(code: virt_sys::virErrorNumber, message: &str) -> Failure {
    Failure::new(code, message).in_domain(virt_sys::VIR_FROM_QEMU)
}

/// Moves `domain` as QEMU does.
pub(super) fn migrate(
    driver: &Driver,
    domain: &Domain,
    to: Destination,
    wanted: &Migration,
) -> Result<Option<Domain>> {
    let offline = has(wanted, virt_sys::VIR_MIGRATE_OFFLINE);
    if let Destination::Uri(_) = to
        && !has(wanted, virt_sys::VIR_MIGRATE_PEER2PEER)
    {
        let message = "argument unsupported: direct migration is not supported by the source host";
        return Err(refuse(virt_sys::VIR_ERR_ARGUMENT_UNSUPPORTED, message));
    }
    if offline && !has(wanted, virt_sys::VIR_MIGRATE_PERSIST_DEST) {
        let message = "Requested operation is not valid: offline migration requires the VIR_MIGRATE_PERSIST_DEST flag";
        return Err(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    if !offline && !domain.is_active()? {
        let message = "Requested operation is not valid: domain is not running";
        return Err(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    if !offline && stand_in::is_bound(domain) {
        let message = "Requested operation is not valid: domain is marked for auto destroy";
        return Err(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, message));
    }
    let (uri, host) = match to {
        Destination::Host(host) => (host.uri()?, Some(host)),
        Destination::Uri(uri) => {
            let host = driver.hosts.find(&uri);
            (uri, host)
        }
    };
    if driver.is_of(&uri) {
        let message = "internal error: Attempt to migrate guest to the same host";
        return Err(refuse(virt_sys::VIR_ERR_INTERNAL_ERROR, message));
    }
    let there = match &host {
        Some(host) => Some(arrive(host, domain, wanted)?),
        None => {
            let why = format!("the host {uri} is unknown: the script did not connect to it");
            driver.log.note("virDomainMigrateToURI3", why);
            None
        }
    };
    if !offline {
        domain.destroy()?;
        if domain.is_persistent().unwrap_or(false) {
            stand_in::set_reason(domain, virt_sys::VIR_DOMAIN_SHUTOFF_MIGRATED);
        }
    }
    if has(wanted, virt_sys::VIR_MIGRATE_UNDEFINE_SOURCE) && domain.is_persistent().unwrap_or(false)
    {
        domain.undefine()?;
    }
    Ok(there)
}

/// Starts or defines the guest on `host`.
fn arrive(host: &Connect, domain: &Domain, wanted: &Migration) -> Result<Domain> {
    let offline = has(wanted, virt_sys::VIR_MIGRATE_OFFLINE);
    let secure = virt_sys::VIR_DOMAIN_XML_SECURE;
    let definition = match &wanted.persistent_xml {
        Some(xml) => xml.clone(),
        None => domain.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE | secure)?,
    };
    let name = wanted.name.clone().map_or_else(|| domain.name(), Ok)?;
    if let Ok(taken) = host.lookup_domain_by_name(&name)
        && taken.uuid_string()? != domain.uuid_string()?
    {
        let message = format!(
            "operation failed: domain '{name}' already exists with uuid {}",
            taken.uuid_string()?
        );
        return Err(refuse(virt_sys::VIR_ERR_OPERATION_FAILED, &message));
    }
    if offline {
        return Ok(host.define_domain_xml(&called(&definition, &name))?);
    }
    if let Ok(running) = host.lookup_domain_by_uuid_string(&domain.uuid_string()?)
        && running.is_active()?
    {
        let message =
            format!("Requested operation is not valid: domain '{name}' is already active");
        return Err(refuse(virt_sys::VIR_ERR_OPERATION_INVALID, &message));
    }
    let (state, _) = libvirt::domain::state(domain)?;
    let live = wanted
        .xml
        .clone()
        .map_or_else(|| domain.xml_desc(secure), Ok)?;
    let there = host.create_domain_xml(&called(&live, &name), 0)?;
    if has(wanted, virt_sys::VIR_MIGRATE_PERSIST_DEST) {
        host.define_domain_xml(&called(&definition, &name))?;
    }
    let was_paused = u32::try_from(state) == Ok(virt_sys::VIR_DOMAIN_PAUSED);
    if was_paused || has(wanted, virt_sys::VIR_MIGRATE_PAUSED) {
        there.suspend()?;
    } else {
        stand_in::set_reason(&there, virt_sys::VIR_DOMAIN_RUNNING_MIGRATED);
    }
    Ok(there)
}

/// The XML of the guest with the name `name`.
fn called(xml: &str, name: &str) -> String {
    let renamed = Xml::parse(xml).and_then(|guest| {
        guest.set("name", name)?;
        Ok(guest.text())
    });
    renamed.unwrap_or_else(|_| xml.to_owned())
}

impl Migrations for Driver {
    fn migrate(
        &self,
        domain: &Domain,
        to: Destination,
        wanted: Migration,
    ) -> Result<Option<Domain>> {
        migrate(self, domain, to, &wanted)
    }
}
