//! The admin API of a libvirt daemon: its servers, their clients and limits, and its log. The library is loaded when
//! one of its functions is called.

use std::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use virt_sys::virTypedParameterPtr;

use super::library::{Library, load};
use super::typed_params::{Scalar, TypedParams, allocated};
use super::{Failure, Result, borrowed_text, c_text, checked, owned_text};

static ADMIN: Library = Library::new(c"libvirt-admin.so.0", "libvirt-admin");

/// One of the library's own objects.
type Pointer = *mut c_void;

/// The parameters of an object under libvirt's names.
type Params = Vec<(String, Scalar)>;

/// Gets the reason why the connection to the daemon ended, a `virConnectCloseReason`; runs on the event-loop thread and
/// must not block.
pub type CloseSink = Arc<dyn Fn(i64) + Send + Sync>;

type OnClose = unsafe extern "C" fn(Pointer, c_int, *mut c_void);
type Free = unsafe extern "C" fn(*mut c_void);

/// The function `$name` of the library, which has this type.
macro_rules! function {
    ($name:ident($($argument:ty),* $(,)?) -> $result:ty) => {{
        type Call = unsafe extern "C" fn($($argument),*) -> $result;
        const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("the name of a function has no NUL byte"),
        };
        load(&ADMIN, NAME).map(|address| {
            // SAFETY: the symbol has this type wherever the library has it.
            unsafe { std::mem::transmute::<*mut c_void, Call>(address) }
        })
    }};
}

macro_rules! handle {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        pub struct $name(Pointer);

        // SAFETY: libvirt counts and locks these objects itself, and ties none to a thread.
        unsafe impl Send for $name {}
        // SAFETY: the same.
        unsafe impl Sync for $name {}

        impl $name {
            /// # Safety
            /// `pointer` is null or a reference that is ours.
            unsafe fn adopt(pointer: Pointer) -> Result<Self> {
                match pointer.is_null() {
                    true => Err(Failure::last()),
                    false => Ok(Self(pointer)),
                }
            }
        }
    };
}

handle! {
    /// A connection to the admin socket of a daemon.
    Connection
}
handle! {
    /// A server of a daemon.
    Server
}
handle! {
    /// A client of a server.
    Client
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The callback holds the connection open.
        if let Ok(unregister) =
            function!(virAdmConnectUnregisterCloseCallback(Pointer, OnClose) -> c_int)
        {
            // SAFETY: the handle is alive, and the callback is the one that was registered.
            unsafe { unregister(self.0, closed) };
        }
        if let Ok(close) = function!(virAdmConnectClose(Pointer) -> c_int) {
            // SAFETY: the reference is ours, and not used any more.
            unsafe { close(self.0) };
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(free) = function!(virAdmServerFree(Pointer) -> c_int) {
            // SAFETY: the reference is ours, and not used any more.
            unsafe { free(self.0) };
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Ok(free) = function!(virAdmClientFree(Pointer) -> c_int) {
            // SAFETY: the reference is ours, and not used any more.
            unsafe { free(self.0) };
        }
    }
}

unsafe extern "C" fn closed(_: Pointer, reason: c_int, target: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer is the box made in `Connection::open`, alive while registered.
        let sink = unsafe { &*target.cast::<CloseSink>() };
        sink(i64::from(reason));
    }));
}

unsafe extern "C" fn free_sink(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `Connection::open`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<CloseSink>()) });
}

/// The objects of a list that `call` allocates.
///
/// # Safety
/// `call` is a call of libvirt's that leaves the list and its objects to the caller, and `adopt` takes such an object.
unsafe fn list<T>(
    call: impl FnOnce(*mut *mut Pointer) -> c_int,
    adopt: impl Fn(Pointer) -> T,
) -> Result<Vec<T>> {
    let mut list = ptr::null_mut();
    let count = checked(call(&raw mut list))?;
    if list.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: by this function's contract.
    Ok(unsafe { super::handle::owned_list(list, count, adopt) })
}

impl Connection {
    /// Opens the admin socket of the daemon at `uri`; `sink` is called when the connection ends.
    pub fn open(uri: &str, sink: CloseSink) -> Result<Self> {
        let uri = c_text(uri)?;
        let initialize = function!(virAdmInitialize() -> c_int)?;
        let open = function!(virAdmConnectOpen(*const c_char, c_uint) -> Pointer)?;
        let register = function!(
            virAdmConnectRegisterCloseCallback(Pointer, OnClose, *mut c_void, Free) -> c_int
        )?;
        // SAFETY: may be called any number of times, from any thread.
        checked(unsafe { initialize() })?;
        // SAFETY: the string lives during the call; the result is ours.
        let connection = unsafe { Self::adopt(open(uri.as_ptr(), 0))? };
        let target = Box::into_raw(Box::new(sink)).cast::<c_void>();
        // SAFETY: the handle lives during the call. libvirt frees the target once, when it is unregistered.
        let registered = unsafe { register(connection.0, closed, target, free_sink) };
        let registered = checked(registered);
        if registered.is_err() {
            // SAFETY: libvirt did not take the target, so it is still ours.
            unsafe { free_sink(target) };
        }
        registered.map(|_| connection)
    }

