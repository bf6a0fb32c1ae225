//! Connections on which something else answers for libvirt.
//!
//! A rehearsal runs on libvirt's test driver, which lacks calls that real hosts have. The functions in [`table`] have
//! the names of libvirt's own, so that the linker leads every call of this program to them, those of the `virt` crate
//! included. On a connection without a stand-in they only call libvirt.

mod table;

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use virt::connect::Connect;

use super::Failure;

/// What a stand-in knows of the host that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The URI.
    Uri,
    /// The name of the hypervisor.
    Type,
    /// The host's own name.
    Hostname,
    /// The XML of its capabilities.
    Capabilities,
    /// The XML of its hardware.
    Sysinfo,
    /// The version of the hypervisor.
    Version,
    /// The version of the host's libvirt.
    LibVersion,
}

/// Stands for a host on a connection of libvirt's test driver.
pub trait StandIn: Send + Sync {
    /// A read-only connection to the host, where it can be asked.
    fn original(&self) -> Option<Connect>;

    /// What is known of the host without asking it.
    fn fact(&self, fact: Fact) -> Option<&CStr>;

    /// The XML of what the hypervisor can give to a guest with that emulator, architecture, machine and type.
    fn domain_capabilities(&self, guest: [Option<String>; 4]) -> Result<String, Failure>;

    /// The XML of a guest as the host stores it, where a client gives it as `xml`.
    fn definition(&self, xml: &str) -> String;

    /// The file of this machine that stands for the host's file `path`.
    fn file(&self, path: &str) -> PathBuf;

    /// The guest `uuid` was saved while it was paused, or was not, as a save in `file` or by libvirt.
    fn saved(&self, uuid: &str, file: Option<&str>, paused: bool);

    /// Whether the guest that is started from such a save stays paused.
    fn was_paused(&self, uuid: &str, file: Option<&str>) -> bool;

    /// `call` did not do all that it does on the host.
    fn differs(&self, call: &'static str, why: &str);
}

/// The stand-ins, by the addresses of their connections.
static STAND_INS: RwLock<Vec<(usize, Arc<dyn StandIn>)>> = RwLock::new(Vec::new());

/// Whether there ever was a stand-in.
static ANY: AtomicBool = AtomicBool::new(false);

/// Has `stand_in` answer on `connect` and on copies of it.
pub fn register(connect: &Connect, stand_in: Arc<dyn StandIn>) {
    let mut all = STAND_INS.write().unwrap_or_else(PoisonError::into_inner);
    all.push((address(connect), stand_in));
    ANY.store(true, Ordering::Release);
}

/// Ends what [`register`] began, before the last copy of `connect` is dropped.
pub fn unregister(connect: &Connect) {
    let address = address(connect);
    let mut all = STAND_INS.write().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(own, _)| *own != address);
}

fn address(connect: &Connect) -> usize {
    // SAFETY: the pointer is only compared.
    unsafe { connect.as_ptr() }.addr()
}

/// The stand-in on the connection at `address`.
fn on(address: usize) -> Option<Arc<dyn StandIn>> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    let all = STAND_INS.read().unwrap_or_else(PoisonError::into_inner);
    let found = all.iter().find(|(own, _)| *own == address);
    found.map(|(_, stand_in)| Arc::clone(stand_in))
}

/// libvirt's own function `name`.
fn libvirts_own(name: &'static CStr) -> *mut c_void {
    // SAFETY: looks a name up in the libraries after this program, which are never unloaded.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(
        !address.is_null(),
        "libvirt has no function {}",
        name.to_string_lossy()
    );
    address
}

/// The failure of a stand-in's call in the form of libvirt's.
struct Reported {
    error: virt_sys::virError,
    /// What `error` points to.
    _message: CString,
}

thread_local! {
    /// The failure that the next question for the last error is about.
    static FAILED: RefCell<Option<Box<Reported>>> = const { RefCell::new(None) };
    /// The failure that was asked for last; the caller still reads it.
    static READ: RefCell<Option<Box<Reported>>> = const { RefCell::new(None) };
}

/// Has the next question for this thread's last error answer `failure`.
fn fail(failure: &Failure) {
    let message = failure.message.replace('\0', " ");
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: all bits zero is a value of this struct of numbers and pointers.
    let mut error: virt_sys::virError = unsafe { std::mem::zeroed() };
    error.code = i32::try_from(failure.code).unwrap_or_default();
    error.domain = i32::try_from(failure.domain).unwrap_or_default();
    error.level = virt_sys::VIR_ERR_ERROR;
    error.message = message.as_ptr().cast_mut();
    FAILED.set(Some(Box::new(Reported {
        error,
        _message: message,
    })));
}

/// The failure of a stand-in on this thread, which is told once.
fn reported() -> Option<virt_sys::virErrorPtr> {
    let mut failed = FAILED.take()?;
    let error = &raw mut failed.error;
    READ.set(Some(failed));
    Some(error)
}
