//! Connections on which a stand-in answers calls in place of libvirt.
//!
//! A rehearsal runs on libvirt's test driver, which lacks calls that real hosts have. The functions
//! in the files below have the names of libvirt's functions, so that the linker binds every call of
//! this program to them, including calls of the `virt` crate. On a connection without a stand-in
//! they only call libvirt.

/// libvirt's function with the name and the type of the enclosing function.
macro_rules! own {
    ($name:ident($($type:ty),*) -> $ret:ty) => {{
        static ADDRESS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        let name = const {
            match std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("names have no NUL bytes"),
            }
        };
        let address = *ADDRESS.get_or_init(|| $crate::libvirt::stand_in::libvirts_own(name).expose_provenance());
        let address: *mut std::ffi::c_void = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: libvirt's header declares the function with this type.
        unsafe { std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn($($type),*) -> $ret>(address) }
    }};
}

/// Functions that a stand-in replaces on its connections.
macro_rules! stand_ins {
    ($($name:ident($first:ident: $kind:ty $(, $arg:ident: $type:ty)*) -> $ret:ty = |$stand_in:ident, $own:ident| $body:expr;)*) => {$(
        /// libvirt's function of this name, or a stand-in's.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($first: $kind $(, $arg: $type)*) -> $ret {
            let $own = own!($name($kind $(, $type)*) -> $ret);
            // SAFETY: the caller passes a handle that lives during the call.
            let stand_in = unsafe { $crate::libvirt::stand_in::OfConnection::stand_in($first) };
            match stand_in {
                // SAFETY: the caller passes valid arguments for libvirt's function.
                None => unsafe { $own($first $(, $arg)*) },
                Some($stand_in) => $body,
            }
        }
    )*};
}

/// Functions that ask the host that the stand-in stands for. Without it there is no answer, which is `$missing`.
macro_rules! asked {
    ($($name:ident($conn:ident $(, $arg:ident: $type:ty)*) -> $ret:ty, or $missing:expr;)*) => {
        stand_ins! {$(
            $name($conn: virConnectPtr $(, $arg: $type)*) -> $ret = |stand_in, own| match stand_in.original() {
                // SAFETY: the caller passes valid arguments for libvirt's function; the other
                // connection lives during the call.
                Some(original) => unsafe { own(original.as_ptr() $(, $arg)*) },
                None => {
                    $crate::libvirt::stand_in::unknown(stringify!($name));
                    $missing
                }
            };
        )*}
    };
}

mod agents;
mod backups;
mod blocks;
mod devices;
mod facts;
mod life;
mod migration;
mod networks;
mod pools;
mod states;
mod storage;

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_pool::StoragePool;
use virt_sys::{
    virConnectPtr, virDomainCheckpointPtr, virDomainPtr, virDomainSnapshotPtr, virErrorPtr,
    virNetworkPtr, virStoragePoolPtr, virStorageVolPtr,
};

use super::{Failure, borrowed_text};
pub use agents::Agents;
pub use backups::{Backups, Bitmap, with_domain_running};
pub use blocks::{BlockJob, BlockJobs, Snapshots};
pub use devices::{DeviceChange, Devices};
pub use facts::{Fact, Facts};
pub use life::Lifecycle;
pub use migration::{Destination, Migration, Migrations};
pub use networks::Networks;
pub use pools::Pools;
pub use states::{bind, is_bound, set_reason};
pub use storage::{Volumes, content, write};

