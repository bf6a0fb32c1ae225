use std::ffi::{CStr, c_char, c_int, c_uint};

use virt::connect::Connect;
use virt::network::Network;

use super::{
    Failure, Result, borrowed_text, c_option, c_text, checked, newer, owned_text, pointer,
};

/// Defines a network, without starting it, as flags say.
pub fn define_xml_flags(connect: &Connect, xml: &str, flags: c_uint) -> Result<Network> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        adopt(virt_sys::virNetworkDefineXMLFlags(
            connect.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

/// Makes a network and starts it, as flags say.
pub fn create_xml_flags(connect: &Connect, xml: &str, flags: c_uint) -> Result<Network> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        adopt(virt_sys::virNetworkCreateXMLFlags(
            connect.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

/// # Safety
/// `network` is null or a reference that is ours.
unsafe fn adopt(network: virt_sys::virNetworkPtr) -> Result<Network> {
    if network.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: the caller's contract.
    Ok(unsafe { Network::from_ptr(network) })
}

/// An address that the network's DHCP server gave out.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The network's interface on the host.
    pub iface: Option<String>,
    /// The time when it ends, in seconds since 1970.
    pub expiry: i64,
    /// A `virIPAddrType`.
    pub kind: i64,
    /// The MAC address of the guest's card.
    pub mac: Option<String>,
    /// The identity association of IPv6.
    pub iaid: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// The length of its network prefix.
    pub prefix: i64,
    /// The name that the guest gave.
    pub hostname: Option<String>,
    /// The client id or DUID that the guest gave.
    pub client_id: Option<String>,
}

/// The addresses that are given out, to the card `mac` or to all.
pub fn dhcp_leases(network: &Network, mac: Option<&str>, flags: c_uint) -> Result<Vec<Lease>> {
    let mac = c_option(mac)?;
    let mut list: *mut virt_sys::virNetworkDHCPLeasePtr = std::ptr::null_mut();
    // SAFETY: handle and string live during the call; the list that it allocates, and each lease
    // in it, are ours to free.
    unsafe {
        let count = checked(virt_sys::virNetworkGetDHCPLeases(
            network.as_ptr(),
            pointer(&mac),
            &raw mut list,
            flags,
        ))?;
        let leases = (0..usize::try_from(count).unwrap_or(0))
            .map(|index| {
                let entry = *list.add(index);
                let lease = read_lease(&*entry);
                virt_sys::virNetworkDHCPLeaseFree(entry);
                lease
            })
            .collect();
        libc::free(list.cast());
        Ok(leases)
    }
}

/// # Safety
/// libvirt filled `lease`.
unsafe fn read_lease(lease: &virt_sys::virNetworkDHCPLease) -> Lease {
    // SAFETY: each string is null or ends with NUL.
    unsafe {
        Lease {
            iface: borrowed_text(lease.iface),
            expiry: lease.expirytime,
            kind: i64::from(lease.type_),
            mac: borrowed_text(lease.mac),
            iaid: borrowed_text(lease.iaid),
            address: borrowed_text(lease.ipaddr),
            prefix: i64::from(lease.prefix),
            hostname: borrowed_text(lease.hostname),
            client_id: borrowed_text(lease.clientid),
        }
    }
}

/// Reads a piece of metadata; libvirt has the call since 9.7.
pub fn metadata(
    network: &Network,
    kind: c_int,
    uri: Option<&str>,
    flags: c_uint,
) -> Result<String> {
    type Call =
        unsafe extern "C" fn(virt_sys::virNetworkPtr, c_int, *const c_char, c_uint) -> *mut c_char;
    const NAME: &CStr = c"virNetworkGetMetadata";
    let uri = c_option(uri)?;
    // SAFETY: the symbol has this type wherever libvirt has it; handle and string live during the
    // call, and the result is ours to free.
    unsafe {
        let call = std::mem::transmute::<*mut libc::c_void, Call>(newer(NAME)?);
        owned_text(call(network.as_ptr(), kind, pointer(&uri), flags))
    }
}

/// Sets the metadata of one kind, or removes it if `text` is `None`. Needs libvirt 9.7.
pub fn set_metadata(
    network: &Network,
    kind: c_int,
    text: Option<&str>,
    key: Option<&str>,
    uri: Option<&str>,
    flags: c_uint,
) -> Result<()> {
    type Call = unsafe extern "C" fn(
        virt_sys::virNetworkPtr,
        c_int,
        *const c_char,
        *const c_char,
        *const c_char,
        c_uint,
    ) -> c_int;
    const NAME: &CStr = c"virNetworkSetMetadata";
    let (text, key, uri) = (c_option(text)?, c_option(key)?, c_option(uri)?);
    // SAFETY: as in `metadata`; null is allowed for each string.
    unsafe {
        let call = std::mem::transmute::<*mut libc::c_void, Call>(newer(NAME)?);
        checked(call(
            network.as_ptr(),
            kind,
            pointer(&text),
            pointer(&key),
            pointer(&uri),
            flags,
        ))
        .map(drop)
    }
}
