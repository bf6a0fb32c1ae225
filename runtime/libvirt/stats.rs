//! The statistics of many domains in one call.

use std::ffi::c_uint;
use std::ptr;

use virt::connect::Connect;
use virt::domain::Domain;
use virt_sys::{virDomainPtr, virDomainStatsRecordPtr};

use super::typed_params::TypedParams;
use super::{Result, checked};

/// A domain and its figures, under libvirt's names.
pub type Record = (Domain, TypedParams);

/// The figures in the groups `stats`, 0 for all, of the domains that `flags` choose.
pub fn get_all_domain_stats(
    connect: &Connect,
    stats: c_uint,
    flags: c_uint,
) -> Result<Vec<Record>> {
    let mut records: *mut virDomainStatsRecordPtr = ptr::null_mut();
    // SAFETY: the handle lives during the call, which allocates an array of records for us.
    let count = checked(unsafe {
        virt_sys::virConnectGetAllDomainStats(connect.as_ptr(), stats, &raw mut records, flags)
    })?;
    // SAFETY: libvirt wrote that many records.
    Ok(unsafe { owned(records, usize::try_from(count).unwrap_or(0)) })
}

/// The figures in the groups `stats`, 0 for all, of `domains`, which are all of one connection.
pub fn list_get_stats(domains: &[&Domain], stats: c_uint, flags: c_uint) -> Result<Vec<Record>> {
    let mut pointers: Vec<virDomainPtr> = domains
        .iter()
        // SAFETY: the handles outlive the pointers.
        .map(|domain| unsafe { domain.as_ptr() })
        .collect();
    pointers.push(ptr::null_mut());
    let mut records: *mut virDomainStatsRecordPtr = ptr::null_mut();
    // SAFETY: the handles live during the call, their array ends with null, and libvirt allocates
    // an array of records for us.
    let count = checked(unsafe {
        virt_sys::virDomainListGetStats(pointers.as_mut_ptr(), stats, &raw mut records, flags)
    })?;
    // SAFETY: libvirt wrote that many records.
    Ok(unsafe { owned(records, usize::try_from(count).unwrap_or(0)) })
}

/// # Safety
/// `records` holds `count` records that libvirt allocated and left to the caller.
unsafe fn owned(records: *mut virDomainStatsRecordPtr, count: usize) -> Vec<Record> {
    if records.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's contract. Each record and the list are from `malloc`; the reference in a record becomes that of
    // the domain, and all else of it is freed. libvirt's own function for that frees the references as well, and new
    // ones cost as much as all the figures.
    unsafe {
        let found = std::slice::from_raw_parts(records, count)
            .iter()
            .map(|&record| {
                let (domain, length) = ((*record).dom, (*record).nparams);
                let figures = TypedParams::from_libvirt((*record).params, length);
                libc::free(record.cast());
                (Domain::from_ptr(domain), figures)
            })
            .collect();
        libc::free(records.cast());
        found
    }
}
