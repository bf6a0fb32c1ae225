//! Runs calls on a twin that libvirt's test driver does not support, as the host would.

mod agents;
mod backups;
mod blocks;
mod contents;
mod devices;
mod files;
mod layers;
mod migration;
mod snapshots;
mod storage;

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tempfile::TempDir;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::host::Host;
use super::hosts::Hosts;
use super::log::Log;
use crate::libvirt::stand_in::{
    Bitmap, BlockJob, Destination, DeviceChange, Fact, Migration, StandIn,
};
use crate::libvirt::{Failure, Result};
use crate::xml::{Place, Selected, Xml, quoted};

/// The host of a twin.
pub(super) struct Original {
    /// A read-only connection to it.
    pub connect: Connect,
    /// Opens another connection, which the host lets read the contents of volumes.
    pub again: Box<dyn Fn() -> Result<Connect> + Send + Sync>,
}

/// The stand-in of a host.
pub(super) struct Driver {
    original: Option<Connect>,
    facts: HashMap<Fact, CString>,
    capabilities: Option<Xml>,
    /// The files that the script writes on the host.
    files: TempDir,
    /// The guests that were paused when they were saved, with the file of the save.
    paused: Mutex<Vec<(String, Option<String>)>>,
    log: Arc<Log>,
    /// The XML that the test driver gives for each object of the twin, and the XML that the host gave. The key has
    /// whether it is the definition.
    recorded: HashMap<(String, bool), (String, String)>,
    /// The other hosts of the rehearsal.
    hosts: Arc<Hosts>,
    jobs: Mutex<Vec<blocks::Job>>,
    new_files: Mutex<Vec<files::NewFile>>,
    /// The folders whose files are known.
    folders: Mutex<HashSet<String>>,
    /// The bitmaps of checkpoints, by the path of their image.
    bitmaps: Mutex<HashMap<String, HashSet<String>>>,
    contents: Mutex<HashMap<String, contents::Content>>,
    reader: contents::Reader,
    /// The UUIDs of the guests whose agent is not connected.
    disconnected: Mutex<HashSet<String>>,
}

/// A failure as QEMU's driver reports it.
fn refused(code: virt_sys::virErrorNumber, message: impl Into<String>) -> Failure {
    Failure::new(code, message).in_domain(virt_sys::VIR_FROM_QEMU)
}

/// The failure of XML that libvirt gave or a script passed.
fn broken(fault: crate::xml::Fault) -> Failure {
    Failure::new(virt_sys::VIR_ERR_XML_ERROR, fault.to_string())
}

/// The elements at `path`.
fn elements(xml: &Xml, path: &str) -> Result<Vec<Xml>> {
    match xml.select(path).map_err(broken)? {
        Selected::Elements(found) => Ok(found),
        Selected::Texts(_) => Ok(Vec::new()),
    }
}

