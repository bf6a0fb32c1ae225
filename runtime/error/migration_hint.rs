//! Hints for failed migrations.

use virt_sys as sys;

use crate::libvirt::{Failure, NOT_OPENED};

/// Advice on the failure of a migration, if libvirt's message shows the reason.
pub(super) fn hint(failure: &Failure) -> Option<&'static str> {
    let message = failure.message.as_str();
    let code = u32::try_from(failure.code).unwrap_or_default();
    let about = |words: &[&str]| words.iter().all(|word| message.contains(word));
    let no_way = NOT_OPENED.iter().any(|words| message.contains(words));
    Some(match code {
        _ if no_way
            || about(&["unable to connect to server"])
            || about(&["Failed to connect socket"]) =>
        {
            "the guest's host opens the connection to the other host itself, as the user of its daemon: try `virsh -c URI list` there as that user, because libvirt uses the ssh keys and known hosts of that user; without VIR_MIGRATE_PEER2PEER, `migrate(connect(uri), ...)` uses the connection of the script"
        }
        sys::VIR_ERR_ARGUMENT_UNSUPPORTED if about(&["direct migration"]) => {
            "QEMU migrates to a URI only peer to peer: pass VIR_MIGRATE_PEER2PEER, or `migrate(connect(uri), ...)`"
        }
        _ if about(&["peer2peer flag"]) => {
            "add VIR_MIGRATE_PEER2PEER: the tunnel leads from one daemon to the other"
        }
        _ if about(&["persistent flag set"]) => {
            "VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST: an offline migration moves the definition, which must be persistent there"
        }
        _ if about(&["offline migration", "non-shared storage"]) => {
            "VIR_MIGRATE_OFFLINE moves the definition alone: leave out VIR_MIGRATE_NON_SHARED_DISK and _INC, and copy the disks yourself"
        }
        _ if about(&["tunnelled offline migration"]) => {
            "leave VIR_MIGRATE_TUNNELLED out: an offline migration has no memory to send"
        }
        _ if about(&["cannot migrate domain with", "snapshots"]) => {
            "libvirt does not migrate snapshots: `snapshot.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)` makes libvirt forget a snapshot and keeps its data; `snapshot_create_xml(xml, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)` defines it again on the other host"
        }
        sys::VIR_ERR_MIGRATE_UNSAFE if about(&["without shared storage"]) => {
            "the other host does not see these disks: VIR_MIGRATE_NON_SHARED_DISK copies them into images of the same size there; or put them on storage that both hosts share. use VIR_MIGRATE_UNSAFE only if both hosts see the same files"
        }
        sys::VIR_ERR_MIGRATE_UNSAFE => {
            "the disks may be damaged on shared storage with a cache: set cache='none', or accept the risk with VIR_MIGRATE_UNSAFE"
        }
        _ if about(&["to the same host"]) => {
            "source and destination are the same host: connect to another one"
        }
        _ if about(&["auto destroy"]) || about(&["autodestroy"]) => {
            "a guest that was started with VIR_DOMAIN_START_AUTODESTROY is not migrated: start it without that flag"
        }
        _ if about(&["already exists with uuid"]) || about(&["already defined with uuid"]) => {
            "the destination has a domain of that name or UUID: `destination_name` gives another name, or remove that domain there"
        }
        _ => return None,
    })
}

/// Advice on the failure of a migration with `flags`, if these are the likely reason.
pub(super) fn of_flags(failure: &Failure, flags: u32) -> Option<&'static str> {
    let message = failure.message.to_lowercase();
    let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let asked = |flag: u32| flags & flag != 0;
    if asked(sys::VIR_MIGRATE_OFFLINE) && about(&["direct migration"]) {
        return Some(
            "pass VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST to `migrate(connect(uri), ...)`; to a URI, QEMU migrates only peer to peer: add VIR_MIGRATE_PEER2PEER",
        );
    }
    if asked(sys::VIR_MIGRATE_TLS) && about(&["tls", "certificate", "x509", ".pem"]) {
        return Some(
            "VIR_MIGRATE_TLS needs certificates on both hosts: `ca-cert.pem`, `server-cert.pem`, `server-key.pem`, `client-cert.pem` and `client-key.pem` in /etc/pki/qemu, or in `migrate_tls_x509_cert_dir` of qemu.conf",
        );
    }
    if asked(sys::VIR_MIGRATE_POSTCOPY) && about(&["postcopy", "post-copy", "userfaultfd", "uffd"])
    {
        return Some(
            "VIR_MIGRATE_POSTCOPY needs a kernel with userfaultfd on both hosts; where QEMU does not run as root, it also needs `sysctl vm.unprivileged_userfaultfd=1`",
        );
    }
    None
}
