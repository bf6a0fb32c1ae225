//! Functions for QEMU.

use std::ffi::{c_char, c_int, c_uint};
use std::fs::File;
use std::os::fd::FromRawFd;

use virt::connect::Connect;
use virt::domain::Domain;

use super::inherited::numbers;
use super::{Failure, Result, c_text, checked, newer, owned_text};

/// Attaches libvirt to a QEMU process that it did not start.
pub fn attach(connect: &Connect, pid: c_uint, flags: c_uint) -> Result<Domain> {
    // SAFETY: the handle lives during the call.
    let domain = unsafe { virt_sys::virDomainQemuAttach(connect.as_ptr(), pid, flags) };
    if domain.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, and the one reference to it is ours.
    Ok(unsafe { Domain::from_ptr(domain) })
}

/// Runs a command of QEMU's monitor with open files; returns its text, and the files that it returned.
pub fn monitor_command_with_files(
    domain: &Domain,
    command: &str,
    files: &[File],
    flags: c_uint,
) -> Result<(String, Vec<File>)> {
    type Call = unsafe extern "C" fn(
        virt_sys::virDomainPtr,
        *const c_char,
        c_uint,
        *mut c_int,
        *mut c_uint,
        *mut *mut c_int,
        *mut *mut c_char,
        c_uint,
    ) -> c_int;
    let command = c_text(command)?;
    let mut given = numbers(files);
    let count = c_uint::try_from(given.len()).unwrap_or(c_uint::MAX);
    let (mut length, mut list, mut answer) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the symbol has this type wherever libvirt has it, since 8.2. Handle, string, the array, which is as long
    // as said, and the files live during the call; the answer, the list and the files in it are ours.
    unsafe {
        let address = newer(c"virDomainQemuMonitorCommandWithFiles")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(
            domain.as_ptr(),
            command.as_ptr(),
            count,
            given.as_mut_ptr(),
            &raw mut length,
            &raw mut list,
            &raw mut answer,
            flags,
        ))?;
        let back = (0..length as usize)
            .map(|index| File::from_raw_fd(*list.add(index)))
            .collect();
        libc::free(list.cast());
        Ok((owned_text(answer)?, back))
    }
}
