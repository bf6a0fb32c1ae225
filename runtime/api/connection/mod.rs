//! `Connection`: a hypervisor host, and its objects.

pub(crate) mod about;
mod cpu;
mod domains;
pub(crate) mod host;
mod host_cpus;
mod host_memory;
mod host_security;
mod interfaces;
mod live_dump;
mod native;
mod networks;
mod open;
mod restore;
mod stats;
mod storage;

use rhai::{Engine, exported_module};

use crate::objects::connection::Connection;
use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[
    host::NodeInfo::DECLARED,
    host_cpus::CpuMap::DECLARED,
    host_cpus::HostCpuStats::DECLARED,
    host_memory::FreePages::DECLARED,
    host_memory::HostMemoryParameters::OPTIONS,
    host_memory::HostMemoryParameters::RECORD,
    host_memory::HostMemoryStats::DECLARED,
    host_security::Identity::OPTIONS,
    host_security::SecurityModel::DECLARED,
    host_security::SevInfo::RECORD,
    open::ConnectOptions::DECLARED,
    stats::DomainStats::DECLARED,
    open::Credentials::DECLARED,
];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Connection>("Connection");
    engine.register_global_module(exported_module!(open::functions).into());
    engine.register_global_module(exported_module!(host::functions).into());
    engine.register_global_module(exported_module!(cpu::functions).into());
    engine.register_global_module(exported_module!(domains::functions).into());
    engine.register_global_module(exported_module!(interfaces::functions).into());
    engine.register_global_module(exported_module!(networks::functions).into());
    engine.register_global_module(exported_module!(restore::functions).into());
    engine.register_global_module(exported_module!(stats::functions).into());
    engine.register_global_module(exported_module!(storage::functions).into());
    engine.register_global_module(exported_module!(host_cpus::functions).into());
    engine.register_global_module(exported_module!(host_memory::functions).into());
    engine.register_global_module(exported_module!(host_security::functions).into());
    engine.register_global_module(exported_module!(native::functions).into());
}
