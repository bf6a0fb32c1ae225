//! `Domain`: a guest, running or not.

mod addresses;
mod agent;
mod attach;
mod autostart;
mod block_jobs;
mod control;
mod device;
mod devices;
mod edit;
mod identity;
mod inherited;
mod job;
mod jobs;
mod lifecycle;
mod managed_save;
mod memory;
mod metadata;
mod migration;
mod peek;
mod save;
mod snapshots;
pub(crate) mod state;
mod stats;
mod time;
pub(crate) mod tray;
mod vcpus;

use rhai::{Engine, exported_module};
use virt::connect::Connect;
pub(crate) use virt::domain::Domain as Handle;

use super::object::{Kind, Object};
use crate::libvirt;
use crate::vocabulary::DomainState;
pub(crate) use device::Device;
pub(crate) use inherited::open_files;
pub(crate) use job::Work;

/// A guest of a connection; copies are the same guest.
pub type Domain = Object<DomainKind>;

/// What a [`Domain`] stands for.
pub struct DomainKind;

impl Kind for DomainKind {
    type Handle = Handle;
    /// The UUID.
    type Facts = String;
    const TYPE: &'static str = "Domain";
    const NOUN: &'static str = "domain";
    const COLUMNS: &'static [&'static str] = &["Id", "Name", "State", "Memory", "Vcpus"];

    fn row(domain: &Domain) -> Vec<String> {
        state::row(domain)
    }

    fn identity(domain: &Domain) -> Vec<(&'static str, String)> {
        vec![("uuid", domain.uuid().to_owned())]
    }

    fn name(handle: &Handle) -> Option<String> {
        handle.name().ok()
    }

    fn state(handle: &Handle) -> Option<String> {
        let (state, _) = libvirt::domain::state(handle).ok()?;
        Some(DomainState::TABLE.word(state).into())
    }

    fn facts(handle: &Handle) -> String {
        handle.uuid_string().unwrap_or_default()
    }

    fn uuid(facts: &String) -> Option<&str> {
        Some(facts)
    }

    const LOOK_UP: &'static str = "virDomainLookupByUUIDString";
    const MISSING: virt_sys::virErrorNumber = virt_sys::VIR_ERR_NO_DOMAIN;

    fn connect(handle: &Handle) -> libvirt::Result<Connect> {
        Ok(handle.connect()?)
    }

    fn find(connect: &Connect, facts: &String, _name: &str) -> libvirt::Result<Handle> {
        Ok(connect.lookup_domain_by_uuid_string(facts)?)
    }
}

impl Domain {
    /// The UUID, which never changes.
    pub fn uuid(&self) -> &str {
        self.facts()
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Domain>("Domain");
    agent::register(engine);
    engine.register_global_module(exported_module!(addresses::functions).into());
    engine.register_global_module(exported_module!(attach::functions).into());
    engine.register_global_module(exported_module!(autostart::functions).into());
    engine.register_global_module(exported_module!(block_jobs::functions).into());
    engine.register_global_module(exported_module!(control::functions).into());
    engine.register_global_module(exported_module!(devices::functions).into());
    engine.register_global_module(exported_module!(edit::functions).into());
    engine.register_global_module(exported_module!(identity::functions).into());
    engine.register_global_module(exported_module!(jobs::functions).into());
    engine.register_global_module(exported_module!(lifecycle::functions).into());
    engine.register_global_module(exported_module!(inherited::functions).into());
    engine.register_global_module(exported_module!(managed_save::functions).into());
    engine.register_global_module(exported_module!(memory::functions).into());
    engine.register_global_module(exported_module!(metadata::functions).into());
    engine.register_global_module(exported_module!(migration::functions).into());
    engine.register_global_module(exported_module!(peek::functions).into());
    engine.register_global_module(exported_module!(save::functions).into());
    engine.register_global_module(exported_module!(snapshots::functions).into());
    engine.register_global_module(exported_module!(state::functions).into());
    engine.register_global_module(exported_module!(stats::functions).into());
    engine.register_global_module(exported_module!(time::functions).into());
    engine.register_global_module(exported_module!(vcpus::functions).into());
}
