//! The keys that functions know in their maps of options: what they check, and what completion
//! offers.

use crate::constants;
use crate::libvirt::events;

enum Keys {
    Listed(&'static [&'static str]),
    /// The typed parameters whose constants begin so.
    Fields(&'static str),
}

use Keys::{Fields, Listed};

const TRANSFER: Keys = Listed(&["offset", "length", "sparse", "progress"]);

/// The keys by the functions that take them.
const KNOWN: &[(&str, Keys)] = &[
    ("agent_exec", Listed(&["input", "env", "timeout"])),
    ("block_copy", Fields("VIR_DOMAIN_BLOCK_COPY_")),
    ("connect", Listed(&["read_only", "timeout"])),
    (
        "connect_auth",
        Listed(&[
            "username",
            "authname",
            "language",
            "cnonce",
            "passphrase",
            "password",
            "realm",
        ]),
    ),
    ("download_file", TRANSFER),
    ("migrate", Fields("VIR_MIGRATE_PARAM_")),
    ("migrate_to_uri", Fields("VIR_MIGRATE_PARAM_")),
    ("restore_params", Fields("VIR_DOMAIN_SAVE_PARAM_")),
    ("save_params", Fields("VIR_DOMAIN_SAVE_PARAM_")),
    ("set_time", Listed(&["seconds", "nseconds"])),
    ("stop", Listed(&["shutdown", "agent", "destroy"])),
    ("upload_file", TRANSFER),
    // What each kind of event has besides is libvirt's.
    ("wait_event", Listed(&["kind", "uuid", "event", "detail"])),
];

/// The keys that the function `name` knows in its options; none where it takes any, or no map.
pub(crate) fn option_keys(name: &str) -> Vec<&'static str> {
    let keys = KNOWN.iter().find(|(function, _)| *function == name);
    let mut keys = match keys {
        Some((_, Listed(keys))) => keys.to_vec(),
        Some((_, Fields(prefix))) => constants::fields(prefix).collect(),
        None => Vec::new(),
    };
    if name == "wait_event" {
        keys.extend(events::FAMILIES.iter().map(|family| family.noun));
    }
    keys
}
