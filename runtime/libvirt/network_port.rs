//! The ports of networks, one for each network card that is plugged in.

use std::ffi::c_uint;

use virt::network::Network;

use super::handle::{handle, owned_list, uuid_text};
use super::typed_params::{Scalar, TypedParams, allocated};
use super::{Failure, Result, c_text, checked, owned_text};

handle! {
    /// A port of a network.
    NetworkPort(virNetworkPortPtr) freed by virNetworkPortFree
}

/// Makes a port.
pub fn create_xml(network: &Network, xml: &str, flags: c_uint) -> Result<NetworkPort> {
    let xml = c_text(xml)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        NetworkPort::adopt(virt_sys::virNetworkPortCreateXML(
            network.as_ptr(),
            xml.as_ptr(),
            flags,
        ))
    }
}

/// The port with the UUID `uuid`.
pub fn lookup_by_uuid(network: &Network, uuid: &str) -> Result<NetworkPort> {
    let uuid = c_text(uuid)?;
    // SAFETY: handle and string live during the call; the result is ours.
    unsafe {
        NetworkPort::adopt(virt_sys::virNetworkPortLookupByUUIDString(
            network.as_ptr(),
            uuid.as_ptr(),
        ))
    }
}

/// All ports of a network.
pub fn list(network: &Network, flags: c_uint) -> Result<Vec<NetworkPort>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list and its objects are ours.
    unsafe {
        let count = virt_sys::virNetworkListAllPorts(network.as_ptr(), &raw mut list, flags);
        Ok(owned_list(list, checked(count)?, NetworkPort))
    }
}

impl NetworkPort {
    /// The UUID as text.
    pub fn uuid_string(&self) -> Result<String> {
        // SAFETY: the handle and the buffer live during the call, and the buffer has room for a UUID.
        uuid_text(|buffer| unsafe { virt_sys::virNetworkPortGetUUIDString(self.0, buffer) })
    }

    /// The network that it is of.
    pub fn network(&self) -> Result<Network> {
        // SAFETY: the handle lives during the calls. The network is the handle's: a reference of our own is taken.
        unsafe {
            let network = virt_sys::virNetworkPortGetNetwork(self.0);
            if network.is_null() {
                return Err(Failure::last());
            }
            checked(virt_sys::virNetworkRef(network))?;
            Ok(Network::from_ptr(network))
        }
    }

    /// The XML.
    pub fn xml_desc(&self, flags: c_uint) -> Result<String> {
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { owned_text(virt_sys::virNetworkPortGetXMLDesc(self.0, flags)) }
    }

    /// The limits on the bandwidth.
    pub fn parameters(&self, flags: c_uint) -> Result<Vec<(String, Scalar)>> {
        // SAFETY: the handle lives during the call; the array that it allocates is ours.
        unsafe {
            allocated(|array, length| {
                virt_sys::virNetworkPortGetParameters(self.0, array, length, flags)
            })
        }
    }

    /// Sets limits on the bandwidth.
    pub fn set_parameters(&self, parameters: &TypedParams, flags: c_uint) -> Result<()> {
        let (list, length) = parameters.parts();
        // SAFETY: handle and list live during the call.
        checked(unsafe { virt_sys::virNetworkPortSetParameters(self.0, list, length, flags) })
            .map(drop)
    }

    /// Removes it.
    pub fn delete(&self, flags: c_uint) -> Result<()> {
        // SAFETY: the handle lives during the call.
        checked(unsafe { virt_sys::virNetworkPortDelete(self.0, flags) }).map(drop)
    }
}
