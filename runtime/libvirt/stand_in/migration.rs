//! Guests that move to another host.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong};

use virt::connect::Connect;
use virt::domain::Domain;
use virt_sys::{virConnectPtr, virDomainPtr, virTypedParameterPtr};

use super::{StandIn, fail, given, handle, host};
use crate::libvirt::Failure;

/// The destination of a migration.
pub enum Destination {
    /// The host of a connection.
    Host(Connect),
    /// The host with a URI, which the source connects to.
    Uri(String),
}

/// The options of a migration.
#[derive(Debug, Clone, Default)]
pub struct Migration {
    /// Its name on the other host.
    pub name: Option<String>,
    /// The XML on the other host.
    pub xml: Option<String>,
    /// Its definition on the other host.
    pub persistent_xml: Option<String>,
    /// A combination of `virDomainMigrateFlags`.
    pub flags: u64,
}

/// Guests that move to another host.
pub trait Migrations {
    /// Moves a guest to another host; returns the guest there, if it is known.
    fn migrate(
        &self,
        domain: &Domain,
        to: Destination,
        wanted: Migration,
    ) -> Result<Option<Domain>, Failure>;
}

/// Moves the guest, and returns a handle that the caller frees.
fn moved(
    stand_in: &dyn StandIn,
    domain: virDomainPtr,
    to: Destination,
    wanted: Migration,
) -> Result<Option<Domain>, ()> {
    stand_in
        .migrate(&handle(domain), to, wanted)
        .map_err(|failure| fail(&failure))
}

fn to_host(
    stand_in: &dyn StandIn,
    domain: virDomainPtr,
    conn: virConnectPtr,
    wanted: Migration,
) -> virDomainPtr {
    match moved(stand_in, domain, Destination::Host(host(conn)), wanted) {
        Ok(Some(there)) => {
            // SAFETY: the reference that is added is the caller's.
            unsafe {
                let pointer = there.as_ptr();
                virt_sys::virDomainRef(pointer);
                pointer
            }
        }
        Ok(None) => {
            fail(&Failure::new(
                virt_sys::VIR_ERR_NO_DOMAIN,
                "the guest is not on the other host",
            ));
            std::ptr::null_mut()
        }
        Err(()) => std::ptr::null_mut(),
    }
}

fn to_uri(
    stand_in: &dyn StandIn,
    domain: virDomainPtr,
    uri: *const c_char,
    wanted: Migration,
) -> c_int {
    let uri = given(uri).unwrap_or_default();
    match moved(stand_in, domain, Destination::Uri(uri), wanted) {
        Ok(_) => 0,
        Err(()) => -1,
    }
}

/// The migration that typed parameters describe.
fn parameters(params: virTypedParameterPtr, count: c_uint, flags: c_uint) -> Migration {
    let text = |name: &CStr| {
        // SAFETY: the caller passes an array of that length; its values live during the call.
        unsafe {
            let count = c_int::try_from(count).unwrap_or(c_int::MAX);
            let found = virt_sys::virTypedParamsGet(params, count, name.as_ptr());
            let found = found.as_ref()?;
            let is_text = u32::try_from(found.type_) == Ok(virt_sys::VIR_TYPED_PARAM_STRING);
            is_text.then(|| given(found.value.s)).flatten()
        }
    };
    Migration {
        name: text(c"destination_name"),
        xml: text(c"destination_xml"),
        persistent_xml: text(c"persistent_xml"),
        flags: flags.into(),
    }
}

stand_ins! {
    virDomainMigrate(domain: virDomainPtr, dconn: virConnectPtr, flags: c_ulong, name: *const c_char, uri: *const c_char, bandwidth: c_ulong) -> virDomainPtr = |stand_in, own| {
        let _ = (own, uri, bandwidth);
        to_host(&*stand_in, domain, dconn, Migration { name: given(name), flags, ..Migration::default() })
    };
    virDomainMigrate2(domain: virDomainPtr, dconn: virConnectPtr, xml: *const c_char, flags: c_ulong, name: *const c_char, uri: *const c_char, bandwidth: c_ulong) -> virDomainPtr = |stand_in, own| {
        let _ = (own, uri, bandwidth);
        to_host(&*stand_in, domain, dconn, Migration { name: given(name), xml: given(xml), flags, ..Migration::default() })
    };
    virDomainMigrate3(domain: virDomainPtr, dconn: virConnectPtr, params: virTypedParameterPtr, count: c_uint, flags: c_uint) -> virDomainPtr = |stand_in, own| {
        let _ = own;
        to_host(&*stand_in, domain, dconn, parameters(params, count, flags))
    };
    virDomainMigrateToURI(domain: virDomainPtr, duri: *const c_char, flags: c_ulong, name: *const c_char, bandwidth: c_ulong) -> c_int = |stand_in, own| {
        let _ = (own, bandwidth);
        to_uri(&*stand_in, domain, duri, Migration { name: given(name), flags, ..Migration::default() })
    };
    virDomainMigrateToURI2(domain: virDomainPtr, duri: *const c_char, uri: *const c_char, xml: *const c_char, flags: c_ulong, name: *const c_char, bandwidth: c_ulong) -> c_int = |stand_in, own| {
        let _ = (own, uri, bandwidth);
        to_uri(&*stand_in, domain, duri, Migration { name: given(name), xml: given(xml), flags, ..Migration::default() })
    };
    virDomainMigrateToURI3(domain: virDomainPtr, duri: *const c_char, params: virTypedParameterPtr, count: c_uint, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = own;
        to_uri(&*stand_in, domain, duri, parameters(params, count, flags))
    };
    virDomainMigrateSetMaxSpeed(domain: virDomainPtr, bandwidth: c_ulong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, domain, bandwidth, flags);
        0
    };
    virDomainMigrateSetMaxDowntime(domain: virDomainPtr, downtime: std::ffi::c_ulonglong, flags: c_uint) -> c_int = |stand_in, own| {
        let _ = (own, stand_in, domain, downtime, flags);
        0
    };
}
