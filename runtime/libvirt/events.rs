//! libvirt's domain events, each as a name with fields, and the closing of a connection.

use std::ffi::{c_char, c_int, c_longlong, c_ulonglong, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use virt::connect::Connect;
use virt_sys::{virConnectDomainEventGenericCallback, virConnectPtr, virDomainPtr};

use super::typed_params::{Scalar, read};
use super::{Result, borrowed_text, checked};
use crate::constants::Words;

/// Something that happened to a domain.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which kind, such as `lifecycle`.
    pub kind: &'static str,
    /// The domain's name at that moment.
    pub name: String,
    /// The domain's UUID.
    pub uuid: String,
    /// What the kind tells besides.
    pub fields: Vec<(String, Scalar)>,
}

/// Who is told of events; runs on the event-loop thread and must not block.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// A kind of domain event: its name, libvirt's number for it, and its callback.
struct Kind {
    name: &'static str,
    id: u32,
    callback: virConnectDomainEventGenericCallback,
}

/// The fields that an event of any kind has.
pub const COMMON_FIELDS: [&str; 3] = ["kind", "domain", "uuid"];

/// The names of the kinds of event.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// A callback that libvirt calls until this is dropped.
#[derive(Debug)]
pub struct Registration {
    connect: Connect,
    id: c_int,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: the handle is alive, and the id is one that it gave.
        unsafe { virt_sys::virConnectDomainEventDeregisterAny(self.connect.as_ptr(), self.id) };
    }
}

struct Target {
    kind: &'static str,
    sink: Sink,
}

/// Tells `sink` of every event of the kind `name` on the host.
pub fn register(connect: &Connect, name: &str, sink: Sink) -> Result<Registration> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        return Err(super::Failure::new(
            virt_sys::VIR_ERR_INVALID_ARG,
            format!("there is no kind of event `{name}`"),
        ));
    };
    let target = Box::into_raw(Box::new(Target {
        kind: kind.name,
        sink,
    }));
    // SAFETY: the callback is the one for this kind; libvirt frees the target once.
    let id = unsafe {
        virt_sys::virConnectDomainEventRegisterAny(
            connect.as_ptr(),
            std::ptr::null_mut(),
            kind.id as c_int,
            kind.callback,
            target.cast::<c_void>(),
            Some(free_target),
        )
    };
    if id < 0 {
        let failure = super::Failure::last();
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_target(target.cast::<c_void>()) };
        return Err(failure);
    }
    Ok(Registration {
        connect: connect.clone(),
        id,
    })
}

unsafe extern "C" fn free_target(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `register`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<Target>()) });
}

/// Passes an event on, and lets no panic reach libvirt.
///
/// # Safety
/// `domain` and `target` are the pointers that libvirt gave to a callback.
unsafe fn deliver(domain: virDomainPtr, target: *mut c_void, fields: Vec<(String, Scalar)>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: both live during the callback; name and UUID are read from the handle itself.
        let (target, name, uuid) = unsafe {
            let mut uuid = [0; virt_sys::VIR_UUID_STRING_BUFLEN as usize];
            virt_sys::virDomainGetUUIDString(domain, uuid.as_mut_ptr());
            (
                &*target.cast::<Target>(),
                borrowed_text(virt_sys::virDomainGetName(domain)).unwrap_or_default(),
                borrowed_text(uuid.as_ptr()).unwrap_or_default(),
            )
        };
        (target.sink)(Event {
            kind: target.kind,
            name,
            uuid,
            fields,
        });
    }));
}

fn word(name: &str, words: &Words, number: c_int) -> (String, Scalar) {
    (
        name.into(),
        Scalar::Text(words.word(i64::from(number)).to_string()),
    )
}

fn text(name: &str, value: *const c_char) -> (String, Scalar) {
    // SAFETY: only called on strings that libvirt gave to a callback, which live during it.
    (
        name.into(),
        Scalar::Text(unsafe { borrowed_text(value) }.unwrap_or_default()),
    )
}

macro_rules! words {
    ($($name:ident = $group:literal less $prefix:literal;)*) => {
        $(static $name: Words = Words::new($group, $prefix);)*
    };
}

