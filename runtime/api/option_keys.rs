//! The options that functions know: one place for the functions and for the check.

/// What `connect` may be told.
pub(crate) const CONNECT: [&str; 2] = ["read_only", "timeout"];

/// What `agent_exec` may be told.
pub(crate) const EXEC: [&str; 3] = ["input", "env", "timeout"];

/// What `stop` may be told.
pub(crate) const STOP: [&str; 4] = ["shutdown", "agent", "destroy", "force"];

/// What a subscription to events may be told.
pub(crate) const SUBSCRIBE: [&str; 2] = ["timeout", "queue"];

/// The parts of a guest's time.
pub(crate) const TIME: [&str; 2] = ["seconds", "nseconds"];

/// What `upload_file` and `download_file` may be told.
pub(crate) const TRANSFER: [&str; 4] = ["offset", "length", "sparse", "progress"];

/// How the names of a migration's typed parameters begin.
pub(crate) const MIGRATE: &str = "VIR_MIGRATE_PARAM_";

/// How the names of a block copy's typed parameters begin.
pub(crate) const BLOCK_COPY: &str = "VIR_DOMAIN_BLOCK_COPY_";

/// How the names of the typed parameters of a scheduler begin.
pub(crate) const SCHEDULER: &str = "VIR_DOMAIN_SCHEDULER_";

/// How the names of the typed parameters of memory limits begin.
pub(crate) const MEMORY: &str = "VIR_DOMAIN_MEMORY_";

/// How the names of the typed parameters of block input and output begin.
pub(crate) const BLKIO: &str = "VIR_DOMAIN_BLKIO_";

/// How the names of the typed parameters of NUMA placement begin.
pub(crate) const NUMA: &str = "VIR_DOMAIN_NUMA_";

/// How the names of the typed parameters of a network card's bandwidth begin.
pub(crate) const BANDWIDTH: &str = "VIR_DOMAIN_BANDWIDTH_";

/// How the names of the typed parameters of the bandwidth of a network's port begin.
pub(crate) const PORT_BANDWIDTH: &str = "VIR_NETWORK_PORT_BANDWIDTH_";

/// How the names of the typed parameters of a disk's limits begin.
pub(crate) const BLOCK_IO_TUNE: &str = "VIR_DOMAIN_BLOCK_IOTUNE_";

/// How the names of performance events begin.
pub(crate) const PERF: &str = "VIR_PERF_PARAM_";

/// How the names of the typed parameters of an IO thread begin.
pub(crate) const IO_THREAD: &str = "VIR_DOMAIN_IOTHREAD_";

/// How the names of the parts of a client's identity begin.
pub(crate) const IDENTITY: &str = "VIR_CONNECT_IDENTITY_";

/// The parameters of a host's shared pages that can be set.
pub(crate) const HOST_MEMORY: [&str; 3] = [
    "shm_pages_to_scan",
    "shm_sleep_millisecs",
    "shm_merge_across_nodes",
];

/// The limits of the threads of a daemon's server that can be set.
pub(crate) const THREAD_POOL: [&str; 3] = ["maxWorkers", "minWorkers", "prioWorkers"];

/// The limits of the numbers of clients of a daemon's server that can be set.
pub(crate) const CLIENT_LIMITS: [&str; 2] = ["nclients_max", "nclients_unauth_max"];

/// The typed parameters of a guest's encrypted memory that can be set.
pub(crate) const LAUNCH_SECRET: [&str; 3] =
    ["sev-secret-header", "sev-secret", "sev-secret-set-address"];

/// How the names of the typed parameters of saving and restoring begin.
pub(crate) const SAVE: &str = "VIR_DOMAIN_SAVE_PARAM_";

/// What `wait_event` looks at in an event of any kind: its own fields, and what it is about.
pub(crate) fn event() -> Vec<&'static str> {
    let about = crate::libvirt::events::FAMILIES
        .iter()
        .map(|family| family.noun);
    ["kind", "uuid", "event", "detail"]
        .into_iter()
        .chain(about)
        .collect()
}
