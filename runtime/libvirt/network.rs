use std::ffi::c_uint;

use virt::connect::Connect;
use virt::network::Network;

use super::{Failure, Result, borrowed_text, c_option, c_text, checked, pointer};

/// Defines a network as `flags` say.
pub fn define_xml_flags(connect: &Connect, xml: &str, flags: c_uint) -> Result<Network> {
    let xml = c_text(xml)?;
    // SAFETY: the handle and the text live during the call.
    owned(unsafe { virt_sys::virNetworkDefineXMLFlags(connect.as_ptr(), xml.as_ptr(), flags) })
}

/// Starts a network that is not defined, as `flags` say.
pub fn create_xml_flags(connect: &Connect, xml: &str, flags: c_uint) -> Result<Network> {
    let xml = c_text(xml)?;
    // SAFETY: the handle and the text live during the call.
    owned(unsafe { virt_sys::virNetworkCreateXMLFlags(connect.as_ptr(), xml.as_ptr(), flags) })
}

fn owned(network: virt_sys::virNetworkPtr) -> Result<Network> {
    if network.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, and the one reference to it is ours.
    Ok(unsafe { Network::from_ptr(network) })
}

/// An address that a network gave out.
pub struct Lease {
    pub interface: Option<String>,
    pub expires_s: i64,
    pub is_ipv4: bool,
    pub mac: Option<String>,
    pub iaid: Option<String>,
    pub address: Option<String>,
    pub prefix: c_uint,
    pub host_name: Option<String>,
    pub client_id: Option<String>,
}

/// The addresses that the network gave out, to one card or to all.
pub fn dhcp_leases(network: &Network, mac: Option<&str>, flags: c_uint) -> Result<Vec<Lease>> {
    let mac = c_option(mac)?;
    let mut list = std::ptr::null_mut();
    // SAFETY: handle and text live during the call, which answers an array that is ours to free.
    let count = checked(unsafe {
        virt_sys::virNetworkGetDHCPLeases(network.as_ptr(), pointer(&mac), &raw mut list, flags)
    })?;
    let mut leases = Vec::new();
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the array has `count` leases, whose texts are null or C strings; each is freed once.
        unsafe {
            let lease = *list.add(index);
            leases.push(Lease {
                interface: borrowed_text((*lease).iface),
                expires_s: (*lease).expirytime,
                is_ipv4: (*lease).type_ == virt_sys::VIR_IP_ADDR_TYPE_IPV4 as i32,
                mac: borrowed_text((*lease).mac),
                iaid: borrowed_text((*lease).iaid),
                address: borrowed_text((*lease).ipaddr),
                prefix: (*lease).prefix,
                host_name: borrowed_text((*lease).hostname),
                client_id: borrowed_text((*lease).clientid),
            });
            virt_sys::virNetworkDHCPLeaseFree(lease);
        }
    }
    // SAFETY: the array came from malloc and nothing points to it any more; null is allowed.
    unsafe { libc::free(list.cast()) };
    Ok(leases)
}
