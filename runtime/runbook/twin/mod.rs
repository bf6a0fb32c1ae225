//! Twins: hosts of libvirt's test driver with the objects of a real host, for rehearsals of scripts.
//!
//! A [`Rehearsal`] stands between a script and its hosts. It reads each host that the script connects to through a
//! read-only connection, and gives the script a twin of it. [`log::Log`] notes each change of a twin.

mod driver;
pub mod fidelity;
mod file;
#[allow(missing_docs)] // The fields have libvirt's names.
pub mod host;
mod hosts;
mod load;
#[allow(missing_docs)] // The same.
pub mod log;
mod picture;
mod read;
mod recorder;

use std::any::Any;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;
use virt::connect::Connect;

use crate::libvirt::{Failure, Result};
use crate::run::session::Session;
use driver::{Driver, Original};
pub use file::{open as open_saved, save};
use host::Host;
use hosts::Hosts;
use log::{Entry, Log, Verb};
pub(crate) use picture::between as differences;
pub use read::read;
pub(crate) use recorder::Recorder;

/// The ways in which a rehearsal gets the hosts of a script.
enum Way {
    /// A twin of each host.
    Twins,
    /// The twin in a file, for all connections of the script.
    Saved(Box<Host>),
    /// The hosts themselves; their changes are noted.
    Real,
}

/// Answers the calls of a script in place of its hosts.
pub struct Rehearsal {
    way: Way,
    log: Arc<Log>,
    /// The twins by the URIs of their hosts, so that two connections see the same host.
    twins: Mutex<HashMap<String, Arc<Twin>>>,
    /// The recorders of real hosts by their URIs, so that a change is noted once if the script connects twice.
    recorders: Mutex<HashMap<String, Arc<Recorder>>>,
    hosts: Arc<Hosts>,
    /// The files that the script wrote, each with the file that it got.
    files: Mutex<HashMap<PathBuf, PathBuf>>,
    folder: Mutex<Option<TempDir>>,
}

/// A host of the test driver with the objects of another host.
struct Twin {
    connect: Connect,
    recorder: Arc<Recorder>,
}

impl Drop for Twin {
    fn drop(&mut self) {
        crate::libvirt::stand_in::unregister(&self.connect);
    }
}

/// The host that a connection of a script gets.
pub(crate) struct Opened {
    pub(crate) connect: Connect,
    pub(crate) recorder: Arc<Recorder>,
}

impl Rehearsal {
    fn new(way: Way) -> Arc<Self> {
        Arc::new(Self {
            way,
            log: Arc::default(),
            twins: Mutex::default(),
            recorders: Mutex::default(),
            hosts: Arc::default(),
            files: Mutex::default(),
            folder: Mutex::default(),
        })
    }

    /// A rehearsal on a twin of each host.
    pub fn on_twins() -> Arc<Self> {
        Self::new(Way::Twins)
    }

    /// A rehearsal on the twin that was saved in a file.
    pub fn on_saved(host: Host) -> Arc<Self> {
        Self::new(Way::Saved(Box::new(host)))
    }

    /// No rehearsal: the script runs on its hosts, and its changes are noted as in a rehearsal.
    pub fn of_real_hosts() -> Arc<Self> {
        Self::new(Way::Real)
    }

    /// True if the script runs on its hosts.
    pub fn is_on_real_hosts(&self) -> bool {
        matches!(self.way, Way::Real)
    }

    /// The changes so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// As [`crate::SessionOptions`] takes it.
    pub fn for_session(self: &Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(self) as _
    }

    /// The rehearsal of a session, if it has one.
    pub(crate) fn of(session: &Session) -> Option<Arc<Self>> {
        session.rehearsal()
    }

