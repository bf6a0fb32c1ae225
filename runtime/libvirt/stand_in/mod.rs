//! Connections on which a stand-in answers calls in place of libvirt.
//!
//! A rehearsal runs on libvirt's test driver, which lacks calls that real hosts have. The functions in the files below have
//! the names of libvirt's own, so that the linker leads every call of this program to them, those of the `virt` crate
//! included. On a connection without a stand-in they only call libvirt.

/// libvirt's own function with the name and the type of the function around.
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
                // SAFETY: the caller passes what libvirt's function takes.
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
                // SAFETY: the caller passes what libvirt's function takes; the other connection lives during the call.
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
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt_sys::{
    virConnectPtr, virDomainCheckpointPtr, virDomainPtr, virDomainSnapshotPtr, virErrorPtr,
    virNetworkPtr, virStoragePoolPtr, virStorageVolPtr,
};

use super::{Failure, borrowed_text};
pub use backups::with_domain_running;
pub use states::{bind, is_bound, set_reason};
pub use storage::{content, write};

/// The facts that a stand-in knows about its host.
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
    /// A read-only connection to the host, if there is one.
    fn original(&self) -> Option<Connect>;

    /// The facts about the host that are known without a call.
    fn fact(&self, fact: Fact) -> Option<&CStr>;

    /// The XML of the domain capabilities for that emulator, architecture, machine and type.
    fn domain_capabilities(&self, guest: [Option<String>; 4]) -> Result<String, Failure>;

    /// The XML of a guest as the host stores it, where a client gives it as `xml`.
    fn definition(&self, xml: &str) -> String;

    /// The XML of the object `key` as the host gave it, if the test driver still gives for it the same, `own`, as when
    /// the twin was made: the definition if it is `inactive`.
    fn recorded(&self, key: &str, inactive: bool, own: &str) -> Option<String>;

    /// The temporary file on this machine for the host's file `path`.
    fn file(&self, path: &str) -> PathBuf;

    /// The guest `uuid` was saved while it was paused, or was not, as a save in `file` or by libvirt.
    fn saved(&self, uuid: &str, file: Option<&str>, paused: bool);

    /// True if the guest that is started from such a save stays paused.
    fn was_paused(&self, uuid: &str, file: Option<&str>) -> bool;

    /// Changes the devices of a guest.
    fn change_device(
        &self,
        domain: &Domain,
        change: DeviceChange,
        what: &str,
        flags: u32,
    ) -> Result<(), Failure>;

    /// Moves a guest to another host; returns the guest there, if it is known.
    fn migrate(
        &self,
        domain: &Domain,
        to: Destination,
        wanted: Migration,
    ) -> Result<Option<Domain>, Failure>;

    /// Sets the capacity of a storage volume, in bytes.
    fn resize(&self, volume: &StorageVol, capacity: u64, flags: u32) -> Result<(), Failure>;

    /// The storage pool in the folder `path`.
    fn pool_at(&self, connect: &Connect, path: &str) -> Result<StoragePool, Failure>;

    /// Puts the disks of a guest on the new files that the snapshot `xml` names.
    fn lay_over(&self, domain: &Domain, xml: &str) -> Result<(), Failure>;

    /// The name, the UUID and the bridge in the XML of a network.
    fn identity_of_network(&self, xml: &str) -> [Option<String>; 3];

    /// The name in the XML of an object.
    fn name_in(&self, xml: &str) -> Option<String>;

    /// Refuses a snapshot that QEMU refuses.
    fn check_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<(), Failure>;

    /// The whole XML of the snapshot of disks without memory that a client describes as `xml`.
    fn disk_snapshot(&self, domain: &Domain, xml: &str, flags: u32) -> Result<String, Failure>;

    /// True if the snapshot `xml` has memory or a disk in a file of its own.
    fn is_external(&self, xml: &str) -> bool;

    /// Makes a backup, which is complete at once.
    fn begin_backup(
        &self,
        domain: &Domain,
        xml: &str,
        checkpoint: Option<&str>,
        flags: u32,
    ) -> Result<(), Failure>;

    /// Refuses to ask the agent of a guest where QEMU refuses it.
    fn check_agent(&self, domain: &Domain) -> Result<(), Failure>;

    /// Refuses a checkpoint that QEMU refuses.
    fn check_checkpoint(&self, domain: &Domain, xml: &str, flags: u32) -> Result<(), Failure>;

    /// The bitmaps of the checkpoints of a guest.
    fn bitmaps_of(&self, domain: &Domain) -> Vec<Bitmap>;

    /// True if an image has a bitmap.
    fn has_bitmap(&self, bitmap: &Bitmap) -> bool;

    /// Notes that an image has a bitmap now, or no longer.
    fn set_bitmap(&self, bitmap: &Bitmap, exists: bool);

    /// The capacity, the allocation and the physical size of a disk in bytes, if they are known.
    fn block_info(&self, domain: &Domain, disk: &str) -> Option<[u64; 3]>;

    /// At most `size` bytes of a volume from `offset` on. Fails if they are unknown.
    fn content(&self, volume: &StorageVol, offset: u64, size: u64) -> Result<Vec<u8>, Failure>;

    /// Writes `bytes` to a volume from `offset` on; without them, its content is unknown from now on.
    fn write(&self, volume: &StorageVol, offset: u64, bytes: Option<&[u8]>) -> Result<(), Failure>;

    /// The XML of a new volume that `xml` describes as a copy of `source`.
    fn copy_xml(&self, xml: &str, source: &StorageVol) -> Result<String, Failure>;

    /// The volume is new: empty, or a copy of `source`.
    fn new_volume(&self, volume: &StorageVol, source: Option<&StorageVol>) -> Result<(), Failure>;

    /// The volume was overwritten with zeros.
    fn wiped(&self, volume: &StorageVol) -> Result<(), Failure>;

    /// The volume with the path `path` was deleted.
    fn deleted(&self, path: &str);

    /// The size of a volume's file in bytes.
    fn physical_size(&self, volume: &StorageVol) -> Result<u64, Failure>;

    /// The pool started.
    fn opens(&self, pool: &StoragePool) -> Result<(), Failure>;

    /// The pool is about to stop.
    fn closes(&self, pool: &StoragePool) -> Result<(), Failure>;

    /// Begins a job on the disk `disk`, its target or the path of its image.
    fn begin_block_job(&self, domain: &Domain, disk: &str, job: &BlockJob) -> Result<(), Failure>;

    /// Ends the job on a disk; with `pivot`, the guest continues in its result.
    fn end_block_job(&self, domain: &Domain, disk: &str, pivot: bool) -> Result<(), Failure>;

    /// The type of the job on a disk, one of `virDomainBlockJobType`.
    fn block_job(&self, domain: &Domain, disk: &str) -> Result<Option<u32>, Failure>;

    /// Shows the files in the folder of `pool` that snapshots and block jobs made.
    fn show_new_files(&self, pool: &StoragePool) -> Result<(), Failure>;

    /// The guest `uuid` starts.
    fn starts(&self, uuid: &str);

    /// `call` did less than on the host.
    fn differs(&self, call: &'static str, why: &str);
}

/// A record of changes that QEMU keeps in an image, for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// The checkpoint.
    pub checkpoint: String,
    /// The disk.
    pub target: String,
    /// The path of the image.
    pub image: String,
    /// The name.
    pub name: String,
}

/// A change of a device of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// It is added.
    Attach,
    /// It is removed.
    Detach,
    /// The device with an alias is removed.
    DetachAlias,
    /// It gets other settings.
    Update,
}

/// A job on a disk of a guest.
#[derive(Debug, Clone)]
pub enum BlockJob {
    /// Merges the images from `top` down into `base`.
    Commit {
        /// The path of the lowest image; without it, the lowest of all.
        base: Option<String>,
        /// The path of the uppermost image; without it, the one that the guest writes to.
        top: Option<String>,
        /// A combination of `virDomainBlockCommitFlags`.
        flags: u32,
    },
    /// Copies the data of the images above `base` into the image that the guest writes to.
    Pull {
        /// The path of the image that stays; without it, none.
        base: Option<String>,
    },
    /// Copies the disk.
    Copy {
        /// The `<disk>` with the copy.
        xml: String,
        /// A combination of `virDomainBlockCopyFlags`.
        flags: u32,
    },
}

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
