//! Hints for failures.

use virt_sys as sys;

use super::{admin_hint, domain_hint, flags_hint, migration_hint};
use crate::advice::suggest;
use crate::libvirt::{Failure, FailureKind};

/// The first words of the URIs that libvirt knows.
const DRIVERS: &[&str] = &[
    "bhyve",
    "ch",
    "esx",
    "gsx",
    "hyperv",
    "interface",
    "libxl",
    "lxc",
    "network",
    "nodedev",
    "nwfilter",
    "openvz",
    "qemu",
    "remote",
    "secret",
    "storage",
    "test",
    "vbox",
    "vmwareplayer",
    "vmwarews",
    "vmwarefusion",
    "vpx",
    "vz",
    "parallels",
    "xen",
    "xenapi",
];

const LIKE: &str = "qemu:///system, qemu+ssh://host/system, test:///default";

/// Advice on a host that requires a login. It must not look like a map with a password: that would be hidden.
const LOG_IN: &str = "the host requires a login, or has refused this one: give `connect_auth` the right user name and password, as `virhai doc connect_auth` shows";

/// Advice that is better replaced by the state itself.
pub(super) const ASK_STATE: &str = "`state()` returns the state of the domain";

/// Advice on `failure`, if there is advice that is true in every case.
pub(super) fn hint(failure: &Failure, call: &str, uri: &str) -> Option<String> {
    if call.starts_with("virConnectOpen") {
        // The call was stopped, and the URI is correct.
        if failure.code == i64::from(sys::VIR_ERR_OPERATION_ABORTED) {
            return None;
        }
        return Some(connection_hint(failure, uri));
    }
    let opener = match call.starts_with("virAdm") {
        true => "connect_admin(uri)",
        false => "connect(uri)",
    };
    match failure.kind {
        FailureKind::NeverSent => {
            return Some(format!(
                "the connection was lost before this call, which had no effect: connect again with `{opener}`"
            ));
        }
        FailureKind::LostConnection => {
            return Some(format!(
                "the connection was lost during this call, and its outcome is unknown: connect again with `{opener}`, and check the result"
            ));
        }
        _ => {}
    }
    if call.starts_with("virAdm") {
        return admin_hint::hint(failure, call).map(str::to_owned);
    }
    if let Some(advice) = image_hint(failure.message.as_str()) {
        return Some(advice.into());
    }
    if ["virStorage", "virConnectFindStorage", "virStream"]
        .iter()
        .any(|begin| call.starts_with(begin))
        && let Some(advice) = storage_hint(failure, call)
    {
        return Some(advice.into());
    }
    let code = u32::try_from(failure.code).unwrap_or_default();
    let message = failure.message.as_str();
    if call.starts_with("virNetwork")
        && let Some(advice) = network_hint(code, message)
    {
        return Some(advice.into());
    }
    if let Some(advice) = flags_hint::hint(failure, call, uri) {
        return Some(advice);
    }
    if call.starts_with("virDomainMigrate")
        && let Some(advice) = migration_hint::hint(failure)
    {
        return Some(advice.into());
    }
    if call.starts_with("virDomain")
        && let Some(advice) = domain_hint::hint(failure, call)
    {
        return Some(advice);
    }
    let advice = match code {
        sys::VIR_ERR_OPERATION_DENIED if message.contains("read only") => {
            "the connection is read-only: open it with `connect(uri)`, without `--readonly`"
        }
        sys::VIR_ERR_AUTH_UNAVAILABLE | sys::VIR_ERR_AUTH_FAILED | sys::VIR_ERR_AUTH_CANCELLED => {
            LOG_IN
        }
        // Drivers differ in the code for the same misuse, the test driver most of all.
        sys::VIR_ERR_OPERATION_INVALID | sys::VIR_ERR_INTERNAL_ERROR
            if message.contains("not running") =>
        {
            "the domain must be running: `create()` starts it, `state()` returns its state"
        }
        sys::VIR_ERR_OPERATION_INVALID | sys::VIR_ERR_INTERNAL_ERROR
            if message.contains("already running") =>
        {
            "the domain already runs; `state()` returns its state"
        }
        sys::VIR_ERR_OPERATION_INVALID if call.starts_with("virDomain") => ASK_STATE,
        sys::VIR_ERR_INTERNAL_ERROR if message.contains("No more available PCI slots") => {
            "the guest has no free PCI port: `dom.edit(|xml| xml.insert(\"devices\", \"<controller type='pci' model='pcie-root-port'/>\"))` adds one for the next start (on a `pc` machine, of the model `pci-bridge`)"
        }
        sys::VIR_ERR_INTERNAL_ERROR
            if ["-accel kvm", "KVM kernel module", "/dev/kvm"]
                .iter()
                .any(|words| message.contains(words))
                || (message.contains("closed the monitor") && message.contains("kvm")) =>
        {
            "KVM does not work on this host: a domain of type `qemu` is emulated, which recipes do for `virt_type: \"qemu\"`"
        }
        sys::VIR_ERR_INTERNAL_ERROR if message.contains("wrong nlmsg len") => {
            "the host's libvirt is too old to read the ARP table of its kernel: pass VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, or VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT"
        }
        sys::VIR_ERR_XML_INVALID_SCHEMA => {
            "for libvirt's schema, see https://libvirt.org/formatdomain.html"
        }
        // virhai's own errors in XML explain themselves.
        sys::VIR_ERR_XML_ERROR | sys::VIR_ERR_XML_DETAIL if !call.is_empty() => {
            "libvirt does not accept this XML: for the format, see https://libvirt.org/formatdomain.html"
        }
        sys::VIR_ERR_NO_NAME => {
            "an object that is defined or created needs a name: `<name>web</name>`"
        }
        sys::VIR_ERR_NO_SUPPORT if uri.contains(":///embed") && !call.starts_with("virDomain") => {
            "an embedded QEMU has no storage pools, networks, secrets or devices of the host: name disks by their paths, or connect to a daemon, such as qemu:///system"
        }
        sys::VIR_ERR_NO_SUPPORT => "this hypervisor driver does not have that call",
        sys::VIR_ERR_ARGUMENT_UNSUPPORTED | sys::VIR_ERR_AGENT_UNRESPONSIVE
            if message.contains("guest agent") =>
        {
            "the guest needs qemu-guest-agent and a channel named org.qemu.guest_agent.0"
        }
        sys::VIR_ERR_AGENT_COMMAND_TIMEOUT => {
            "the agent did not answer in time, and may still run the command: raise the limit with `agent_set_response_timeout`"
        }
        _ if failure.tray_is_closed() => {
            "the guest keeps its CD drive closed: unmount the CD in the guest, or pass VIR_DOMAIN_DEVICE_MODIFY_FORCE"
        }
        _ if message.contains("lock file")
            && message.contains("LCK..")
            && message.contains("No such file") =>
        {
            "the folder of that lock file is missing: create it; normally the host's start-up does that"
        }
        // Left by a process that was killed, and not to be removed by another user.
        _ if message.contains("lock file") && message.contains("LCK..") => {
            "another program has this console open, or was killed while it used the console: if it was killed, remove that file, as its owner or as root"
        }
        sys::VIR_ERR_INVALID_CONN if message.contains("is closed") => {
            "open it again with `connect(uri)`"
        }
        _ => return None,
    };
    Some(advice.into())
}

