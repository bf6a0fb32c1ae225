//! Links to libvirt's documentation of functions.

/// The page of libvirt's own reference that has the C function `name`.
pub fn link(name: &str) -> String {
    format!(
        "https://libvirt.org/html/libvirt-{}.html#{name}",
        file(name)
    )
}

/// A part of a name, and the header that declares it; the first match counts.
const HEADERS: &[(&str, &str)] = &[
    ("virAdm", "libvirt-admin"),
    ("LastError", "virterror"),
    ("Snapshot", "libvirt-domain-snapshot"),
    ("Checkpoint", "libvirt-domain-checkpoint"),
    ("StorageVol", "libvirt-storage"),
    ("StoragePool", "libvirt-storage"),
    ("virNetwork", "libvirt-network"),
    ("virInterface", "libvirt-interface"),
    ("NWFilter", "libvirt-nwfilter"),
    ("NodeDevice", "libvirt-nodedev"),
    ("virSecret", "libvirt-secret"),
    ("virStream", "libvirt-stream"),
    ("virEvent", "libvirt-event"),
    ("virTyped", "libvirt-common"),
    ("Domain", "libvirt-domain"),
    ("virNodeListDevices", "libvirt-nodedev"),
    ("virNodeNumOfDevices", "libvirt-nodedev"),
    ("virNode", "libvirt-host"),
    ("Network", "libvirt-network"),
    ("Interface", "libvirt-interface"),
    ("Secret", "libvirt-secret"),
];

fn file(name: &str) -> &'static str {
    HEADERS
        .iter()
        .find(|(part, _)| name.contains(part))
        .map_or("libvirt-host", |(_, file)| file)
}