impl Driver {
    pub(super) fn new(
        host: &Host,
        connect: &Connect,
        original: Option<Original>,
        log: Arc<Log>,
        hosts: Arc<Hosts>,
    ) -> Result<Self> {
        let (original, reader) = match original {
            Some(original) => (Some(original.connect), Some(original.again)),
            None => (None, None),
        };
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
            files: files.map_err(|error| {
                let message = format!("cannot create a temporary folder: {error}");
                Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message)
            })?,
            paused: Mutex::default(),
            recorded: recorded(host, connect),
            log,
            hosts,
            jobs: Mutex::default(),
            new_files: Mutex::default(),
            folders: Mutex::new(files::folders(host)),
            bitmaps: Mutex::new(backups::bitmaps(connect)),
            contents: Mutex::default(),
            reader: contents::Reader::new(reader),
            disconnected: Mutex::new(agents::disconnected(host)),
        })
    }

    /// True if it is the twin of the host `uri`.
    fn is_of(&self, uri: &str) -> bool {
        self.fact(Fact::Uri)
            .is_some_and(|own| own.to_str() == Ok(uri))
    }

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
    fn fill(&self, xml: &str) -> Option<String> {
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

/// The XML of each object of the twin `connect` as the test driver gives it, and as the host gave it.
fn recorded(host: &Host, connect: &Connect) -> HashMap<(String, bool), (String, String)> {
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

/// The capabilities of a host for guests of an architecture and a type.
struct Guests<'a> {
    capabilities: &'a Xml,
    /// The paths of what is said of the type, and of the architecture.
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

    /// The first `name`: what is said of the type comes before what is said of its architecture.
    fn first(&self, name: &str) -> Option<String> {
        let found = |place: &String| self.capabilities.find(&format!("{place}/{name}")).ok()?;
        self.places.iter().find_map(found)
    }

    /// The full name of `machine`, or of the machine that the host takes by itself. There is none where the host does
    /// not have the machine.
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

impl StandIn for Driver {
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

    fn change_device(
        &self,
        domain: &Domain,
        change: DeviceChange,
        what: &str,
        flags: u32,
    ) -> Result<()> {
        devices::change(domain, change, what, flags)
    }

    fn migrate(
        &self,
        domain: &Domain,
        to: Destination,
        wanted: Migration,
    ) -> Result<Option<Domain>> {
        migration::migrate(self, domain, to, &wanted)
    }

    fn resize(&self, volume: &StorageVol, capacity: u64, flags: u32) -> Result<()> {
        storage::resize(volume, capacity, flags)
    }

    fn pool_at(&self, connect: &Connect, path: &str) -> Result<StoragePool> {
        storage::pool_at(connect, path)
    }

    fn lay_over(&self, domain: &Domain, xml: &str) -> Result<()> {
        snapshots::lay_over(self, domain, xml)
    }

    fn identity_of_network(&self, xml: &str) -> [Option<String>; 3] {
        let network = Xml::parse(xml.to_owned()).ok();
        ["name", "uuid", "bridge/@name"].map(|path| network.as_ref()?.find(path).ok()?)
    }

    fn name_in(&self, xml: &str) -> Option<String> {
        Xml::parse(xml.to_owned()).ok()?.find("name").ok()?
    }

    fn check_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<()> {
        snapshots::check(domain, xml, flags)
    }

    fn disk_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<String> {
        snapshots::of_disks(self, domain, xml, flags)
    }

    fn is_external(&self, xml: &str) -> bool {
        snapshots::is_external(xml)
    }

    fn begin_backup(
        &self,
        domain: &Domain,
        xml: &str,
        checkpoint: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        backups::begin(self, domain, xml, checkpoint, flags)
    }

    fn check_agent(&self, domain: &Domain) -> Result<()> {
        agents::check(self, domain)
    }

    fn check_checkpoint(&self, domain: &Domain, xml: &str, flags: u32) -> Result<()> {
        backups::check(self, domain, xml, flags)
    }

    fn bitmaps_of(&self, domain: &Domain) -> Vec<Bitmap> {
        backups::of_checkpoints(domain)
    }

    fn has_bitmap(&self, bitmap: &Bitmap) -> bool {
        self.has_bitmap_in(&bitmap.image, &bitmap.name)
    }

    fn set_bitmap(&self, bitmap: &Bitmap, exists: bool) {
        let mut all = self.bitmaps.lock();
        let own = all.entry(bitmap.image.clone()).or_default();
        if exists {
            own.insert(bitmap.name.clone());
        } else {
            own.remove(&bitmap.name);
        }
    }

    fn block_info(&self, domain: &Domain, disk: &str) -> Option<[u64; 3]> {
        layers::sizes(self, domain, disk)
    }

    fn content(&self, volume: &StorageVol, offset: u64, size: u64) -> Result<Vec<u8>> {
        self.content_of(volume, offset, size)
    }

    fn write(&self, volume: &StorageVol, offset: u64, bytes: Option<&[u8]>) -> Result<()> {
        self.write_to(volume, offset, bytes)
    }

    fn copy_xml(&self, xml: &str, source: &StorageVol) -> Result<String> {
        storage::copy_xml(xml, source)
    }

    fn new_volume(&self, volume: &StorageVol, source: Option<&StorageVol>) -> Result<()> {
        self.made_volume(volume, source)
    }

    fn wiped(&self, volume: &StorageVol) -> Result<()> {
        self.made_volume(volume, None)
    }

    fn deleted(&self, path: &str) {
        self.forget_content(path);
    }

    fn physical_size(&self, volume: &StorageVol) -> Result<u64> {
        contents::length(volume)
    }

    fn opens(&self, pool: &StoragePool) -> Result<()> {
        self.open_folder_of(pool)
    }

    fn closes(&self, pool: &StoragePool) -> Result<()> {
        self.keep_files_of(pool)
    }

    fn begin_block_job(&self, domain: &Domain, disk: &str, job: &BlockJob) -> Result<()> {
        blocks::begin(self, domain, disk, job)
    }

    fn end_block_job(&self, domain: &Domain, disk: &str, pivot: bool) -> Result<()> {
        blocks::end(self, domain, disk, pivot)
    }

    fn block_job(&self, domain: &Domain, disk: &str) -> Result<Option<u32>> {
        blocks::kind_of_job(self, domain, disk)
    }

    fn show_new_files(&self, pool: &StoragePool) -> Result<()> {
        self.show_files_in(pool)
    }

    fn starts(&self, uuid: &str) {
        self.forget_jobs(uuid, None);
        self.disconnected.lock().remove(uuid);
    }

    fn differs(&self, call: &'static str, why: &str) {
        self.log.note(call, why);
    }
}
