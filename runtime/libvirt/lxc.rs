//! Functions for containers. Their library is loaded when one of its functions is called.

use std::ffi::{c_int, c_uint};
use std::fs::File;
use std::os::fd::FromRawFd;

use virt::domain::Domain;

use super::library::{Library, load};
use super::{Result, checked};

static LXC: Library = Library::new(c"libvirt-lxc.so.0", "libvirt-lxc");

/// The namespaces of a running container, each as an open file.
pub fn open_namespace(domain: &Domain, flags: c_uint) -> Result<Vec<File>> {
    type Call = unsafe extern "C" fn(virt_sys::virDomainPtr, *mut *mut c_int, c_uint) -> c_int;
    let mut list = std::ptr::null_mut();
    // SAFETY: the symbol has this type wherever the library has it, since 1.0.2; the handle lives during the call. The
    // list and the files in it are ours.
    unsafe {
        let call = std::mem::transmute::<*mut libc::c_void, Call>(load(
            &LXC,
            c"virDomainLxcOpenNamespace",
        )?);
        let count = checked(call(domain.as_ptr(), &raw mut list, flags))?;
        let files = (0..usize::try_from(count).unwrap_or(0))
            .map(|index| File::from_raw_fd(*list.add(index)))
            .collect();
        libc::free(list.cast());
        Ok(files)
    }
}
