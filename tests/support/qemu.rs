//! The ports and processes of a host's QEMU.

use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Scratch;

/// Lines of `qemu.conf` with a range of ports for migrations and graphics that no other host uses. Two hosts that look
/// for a free port at the same time would otherwise find the same one.
pub fn qemu_ports() -> String {
    static HOSTS: AtomicU32 = AtomicU32::new(0);
    let host = HOSTS.fetch_add(1, Ordering::Relaxed) % 4;
    let first = 20_000 + std::process::id() % 1_000 * 32 + host * 8;
    let last = first + 7;
    ["migration", "remote_display", "remote_websocket"]
        .map(|kind| format!("{kind}_port_min = {first}\n{kind}_port_max = {last}\n"))
        .concat()
}

/// Ends the QEMU processes of the folder.
pub fn end_qemu(scratch: &Scratch) {
    for pid in qemu_processes(scratch) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// The QEMU processes whose command line names the folder: guests, and processes that libvirt
/// probes. Pid files are not reliable: one that outlives its process may name another process.
pub fn qemu_processes(scratch: &Scratch) -> Vec<Pid> {
    let folder = scratch.text("");
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|pid| pid.parse().ok())
        else {
            continue;
        };
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        let program = command.split('\0').next().unwrap_or_default();
        if program.contains("qemu-system") && command.contains(&folder) {
            found.push(Pid::from_raw(pid));
        }
    }
    found
}
