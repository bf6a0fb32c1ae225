use std::ffi::{c_char, c_int, c_uint, c_void};

use virt::connect::Connect;

use super::host::GuestMachine;
use super::typed_params::TypedParams;
use super::{Failure, Result, c_option, c_options, c_text, checked, owned_text, pointer};

/// Answers to a host's questions at login, such as a user name.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Answers by kind of question, a `virConnectCredentialType`.
    pub answers: Vec<(u32, String)>,
}

/// Opens `uri` and answers the host's questions with `credentials`.
///
/// `virt`'s own wrapper panics on a URI with a NUL byte and takes only plain functions.
pub fn open_auth(uri: Option<&str>, credentials: &Credentials, flags: c_uint) -> Result<Connect> {
    let mut kinds: Vec<c_int> = credentials
        .answers
        .iter()
        .map(|(kind, _)| *kind as c_int)
        .collect();
    // libvirt reads its file auth.conf only for the kinds of questions that it may ask. The ssh libraries ask in other ways.
    if uri.is_none_or(|uri| !uri.contains("ssh")) {
        for kind in [virt_sys::VIR_CRED_AUTHNAME, virt_sys::VIR_CRED_PASSPHRASE] {
            if !kinds.contains(&(kind as c_int)) {
                kinds.push(kind as c_int);
            }
        }
    }
    let uri = c_option(uri)?;
    let mut auth = virt_sys::virConnectAuth {
        credtype: kinds.as_mut_ptr(),
        ncredtype: kinds.len() as c_uint,
        cb: Some(answer),
        cbdata: std::ptr::from_ref(credentials).cast_mut().cast::<c_void>(),
    };
    // SAFETY: uri, kinds and credentials outlive the call, and libvirt keeps none of them.
    let connect = unsafe { virt_sys::virConnectOpenAuth(pointer(&uri), &raw mut auth, flags) };
    if connect.is_null() {
        return Err(Failure::last());
    }
    // SAFETY: not null, and the one reference to it is ours.
    Ok(unsafe { Connect::from_ptr(connect) })
}

/// Fills in the answers that the user gave; -1 tells libvirt that one is missing.
unsafe extern "C" fn answer(
    questions: virt_sys::virConnectCredentialPtr,
    count: c_uint,
    credentials: *mut c_void,
) -> c_int {
    // SAFETY: libvirt passes `count` questions, and the pointer that `open_auth` gave it.
    let (questions, credentials) = unsafe {
        (
            std::slice::from_raw_parts_mut(questions, count as usize),
            &*credentials.cast::<Credentials>(),
        )
    };
    for question in questions {
        let known = credentials
            .answers
            .iter()
            .find(|(kind, _)| *kind as c_int == question.type_);
        let Some((_, text)) = known else { return -1 };
        // SAFETY: the bytes are copied into memory from malloc, which libvirt frees.
        unsafe {
            let copy = libc::malloc(text.len() + 1).cast::<u8>();
            if copy.is_null() {
                return -1;
            }
            std::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
            *copy.add(text.len()) = 0;
            question.result = copy.cast::<c_char>();
            question.resultlen = text.len() as c_uint;
        }
    }
    0
}

/// The version of the libvirt library that this process runs with.
pub fn running_version() -> Result<u64> {
    let mut version = 0;
    // SAFETY: writes one number; the other arguments may be null.
    checked(unsafe {
        virt_sys::virGetVersion(&raw mut version, std::ptr::null(), std::ptr::null_mut())
    })?;
    Ok(version)
}

/// Readies the library ahead of the first connection, which otherwise pays for it.
pub fn initialize() -> Result<()> {
    // SAFETY: may be called any number of times, from any thread.
    checked(unsafe { virt_sys::virInitialize() }).map(drop)
}

/// Starts the domain that a save image describes, as typed parameters say.
pub fn domain_restore_params(connect: &Connect, params: &TypedParams, flags: c_uint) -> Result<()> {
    let (array, length) = params.parts();
    // SAFETY: the handle and the parameters live during the call.
    checked(unsafe { virt_sys::virDomainRestoreParams(connect.as_ptr(), array, length, flags) })
        .map(drop)
}

/// The kinds of storage pool that the host can have, as XML.
pub fn storage_pool_capabilities(connect: &Connect, flags: c_uint) -> Result<String> {
    // SAFETY: the handle lives during the call; the result is ours to free.
    unsafe {
        owned_text(virt_sys::virConnectGetStoragePoolCapabilities(
            connect.as_ptr(),
            flags,
        ))
    }
}

/// Compares a CPU with the one that the hypervisor can provide to such a guest; returns a
/// `virCPUCompareResult`.
pub fn compare_hypervisor_cpu(
    connect: &Connect,
    guest: &GuestMachine,
    cpu: &str,
    flags: c_uint,
) -> Result<i64> {
    let [emulator, arch, machine, kind] = c_options(guest)?;
    let cpu = c_text(cpu)?;
    // SAFETY: the handle and the strings live during the call.
    checked(unsafe {
        virt_sys::virConnectCompareHypervisorCPU(
            connect.as_ptr(),
            pointer(&emulator),
            pointer(&arch),
            pointer(&machine),
            pointer(&kind),
            cpu.as_ptr(),
            flags,
        )
    })
    .map(i64::from)
}
