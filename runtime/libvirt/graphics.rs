//! A guest's screen, for a viewer.

use std::ffi::{c_int, c_uint};
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};

use virt::domain::Domain;

use super::{Result, checked, newer};

/// Connects the screen number `index` with the socket `socket`.
pub fn open(domain: &Domain, index: c_uint, socket: BorrowedFd, flags: c_uint) -> Result<()> {
    // SAFETY: handle and socket live during the call.
    checked(unsafe {
        virt_sys::virDomainOpenGraphics(domain.as_ptr(), index, socket.as_raw_fd(), flags)
    })
    .map(drop)
}

/// A new socket that leads to the screen number `index`.
pub fn open_fd(domain: &Domain, index: c_uint, flags: c_uint) -> Result<File> {
    // SAFETY: the handle lives during the call.
    let number =
        checked(unsafe { virt_sys::virDomainOpenGraphicsFD(domain.as_ptr(), index, flags) })?;
    // SAFETY: the descriptor is open, and ours alone.
    Ok(unsafe { File::from_raw_fd(number) })
}

/// Makes the running guest read the certificates of its screen again.
pub fn reload(domain: &Domain, kind: c_uint, flags: c_uint) -> Result<()> {
    type Call = unsafe extern "C" fn(virt_sys::virDomainPtr, c_uint, c_uint) -> c_int;
    // SAFETY: the symbol has this type wherever libvirt has it, since 10.2; the handle lives during the call.
    unsafe {
        let address = newer(c"virDomainGraphicsReload")?;
        let call = std::mem::transmute::<*mut libc::c_void, Call>(address);
        checked(call(domain.as_ptr(), kind, flags)).map(drop)
    }
}
