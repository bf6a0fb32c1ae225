//! Answers for a twin what libvirt's test driver cannot, as its host does.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;
use virt::connect::Connect;

use super::host::Host;
use super::log::Log;
use crate::libvirt::stand_in::{Fact, StandIn};
use crate::libvirt::{Failure, Result};
use crate::xml::Xml;

/// The stand-in of a host.
pub(super) struct Driver {
    original: Option<Connect>,
    facts: HashMap<Fact, CString>,
    capabilities: Option<Xml>,
    domain_capabilities: Vec<String>,
    /// What the script writes to files of the host.
    files: TempDir,
    /// The guests that were paused when they were saved, with the file of the save.
    paused: Mutex<Vec<(String, Option<String>)>>,
    log: Arc<Log>,
}

impl Driver {
    pub(super) fn new(host: &Host, original: Option<Connect>, log: Arc<Log>) -> Result<Self> {
        let facts = [
            (Fact::Uri, Some(host.uri.clone())),
            (Fact::Type, Some(host.kind.clone())),
            (Fact::Hostname, Some(host.hostname.clone())),
            (Fact::Capabilities, Some(host.capabilities.clone())),
            (Fact::Sysinfo, host.sysinfo.clone()),
            (Fact::Version, Some(host.version.to_string())),
            (Fact::LibVersion, Some(host.lib_version.to_string())),
        ];
        let facts = facts.into_iter();
        let files = tempfile::Builder::new().prefix("virhai-twin-").tempdir();
        Ok(Self {
            original,
            facts: facts
                .filter_map(|(fact, text)| Some((fact, CString::new(text?).ok()?)))
                .collect(),
            capabilities: Xml::parse(host.capabilities.clone()).ok(),
            domain_capabilities: host.domain_capabilities.clone(),
            files: files.map_err(|error| {
                let message = format!("cannot make a temporary folder: {error}");
                Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message)
            })?,
            paused: Mutex::default(),
            log,
        })
    }

    /// Fills in what the host adds to a guest that does not say it: architecture, machine and emulator.
    fn fill(&self, xml: &str) -> Option<String> {
        let capabilities = self.capabilities.as_ref()?;
        let guest = Xml::parse(xml).ok()?;
        if guest.name() != "domain" {
            return None;
        }
        let host_arch = capabilities.find("host/cpu/arch").ok()??;
        let arch = guest.find("os/type/@arch").ok()?.unwrap_or(host_arch);
        let kind = guest.find("@type").ok()??;
        if !guest.has("os/type").ok()? {
            return None;
        }
        let place = format!("guest/arch[@name={}]", crate::xml::quoted(&arch));
        let own = format!("{place}/domain[@type={}]", crate::xml::quoted(&kind));
        if !capabilities.has(&own).ok()? {
            return None;
        }
        // What a domain type says for itself comes before what its architecture says.
        let first = |name: &str| -> Option<String> {
            let special = capabilities.texts(&format!("{own}/{name}")).ok()?;
            let general = capabilities.texts(&format!("{place}/{name}")).ok()?;
            special.into_iter().chain(general).next()
        };
        guest.set("os/type/@arch", &arch).ok()?;
        let machine = guest.find("os/type/@machine").ok()?.or_else(|| first("machine"))?;
        let quoted = crate::xml::quoted(&machine);
        let canonical = capabilities.texts(&format!("{place}//machine[.={quoted}]/@canonical"));
        let machine = canonical.ok().and_then(|all| all.into_iter().next()).unwrap_or(machine);
        guest.set("os/type/@machine", &machine).ok()?;
        if !guest.has("devices/emulator").ok()? {
            guest.set("devices/emulator", &first("emulator")?).ok()?;
        }
        Some(guest.text())
    }
}

impl StandIn for Driver {
    fn original(&self) -> Option<Connect> {
        self.original.clone()
    }

    fn fact(&self, fact: Fact) -> Option<&CStr> {
        self.facts.get(&fact).map(CString::as_c_str)
    }

    fn domain_capabilities(&self, guest: [Option<String>; 4]) -> Result<String> {
        let [emulator, arch, machine, kind] = guest.each_ref().map(Option::as_deref);
        if let Some(original) = &self.original {
            return Ok(original.domain_capabilities(emulator, arch, machine, kind, 0)?);
        }
        let machines = machine.map(|machine| {
            let place = format!("guest/arch//machine[.={}]/@canonical", crate::xml::quoted(machine));
            let known = self.capabilities.as_ref().and_then(|known| known.texts(&place).ok());
            let mut all = known.unwrap_or_default();
            all.push(machine.to_owned());
            all
        });
        let fits = |xml: &&String| {
            let Ok(known) = Xml::parse(xml.as_str()) else {
                return false;
            };
            let is = |path: &str, wanted: Option<&str>| {
                wanted.is_none_or(|wanted| known.get(path).is_ok_and(|own| own == wanted))
            };
            is("path", emulator)
                && is("arch", arch)
                && is("domain", kind)
                && machines.as_ref().is_none_or(|all| {
                    known.get("machine").is_ok_and(|own| all.contains(&own))
                })
        };
        let found = self.domain_capabilities.iter().find(fits);
        found.cloned().ok_or_else(|| {
            let message = "the saved twin does not hold the capabilities of such guests";
            Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message).in_domain(virt_sys::VIR_FROM_TEST)
        })
    }

    fn definition(&self, xml: &str) -> String {
        self.fill(xml).unwrap_or_else(|| xml.to_owned())
    }

    fn file(&self, path: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        self.files.path().join(format!("{:016x}", hasher.finish()))
    }

    fn saved(&self, uuid: &str, file: Option<&str>, paused: bool) {
        let key = (uuid.to_owned(), file.map(str::to_owned));
        let mut all = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|own| *own != key);
        if paused {
            all.push(key);
        }
    }

    fn was_paused(&self, uuid: &str, file: Option<&str>) -> bool {
        let all = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|(own, of)| own == uuid && of.as_deref() == file)
    }

    fn differs(&self, call: &'static str, why: &str) {
        self.log.note(call, why);
    }
}
