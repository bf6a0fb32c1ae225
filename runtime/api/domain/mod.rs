//! `Domain`: a guest, running or not.

mod addresses;
mod agent;
mod attach;
mod autostart;
mod backup;
mod block_jobs;
mod control;
mod device;
mod device_limits;
mod devices;
mod edit;
mod identity;
mod inherited;
mod io_threads;
pub(crate) mod job;
mod jobs;
mod lifecycle;
mod managed_save;
mod measuring;
mod memory;
mod metadata;
mod migration;
mod peek;
mod pinning;
mod processes;
mod resources;
mod save;
mod security;
mod snapshots;
pub(crate) mod state;
mod stats;
mod throttle_groups;
mod time;
pub(crate) mod tray;
mod vcpus;

use rhai::{Engine, exported_module};

use crate::api::every_kind::Scripted;
use crate::objects::domain::DomainKind;
use crate::vocabulary::Declared;
pub(crate) use device::Device;
pub(crate) use inherited::open_files;
pub(crate) use job::Work;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[
    agent::MonitorAnswer::DECLARED,
    agent::file_systems::FileSystem::DECLARED,
    addresses::CardAddresses::DECLARED,
    agent::guest::GuestInfo::DECLARED,
    agent::guest::GuestVcpus::RECORD,
    agent::exec::ExecOptions::DECLARED,
    agent::exec::ExecResult::DECLARED,
    block_jobs::BlockCopyParameters::OPTIONS,
    block_jobs::BlockJobInfo::DECLARED,
    control::ControlInfo::DECLARED,
    device_limits::BlockIoTune::OPTIONS,
    device_limits::BlockIoTune::RECORD,
    device_limits::InterfaceParameters::OPTIONS,
    device_limits::InterfaceParameters::RECORD,
    devices::Screenshot::DECLARED,
    io_threads::IoThread::DECLARED,
    io_threads::IoThreadParameters::OPTIONS,
    jobs::JobInfo::DECLARED,
    jobs::JobStats::DECLARED,
    measuring::PerfEvents::OPTIONS,
    measuring::PerfEvents::RECORD,
    migration::MigrationParameters::OPTIONS,
    resources::BlkioParameters::OPTIONS,
    resources::BlkioParameters::RECORD,
    resources::MemoryParameters::OPTIONS,
    resources::MemoryParameters::RECORD,
    resources::NumaParameters::OPTIONS,
    resources::NumaParameters::RECORD,
    resources::SchedulerParameters::OPTIONS,
    resources::SchedulerParameters::RECORD,
    security::LaunchSecurity::OPTIONS,
    security::LaunchSecurity::RECORD,
    security::SecurityLabel::DECLARED,
    state::DomainInfo::DECLARED,
    state::StateAndReason::DECLARED,
    edit::Edited::DECLARED,
    memory::MemoryStats::DECLARED,
    stats::BlockFigures::RECORD,
    stats::BlockInfo::DECLARED,
    stats::CpuStats::RECORD,
    stats::BlockStats::DECLARED,
    stats::InterfaceStats::DECLARED,
    time::GuestTime::DECLARED,
    time::TimeOptions::DECLARED,
    vcpus::Vcpu::DECLARED,
];

impl Scripted for DomainKind {
    const VARIABLE: &'static str = "dom";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let dom = conn.lookup_by_name("test");"#;
    const EXAMPLE_NAME: &'static str = "test";
    const XML: &'static str = "of the running guest, or the configuration if it is off";
    const XML_FLAGS: &'static str = "`VIR_DOMAIN_XML_INACTIVE` is the configuration for the next start, `VIR_DOMAIN_XML_SECURE` includes secrets, `VIR_DOMAIN_XML_MIGRATABLE` suits `migrate`";

    fn register(engine: &mut Engine) {
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
        engine.register_global_module(exported_module!(pinning::functions).into());
        engine.register_global_module(exported_module!(io_threads::functions).into());
        engine.register_global_module(exported_module!(resources::functions).into());
        engine.register_global_module(exported_module!(device_limits::functions).into());
        engine.register_global_module(exported_module!(throttle_groups::functions).into());
        engine.register_global_module(exported_module!(measuring::functions).into());
        engine.register_global_module(exported_module!(security::functions).into());
        engine.register_global_module(exported_module!(backup::functions).into());
        engine.register_global_module(exported_module!(processes::functions).into());
    }
}
