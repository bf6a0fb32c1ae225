//! Hints for failures of calls on guests other than migrations.

use virt_sys as sys;

use crate::libvirt::Failure;

/// Advice on `failure` of the call `call` about a guest, if there is advice that is true in every case.
pub(super) fn hint(failure: &Failure, call: &str) -> Option<String> {
    let message = failure.message.as_str();
    let about = |words: &[&str]| words.iter().all(|word| message.contains(word));
    let code = u32::try_from(failure.code).unwrap_or_default();
    if call.starts_with("virDomainUndefine") {
        return undefine_hint(message).map(str::to_owned);
    }
    if about(&["already exists with uuid"]) || about(&["already defined with uuid"]) {
        return Some(name_hint(message, call));
    }
    if let Some(advice) = lacking(message) {
        return Some(advice.to_owned());
    }
    let advice = match code {
        sys::VIR_ERR_OPERATION_INVALID if about(&["not have managed save"]) => {
            "`managed_save()` creates one, `has_managed_save_image()` tells whether one exists"
        }
        sys::VIR_ERR_OPERATION_INVALID if about(&["managed save", "transient"]) => {
            "`guest::keep(dom)` of `std/guest` makes it persistent; `save(path)` saves it as it is"
        }
        sys::VIR_ERR_OPERATION_INVALID if about(&["managed saved state", "renamed"]) => {
            "resume the saved guest with `create()` or discard its save with `managed_save_remove()`, then rename it"
        }
        _ if about(&["autodestroy not supported"]) => {
            "an embedded hypervisor has no VIR_DOMAIN_START_AUTODESTROY: start the guest without it, and `destroy()` it at the end, in `all_or_nothing` by `undo.push(|| dom.destroy())`"
        }
        sys::VIR_ERR_OPERATION_INVALID if about(&["autodestroy"]) || about(&["auto destroy"]) => {
            "a domain started with VIR_DOMAIN_START_AUTODESTROY cannot do this"
        }
        _ if about(&["does not support virt type 'kvm'"])
            || about(&["preferred machine", "type=kvm"]) =>
        {
            "this host cannot use KVM: `<domain type='qemu'>` emulates, as recipes do for `virt_type: \"qemu\"`"
        }
        _ if about(&["does not support virt type"]) || about(&["preferred machine"]) => {
            "`get_domain_capabilities()` has the type that this host prefers in `domain`; `<domain type='qemu'>` emulates"
        }
        sys::VIR_ERR_CONFIG_UNSUPPORTED if about(&["does not support machine type"]) => {
            "without `machine` in <type>, libvirt uses the host's default; `get_capabilities()` lists all"
        }
        sys::VIR_ERR_SYSTEM_ERROR if writes(call) && names_a_file(message) => {
            "this is a path on the host, not on this machine: its folder must exist there, and libvirt must be able to write to it"
        }
        sys::VIR_ERR_SYSTEM_ERROR | sys::VIR_ERR_OPERATION_FAILED
            if call.starts_with("virDomainRestore") && names_a_file(message) =>
        {
            "this is a path on the host, not on this machine: the file must exist there, and libvirt must be able to read it"
        }
        sys::VIR_ERR_SNAPSHOT_REVERT_RISKY if about(&["managed saved state"]) => {
            "`managed_save_remove()` discards the managed save image, which does not fit the disks of the snapshot"
        }
        _ if about(&["Failed to get", "lock"]) && about(&["using the image"]) => {
            "another guest or program uses this image, and two writers would damage it: `list_all_domains()` with `xml()` shows the guests' disks; add <readonly/> to a disk that all guests only read, and <shareable/> to a raw disk that is made for sharing"
        }
        _ if about(&["Cannot access storage file"]) => {
            "this is a path on the host, not on this machine: the file must exist there and be readable for the user that QEMU runs as"
        }
        _ => return None,
    };
    Some(advice.into())
}

/// Advice on what the host lacks for a guest.
fn lacking(message: &str) -> Option<&'static str> {
    let says = |words: &str| message.contains(words);
    Some(
        if says("Failed to find an available port") || says("Address already in use") {
            "another program of the host uses this port: give the screen or the device another port; libvirt chooses a free one for a screen with autoport='yes', as recipes do"
        } else if says("cannot set up guest memory") || says("Cannot allocate memory") {
            "the host has too little free memory for this guest: `conn.get_free_memory()` returns it in bytes"
        } else if says("virtiofsd") {
            "install virtiofsd on the host, or share the folder by 9p: `driver: \"9p\"` of the option `filesystems`"
        } else if says("could not open kernel file") || says("could not load kernel") {
            "this is a path on the host, not on this machine: the kernel must exist there and be readable for the user that QEMU runs as"
        } else if says("hugetlbfs") {
            "the host has no huge pages for guests: mount hugetlbfs and reserve pages there (`vm.nr_hugepages`), or leave out `hugepages`"
        } else if says("CPU mode 'host-passthrough'") || says("CPU mode 'host-model'") {
            "this CPU needs KVM: leave out `cpu`, or use the mode `maximum` for an emulated guest"
        } else if says("Unable to find 'bios' firmware") {
            "leave out the firmware: a guest without it has the BIOS of its machine type"
        } else if says("spice graphics are not supported") {
            "the host's QEMU was built without SPICE: use `graphics: \"vnc\"`"
        } else if says("not supported without spice graphics") {
            "add SPICE graphics, `graphics: \"spice\"`, or give the device another connection with the option `type`, such as \"unix\" or \"tcp\""
        } else if says("Missing source path attribute for char device") {
            "name the device, file or socket on the host: the option `path`, or `<source path='...'/>` in XML"
        } else if says("non-migratable device") || says("not migratable") {
            "a device of the guest prevents that: remove it from the running guest with `detach_device`, or shut the guest down instead"
        } else if says("bridge.conf") || says("failed to parse default acl file") {
            "QEMU's bridge helper must allow the bridge: add `allow BRIDGE` to the host's /etc/qemu/bridge.conf, or connect to qemu:///system"
        } else if says("cgroup") && says("not mounted") {
            "this needs cgroups, which libvirt does not have in a user session or a container: connect to qemu:///system"
        } else {
            return None;
        },
    )
}

