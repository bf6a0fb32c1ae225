//! Calls whose effects a report shows: changed definitions, and used guests.

use std::sync::{Arc, Weak};
use std::time::Duration;

use virt::connect::Connect;

use super::{Connection, Permit, Shared};
use crate::libvirt::{Failure, screenshot};
use crate::objects::call_class::{CallClass, changes};
use crate::objects::call_thread::{self, Patience};
use crate::objects::domain::DomainKind;
use crate::objects::interface::InterfaceKind;
use crate::objects::network::NetworkKind;
use crate::objects::nwfilter::NWFilterKind;
use crate::objects::object::Kind;
use crate::objects::storage_pool::StoragePoolKind;
use crate::redact;
use crate::run::report_details::{DefinitionChange, Documents, ReportDetails, UsedGuest};

/// How long a host may take for a detail: no run fails or waits long because of its report.
const SOON: Patience = Patience {
    limit: Some(Duration::from_secs(2)),
    after_stop: Duration::from_millis(100),
};

/// Reads the XML of an object by its name.
type Read = fn(&Connect, &str) -> Option<Documents>;

/// The kind of object whose definition `call` can change, and how to read it.
fn definition(call: &str) -> Option<(&'static str, Read)> {
    // A block job that ends gives a disk another file.
    if CallClass::of(call) != CallClass::Change && call != "virDomainBlockJobAbort" {
        return None;
    }
    let of = |kind: &str, parts: &[&str]| {
        let rest = call.strip_prefix(kind);
        rest.is_some_and(|rest| !parts.iter().any(|part| rest.starts_with(part)))
    };
    match () {
        () if of("virDomain", &["Snapshot", "Checkpoint"]) => {
            Some((DomainKind::NOUN, domain as Read))
        }
        () if of("virNetwork", &["Port"]) => Some((NetworkKind::NOUN, network)),
        () if of("virStoragePool", &[]) => Some((StoragePoolKind::NOUN, pool)),
        () if of("virNWFilter", &["Binding"]) => Some((NWFilterKind::NOUN, plain::<NWFilterKind>)),
        () if of("virInterface", &["Change"]) => {
            Some((InterfaceKind::NOUN, plain::<InterfaceKind>))
        }
        () => None,
    }
}

fn domain(connect: &Connect, name: &str) -> Option<Documents> {
    let domain = DomainKind::by_name(connect, name).ok()?;
    let runs = domain.is_active().unwrap_or(false);
    documents::<DomainKind>(&domain, virt_sys::VIR_DOMAIN_XML_INACTIVE, runs)
}

fn network(connect: &Connect, name: &str) -> Option<Documents> {
    let network = NetworkKind::by_name(connect, name).ok()?;
    let runs = network.is_active().unwrap_or(false);
    documents::<NetworkKind>(&network, virt_sys::VIR_NETWORK_XML_INACTIVE, runs)
}

fn pool(connect: &Connect, name: &str) -> Option<Documents> {
    let pool = StoragePoolKind::by_name(connect, name).ok()?;
    documents::<StoragePoolKind>(&pool, virt_sys::VIR_STORAGE_XML_INACTIVE, false)
}

fn plain<K: Kind>(connect: &Connect, name: &str) -> Option<Documents> {
    documents::<K>(&K::by_name(connect, name).ok()?, 0, false)
}

fn documents<K: Kind>(handle: &K::Handle, flags: u32, runs: bool) -> Option<Documents> {
    Some(Documents {
        // Some drivers know no flags.
        defined: K::xml(handle, flags).or_else(|_| K::xml(handle, 0)).ok()?,
        live: runs.then(|| K::xml(handle, 0).ok()).flatten(),
    })
}

impl Connection {
    /// The recorder of report details that follows the calls of this thread.
    fn details(&self) -> Option<&dyn ReportDetails> {
        let details = self.0.session.details()?;
        details.follows().then_some(details)
    }

    /// Makes the call `call` on the object called `name` by `work`, and reports the change.
    pub(super) fn follow_definition<T>(
        &self,
        call: &'static str,
        name: Option<&str>,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let followed = self.details().zip(name).and_then(|(details, name)| {
            let (kind, read) = definition(call)?;
            Some((details, name, kind, read, self.read(read, name)?))
        });
        let Some((details, name, kind, read, before)) = followed else {
            return work();
        };
        let result = work();
        if result.is_ok()
            && let Some(after) = self.read(read, name)
        {
            details.definition_changed(DefinitionChange {
                host: redact::hide_uri(self.uri()),
                kind,
                name: name.to_owned(),
                call,
                before,
                after,
            });
        }
        result
    }

    /// The XML of the object called `name`, if it exists; `None` if the host does not answer soon.
    fn read(&self, read: Read, name: &str) -> Option<Option<Documents>> {
        let (permit, connect) = (self.permit_now()?, self.connect().ok()?);
        let name = name.to_owned();
        self.soon(CallClass::Read, permit, move || read(&connect, &name))
    }

    /// Waits for `work`, a call of `class`; not for long.
    fn soon<T: Send + 'static>(
        &self,
        class: CallClass,
        permit: Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.runs_here(class) {
            return Some(work());
        }
        let Permit { place, awaited } = permit;
        let done = call_thread::run(self.0.session.interrupt(), SOON, None, move || {
            let _place = place;
            work()
        });
        drop(awaited);
        done.ok()
    }

    /// Adds the guest called `name` to the report, before `call` uses it.
    pub(super) fn use_guest(&self, call: &str, names: &[&str]) {
        if !call.starts_with("virDomain") || !changes(call) {
            return;
        }
        if let (Some(details), Some(name)) = (self.details(), names.first()) {
            let (weak, own) = (Arc::downgrade(&self.0), (*name).to_owned());
            details.guest_used(UsedGuest {
                host: redact::hide_uri(self.uri()),
                name: own.clone(),
                screenshot: Box::new(move || screenshot_of(&weak, &own)),
            });
        }
    }
}

/// A picture of the first screen of the guest called `name`.
fn screenshot_of(connection: &Weak<Shared>, name: &str) -> Option<Vec<u8>> {
    let connection = Connection(connection.upgrade()?);
    let (permit, connect) = (connection.permit_now()?, connection.connect().ok()?);
    let name = name.to_owned();
    let taken = connection.soon(CallClass::Query, permit, move || {
        let domain = DomainKind::by_name(&connect, &name).ok()?;
        let (_, data) = screenshot::take(&domain, 0, 0).ok()?;
        Some(data)
    });
    taken.flatten()
}