words! {
    LIFECYCLE = "virDomainEventType" less "VIR_DOMAIN_EVENT_";
    DEFINED = "virDomainEventDefinedDetailType" less "VIR_DOMAIN_EVENT_DEFINED_";
    UNDEFINED = "virDomainEventUndefinedDetailType" less "VIR_DOMAIN_EVENT_UNDEFINED_";
    STARTED = "virDomainEventStartedDetailType" less "VIR_DOMAIN_EVENT_STARTED_";
    SUSPENDED = "virDomainEventSuspendedDetailType" less "VIR_DOMAIN_EVENT_SUSPENDED_";
    RESUMED = "virDomainEventResumedDetailType" less "VIR_DOMAIN_EVENT_RESUMED_";
    STOPPED = "virDomainEventStoppedDetailType" less "VIR_DOMAIN_EVENT_STOPPED_";
    SHUTDOWN = "virDomainEventShutdownDetailType" less "VIR_DOMAIN_EVENT_SHUTDOWN_";
    PMSUSPENDED = "virDomainEventPMSuspendedDetailType" less "VIR_DOMAIN_EVENT_PMSUSPENDED_";
    CRASHED = "virDomainEventCrashedDetailType" less "VIR_DOMAIN_EVENT_CRASHED_";
    WATCHDOG = "virDomainEventWatchdogAction" less "VIR_DOMAIN_EVENT_WATCHDOG_";
    IO_ERROR = "virDomainEventIOErrorAction" less "VIR_DOMAIN_EVENT_IO_ERROR_";
    AGENT_STATE = "virConnectDomainEventAgentLifecycleState" less "VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_";
    AGENT_REASON = "virConnectDomainEventAgentLifecycleReason" less "VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_";
    BLOCK_JOB_TYPE = "virDomainBlockJobType" less "VIR_DOMAIN_BLOCK_JOB_TYPE_";
    BLOCK_JOB_STATUS = "virConnectDomainEventBlockJobStatus" less "VIR_DOMAIN_BLOCK_JOB_";
    METADATA = "virDomainMetadataType" less "VIR_DOMAIN_METADATA_";
    TRAY = "virDomainEventTrayChangeReason" less "VIR_DOMAIN_EVENT_TRAY_CHANGE_";
    DISK = "virConnectDomainEventDiskChangeReason" less "VIR_DOMAIN_EVENT_DISK_CHANGE_";
}

/// The words for the details of the lifecycle event `event`.
fn details(event: c_int) -> Option<&'static Words> {
    [
        &DEFINED,
        &UNDEFINED,
        &STARTED,
        &SUSPENDED,
        &RESUMED,
        &STOPPED,
        &SHUTDOWN,
        &PMSUSPENDED,
        &CRASHED,
    ]
    .get(usize::try_from(event).ok()?)
    .copied()
}

/// Defines the callbacks and the table of kinds from one list.
///
/// The generic callback type stands for all of them in C too: libvirt calls each with the
/// arguments that the number of its kind says.
macro_rules! kinds {
    ($($name:literal $id:ident $callback:ident($($argument:ident: $type:ty),*) -> $fields:expr;)*) => {
        $(unsafe extern "C" fn $callback(
            _: virConnectPtr, domain: virDomainPtr, $($argument: $type,)* target: *mut c_void,
        ) {
            // SAFETY: libvirt gave the pointers to this callback.
            unsafe { deliver(domain, target, $fields.into()) };
        })*

        static KINDS: &[Kind] = &[
            Kind {
                name: "lifecycle",
                id: virt_sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                // SAFETY: as C's VIR_DOMAIN_EVENT_CALLBACK does: libvirt casts it back.
                callback: Some(unsafe { std::mem::transmute::<*const (), unsafe extern "C" fn(virConnectPtr, virDomainPtr, *mut c_void)>(lifecycle as *const ()) }),
            },
            $(Kind {
                name: $name,
                id: virt_sys::$id,
                // SAFETY: as C's VIR_DOMAIN_EVENT_CALLBACK does: libvirt casts it back.
                callback: Some(unsafe { std::mem::transmute::<*const (), unsafe extern "C" fn(virConnectPtr, virDomainPtr, *mut c_void)>($callback as *const ()) }),
            },)*
        ];
    };
}

unsafe extern "C" fn lifecycle(
    _: virConnectPtr,
    domain: virDomainPtr,
    event: c_int,
    detail: c_int,
    target: *mut c_void,
) -> c_int {
    let detail = details(event).map(|words| word("detail", words, detail));
    let fields = std::iter::once(word("event", &LIFECYCLE, event))
        .chain(detail)
        .collect();
    // SAFETY: libvirt gave the pointers to this callback.
    unsafe { deliver(domain, target, fields) };
    0
}

