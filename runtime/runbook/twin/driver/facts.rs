//! What the host of a twin says about itself, and what it fills in for guests by its capabilities.

use std::ffi::{CStr, CString};

use virt::connect::Connect;

use super::Driver;
use crate::libvirt::stand_in::{Fact, Facts};
use crate::libvirt::{Failure, Result};
use crate::xml::{Place, Xml, quoted};

impl Facts for Driver {
    fn original(&self) -> Option<Connect> {
        self.original.clone()
    }

    fn fact(&self, fact: Fact) -> Option<&CStr> {
        self.facts.get(&fact).map(CString::as_c_str)
    }

    fn domain_capabilities(&self, guest: [Option<String>; 4]) -> Result<String> {
        self.offer(guest).ok_or_else(|| {
            let message = "the host cannot run such guests";
            Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message).in_domain(virt_sys::VIR_FROM_TEST)
        })
    }
}

impl Driver {
    /// The known features of a guest with that emulator, architecture, machine and type.
    fn offer(&self, [emulator, arch, machine, kind]: [Option<String>; 4]) -> Option<String> {
        let capabilities = self.capabilities.as_ref()?;
        let arch = arch.or_else(|| capabilities.find("host/cpu/arch").ok()?)?;
        let known = Guests::of(capabilities, &arch, kind.as_deref())?;
        let machine = known.machine(machine)?;
        let emulator = emulator.or_else(|| known.first("emulator"))?;
        let offer = Xml::parse("<domainCapabilities/>").ok()?;
        let parts = [
            ("path", &emulator),
            ("domain", &known.kind),
            ("machine", &machine),
            ("arch", &arch),
        ];
        for (name, value) in parts {
            offer.set(name, value).ok()?;
        }
        Some(offer.text())
    }

    /// Fills in the architecture, machine and emulator of a guest, as the host does.
    pub(super) fn fill(&self, xml: &str) -> Option<String> {
        let capabilities = self.capabilities.as_ref()?;
        let guest = Xml::parse(xml).ok()?;
        if guest.name() != "domain" {
            return None;
        }
        if !guest.has("os/type").ok()? {
            return None;
        }
        let own = guest.find("os/type/@arch").ok()?;
        let arch = own.or_else(|| capabilities.find("host/cpu/arch").ok()?)?;
        let known = Guests::of(capabilities, &arch, Some(&guest.find("@type").ok()??))?;
        let machine = known.machine(guest.find("os/type/@machine").ok()?)?;
        guest.set("os/type/@arch", &arch).ok()?;
        if !machine.is_empty() {
            guest.set("os/type/@machine", &machine).ok()?;
        }
        if !guest.has("devices/emulator").ok()? {
            // The schema wants it before the devices.
            let emulator = Xml::parse("<emulator/>").ok()?;
            emulator.set(".", &known.first("emulator")?).ok()?;
            match guest.has("devices/*").ok()? {
                true => guest.insert("devices/*[1]", Place::Before, &emulator.text()),
                false => guest.insert("devices", Place::In, &emulator.text()),
            }
            .ok()?;
        }
        Some(guest.text())
    }
}

/// The capabilities of a host for guests of an architecture and a type.
struct Guests<'a> {
    capabilities: &'a Xml,
    /// The paths of the elements for the type, and for the architecture.
    places: [String; 2],
    kind: String,
}

impl<'a> Guests<'a> {
    /// The capabilities for the architecture `arch` and the type `kind`, or the first type.
    fn of(capabilities: &'a Xml, arch: &str, kind: Option<&str>) -> Option<Self> {
        let general = format!("guest/arch[@name={}]", quoted(arch));
        let kinds = capabilities
            .texts(&format!("{general}/domain/@type"))
            .ok()?;
        let kind = match kind {
            Some(kind) => kinds.into_iter().find(|own| own == kind)?,
            None => kinds.into_iter().next()?,
        };
        let special = format!("{general}/domain[@type={}]", quoted(&kind));
        Some(Self {
            capabilities,
            places: [special, general],
            kind,
        })
    }

    /// The first `name`; the element of the type comes before that of its architecture.
    fn first(&self, name: &str) -> Option<String> {
        let found = |place: &String| self.capabilities.find(&format!("{place}/{name}")).ok()?;
        self.places.iter().find_map(found)
    }

    /// The full name of `machine`, or of the host's default machine; `None` if the host does not have the machine.
    fn machine(&self, machine: Option<String>) -> Option<String> {
        let Some(machine) = machine.or_else(|| self.first("machine")) else {
            // Hypervisors such as containers have none.
            return Some(String::new());
        };
        let named = quoted(&machine);
        for place in &self.places {
            let full = format!("{place}/machine[.={named}]/@canonical");
            if let Some(full) = self.capabilities.find(&full).ok()? {
                return Some(full);
            }
            let known = format!("{place}/machine[.={named}]");
            let canonical = format!("{place}/machine[@canonical={named}]");
            if self.capabilities.has(&known).ok()? || self.capabilities.has(&canonical).ok()? {
                return Some(machine);
            }
        }
        None
    }
}
