//! The definitions and the saves of a twin's guests.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use virt::connect::Connect;

use super::layers::{self, Layer};
use super::{Driver, broken, elements};
use crate::libvirt::stand_in::{Fact, Facts, Lifecycle};
use crate::libvirt::{Failure, Result};
use crate::runbook::twin::host::Host;
use crate::xml::Xml;

/// The XML of each object of the twin `connect` as the test driver gives it, and as the host gave it.
pub(super) fn recorded(
    host: &Host,
    connect: &Connect,
) -> HashMap<(String, bool), (String, String)> {
    let mut all = HashMap::new();
    for guest in &host.domains {
        let Ok(domain) = connect.lookup_domain_by_name(&guest.name) else {
            continue;
        };
        let uuid = domain.uuid_string().unwrap_or_default();
        let live = guest.live.as_ref().unwrap_or(&guest.xml);
        for (flags, given) in [(0, live), (virt_sys::VIR_DOMAIN_XML_INACTIVE, &guest.xml)] {
            if let Ok(own) = domain.xml_desc(flags) {
                all.insert((uuid.clone(), flags != 0), (own, given.clone()));
            }
        }
    }
    for given in host.pools.iter().flat_map(|pool| &pool.volumes) {
        let path = Xml::parse(given.clone()).and_then(|xml| xml.find("target/path"));
        let Ok(Some(path)) = path else { continue };
        let volume = connect.lookup_storage_vol_by_path(&path);
        if let Ok(own) = volume.and_then(|volume| volume.xml_desc(0)) {
            all.insert((path, true), (own, given.clone()));
        }
    }
    all
}

impl Lifecycle for Driver {
    fn definition(&self, xml: &str) -> String {
        // libvirt's test driver fills in nothing.
        if self.fact(Fact::Type) == Some(c"TEST") {
            return xml.to_owned();
        }
        self.fill(xml).unwrap_or_else(|| xml.to_owned())
    }

    fn recorded(&self, key: &str, inactive: bool, own: &str) -> Option<String> {
        let (loaded, given) = self.recorded.get(&(key.to_owned(), inactive))?;
        (loaded == own).then(|| given.clone())
    }

    fn file(&self, path: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        // Two ways to write the same path name the same file.
        let path: PathBuf = Path::new(path).components().collect();
        path.hash(&mut hasher);
        self.files.path().join(format!("{:016x}", hasher.finish()))
    }

    fn saved(&self, uuid: &str, file: Option<&str>, paused: bool) {
        if let Some(path) = file {
            self.note_file(path, "raw", 0);
        }
        let key = (uuid.to_owned(), file.map(str::to_owned));
        let mut all = self.paused.lock();
        all.retain(|own| *own != key);
        if paused {
            all.push(key);
        }
    }

    fn was_paused(&self, uuid: &str, file: Option<&str>) -> bool {
        let all = self.paused.lock();
        all.iter()
            .any(|(own, of)| own == uuid && of.as_deref() == file)
    }

    fn has_images(&self, connect: &Connect, call: &'static str, xml: &str) -> Result<()> {
        let Ok(guest) = Xml::parse(xml.to_owned()) else {
            return Ok(());
        };
        for disk in elements(&guest, "devices/disk")? {
            // The host starts the guest without an optional image.
            if disk.has("source/@startupPolicy").map_err(broken)? {
                continue;
            }
            for path in layers::layers(connect, &disk)?
                .iter()
                .filter_map(Layer::path)
            {
                if self.deleted.lock().contains(&path) {
                    let message =
                        format!("Cannot access storage file '{path}': No such file or directory");
                    let failure = Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message);
                    return Err(failure.in_domain(virt_sys::VIR_FROM_STORAGE));
                }
                if self.is_in_known_folder(&path) && !self.has_file(connect, &path) {
                    let why = format!("the rehearsal does not check that {path} exists");
                    self.log.note(call, why);
                }
            }
        }
        Ok(())
    }

    fn starts(&self, uuid: &str) {
        self.forget_jobs(uuid, None);
        self.disconnected.lock().remove(uuid);
    }
}