fn undefine_hint(message: &str) -> Option<&'static str> {
    let of = |word: &str| message.contains("domain with") && message.contains(word);
    Some(if of("snapshots") {
        "VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA makes libvirt forget them; `list_all_snapshots()` lists them"
    } else if of("checkpoints") {
        "VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA makes libvirt forget them"
    } else if of("nvram") {
        "VIR_DOMAIN_UNDEFINE_NVRAM deletes it with its boot entries, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM keeps it"
    } else if message.contains("managed save") {
        "a managed save image exists: pass VIR_DOMAIN_UNDEFINE_MANAGED_SAVE, or `managed_save_remove()` first"
    } else {
        return None;
    })
}

/// Advice if the name or the UUID in XML belongs to another domain already.
fn name_hint(message: &str, call: &str) -> String {
    let name = message.split('\'').nth(1).unwrap_or("the domain");
    if message.contains("already defined with uuid") {
        return format!(
            "its <uuid> belongs to `{name}`: leave <uuid> out for a new domain; to change `{name}`, keep its <name>"
        );
    }
    let uuid = message.rsplit(' ').next().unwrap_or_default();
    match call.contains("Create") || call.contains("Restore") {
        true => format!(
            "choose another <name>, or use the domain that exists: `lookup_by_name(\"{name}\")`"
        ),
        false => format!(
            "to change that domain or make it persistent, use `dom.edit(...)` or `guest::keep(dom)`, or put its `<uuid>{uuid}</uuid>` into the XML; for a new domain, choose another <name>"
        ),
    }
}

/// True if the call writes a file whose path the script gives.
fn writes(call: &str) -> bool {
    ["virDomainSave", "virDomainCoreDump", "virDomainScreenshot"]
        .iter()
        .any(|begin| call.starts_with(begin))
}

fn names_a_file(message: &str) -> bool {
    ["create file", "open file", "create directory"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::{hint, lacking};
    use crate::libvirt::Failure;

    #[test]
    fn a_host_that_lacks_something_for_a_guest_has_a_hint() {
        for (message, words) in [
            (
                "-vnc 127.0.0.1:0: Failed to find an available port: Address already in use",
                "autoport='yes'",
            ),
            (
                "cannot set up guest memory 'pc.ram': Cannot allocate memory",
                "`conn.get_free_memory()`",
            ),
            (
                "operation failed: Unable to find a satisfying virtiofsd",
                "install virtiofsd",
            ),
            (
                "qemu: could not open kernel file '/k': No such file or directory",
                "the kernel must exist there",
            ),
            (
                "internal error: hugetlbfs filesystem is not mounted or disabled by administrator config",
                "vm.nr_hugepages",
            ),
            (
                "unsupported configuration: CPU mode 'host-passthrough' for x86_64 qemu domain is not supported by hypervisor",
                "needs KVM",
            ),
            (
                "operation failed: Unable to find 'bios' firmware that is compatible with the current configuration",
                "leave out the firmware",
            ),
            (
                "unsupported configuration: spice graphics are not supported with this QEMU",
                "`graphics: \"vnc\"`",
            ),
            (
                "State blocked by non-migratable device '0000:00:05.0/virtio-crypto'",
                "`detach_device`",
            ),
            (
                "Requested operation is not valid: cgroup CPUACCT controller is not mounted",
                "qemu:///system",
            ),
        ] {
            assert!(
                lacking(message).is_some_and(|hint| hint.contains(words)),
                "{message}"
            );
        }
        assert_eq!(lacking("Permission denied"), None);
    }

    #[test]
    fn what_a_definition_drags_along_has_a_flag() {
        let told = |message: &str| {
            let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
            hint(&failure, "virDomainUndefine").unwrap_or_default()
        };
        for (message, flag) in [
            (
                "cannot delete inactive domain with 1 checkpoints",
                "UNDEFINE_CHECKPOINTS_METADATA",
            ),
            (
                "cannot delete inactive domain with 2 snapshots",
                "UNDEFINE_SNAPSHOTS_METADATA",
            ),
            ("cannot undefine domain with nvram", "UNDEFINE_KEEP_NVRAM"),
            (
                "Refusing to undefine while domain managed save image exists",
                "UNDEFINE_MANAGED_SAVE",
            ),
        ] {
            assert!(told(message).contains(flag), "{message}: {}", told(message));
        }
    }
}
