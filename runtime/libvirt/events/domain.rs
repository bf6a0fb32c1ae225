//! Events of domains.

use std::ffi::{c_char, c_int, c_longlong, c_uint, c_ulonglong, c_void};

use virt_sys::{virConnectPtr, virDomainEventGraphicsAddress as Address, virDomainPtr};

use super::{
    Callback, DOMAIN, EventKind, Field, Subject, callbacks, deliver, field, gathered, number, text,
    uuid, word, words,
};
use crate::constants::Words;
use crate::libvirt::borrowed_text;
use crate::libvirt::typed_params::{Scalar, read};

words! {
    EVENT = "virDomainEventType" less "VIR_DOMAIN_EVENT_";
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
    JOB_OPERATION = "virDomainJobOperation" less "VIR_DOMAIN_JOB_OPERATION_";
    GRAPHICS = "virDomainEventGraphicsPhase" less "VIR_DOMAIN_EVENT_GRAPHICS_";
    FAILURE_RECIPIENT = "virDomainMemoryFailureRecipientType" less "VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_";
    FAILURE_ACTION = "virDomainMemoryFailureActionType" less "VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_";
    CHANNEL_STATE = "virConnectDomainEventChannelLifecycleState" less "VIR_CONNECT_DOMAIN_EVENT_CHANNEL_LIFECYCLE_STATE_";
    CHANNEL_REASON = "virConnectDomainEventChannelLifecycleReason" less "VIR_CONNECT_DOMAIN_EVENT_CHANNEL_LIFECYCLE_REASON_";
}

impl Subject for virDomainPtr {
    unsafe fn identity(self) -> (String, String) {
        // SAFETY: the caller vouches for the pointer.
        unsafe {
            let name = borrowed_text(virt_sys::virDomainGetName(self));
            let uuid = uuid(|buffer| virt_sys::virDomainGetUUID(self, buffer));
            (name.unwrap_or_default(), uuid)
        }
    }
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

unsafe extern "C" fn lifecycle(
    _: virConnectPtr,
    domain: virDomainPtr,
    event: c_int,
    detail: c_int,
    target: *mut c_void,
) -> c_int {
    let detail = details(event).map(|words| word("detail", words, detail));
    let fields = std::iter::once(word("event", &EVENT, event))
        .chain(detail)
        .collect();
    // SAFETY: libvirt gave the pointers to this callback.
    unsafe { deliver(domain, target, fields) };
    0
}

/// The kind of the events of block jobs.
pub(super) const BLOCK_JOB: &str = "block_job";

pub(super) const JOB_COMPLETED: &str = "job_completed";

/// The fields of an event of a complete job.
pub(super) fn job_completed_fields(operation: u32) -> Vec<(String, Scalar)> {
    let number = c_int::try_from(operation).unwrap_or_default();
    vec![
        word("operation", &JOB_OPERATION, number),
        ("success".into(), Scalar::Bool(true)),
    ]
}

/// The fields of an event of a block job.
pub(super) fn block_job_fields(disk: &str, job: u32, status: u32) -> Vec<(String, Scalar)> {
    let number = |number| c_int::try_from(number).unwrap_or_default();
    vec![
        ("disk".into(), Scalar::Text(disk.to_owned())),
        word("job", &BLOCK_JOB_TYPE, number(job)),
        word("status", &BLOCK_JOB_STATUS, number(status)),
    ]
}

/// Apart from the others, since its callback answers a number.
pub(super) static LIFECYCLE: EventKind = EventKind {
    name: "lifecycle",
    family: &DOMAIN,
    id: virt_sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE,
    // SAFETY: libvirt casts it back to its own type, which the event's number tells, and calls it.
    callback: Some(unsafe { std::mem::transmute::<*const (), Callback>(lifecycle as *const ()) }),
    fields: &[field!(word event(EVENT)), field!(text detail)],
    open: false,
};

/// The tables with the details of the event `event`, or of all events.
pub(super) fn details_of(event: Option<&str>) -> Vec<&'static Words> {
    let number = event.and_then(|event| EVENT.number(event));
    match number.and_then(|number| details(c_int::try_from(number).ok()?)) {
        Some(words) => vec![words],
        None => (0..).map_while(details).collect(),
    }
}

