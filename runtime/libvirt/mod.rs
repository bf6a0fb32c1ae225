//! Safe functions around the libvirt calls that the `virt` crate lacks or answers wrongly.
//!
//! This folder is the only place with `unsafe`. Each function makes one call and is named after
//! it; pointers come from `virt`'s own handles, which keep the object alive for the call, and
//! strings are checked for NUL bytes before they become C strings.

pub mod addresses;
pub mod admin;
pub mod agent;
pub mod backup;
pub mod block_job;
mod callback;
pub mod checkpoint;
pub mod connection;
pub mod device;
pub mod domain;
pub mod event_loop;
pub mod events;
mod failure;
pub mod graphics;
mod handle;
mod heap;
pub mod host;
pub mod inherited;
pub mod interface;
pub mod library;
pub mod lxc;
pub mod network;
pub mod network_port;
pub mod node_device;
pub mod nwfilter;
pub mod peek;
pub mod pinning;
pub mod qemu;
pub mod screenshot;
pub mod secret;
pub mod security;
pub mod stand_in;
pub mod stats;
pub mod stream;
pub mod tuning;
pub mod typed_params;

use std::ffi::{CStr, CString, c_char, c_int, c_void};

pub(crate) use failure::NOT_OPENED;
pub use failure::{Failure, FailureKind, silence_libvirt};
pub use heap::share_heap;

/// A result of a libvirt call.
pub type Result<T> = std::result::Result<T, Failure>;

/// `text` as a C string, or the failure that libvirt itself could not give.
fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Failure::nul_byte())
}

/// `text` as a C string, where libvirt also takes none.
fn c_option(text: Option<&str>) -> Result<Option<CString>> {
    text.map(c_text).transpose()
}

/// `texts` as C strings; libvirt also takes null.
fn c_options<const N: usize>(texts: &[Option<String>; N]) -> Result<[Option<CString>; N]> {
    let mut strings = [const { None }; N];
    for (string, text) in strings.iter_mut().zip(texts) {
        *string = c_option(text.as_deref())?;
    }
    Ok(strings)
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The result of a call that answers -1 for failure.
fn checked(result: c_int) -> Result<c_int> {
    if result < 0 {
        Err(Failure::last())
    } else {
        Ok(result)
    }
}

/// The address of a function that the libvirt at hand may not have yet.
fn newer(name: &'static CStr) -> Result<*mut libc::c_void> {
    // SAFETY: looks a name up among the libraries that are loaded already.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return Err(Failure::too_old(&name.to_string_lossy()));
    }
    Ok(address)
}

/// The string that a call returned, which the caller owns and which is freed here.
///
/// # Safety
/// `text` is null or a NUL-terminated string from `malloc` that nothing else frees.
unsafe fn owned_text(text: *mut c_char) -> Result<String> {
    if text.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, so by this function's contract a C string that is ours to free.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        libc::free(text.cast::<c_void>());
        Ok(owned)
    }
}

/// The strings of a list that a call returned; the list and all its strings are freed here.
///
/// # Safety
/// `list` is an array from `malloc` of `count` pointers as `owned_text` takes them, which nothing
/// else frees.
unsafe fn owned_texts(list: *mut *mut c_char, count: c_int) -> Result<Vec<String>> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: by this function's contract. Each string is taken, also after one that is missing.
    let texts: Vec<_> = unsafe {
        let texts = (0..count).map(|index| owned_text(*list.add(index)));
        let texts = texts.collect();
        libc::free(list.cast());
        texts
    };
    texts.into_iter().collect()
}

/// The entries that `call` writes into an array of the caller. Called with a null array, `call` returns the length
/// first.
///
/// # Safety
/// `call` writes at most as many entries as its second argument says, and writes back how many. All bits zero is a
/// value of `T`.
unsafe fn filled_array<T: Clone>(call: impl Fn(*mut T, *mut c_int) -> c_int) -> Result<Vec<T>> {
    let mut length = 0;
    checked(call(std::ptr::null_mut(), &raw mut length))?;
    // SAFETY: by this function's contract.
    let blank: T = unsafe { std::mem::zeroed() };
    let mut array = vec![blank; usize::try_from(length).unwrap_or(0)];
    if !array.is_empty() {
        checked(call(array.as_mut_ptr(), &raw mut length))?;
        array.truncate(usize::try_from(length).unwrap_or(0));
    }
    Ok(array)
}

/// A copy of a C string that libvirt keeps.
///
/// # Safety
/// `text` is null or a NUL-terminated string that lives during this call.
unsafe fn borrowed_text(text: *const c_char) -> Option<String> {
    // SAFETY: the caller vouches for a pointer that is not null.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text).to_string_lossy().into_owned() })
}
