//! Networks that the test driver treats in another way than the host.

use std::ffi::{c_char, c_int, c_uint};

use virt::connect::Connect;
use virt_sys::{virConnectPtr, virNetworkPtr};

use super::{StandIn, fail, given, host};
use crate::libvirt::Failure;

/// Networks.
pub trait Networks {
    /// The name, the UUID and the bridge in the XML of a network.
    fn identity_of_network(&self, xml: &str) -> [Option<String>; 3];
}

fn refusal(code: virt_sys::virErrorNumber, message: impl Into<String>) -> Failure {
    Failure::new(code, message).in_domain(virt_sys::VIR_FROM_NETWORK)
}

fn refuse(code: virt_sys::virErrorNumber, message: &str) -> c_int {
    fail(&refusal(code, message));
    -1
}

fn is_active(network: virNetworkPtr) -> c_int {
    // SAFETY: the caller's handle lives during the call.
    unsafe { virt_sys::virNetworkIsActive(network) }
}

fn is_persistent(network: virNetworkPtr) -> c_int {
    // SAFETY: the caller's handle lives during the call.
    unsafe { virt_sys::virNetworkIsPersistent(network) }
}

/// Refuses the network `xml` if another one has its UUID or its bridge.
fn check(stand_in: &dyn StandIn, connect: &Connect, xml: &str) -> Result<(), Failure> {
    let [name, uuid, bridge] = stand_in.identity_of_network(xml);
    for other in connect.list_all_networks(0)? {
        let (own, own_uuid) = (other.name()?, other.uuid_string()?);
        if name.as_ref() == Some(&own) {
            continue;
        }
        if uuid.as_ref() == Some(&own_uuid) {
            let message =
                format!("internal error: network '{own}' is already defined with uuid {own_uuid}");
            return Err(refusal(virt_sys::VIR_ERR_INTERNAL_ERROR, message));
        }
        let taken = bridge.is_some() && other.bridge_name().ok() == bridge;
        if let Some(bridge) = bridge.as_ref().filter(|_| taken) {
            let message = format!("internal error: bridge name '{bridge}' already in use.");
            return Err(refusal(virt_sys::VIR_ERR_INTERNAL_ERROR, message));
        }
    }
    Ok(())
}

/// The network that `make` makes of `xml`, unless the host refuses it.
fn checked(
    stand_in: &dyn StandIn,
    conn: virConnectPtr,
    xml: *const c_char,
    make: impl FnOnce() -> virNetworkPtr,
) -> virNetworkPtr {
    // The end of a handle clears libvirt's last error, so it comes before the call.
    let checked = check(stand_in, &host(conn), &given(xml).unwrap_or_default());
    match checked {
        Ok(()) => make(),
        Err(failure) => {
            fail(&failure);
            std::ptr::null_mut()
        }
    }
}

stand_ins! {
    virNetworkGetXMLDesc(network: virNetworkPtr, flags: c_uint) -> *mut c_char = |stand_in, own| {
        let _ = stand_in;
        // The test driver has one configuration.
        // SAFETY: the caller's handle lives during the call.
        unsafe { own(network, flags & !virt_sys::VIR_NETWORK_XML_INACTIVE) }
    };
    virNetworkDestroy(network: virNetworkPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match is_active(network) {
            0 => refuse(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: network is not active",
            ),
            // SAFETY: the caller's handle lives during the call.
            _ => unsafe { own(network) },
        }
    };
    virNetworkSetAutostart(network: virNetworkPtr, autostart: c_int) -> c_int = |stand_in, own| {
        let _ = stand_in;
        match is_persistent(network) {
            0 => refuse(
                virt_sys::VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: cannot set autostart for transient network",
            ),
            // SAFETY: the caller's handle lives during the call.
            _ => unsafe { own(network, autostart) },
        }
    };
    virNetworkUndefine(network: virNetworkPtr) -> c_int = |stand_in, own| {
        let _ = stand_in;
        if is_active(network) != 1 || is_persistent(network) != 1 {
            // SAFETY: the caller's handle lives during the call.
            return unsafe { own(network) };
        }
        // The network goes on as a transient one, which the test driver cannot do by itself.
        // SAFETY: the caller's handle lives during the calls; the text and the new handle are ours to free.
        unsafe {
            let conn = virt_sys::virNetworkGetConnect(network);
            let xml = virt_sys::virNetworkGetXMLDesc(network, 0);
            if xml.is_null() || virt_sys::virNetworkDestroy(network) < 0 || own(network) < 0 {
                libc::free(xml.cast());
                return -1;
            }
            let again = virt_sys::virNetworkCreateXML(conn, xml);
            libc::free(xml.cast());
            if again.is_null() {
                return -1;
            }
            virt_sys::virNetworkFree(again);
        }
        0
    };
    virNetworkCreateXML(conn: virConnectPtr, xml: *const c_char) -> virNetworkPtr = |stand_in, own| {
        // SAFETY: the caller's handle and the text live during the call.
        checked(&*stand_in, conn, xml, || unsafe { own(conn, xml) })
    };
    virNetworkCreateXMLFlags(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virNetworkPtr = |stand_in, own| {
        // SAFETY: the caller's handle and the text live during the call.
        checked(&*stand_in, conn, xml, || unsafe { own(conn, xml, flags) })
    };
    virNetworkDefineXML(conn: virConnectPtr, xml: *const c_char) -> virNetworkPtr = |stand_in, own| {
        // SAFETY: the caller's handle and the text live during the call.
        checked(&*stand_in, conn, xml, || unsafe { own(conn, xml) })
    };
    virNetworkDefineXMLFlags(conn: virConnectPtr, xml: *const c_char, flags: c_uint) -> virNetworkPtr = |stand_in, own| {
        // SAFETY: the caller's handle and the text live during the call.
        checked(&*stand_in, conn, xml, || unsafe { own(conn, xml, flags) })
    };
}
