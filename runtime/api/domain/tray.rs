//! Updates a device, and waits for the tray of a CD drive that the guest is moving or has locked.

use std::time::{Duration, Instant};

use rhai::NativeCallContext;

use crate::api::prelude::pause;
use crate::libvirt::Failure;
use crate::objects::domain::Domain;

/// Time limit for a guest to open its tray after the request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time between two attempts. libvirt has no reliable event for the tray.
const PAUSE: Duration = Duration::from_millis(250);

/// Updates a device of `dom` to match `xml`.
///
/// QEMU asks a guest that has locked its drive to open the tray, and libvirt gives it five seconds.
/// A guest that boots can close the tray between two steps of libvirt. Neither changes the medium,
/// so the update is tried again for some seconds.
pub(crate) fn update(
    ctx: &NativeCallContext,
    dom: &Domain,
    xml: &str,
    flags: u32,
) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let xml = xml.to_owned();
        let done = dom.attempt("virDomainUpdateDeviceFlags", move |d| {
            d.update_device_flags(&xml, flags)
        });
        let again = done.as_ref().is_err_and(Failure::tray_is_closed) && Instant::now() < until;
        if !again || pause(ctx, PAUSE).is_err() {
            return done;
        }
    }
}
