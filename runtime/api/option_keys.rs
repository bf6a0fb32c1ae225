//! The options that functions know: one place for the functions and for the check.

/// What `connect` may be told.
pub(crate) const CONNECT: [&str; 2] = ["read_only", "timeout"];

/// What `agent_exec` may be told.
pub(crate) const EXEC: [&str; 3] = ["input", "env", "timeout"];

/// What `stop` may be told.
pub(crate) const STOP: [&str; 4] = ["shutdown", "agent", "destroy", "force"];

/// The parts of a guest's time.
pub(crate) const TIME: [&str; 2] = ["seconds", "nseconds"];

/// What `upload_file` and `download_file` may be told.
pub(crate) const TRANSFER: [&str; 4] = ["offset", "length", "sparse", "progress"];

/// How the names of a migration's typed parameters begin.
pub(crate) const MIGRATE: &str = "VIR_MIGRATE_PARAM_";

/// How the names of a block copy's typed parameters begin.
pub(crate) const BLOCK_COPY: &str = "VIR_DOMAIN_BLOCK_COPY_";

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
