//! What the maps of options of native functions may hold.

use crate::api::option_keys;
use crate::catalog::Function;
use crate::constants;
use crate::objects::connection::CREDENTIALS;
use crate::spec::Type;

/// The keys of one map.
enum Keys {
    /// These.
    Named(fn() -> Vec<&'static str>),
    /// The typed parameters whose constants begin so.
    Fields(&'static str),
    /// Any: names of files, or whatever another program takes.
    Any,
}

/// The parameters that are maps, by the names of function and parameter; `Type.name` is the method of that type alone.
const MAPS: &[(&str, &str, Keys)] = &[
    ("agent", "arguments", Keys::Any),
    (
        "agent_exec",
        "options",
        Keys::Named(|| option_keys::EXEC.to_vec()),
    ),
    (
        "block_copy",
        "options",
        Keys::Fields(option_keys::BLOCK_COPY),
    ),
    ("checked", "options", Keys::Any),
    ("checked", "spec", Keys::Any),
    (
        "connect",
        "options",
        Keys::Named(|| option_keys::CONNECT.to_vec()),
    ),
    (
        "connect_auth",
        "credentials",
        Keys::Named(|| CREDENTIALS.iter().map(|(name, _)| *name).collect()),
    ),
    (
        "download_file",
        "options",
        Keys::Named(|| option_keys::TRANSFER.to_vec()),
    ),
    ("fat_image", "files", Keys::Any),
    ("migrate", "options", Keys::Fields(option_keys::MIGRATE)),
    (
        "migrate_to_uri",
        "options",
        Keys::Fields(option_keys::MIGRATE),
    ),
    ("restore_params", "params", Keys::Fields(option_keys::SAVE)),
    ("save_params", "params", Keys::Fields(option_keys::SAVE)),
    (
        "set_time",
        "time",
        Keys::Named(|| option_keys::TIME.to_vec()),
    ),
    (
        "stop",
        "options",
        Keys::Named(|| option_keys::STOP.to_vec()),
    ),
    ("take", "options", Keys::Any),
    (
        "upload_file",
        "options",
        Keys::Named(|| option_keys::TRANSFER.to_vec()),
    ),
    (
        "set_io_thread_params",
        "params",
        Keys::Fields(option_keys::IO_THREAD),
    ),
    (
        "set_scheduler_parameters",
        "params",
        Keys::Fields(option_keys::SCHEDULER),
    ),
    (
        "set_memory_parameters",
        "params",
        Keys::Fields(option_keys::MEMORY),
    ),
    (
        "set_blkio_parameters",
        "params",
        Keys::Fields(option_keys::BLKIO),
    ),
    (
        "set_numa_parameters",
        "params",
        Keys::Fields(option_keys::NUMA),
    ),
    (
        "set_interface_parameters",
        "params",
        Keys::Fields(option_keys::BANDWIDTH),
    ),
    (
        "set_block_io_tune",
        "params",
        Keys::Fields(option_keys::BLOCK_IO_TUNE),
    ),
    (
        "set_throttle_group",
        "params",
        Keys::Fields(option_keys::BLOCK_IO_TUNE),
    ),
    ("set_perf_events", "params", Keys::Fields(option_keys::PERF)),
    (
        "set_launch_security_state",
        "params",
        Keys::Named(|| option_keys::LAUNCH_SECRET.to_vec()),
    ),
    (
        "set_identity",
        "identity",
        Keys::Fields(option_keys::IDENTITY),
    ),
    (
        "set_parameters",
        "parameters",
        Keys::Fields(option_keys::PORT_BANDWIDTH),
    ),
    ("alloc_pages", "pages", Keys::Any),
    (
        "Connection.set_memory_parameters",
        "params",
        Keys::Named(|| option_keys::HOST_MEMORY.to_vec()),
    ),
];

/// The keys that the map which `function` takes as its parameter number `parameter` may have, the
/// receiver being number 0; nothing where it is no such map, or takes any.
pub fn option_keys(function: &Function, parameter: usize) -> Option<Vec<&'static str>> {
    let (name, kind) = function.parameters.get(parameter)?;
    if function.standard || *kind != Type::Map {
        return None;
    }
    let method = format!("{}.{}", function.receiver()?, function.name);
    let of = |wanted: &str| {
        MAPS.iter()
            .find(|(of, known, _)| *of == wanted && known == name)
    };
    let (.., keys) = of(&method).or_else(|| of(&function.name))?;
    match keys {
        Keys::Named(names) => Some(names()),
        Keys::Fields(prefix) => Some(constants::fields(prefix).collect()),
        Keys::Any => None,
    }
}

#[cfg(test)]
mod tests {
    use super::MAPS;
    use crate::catalog;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    /// Functions that take any map, as a value and not as options.
    const OF_VALUES: [&str; 7] = [
        "==",
        "!=",
        "debug",
        "print",
        "to_debug",
        "to_json",
        "to_string",
    ];

    #[test]
    fn of_every_map_that_a_native_function_takes_the_keys_are_known() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let mut taken: Vec<(String, String)> = Vec::new();
        for function in catalog::functions(&engine) {
            if OF_VALUES.contains(&function.name.as_str()) {
                continue;
            }
            let maps = function
                .parameters
                .iter()
                .filter(|(_, kind)| *kind == Type::Map);
            taken.extend(maps.map(|(name, _)| (function.name.clone(), name.clone())));
        }
        taken.sort();
        taken.dedup();
        let mut known: Vec<(String, String)> = MAPS
            .iter()
            .map(|(function, name, _)| {
                let (_, function) = function.split_once('.').unwrap_or(("", function));
                (function.to_owned(), (*name).to_owned())
            })
            .collect();
        known.sort();
        known.dedup();
        assert_eq!(known, taken);
    }
}