/// Advice on files that the host or its QEMU cannot write or read, whichever call met them.
fn image_hint(message: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&["No space left on device", "Disk quota exceeded"]) {
        return Some(
            "make space there, or choose another pool or folder: `info().available_bytes` of a pool is its free space",
        );
    }
    if says(&["Unable to load module", "Unknown driver '"]) {
        return Some(
            "the host's QEMU lacks the part for this kind of storage: install it there, such as the package qemu-block-extra (Debian, Ubuntu) or qemu-block-curl (Fedora)",
        );
    }
    if says(&["missing parser implementation for JSON backing volume driver"]) {
        return Some(
            "the image names its backing image in a form that libvirt does not know: `qemu-img rebase -u -F FORMAT -b PATH IMAGE` on the host names it by its path",
        );
    }
    says(&["encrypt.key-secret"]).then_some(
        "the image is encrypted: give the disk as XML with `<encryption>`, which names the secret with the key",
    )
}

/// Advice on a failure of pools, volumes and streams.
fn storage_hint(failure: &Failure, call: &str) -> Option<&'static str> {
    let code = u32::try_from(failure.code).unwrap_or_default();
    let message = failure.message.as_str();
    Some(match code {
        sys::VIR_ERR_STORAGE_VOL_EXIST => {
            "choose another name, or delete the volume first: `storage_vol_lookup_by_name(name).delete()`"
        }
        sys::VIR_ERR_OPERATION_INVALID if message.contains("is not active") => {
            "the pool must be started: `create()` starts it, `build()` creates its storage first"
        }
        sys::VIR_ERR_OPERATION_INVALID if message.contains("already active") => {
            "the pool is already started; `info().state` has its state"
        }
        sys::VIR_ERR_OPERATION_INVALID if message.contains("is active") => {
            "the pool is started: `destroy()` stops it, and keeps its volumes"
        }
        sys::VIR_ERR_INVALID_ARG if message.contains("shrink") => {
            "VIR_STORAGE_VOL_RESIZE_SHRINK allows it, and cuts off the data beyond the new end"
        }
        sys::VIR_ERR_SYSTEM_ERROR
            if message.contains("cannot open directory") && call != "virStoragePoolCreate" =>
        {
            "the folder of a storage pool is missing on the host, and libvirt has stopped the pool: mount or create the folder, then `create()` starts the pool"
        }
        sys::VIR_ERR_SYSTEM_ERROR if call == "virStoragePoolCreate" => {
            "`build()` creates the pool's storage, such as its folder"
        }
        sys::VIR_ERR_NO_SUPPORT if call.starts_with("virStream") => {
            "the stream is not connected: call `volume.upload(stream, ...)` or `volume.download(stream, ...)` first, and `finish()` last"
        }
        sys::VIR_ERR_XML_ERROR | sys::VIR_ERR_XML_DETAIL | sys::VIR_ERR_XML_INVALID_SCHEMA => {
            "libvirt does not accept this XML: for the format, see https://libvirt.org/formatstorage.html"
        }
        _ => return None,
    })
}