    /// The URI as libvirt completed it.
    pub fn uri(&self) -> Result<String> {
        let get = function!(virAdmConnectGetURI(Pointer) -> *mut c_char)?;
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { owned_text(get(self.0)) }
    }

    /// True if the connection is open.
    pub fn is_alive(&self) -> Result<bool> {
        let ask = function!(virAdmConnectIsAlive(Pointer) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { ask(self.0) }).map(|alive| alive != 0)
    }

    /// The version of the daemon's libvirt.
    pub fn lib_version(&self) -> Result<u64> {
        let get = function!(virAdmConnectGetLibVersion(Pointer, *mut c_ulonglong) -> c_int)?;
        let mut version = 0;
        // SAFETY: the handle and the number live during the call.
        checked(unsafe { get(self.0, &raw mut version) })?;
        Ok(version)
    }

    /// All servers.
    pub fn servers(&self) -> Result<Vec<Server>> {
        let get = function!(virAdmConnectListServers(Pointer, *mut *mut Pointer, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call; the list and its objects are ours.
        unsafe { list(|found| get(self.0, found, 0), Server) }
    }

    /// The server called `name`.
    pub fn server(&self, name: &str) -> Result<Server> {
        let look_up =
            function!(virAdmConnectLookupServer(Pointer, *const c_char, c_uint) -> Pointer)?;
        let name = c_text(name)?;
        // SAFETY: handle and string live during the call; the result is ours.
        unsafe { Server::adopt(look_up(self.0, name.as_ptr(), 0)) }
    }

    /// The daemon's log outputs.
    pub fn logging_outputs(&self) -> Result<String> {
        let get =
            function!(virAdmConnectGetLoggingOutputs(Pointer, *mut *mut c_char, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { logging(|text| get(self.0, text, 0)) }
    }

    /// The daemon's log filters.
    pub fn logging_filters(&self) -> Result<String> {
        let get =
            function!(virAdmConnectGetLoggingFilters(Pointer, *mut *mut c_char, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { logging(|text| get(self.0, text, 0)) }
    }

    /// Sets where the daemon writes its log.
    pub fn set_logging_outputs(&self, outputs: &str) -> Result<()> {
        let set =
            function!(virAdmConnectSetLoggingOutputs(Pointer, *const c_char, c_uint) -> c_int)?;
        let outputs = c_text(outputs)?;
        // SAFETY: handle and string live during the call.
        checked(unsafe { set(self.0, outputs.as_ptr(), 0) }).map(drop)
    }

    /// Sets which messages the daemon writes to its log.
    pub fn set_logging_filters(&self, filters: &str) -> Result<()> {
        let set =
            function!(virAdmConnectSetLoggingFilters(Pointer, *const c_char, c_uint) -> c_int)?;
        let filters = c_text(filters)?;
        // SAFETY: handle and string live during the call.
        checked(unsafe { set(self.0, filters.as_ptr(), 0) }).map(drop)
    }

    /// Sets after how many idle seconds the daemon ends; 0 for never.
    pub fn set_timeout(&self, seconds: c_uint) -> Result<()> {
        let set = function!(virAdmConnectSetDaemonTimeout(Pointer, c_uint, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { set(self.0, seconds, 0) }).map(drop)
    }

    /// Ends the daemon.
    pub fn shutdown(&self, flags: c_uint) -> Result<()> {
        let shut_down = function!(virAdmConnectDaemonShutdown(Pointer, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { shut_down(self.0, flags) }).map(drop)
    }
}

/// The text about the log that `call` allocates; an empty text can be a null pointer.
///
/// # Safety
/// `call` is a call of libvirt's that leaves a string to the caller.
unsafe fn logging(call: impl FnOnce(*mut *mut c_char) -> c_int) -> Result<String> {
    let mut text = ptr::null_mut();
    checked(call(&raw mut text))?;
    match text.is_null() {
        true => Ok(String::new()),
        // SAFETY: by this function's contract. libvirt puts a space after each part.
        false => unsafe { owned_text(text).map(|text| text.trim_end().to_owned()) },
    }
}

impl Server {
    /// The name.
    pub fn name(&self) -> Result<String> {
        let get = function!(virAdmServerGetName(Pointer) -> *const c_char)?;
        // SAFETY: the handle lives during the call, and keeps the text.
        unsafe { borrowed_text(get(self.0)) }.ok_or_else(Failure::last)
    }

    /// The figures and limits of the threads.
    pub fn thread_pool(&self) -> Result<Params> {
        let get = function!(
            virAdmServerGetThreadPoolParameters(
                Pointer,
                *mut virTypedParameterPtr,
                *mut c_int,
                c_uint,
            ) -> c_int
        )?;
        // SAFETY: the handle lives during the call; the array that it allocates is ours.
        unsafe { allocated(|array, length| get(self.0, array, length, 0)) }
    }

    /// Sets limits of the threads.
    pub fn set_thread_pool(&self, params: &TypedParams) -> Result<()> {
        let set = function!(virAdmServerSetThreadPoolParameters(
            Pointer, virTypedParameterPtr, c_int, c_uint,
        ) -> c_int)?;
        let (array, count) = params.parts();
        // SAFETY: handle and array live during the call.
        checked(unsafe { set(self.0, array, count, 0) }).map(drop)
    }

    /// The numbers of clients, and their limits.
    pub fn client_limits(&self) -> Result<Params> {
        let get = function!(
            virAdmServerGetClientLimits(
                Pointer,
                *mut virTypedParameterPtr,
                *mut c_int,
                c_uint,
            ) -> c_int
        )?;
        // SAFETY: the handle lives during the call; the array that it allocates is ours.
        unsafe { allocated(|array, length| get(self.0, array, length, 0)) }
    }

    /// Sets limits of the numbers of clients.
    pub fn set_client_limits(&self, params: &TypedParams) -> Result<()> {
        let set = function!(virAdmServerSetClientLimits(
            Pointer, virTypedParameterPtr, c_int, c_uint,
        ) -> c_int)?;
        let (array, count) = params.parts();
        // SAFETY: handle and array live during the call.
        checked(unsafe { set(self.0, array, count, 0) }).map(drop)
    }

    /// Makes the server read its TLS certificates again.
    pub fn update_tls_files(&self) -> Result<()> {
        let update = function!(virAdmServerUpdateTlsFiles(Pointer, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { update(self.0, 0) }).map(drop)
    }

    /// All clients.
    pub fn clients(&self) -> Result<Vec<Client>> {
        let get = function!(virAdmServerListClients(Pointer, *mut *mut Pointer, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call; the list and its objects are ours.
        unsafe { list(|found| get(self.0, found, 0), Client) }
    }

    /// The client with the number `id`.
    pub fn client(&self, id: u64) -> Result<Client> {
        let look_up = function!(virAdmServerLookupClient(Pointer, c_ulonglong, c_uint) -> Pointer)?;
        // SAFETY: the handle lives during the call; the result is ours.
        unsafe { Client::adopt(look_up(self.0, id, 0)) }
    }
}

impl Client {
    /// The number.
    pub fn id(&self) -> Result<u64> {
        let get = function!(virAdmClientGetID(Pointer) -> c_ulonglong)?;
        // SAFETY: the handle lives during the call.
        Ok(unsafe { get(self.0) })
    }

    /// The time when it connected, in seconds since 1970.
    pub fn timestamp(&self) -> Result<i64> {
        let get = function!(virAdmClientGetTimestamp(Pointer) -> c_longlong)?;
        // SAFETY: the handle lives during the call.
        Ok(unsafe { get(self.0) })
    }

    /// Its transport, a `virClientTransport`.
    pub fn transport(&self) -> Result<i64> {
        let get = function!(virAdmClientGetTransport(Pointer) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { get(self.0) }).map(i64::from)
    }

    /// The identity.
    pub fn info(&self) -> Result<Params> {
        let get = function!(
            virAdmClientGetInfo(Pointer, *mut virTypedParameterPtr, *mut c_int, c_uint) -> c_int
        )?;
        // SAFETY: the handle lives during the call; the array that it allocates is ours.
        unsafe { allocated(|array, length| get(self.0, array, length, 0)) }
    }

    /// Ends its connection.
    pub fn close(&self) -> Result<()> {
        let close = function!(virAdmClientClose(Pointer, c_uint) -> c_int)?;
        // SAFETY: the handle lives during the call.
        checked(unsafe { close(self.0, 0) }).map(drop)
    }
}
