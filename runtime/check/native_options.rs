//! What the maps of options of native functions may hold.

use crate::api::option_keys::*;
use crate::catalog::Function;
use crate::constants;
use crate::objects::connection::CREDENTIALS;
use crate::spec::Type;

/// The keys of one map.
enum Keys {
    /// These.
    Listed(&'static [&'static str]),
    /// The typed parameters whose constants begin so.
    Fields(&'static str),
    /// The kinds of credentials.
    Credentials,
    /// Any: names of files, or whatever another program takes.
    Any,
}

use Keys::{Any, Credentials, Fields, Listed};

/// The keys of the maps that functions take, by the function's name; `Type.name` is the method of that type alone.
const MAPS: &[(&str, Keys)] = &[
    ("Connection.set_memory_parameters", Listed(&HOST_MEMORY)),
    ("agent", Any),
    ("agent_exec", Listed(&EXEC)),
    ("alloc_pages", Any),
    ("block_copy", Fields(BLOCK_COPY)),
    ("checked", Any),
    ("connect", Listed(&CONNECT)),
    ("connect_auth", Credentials),
    ("download_file", Listed(&TRANSFER)),
    ("events", Listed(&SUBSCRIBE)),
    ("fat_image", Any),
    ("migrate", Fields(MIGRATE)),
    ("migrate_to_uri", Fields(MIGRATE)),
    ("restore_params", Fields(SAVE)),
    ("save_params", Fields(SAVE)),
    ("set_blkio_parameters", Fields(BLKIO)),
    ("set_block_io_tune", Fields(BLOCK_IO_TUNE)),
    ("set_client_limits", Listed(&CLIENT_LIMITS)),
    ("set_identity", Fields(IDENTITY)),
    ("set_interface_parameters", Fields(BANDWIDTH)),
    ("set_io_thread_params", Fields(IO_THREAD)),
    ("set_launch_security_state", Listed(&LAUNCH_SECRET)),
    ("set_memory_parameters", Fields(MEMORY)),
    ("set_numa_parameters", Fields(NUMA)),
    ("set_parameters", Fields(PORT_BANDWIDTH)),
    ("set_perf_events", Fields(PERF)),
    ("set_scheduler_parameters", Fields(SCHEDULER)),
    ("set_throttle_group", Fields(BLOCK_IO_TUNE)),
    ("set_thread_pool_parameters", Listed(&THREAD_POOL)),
    ("set_time", Listed(&TIME)),
    ("stop", Listed(&STOP)),
    ("take", Any),
    ("upload_file", Listed(&TRANSFER)),
];

/// The keys that the map which `function` takes as its parameter number `parameter` may have, the
/// receiver being number 0; nothing where it is no such map, or takes any.
pub fn option_keys(function: &Function, parameter: usize) -> Option<Vec<&'static str>> {
    let (_, kind) = function.parameters.get(parameter)?;
    if function.standard || *kind != Type::Map {
        return None;
    }
    let method = format!("{}.{}", function.receiver()?, function.name);
    let of = |wanted: &str| MAPS.iter().find(|(name, _)| *name == wanted);
    let (_, keys) = of(&method).or_else(|| of(&function.name))?;
    match keys {
        Listed(names) => Some(names.to_vec()),
        Fields(prefix) => Some(constants::fields(prefix).collect()),
        Credentials => Some(CREDENTIALS.iter().map(|(name, _)| *name).collect()),
        Any => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        let mut taken = BTreeSet::new();
        for function in catalog::functions(&engine) {
            let takes_map = function
                .parameters
                .iter()
                .any(|(_, kind)| *kind == Type::Map);
            if takes_map && !OF_VALUES.contains(&function.name.as_str()) {
                taken.insert(function.name);
            }
        }
        let name = |(function, _): &(&str, _)| {
            let (_, name) = function.split_once('.').unwrap_or(("", function));
            name.to_owned()
        };
        let known: BTreeSet<String> = MAPS.iter().map(name).collect();
        assert_eq!(known, taken);
    }
}