callbacks! {
    DOMAIN virDomainPtr {
        "reboot" VIR_DOMAIN_EVENT_ID_REBOOT reboot() -> [];
        "rtc_change" VIR_DOMAIN_EVENT_ID_RTC_CHANGE rtc_change(offset: c_longlong) -> [number utc_offset_s = offset];
        "watchdog" VIR_DOMAIN_EVENT_ID_WATCHDOG watchdog(action: c_int) -> [word action(WATCHDOG) = action];
        "io_error" VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON
            io_error(path: *const c_char, alias: *const c_char, action: c_int, reason: *const c_char) ->
            [text path = path, text device = alias, word action(IO_ERROR) = action, text reason = reason];
        "control_error" VIR_DOMAIN_EVENT_ID_CONTROL_ERROR control_error() -> [];
        "block_job" VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2 block_job(disk: *const c_char, job: c_int, status: c_int) ->
            [text disk = disk, word job(BLOCK_JOB_TYPE) = job, word status(BLOCK_JOB_STATUS) = status];
        "disk_change" VIR_DOMAIN_EVENT_ID_DISK_CHANGE
            disk_change(old: *const c_char, new: *const c_char, alias: *const c_char, reason: c_int) ->
            [text old_path = old, text new_path = new, text device = alias, word reason(DISK) = reason];
        "tray_change" VIR_DOMAIN_EVENT_ID_TRAY_CHANGE tray_change(alias: *const c_char, reason: c_int) ->
            [text device = alias, word reason(TRAY) = reason];
        "pm_wakeup" VIR_DOMAIN_EVENT_ID_PMWAKEUP pm_wakeup(_reason: c_int) -> [];
        "pm_suspend" VIR_DOMAIN_EVENT_ID_PMSUSPEND pm_suspend(_reason: c_int) -> [];
        "pm_suspend_disk" VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK pm_suspend_disk(_reason: c_int) -> [];
        "balloon_change" VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE balloon_change(actual: c_ulonglong) ->
            [number memory_kib = actual];
        "device_added" VIR_DOMAIN_EVENT_ID_DEVICE_ADDED device_added(alias: *const c_char) -> [text device = alias];
        "device_removed" VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED device_removed(alias: *const c_char) ->
            [text device = alias];
        "device_removal_failed" VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED
            device_removal_failed(alias: *const c_char) -> [text device = alias];
        "agent_lifecycle" VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE agent_lifecycle(state: c_int, reason: c_int) ->
            [word state(AGENT_STATE) = state, word reason(AGENT_REASON) = reason];
        "migration_iteration" VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION migration_iteration(iteration: c_int) ->
            [number iteration = iteration];
        "job_completed" VIR_DOMAIN_EVENT_ID_JOB_COMPLETED
            job_completed(params: virt_sys::virTypedParameterPtr, count: c_int) ->
            [] and [word operation(JOB_OPERATION)] of job_figures(params, count);
        "graphics" VIR_DOMAIN_EVENT_ID_GRAPHICS
            graphics(phase: c_int, local: *const Address, remote: *const Address,
                scheme: *const c_char, _subject: *const c_void) ->
            [word phase(GRAPHICS) = phase, address local = local, address remote = remote, text auth_scheme = scheme];
        "tunable" VIR_DOMAIN_EVENT_ID_TUNABLE
            tunable(params: virt_sys::virTypedParameterPtr, count: c_int) -> [] and [] of figures(params, count);
        "block_threshold" VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD
            block_threshold(disk: *const c_char, path: *const c_char, threshold: c_ulonglong, excess: c_ulonglong) ->
            [text disk = disk, text path = path, number threshold_bytes = threshold, number excess_bytes = excess];
        "memory_failure" VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE
            memory_failure(recipient: c_int, action: c_int, flags: c_uint) ->
            [word recipient(FAILURE_RECIPIENT) = recipient, word action(FAILURE_ACTION) = action, number flags = flags];
        "memory_device_size_change" VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE
            memory_device_size_change(alias: *const c_char, size: c_ulonglong) ->
            [text device = alias, number size_kib = size];
        "nic_mac_change" VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE
            nic_mac_change(alias: *const c_char, old: *const c_char, new: *const c_char) ->
            [text device = alias, text old_mac = old, text new_mac = new];
        "vcpu_removed" VIR_DOMAIN_EVENT_ID_VCPU_REMOVED vcpu_removed(vcpu: c_uint) -> [number vcpu = vcpu];
        "channel_lifecycle" VIR_DOMAIN_EVENT_ID_CHANNEL_LIFECYCLE
            channel_lifecycle(name: *const c_char, state: c_int, reason: c_int) ->
            [text channel = name, word state(CHANNEL_STATE) = state, word reason(CHANNEL_REASON) = reason];
        "metadata_change" VIR_DOMAIN_EVENT_ID_METADATA_CHANGE metadata_change(kind: c_int, uri: *const c_char) ->
            [word metadata(METADATA) = kind, text uri = uri];
    }
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

/// The figures of a job that ended, with its operation as a word.
fn job_figures(params: virt_sys::virTypedParameterPtr, count: c_int) -> Vec<(String, Scalar)> {
    let in_words = |(name, value): (String, Scalar)| match value {
        Scalar::Int(number) if name == "operation" => word(&name, &JOB_OPERATION, number),
        value => (name, value),
    };
    figures(params, count).into_iter().map(in_words).collect()
}

/// The address of a client of the guest's screen.
fn address(name: &str, address: *const Address) -> (String, Scalar) {
    // SAFETY: only called on the pointers of a callback, which are null or live during it.
    let text = unsafe { address.as_ref() }.map(|address| unsafe {
        let node = borrowed_text(address.node).unwrap_or_default();
        let service = borrowed_text(address.service).unwrap_or_default();
        format!("{node}:{service}")
    });
    (name.into(), Scalar::Text(text.unwrap_or_default()))
}
