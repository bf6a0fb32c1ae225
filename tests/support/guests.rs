//! The guests that `make guests` builds.

use std::path::PathBuf;

use super::{Scratch, skip};

fn built(path: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/guests")
        .join(path);
    assert!(
        path.exists(),
        "{} is missing: `make guests` builds it",
        path.display()
    );
    path
}

/// A file of the micro guests, such as `counter.img`.
pub fn micro(name: &str) -> PathBuf {
    built(&format!("micro/{name}"))
}

/// A file of the tiny Linux guest, `vmlinuz` or `initramfs.gz`.
pub fn tiny(name: &str) -> PathBuf {
    built(&format!("tiny/{name}"))
}

/// The XML of a micro guest that boots from the disk image `disk`.
///
/// A script can open its console; all that it prints is also kept in the file `console`.
pub fn micro_xml(name: &str, disk: &str, console: &str) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>\
         <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>\
         <devices><disk type='file' device='disk'><driver name='qemu' type='raw'/>\
         <source file='{disk}'/><target dev='hda' bus='ide'/></disk>\
         <serial type='pty'><log file='{console}' append='on'/></serial>\
         </devices></domain>"
    )
}

/// The XML of the tiny Linux guest, which boots from the kernel and whose files go to `scratch`; it
/// has `devices` besides its console.
pub fn tiny_xml(scratch: &Scratch, name: &str, devices: &str) -> String {
    linux_xml(scratch, name, "initramfs.gz", 128, devices)
}

/// The XML of the tiny Linux guest with QEMU's guest agent, and a disk `vda` that it mounts.
pub fn agent_xml(scratch: &Scratch, name: &str, devices: &str) -> String {
    let disk = scratch.write(&format!("{name}.img"), "");
    let sized = std::fs::File::options().write(true).open(&disk);
    let sized = sized.and_then(|file| file.set_len(16 << 20));
    sized.expect("the image is the test's own");
    let disk = disk.display();
    let devices = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/>\
         <source file='{disk}'/><target dev='vda' bus='virtio'/></disk>\
         <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\
         {devices}"
    );
    linux_xml(scratch, name, "initramfs-agent.gz", 160, &devices)
}

/// Linux stops when its timer test finds too few ticks, which happens to an emulated guest on a
/// busy host. `no_timer_check` skips the test.
fn linux_xml(scratch: &Scratch, name: &str, initrd: &str, mib: u32, devices: &str) -> String {
    let kernel = scratch.copy(&tiny("vmlinuz"), "vmlinuz");
    let initrd = scratch.copy(&tiny(initrd), initrd);
    let console = scratch.text(&format!("{name}.console"));
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>{mib}</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{}</kernel><initrd>{}</initrd>\
         <cmdline>console=ttyS0 quiet no_timer_check</cmdline></os><features><acpi/></features>\
         <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>\
         <devices>{devices}<serial type='pty'><log file='{console}' append='on'/></serial>\
         </devices></domain>",
        kernel.display(),
        initrd.display(),
    )
}

/// True if this machine has UEFI firmware for guests; if not, prints that a test is skipped.
pub fn has_uefi() -> bool {
    let descriptions = std::fs::read_dir("/usr/share/qemu/firmware");
    let found = descriptions.is_ok_and(|entries| entries.count() > 0);
    if !found {
        skip("no UEFI firmware is installed (on Debian, the package ovmf)");
    }
    found
}