/// Stands for a host on a connection of libvirt's test driver.
pub trait StandIn:
    Facts
    + Lifecycle
    + Devices
    + Migrations
    + Volumes
    + Pools
    + BlockJobs
    + Snapshots
    + Backups
    + Agents
    + Networks
    + Send
    + Sync
{
    /// `call` did less than on the host.
    fn differs(&self, call: &'static str, why: &str);
}

/// The stand-ins, by the addresses of their connections.
static STAND_INS: RwLock<Vec<(usize, Arc<dyn StandIn>)>> = RwLock::new(Vec::new());

/// True if any stand-in was ever used.
static ANY: AtomicBool = AtomicBool::new(false);

/// Makes `stand_in` answer on `connect` and on copies of it.
pub fn register(connect: &Connect, stand_in: Arc<dyn StandIn>) {
    let mut all = STAND_INS.write();
    all.push((address(connect), stand_in));
    ANY.store(true, Ordering::Release);
}

/// Undoes [`register`], before the last copy of `connect` is dropped.
pub fn unregister(connect: &Connect) {
    let address = address(connect);
    let mut all = STAND_INS.write();
    all.retain(|(own, _)| *own != address);
    states::forget(address);
}

fn address(connect: &Connect) -> usize {
    // SAFETY: the pointer is only compared.
    unsafe { connect.as_ptr() }.addr()
}

thread_local! {
    /// True if this thread reads the test driver's own XML.
    static PLAIN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `read`, which gets XML as the test driver returns it.
pub fn plainly<T>(read: impl FnOnce() -> T) -> T {
    let before = PLAIN.replace(true);
    let result = read();
    PLAIN.set(before);
    result
}

/// The XML `text` of the object `key`, or the host's own in its place, which the caller frees.
fn recorded(
    stand_in: &dyn StandIn,
    key: &str,
    inactive: bool,
    text: *mut c_char,
    plain: &str,
) -> *mut c_char {
    if PLAIN.get() {
        return text;
    }
    match stand_in.recorded(key, inactive, plain) {
        Some(own) => {
            // SAFETY: the text is from malloc, and nobody else has it.
            unsafe { libc::free(text.cast()) };
            copied_text(&own)
        }
        None => text,
    }
}

/// True if `connect` has a stand-in.
pub(super) fn is_on(connect: &Connect) -> bool {
    on(address(connect)).is_some()
}

/// The stand-in on the connection at `address`.
fn on(address: usize) -> Option<Arc<dyn StandIn>> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    let all = STAND_INS.read();
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
    /// The text that `error` points to.
    _message: CString,
}

thread_local! {
    /// The failure that the next question for the last error is about.
    static FAILED: RefCell<Option<Box<Reported>>> = const { RefCell::new(None) };
    /// The failure that was asked for last; the caller still reads it.
    static READ: RefCell<Option<Box<Reported>>> = const { RefCell::new(None) };
}

/// Sets `failure` as this thread's last error.
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

/// The failure of a stand-in on this thread, which is reported once.
fn reported() -> Option<virt_sys::virErrorPtr> {
    let mut failed = FAILED.take()?;
    let error = &raw mut failed.error;
    READ.set(Some(failed));
    Some(error)
}

/// The connection of a function's first argument.
trait OfConnection: Copy {
    /// The connection.
    ///
    /// # Safety
    /// It is null, or a handle that lives during the call.
    unsafe fn connection(self) -> virConnectPtr;

    /// Its stand-in, if it has one.
    ///
    /// # Safety
    /// The same.
    unsafe fn stand_in(self) -> Option<Arc<dyn StandIn>> {
        // Asking for the connection takes as long as half of a call within the process.
        if !ANY.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: by this function's contract.
        on(unsafe { self.connection() }.addr())
    }
}

impl OfConnection for virConnectPtr {
    unsafe fn connection(self) -> virConnectPtr {
        self
    }
}

macro_rules! of_connection {
    ($($pointer:ty: $get:ident;)*) => {
        $(impl OfConnection for $pointer {
            unsafe fn connection(self) -> virConnectPtr {
                match self.is_null() {
                    true => std::ptr::null_mut(),
                    // SAFETY: not null, and by this function's contract alive. It takes no reference.
                    false => unsafe { virt_sys::$get(self) },
                }
            }
        })*
    };
}

of_connection! {
    virDomainPtr: virDomainGetConnect;
    virDomainCheckpointPtr: virDomainCheckpointGetConnect;
    virDomainSnapshotPtr: virDomainSnapshotGetConnect;
    virNetworkPtr: virNetworkGetConnect;
    virStoragePoolPtr: virStoragePoolGetConnect;
    virStorageVolPtr: virStorageVolGetConnect;
}

fn unknown(call: &str) {
    let message = format!("the saved twin does not have the result of {call}");
    fail(&Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message).in_domain(virt_sys::VIR_FROM_TEST));
}

/// A copy that the caller frees.
fn copied(text: &CStr) -> *mut c_char {
    // SAFETY: a C string, which is copied into memory from malloc.
    unsafe { libc::strdup(text.as_ptr()) }
}

fn copied_text(text: &str) -> *mut c_char {
    copied(&CString::new(text.replace('\0', " ")).unwrap_or_default())
}

/// A handle of the domain `domain` for the time of a call.
fn handle(domain: virDomainPtr) -> Domain {
    // SAFETY: the caller's handle lives during the call, and the copy has a reference of its own.
    unsafe {
        virt_sys::virDomainRef(domain);
        Domain::from_ptr(domain)
    }
}

/// A handle of the storage pool `pool` for the time of a call.
fn pool(pool: virStoragePoolPtr) -> StoragePool {
    // SAFETY: the caller's handle lives during the call, and the copy has a reference of its own.
    unsafe {
        virt_sys::virStoragePoolRef(pool);
        StoragePool::from_ptr(pool)
    }
}

/// The connection `conn` for the time of a call.
fn host(conn: virConnectPtr) -> Connect {
    // SAFETY: the caller's handle lives during the call, and the copy has a reference of its own.
    unsafe {
        virt_sys::virConnectRef(conn);
        Connect::from_ptr(conn)
    }
}

/// The return value of a C function for `result`.
fn status(result: Result<(), Failure>) -> std::ffi::c_int {
    match result {
        Ok(()) => 0,
        Err(failure) => {
            fail(&failure);
            -1
        }
    }
}

/// The C string of `text`, which a caller of libvirt's function passed.
fn given(text: *const c_char) -> Option<String> {
    // SAFETY: null or a C string that lives during the call, as libvirt's functions take it.
    unsafe { borrowed_text(text) }
}

/// libvirt's last error of this thread, or that of a stand-in's call.
#[unsafe(no_mangle)]
unsafe extern "C" fn virGetLastError() -> virErrorPtr {
    let own = own!(virGetLastError() -> virErrorPtr);
    // SAFETY: takes no arguments.
    reported().unwrap_or_else(|| unsafe { own() })
}
