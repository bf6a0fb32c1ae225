//! Runs calls on a twin that libvirt's test driver does not support, as the host would.

mod agents;
mod backups;
mod blocks;
mod contents;
mod devices;
mod facts;
mod files;
mod layers;
mod life;
mod migration;
mod networks;
mod snapshots;
mod storage;

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::sync::Arc;

use parking_lot::Mutex;
use tempfile::TempDir;
use virt::connect::Connect;

use super::host::Host;
use super::hosts::Hosts;
use super::log::Log;
use crate::libvirt::stand_in::{Fact, Facts, StandIn};
use crate::libvirt::{Failure, Result};
use crate::xml::{Selected, Xml};

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
    /// The paths of the volumes that the rehearsal deleted.
    deleted: Mutex<HashSet<String>>,
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
            recorded: life::recorded(host, connect),
            log,
            hosts,
            jobs: Mutex::default(),
            new_files: Mutex::default(),
            deleted: Mutex::default(),
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
}

impl StandIn for Driver {
    fn differs(&self, call: &'static str, why: &str) {
        self.log.note(call, why);
    }
}