/// Advice on a failed call about networks, if that for guests would be wrong.
fn network_hint(code: u32, message: &str) -> Option<&'static str> {
    if let Some(advice) = update_hint(message) {
        return Some(advice);
    }
    Some(match code {
        sys::VIR_ERR_OPERATION_INVALID if message.contains("already") => {
            "the network is already active; check `is_active()`"
        }
        sys::VIR_ERR_OPERATION_INVALID if message.contains("not active") => {
            "the network must be up: `create()` starts it"
        }
        sys::VIR_ERR_OPERATION_INVALID => "`is_active()` tells whether the network is up",
        sys::VIR_ERR_XML_INVALID_SCHEMA => {
            "for libvirt's schema, see https://libvirt.org/formatnetwork.html"
        }
        sys::VIR_ERR_XML_ERROR | sys::VIR_ERR_XML_DETAIL => {
            "libvirt does not accept this XML: for the format, see https://libvirt.org/formatnetwork.html"
        }
        _ => return None,
    })
}

/// Advice on an update of a part of a network that is there already, or not there.
fn update_hint(message: &str) -> Option<&'static str> {
    if message.contains("there is an existing") || message.contains("there is already") {
        return Some(
            "it already exists: VIR_NETWORK_UPDATE_COMMAND_MODIFY changes the host with that MAC address or name, VIR_NETWORK_UPDATE_COMMAND_DELETE removes it first",
        );
    }
    message.contains("couldn't locate").then_some(
        "it does not exist: VIR_NETWORK_UPDATE_COMMAND_ADD_LAST adds it, and `xml()` shows the network's entries; VIR_NETWORK_UPDATE_AFFECT_LIVE and _CONFIG change separate lists",
    )
}

/// The user or group that libvirt would give QEMU to and that this host does not have.
fn missing_account(message: &str) -> Option<&str> {
    let name = ["Failed to parse user '", "Failed to parse group '"]
        .iter()
        .find_map(|words| message.split_once(words));
    name?.1.split('\'').next()
}

/// Advice on certificates and host keys that are not trusted.
fn certificate_hint(message: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&["SSH HOST KEY VERIFICATION FAILED"]) {
        return Some(
            "the host's key has changed: if the host was reinstalled, `ssh-keygen -R HOST -f FILE` removes the old key from the file of known hosts",
        );
    }
    if says(&[
        "Host key verification failed",
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
    ]) {
        return Some(
            "ssh does not know the host's key, or the key has changed: compare the key, connect once with `ssh HOST`, or remove an old key with `ssh-keygen -R HOST`",
        );
    }
    // The daemon sends no more details to the client.
    if says(&["TLS confirmation", "verification (TLS) by server failed"]) {
        return Some(
            "the host refused this machine's certificate: the daemon's log has the reason, such as a revoked certificate or an unknown authority",
        );
    }
    if says(&["verify peer's certificate"]) {
        return Some(
            "the host's certificate does not have the name in the URI, or this machine does not trust its authority",
        );
    }
    says(&["certificate", "Certificate", "TLS"]).then_some(
        "https://libvirt.org/kbase/tlscerts.html describes the certificates that the host and this machine need",
    )
}