kinds! {
    "reboot" VIR_DOMAIN_EVENT_ID_REBOOT reboot() -> [];
    "rtc_change" VIR_DOMAIN_EVENT_ID_RTC_CHANGE rtc_change(offset: c_longlong) ->
        [("utc_offset_s".to_owned(), Scalar::Long(offset))];
    "watchdog" VIR_DOMAIN_EVENT_ID_WATCHDOG watchdog(action: c_int) -> [word("action", &WATCHDOG, action)];
    "io_error" VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON
        io_error(path: *const c_char, alias: *const c_char, action: c_int, reason: *const c_char) ->
        [text("path", path), text("device", alias), word("action", &IO_ERROR, action), text("reason", reason)];
    "control_error" VIR_DOMAIN_EVENT_ID_CONTROL_ERROR control_error() -> [];
    "block_job" VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2 block_job(disk: *const c_char, job: c_int, status: c_int) ->
        [text("disk", disk), word("job", &BLOCK_JOB_TYPE, job), word("status", &BLOCK_JOB_STATUS, status)];
    "disk_change" VIR_DOMAIN_EVENT_ID_DISK_CHANGE
        disk_change(old: *const c_char, new: *const c_char, alias: *const c_char, reason: c_int) ->
        [text("old_path", old), text("new_path", new), text("device", alias), word("reason", &DISK, reason)];
    "tray_change" VIR_DOMAIN_EVENT_ID_TRAY_CHANGE tray_change(alias: *const c_char, reason: c_int) ->
        [text("device", alias), word("reason", &TRAY, reason)];
    "pm_wakeup" VIR_DOMAIN_EVENT_ID_PMWAKEUP pm_wakeup(_reason: c_int) -> [];
    "pm_suspend" VIR_DOMAIN_EVENT_ID_PMSUSPEND pm_suspend(_reason: c_int) -> [];
    "pm_suspend_disk" VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK pm_suspend_disk(_reason: c_int) -> [];
    "balloon_change" VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE balloon_change(actual: c_ulonglong) ->
        [("memory_kib".to_owned(), Scalar::ULong(actual))];
    "device_added" VIR_DOMAIN_EVENT_ID_DEVICE_ADDED device_added(alias: *const c_char) -> [text("device", alias)];
    "device_removed" VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED device_removed(alias: *const c_char) -> [text("device", alias)];
    "device_removal_failed" VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED
        device_removal_failed(alias: *const c_char) -> [text("device", alias)];
    "agent_lifecycle" VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE agent_lifecycle(state: c_int, reason: c_int) ->
        [word("state", &AGENT_STATE, state), word("reason", &AGENT_REASON, reason)];
    "migration_iteration" VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION migration_iteration(iteration: c_int) ->
        [("iteration".to_owned(), Scalar::Int(iteration))];
    "job_completed" VIR_DOMAIN_EVENT_ID_JOB_COMPLETED
        job_completed(params: virt_sys::virTypedParameterPtr, count: c_int) -> figures(params, count);
    "metadata_change" VIR_DOMAIN_EVENT_ID_METADATA_CHANGE metadata_change(kind: c_int, uri: *const c_char) ->
        [word("metadata", &METADATA, kind), text("uri", uri)];
}

fn figures(params: virt_sys::virTypedParameterPtr, count: c_int) -> Vec<(String, Scalar)> {
    if params.is_null() {
        return Vec::new();
    }
    // SAFETY: only called with the array of a callback, which libvirt filled and keeps.
    unsafe {
        read(std::slice::from_raw_parts(
            params,
            usize::try_from(count).unwrap_or(0),
        ))
    }
}

/// Who is told that a connection broke; runs on the event-loop thread and must not block.
pub type CloseSink = Arc<dyn Fn() + Send + Sync>;

/// Tells `sink` when the connection breaks; does nothing where the driver has no connection.
pub fn on_close(connect: &Connect, sink: CloseSink) -> Result<()> {
    let target = Box::into_raw(Box::new(sink));
    // SAFETY: libvirt frees the target once, with the connection.
    let result = unsafe {
        virt_sys::virConnectRegisterCloseCallback(
            connect.as_ptr(),
            Some(closed),
            target.cast::<c_void>(),
            Some(free_close),
        )
    };
    if result < 0 {
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_close(target.cast::<c_void>()) };
    }
    checked(result).map(drop)
}

unsafe extern "C" fn closed(_: virConnectPtr, _reason: c_int, target: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer is the box made in `on_close`, alive while registered.
        let sink = unsafe { &*target.cast::<CloseSink>() };
        sink();
    }));
}

unsafe extern "C" fn free_close(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `on_close`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<CloseSink>()) });
}
