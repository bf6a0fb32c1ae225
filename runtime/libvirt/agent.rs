//! Reports and commands of a guest's agent.

use std::ffi::{CString, c_char, c_int, c_uint};

use virt::domain::Domain;

use super::typed_params::{Scalar, TypedParams, owned, read_owned};
use super::{Result, borrowed_text, c_option, c_text, checked, owned_texts, pointer};

/// The agent's report on the guest, a `virDomainGuestInfoTypes` for each part.
pub fn guest_info(domain: &Domain, types: c_uint, flags: c_uint) -> Result<TypedParams> {
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        owned(|array, length| {
            virt_sys::virDomainGetGuestInfo(domain.as_ptr(), types, array, length, flags)
        })
    }
}

/// The virtual CPUs as the guest's system sees them.
pub fn guest_vcpus(domain: &Domain, flags: c_uint) -> Result<Vec<(String, Scalar)>> {
    let (mut array, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: the handle lives during the call; the array that it allocates is ours.
    unsafe {
        checked(virt_sys::virDomainGetGuestVcpus(
            domain.as_ptr(),
            &raw mut array,
            &raw mut length,
            flags,
        ))?;
        Ok(read_owned(array, length.cast_signed()))
    }
}

/// Takes the CPUs of `map` online or offline in the guest's system.
pub fn set_guest_vcpus(domain: &Domain, map: &str, online: bool, flags: c_uint) -> Result<()> {
    let map = c_text(map)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainSetGuestVcpus(domain.as_ptr(), map.as_ptr(), c_int::from(online), flags)
    })
    .map(drop)
}

/// A file system that the guest has mounted.
#[derive(Debug, Clone)]
pub struct FileSystem {
    /// Where.
    pub mountpoint: String,
    /// The device's name in the guest.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The targets of the disks it is on.
    pub disks: Vec<String>,
}

/// The file systems that the guest has mounted.
pub fn fs_info(domain: &Domain, flags: c_uint) -> Result<Vec<FileSystem>> {
    let mut list: *mut virt_sys::virDomainFSInfoPtr = std::ptr::null_mut();
    // SAFETY: the handle lives during the call; the list that it allocates, and each entry in it,
    // are ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainGetFSInfo(
            domain.as_ptr(),
            &raw mut list,
            flags,
        ))?;
        let found = (0..usize::try_from(count).unwrap_or(0))
            .map(|index| {
                let entry = *list.add(index);
                let info = read_file_system(&*entry);
                virt_sys::virDomainFSInfoFree(entry);
                info
            })
            .collect();
        libc::free(list.cast());
        Ok(found)
    }
}

/// # Safety
/// libvirt filled `info`.
unsafe fn read_file_system(info: &virt_sys::virDomainFSInfo) -> FileSystem {
    // SAFETY: each string is null or ends with NUL, and there are `ndevAlias` of the aliases.
    unsafe {
        FileSystem {
            mountpoint: borrowed_text(info.mountpoint).unwrap_or_default(),
            name: borrowed_text(info.name).unwrap_or_default(),
            kind: borrowed_text(info.fstype).unwrap_or_default(),
            disks: (0..info.ndevAlias)
                .filter_map(|index| borrowed_text(*info.devAlias.add(index)))
                .collect(),
        }
    }
}

/// Texts as an array of C strings.
struct Texts {
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Texts {
    fn new(texts: &[String]) -> Result<Self> {
        let owned = texts
            .iter()
            .map(|text| c_text(text))
            .collect::<Result<Vec<_>>>()?;
        let pointers = owned.iter().map(|text| text.as_ptr()).collect();
        Ok(Self {
            _owned: owned,
            pointers,
        })
    }

    /// The array and its length; null if there is none.
    fn parts(&mut self) -> (*mut *const c_char, c_uint) {
        match self.pointers.len() {
            0 => (std::ptr::null_mut(), 0),
            length => (
                self.pointers.as_mut_ptr(),
                c_uint::try_from(length).unwrap_or(c_uint::MAX),
            ),
        }
    }
}

/// Freezes the file systems mounted at `mountpoints`, or all; returns how many.
pub fn fs_freeze(domain: &Domain, mountpoints: &[String], flags: c_uint) -> Result<i64> {
    let mut texts = Texts::new(mountpoints)?;
    let (array, length) = texts.parts();
    // SAFETY: the handle and the strings, `length` of them, live during the call.
    checked(unsafe { virt_sys::virDomainFSFreeze(domain.as_ptr(), array, length, flags) })
        .map(i64::from)
}

/// Thaws the file systems mounted at `mountpoints`, or all; returns how many.
pub fn fs_thaw(domain: &Domain, mountpoints: &[String], flags: c_uint) -> Result<i64> {
    let mut texts = Texts::new(mountpoints)?;
    let (array, length) = texts.parts();
    // SAFETY: the handle and the strings, `length` of them, live during the call.
    checked(unsafe { virt_sys::virDomainFSThaw(domain.as_ptr(), array, length, flags) })
        .map(i64::from)
}

/// Discards free blocks, in ranges of at least `minimum` bytes.
pub fn fs_trim(
    domain: &Domain,
    mountpoint: Option<&str>,
    minimum: u64,
    flags: c_uint,
) -> Result<()> {
    let mountpoint = c_option(mountpoint)?;
    // SAFETY: handle and string live during the call.
    checked(unsafe {
        virt_sys::virDomainFSTrim(domain.as_ptr(), pointer(&mountpoint), minimum, flags)
    })
    .map(drop)
}

/// The keys that may log in as `user`.
pub fn authorized_ssh_keys(domain: &Domain, user: &str, flags: c_uint) -> Result<Vec<String>> {
    let user = c_text(user)?;
    let mut list: *mut *mut c_char = std::ptr::null_mut();
    // SAFETY: handle and string live during the call; the list and its strings are ours to free.
    unsafe {
        let count = checked(virt_sys::virDomainAuthorizedSSHKeysGet(
            domain.as_ptr(),
            user.as_ptr(),
            &raw mut list,
            flags,
        ))?;
        owned_texts(list, count)
    }
}

/// Sets, adds or removes the keys that may log in as `user`.
pub fn set_authorized_ssh_keys(
    domain: &Domain,
    user: &str,
    keys: &[String],
    flags: c_uint,
) -> Result<()> {
    let user = c_text(user)?;
    let mut texts = Texts::new(keys)?;
    let (array, length) = texts.parts();
    // SAFETY: the handle and the strings, `length` of them, live during the call.
    checked(unsafe {
        virt_sys::virDomainAuthorizedSSHKeysSet(
            domain.as_ptr(),
            user.as_ptr(),
            array,
            length,
            flags,
        )
    })
    .map(drop)
}

/// Sets how many seconds libvirt waits for an answer of the agent.
pub fn set_response_timeout(domain: &Domain, seconds: c_int, flags: c_uint) -> Result<()> {
    // SAFETY: the handle lives during the call.
    checked(unsafe { virt_sys::virDomainAgentSetResponseTimeout(domain.as_ptr(), seconds, flags) })
        .map(drop)
}
