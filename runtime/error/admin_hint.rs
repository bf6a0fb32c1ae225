//! Advice on failures of the admin API.

use virt_sys as sys;

use crate::libvirt::Failure;
use crate::libvirt::library::PACKAGES;

/// Advice on the `failure` of `call`, if there is advice that is always true.
pub(super) fn hint(failure: &Failure, call: &str) -> Option<&'static str> {
    if call == "virAdmConnectOpen" {
        return opening(failure);
    }
    Some(match u32::try_from(failure.code).unwrap_or_default() {
        sys::VIR_ERR_NO_SERVER => "`list_servers()` lists the servers of the daemon",
        sys::VIR_ERR_NO_CLIENT => {
            "the client has disconnected: `list_clients()` lists the clients of the server"
        }
        _ => return None,
    })
}

fn opening(failure: &Failure) -> Option<&'static str> {
    if failure.message.contains("is not installed on this machine") {
        return Some(PACKAGES);
    }
    // libvirt gives errno in int1 for socket errors.
    let errno = i32::try_from(failure.int1).unwrap_or_default();
    match (u32::try_from(failure.code).unwrap_or_default(), errno) {
        (sys::VIR_ERR_OPERATION_TIMEOUT, _) => {
            Some("the daemon does not answer: look at its state and its log")
        }
        (_, libc::ENOENT | libc::ECONNREFUSED) => Some(
            "no daemon listens there: start it, or name its admin socket, as in libvirtd+unix:///system?socket=/PATH/libvirt-admin-sock",
        ),
        // The daemon closes the connection of another user without a message.
        (_, libc::EACCES | libc::ECONNRESET | libc::EPIPE) => Some(
            "only the user who runs the daemon may use its admin socket: root for libvirtd:///system",
        ),
        _ => None,
    }
}