fn connection_hint(failure: &Failure, uri: &str) -> String {
    let message = failure.message.as_str();
    let code = u32::try_from(failure.code).unwrap_or_default();
    // libvirt gives errno in int1 for socket errors.
    let errno = i32::try_from(failure.int1).unwrap_or_default();
    let scheme = uri.split([':', '+']).next().unwrap_or_default();
    // libvirt takes an unknown scheme for that of a remote daemon, and reports why it cannot
    // connect to the daemon.
    if !uri.is_empty() && !DRIVERS.contains(&scheme) {
        let wrong = match uri.contains(':') {
            true => format!("libvirt has no driver `{scheme}`"),
            false => format!("`{uri}` is not a URI"),
        };
        return match suggest::nearest(scheme, DRIVERS.iter().copied()) {
            Some(near) if uri.contains(':') => format!("{wrong}: did you mean `{near}`?"),
            _ => format!("{wrong}: URIs look like {LIKE}"),
        };
    }
    if let Some(name) = missing_account(message) {
        return format!(
            "as root, libvirt opens QEMU only where `{name}` exists: install the package libvirt-daemon-system, which adds it, or run virhai as an ordinary user"
        );
    }
    if message.contains("URI parameter 'root'") && !uri.contains("/embed") {
        return "a process with an embedded QEMU opens no other QEMU host of this machine afterwards: connect to that host first, or in another run of virhai".into();
    }
    if message.contains("Could not resolve hostname")
        || message.contains("Name or service not known")
    {
        let ssh = if uri.contains("ssh:") {
            ", `~/.ssh/config`"
        } else {
            ""
        };
        return format!(
            "the name of the host is unknown: check its spelling{ssh} and the name server"
        );
    }
    if message.contains("Permission denied (") {
        return "ssh could not log in: try `ssh USER@HOST true`, and name the user in the URI, as in qemu+ssh://USER@HOST/system".into();
    }
    if let Some(advice) = certificate_hint(message) {
        return advice.into();
    }
    match errno {
        libc::ECONNREFUSED if message.contains("unable to connect to server at") => {
            let transport = if uri.contains("+tcp:") { "tcp" } else { "tls" };
            return format!(
                "no libvirt daemon listens on that port: start its socket on that host (`systemctl start libvirtd-{transport}.socket`)"
            );
        }
        libc::ENOENT | libc::ECONNREFUSED if message.contains("socket") || message.contains("connect") => {
            return "no libvirt daemon listens there: start it (`systemctl start libvirtd`), or use `qemu:///embed?root=DIR`, which needs none".into();
        }
        libc::EACCES => return "this user may not use that socket: join the group `libvirt`, or use qemu:///session".into(),
        _ => {}
    }
    match code {
        sys::VIR_ERR_OPERATION_TIMEOUT => {
            "the host does not answer: check whether its libvirt daemon runs".into()
        }
        sys::VIR_ERR_NO_CONNECT | sys::VIR_ERR_INVALID_ARG | sys::VIR_ERR_CONFIG_UNSUPPORTED => {
            format!("check the URI `{uri}`: libvirt URIs look like {LIKE}")
        }
        sys::VIR_ERR_AUTH_UNAVAILABLE | sys::VIR_ERR_AUTH_FAILED | sys::VIR_ERR_AUTH_CANCELLED => {
            LOG_IN.into()
        }
        _ => "https://libvirt.org/uri.html describes the forms of URIs".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::image_hint;

    #[test]
    fn what_qemu_lacks_or_cannot_read_has_a_hint() {
        for (message, words) in [
            (
                "QEMU unexpectedly closed the monitor (vm='cd'): Unable to load module curl. Perhaps you want to install qemu-block-extra",
                "qemu-block-extra (Debian, Ubuntu)",
            ),
            (
                "QEMU unexpectedly closed the monitor (vm='cd'): -blockdev {}: Unknown driver 'http'",
                "qemu-block-curl (Fedora)",
            ),
            (
                "internal error: missing parser implementation for JSON backing volume driver 'qcow2'",
                "`qemu-img rebase -u",
            ),
            (
                "Parameter 'encrypt.key-secret' is required for cipher",
                "`<encryption>`",
            ),
        ] {
            assert!(
                image_hint(message).is_some_and(|hint| hint.contains(words)),
                "{message}"
            );
        }
        assert_eq!(image_hint("Permission denied"), None);
    }
}