    /// The host that a script gets when it connects to `uri`. `open` opens the host; with `true`, read-only.
    pub(crate) fn open(
        &self,
        uri: Option<&str>,
        open: impl Fn(bool) -> Result<Connect> + Send + Sync + 'static,
    ) -> Result<Opened> {
        match &self.way {
            Way::Real => {
                let connect = open(false)?;
                let host = connect.uri().unwrap_or_default();
                let mut recorders = self.recorders.lock();
                let recorder = recorders.entry(host.clone()).or_insert_with(|| {
                    Arc::new(Recorder::of_real(host, Arc::clone(&self.log), &connect))
                });
                let recorder = Arc::clone(recorder);
                Ok(Opened { connect, recorder })
            }
            Way::Saved(host) => {
                if let Some(uri) = uri.filter(|uri| *uri != host.uri) {
                    self.log.note(
                        "",
                        format!(
                            "the script connects to {uri}; the saved twin is of {}",
                            host.uri
                        ),
                    );
                }
                let mut twins = self.twins();
                if let Some(twin) = twins.get(&host.uri) {
                    return Ok(twin.opened());
                }
                let twin = Twin::new(host, None, &self.log, &self.hosts)?;
                self.hosts.add(&host.uri, &twin.connect);
                let opened = twin.opened();
                twins.insert(host.uri.clone(), Arc::new(twin));
                Ok(opened)
            }
            Way::Twins => {
                let mut twins = self.twins();
                if let Some(twin) = uri.and_then(|uri| twins.get(uri)) {
                    return Ok(twin.opened());
                }
                let connect = open(true)?;
                let name = connect.uri().map_err(Failure::from)?;
                if let Some(twin) = twins.get(&name) {
                    return Ok(twin.opened());
                }
                let host = read(&connect)?;
                let again = Box::new(move || open(false));
                let original = Original { connect, again };
                let twin = Arc::new(Twin::new(&host, Some(original), &self.log, &self.hosts)?);
                let opened = twin.opened();
                for key in [Some(name.as_str()), uri].into_iter().flatten() {
                    self.hosts.add(key, &twin.connect);
                    twins.insert(key.to_owned(), Arc::clone(&twin));
                }
                Ok(opened)
            }
        }
    }

    /// True if scripts get twins: then nothing else may change.
    pub(crate) fn has_twins(&self) -> bool {
        !matches!(self.way, Way::Real)
    }

    /// Notes that the rehearsal assumes `what`; returns false in a run on real hosts.
    pub(crate) fn assumes(&self, what: &str) -> bool {
        if self.has_twins() {
            self.log.note("", format!("assumed: {what}"));
        }
        self.has_twins()
    }

    /// Notes that the rehearsal did not do `what`.
    pub(crate) fn leaves_out(&self, what: &str) {
        self.log.note("", format!("not rehearsed: {what}"));
    }

    /// The temporary file of `path`, if the script wrote `path` before.
    pub(crate) fn written(&self, path: &Path) -> Option<PathBuf> {
        let files = self.files.lock();
        files.get(path).cloned()
    }

    /// The files below `folder` that the script wrote.
    pub(crate) fn written_below(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.files.lock();
        let below = files.keys().filter(|path| path.starts_with(folder));
        below.cloned().collect()
    }

    /// The file that a script that writes `path` gets: a temporary file, or `path` itself on real hosts. The first time is
    /// noted as a change.
    pub(crate) fn writes(&self, path: &Path) -> std::io::Result<PathBuf> {
        if let Some(known) = self.written(path) {
            return Ok(known);
        }
        let folder = match self.has_twins() {
            true => Some(self.folder()?),
            false => None,
        };
        let mut files = self.files.lock();
        let own = match folder {
            Some(folder) => folder.join(files.len().to_string()),
            None => path.to_owned(),
        };
        files.insert(path.to_owned(), own.clone());
        self.log.add(Entry {
            host: String::new(),
            verb: if path.exists() {
                Verb::Changed
            } else {
                Verb::Created
            },
            kind: "file",
            name: path.display().to_string(),
            differences: Vec::new(),
            to: None,
            call: "",
            place: crate::run::place::now(),
        });
        Ok(own)
    }

    /// The folder for temporary files.
    fn folder(&self) -> std::io::Result<PathBuf> {
        let mut folder = self.folder.lock();
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => none.insert(tempfile::Builder::new().prefix("virhai-twin-").tempdir()?),
        };
        folder.path().canonicalize()
    }

    /// Reads each twin for the last time, and drops all of them.
    pub fn end(&self) {
        let mut twins = std::mem::take(&mut *self.twins());
        for (_, twin) in twins.drain() {
            twin.recorder.look("", &twin.connect);
        }
        self.hosts.clear();
        *self.folder.lock() = None;
    }

    fn twins(&self) -> MutexGuard<'_, HashMap<String, Arc<Twin>>> {
        self.twins.lock()
    }
}

impl Twin {
    fn new(
        host: &Host,
        original: Option<Original>,
        log: &Arc<Log>,
        hosts: &Arc<Hosts>,
    ) -> Result<Self> {
        for kind in &host.unread {
            log.note(
                "",
                format!("cannot read {} from {}: the twin has none", kind, host.uri),
            );
        }
        let connect = load::load(host, log)?;
        let driver = Driver::new(host, &connect, original, Arc::clone(log), Arc::clone(hosts))?;
        crate::libvirt::stand_in::register(&connect, Arc::new(driver));
        let recorder = Recorder::of_twin(host.uri.clone(), Arc::clone(log), &connect);
        Ok(Self {
            connect,
            recorder: Arc::new(recorder),
        })
    }

    fn opened(&self) -> Opened {
        Opened {
            connect: self.connect.clone(),
            recorder: Arc::clone(&self.recorder),
        }
    }
}
