//! `Connection`: a hypervisor host, and what it gave out.

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
