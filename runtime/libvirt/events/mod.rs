//! libvirt's events, each as a name with fields, and the closing of a connection.

mod close;
mod domain;
mod others;
mod qemu_monitor;

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use virt::connect::Connect;
use virt::domain::Domain;
use virt_sys::virConnectPtr;

use super::typed_params::Scalar;
use super::{Failure, Result, borrowed_text};
use crate::constants::Words;
pub use close::{CloseGuard, NAME as CLOSE, on_close};
pub use qemu_monitor::NAME as QEMU_MONITOR;

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub struct Event {
    /// The time when this process received it.
    pub at: Timestamp,
    /// The kind, such as `lifecycle`.
    pub kind: &'static str,
    /// The noun for the object, such as `domain`.
    pub noun: &'static str,
    /// The object's name at that moment.
    pub name: String,
    /// The object's UUID; empty for objects that have none.
    pub uuid: String,
    /// The other fields of the kind.
    pub fields: Vec<(String, Scalar)>,
}

/// A receiver of events; runs on the event-loop thread and must not block.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// A function that libvirt calls with the arguments that the number of its kind says.
type Callback = unsafe extern "C" fn();

/// A kind of object for which libvirt sends events.
pub struct Family {
    /// The field that names the object.
    pub noun: &'static str,
    /// The C function that asks for its events.
    pub call: &'static str,
    /// The kind of event for its lifecycle.
    pub lifecycle: &'static str,
    register: unsafe fn(virConnectPtr, c_int, Callback, *mut c_void) -> c_int,
    deregister: unsafe extern "C" fn(virConnectPtr, c_int) -> c_int,
}

/// A kind of event.
pub struct EventKind {
    /// Its name.
    pub name: &'static str,
    /// The kind of object of its events.
    pub family: &'static Family,
    /// The fields of its events besides the object.
    pub fields: &'static [Field],
    /// True if they have other fields as well, which depend on the hypervisor.
    pub open: bool,
    /// libvirt's number for it.
    id: u32,
    /// The callback for it; `None` if libvirt reports it in another way.
    callback: Option<Callback>,
}

/// A field of a kind of event.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// True if it is a number, false if it is text.
    pub is_number: bool,
    /// Its words, if it has words.
    words: Option<&'static Words>,
}

/// The declaration of a field: its form (`word`, `text`, `number`, `address`), its name, and its words.
macro_rules! field {
    ($form:ident $name:ident $(($words:ident))?) => {
        Field {
            name: stringify!($name),
            is_number: matches!(stringify!($form).as_bytes(), b"number"),
            words: [$(Some(&$words),)? None][0],
        }
    };
}
use field;

macro_rules! families {
    ($($name:ident $noun:literal $lifecycle:literal $object:ident $register:ident $deregister:ident;)*) => {
        $(static $name: Family = Family {
            noun: $noun,
            call: stringify!($register),
            lifecycle: $lifecycle,
            // SAFETY: C programs cast to the generic callback in the same way: libvirt casts it
            // back to the type that belongs to the number, and calls it. It frees the target once.
            register: |connect, id, callback, target| unsafe {
                type Generic = unsafe extern "C" fn(virConnectPtr, virt_sys::$object, *mut c_void);
                let callback = std::mem::transmute::<Callback, Generic>(callback);
                let any = std::ptr::null_mut();
                virt_sys::$register(connect, any, id, Some(callback), target, Some(free_target))
            },
            deregister: virt_sys::$deregister,
        };)*

        /// Every kind of object for which libvirt sends events.
        pub static FAMILIES: &[&Family] = &[$(&$name),*];
    };
}

families! {
    DOMAIN "domain" "lifecycle" virDomainPtr
        virConnectDomainEventRegisterAny virConnectDomainEventDeregisterAny;
    NETWORK "network" "network_lifecycle" virNetworkPtr
        virConnectNetworkEventRegisterAny virConnectNetworkEventDeregisterAny;
    STORAGE_POOL "storage_pool" "storage_pool_lifecycle" virStoragePoolPtr
        virConnectStoragePoolEventRegisterAny virConnectStoragePoolEventDeregisterAny;
    NODE_DEVICE "node_device" "node_device_lifecycle" virNodeDevicePtr
        virConnectNodeDeviceEventRegisterAny virConnectNodeDeviceEventDeregisterAny;
    SECRET "secret" "secret_lifecycle" virSecretPtr
        virConnectSecretEventRegisterAny virConnectSecretEventDeregisterAny;
}

/// Every kind of event.
pub fn all() -> impl Iterator<Item = &'static EventKind> {
    std::iter::once(&domain::LIFECYCLE)
        .chain(domain::KINDS)
        .chain(others::KINDS)
        .chain([&qemu_monitor::KIND, &close::KIND])
}

/// The kind of event called `name`.
pub fn kind(name: &str) -> Option<&'static EventKind> {
    all().find(|kind| kind.name == name)
}

/// The names of the kinds of event.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    all().map(|kind| kind.name)
}

/// The words that an event of the kind `kind` can have under the key `field`; `event` limits the
/// details of a `lifecycle` to those of one event. `None` for a field whose values are not words.
pub fn words_of(kind: &str, field: &str, event: Option<&str>) -> Option<Vec<&'static str>> {
    let tables: Vec<&'static Words> = match (kind, field) {
        ("lifecycle", "detail") => domain::details_of(event),
        _ => all()
            .filter(|known| known.name == kind)
            .flat_map(|known| known.fields)
            .filter(|known| known.name == field)
            .filter_map(|known| known.words)
            .collect(),
    };
    if tables.is_empty() {
        return None;
    }
    let words = tables.into_iter().flat_map(Words::all);
    Some(
        words
            .map(|word| word.as_str())
            .filter(|word| !word.is_empty())
            .collect(),
    )
}

/// A callback that libvirt calls until this is dropped.
pub struct Registration {
    connect: Connect,
    family: &'static Family,
    id: c_int,
}

impl Drop for Registration {
    fn drop(&mut self) {
        TOLD.lock().retain(|told| {
            told.address != address(&self.connect)
                || told.id != self.id
                || !std::ptr::eq(told.kind.family, self.family)
        });
        // SAFETY: the handle is alive, and the id is one that it gave for this sort of object.
        unsafe { (self.family.deregister)(self.connect.as_ptr(), self.id) };
    }
}

struct Target {
    kind: &'static EventKind,
    sink: Sink,
}

/// The receivers of events of a kind on a connection with a stand-in.
struct Told {
    address: usize,
    id: c_int,
    kind: &'static EventKind,
    sink: Sink,
}

/// The sinks on connections with stand-ins, which send events that libvirt's test driver does not have.
static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

fn address(connect: &Connect) -> usize {
    // SAFETY: the pointer is only compared.
    unsafe { connect.as_ptr() }.addr()
}

/// Reports that the job of the type `job` on the disk `disk` of `domain` has the status `status`, in place of libvirt.
pub fn tell_block_job(domain: &Domain, disk: &str, job: u32, status: u32) {
    let fields = domain::block_job_fields(disk, job, status);
    tell(domain, domain::BLOCK_JOB, &fields);
}

/// Tells that the job `operation` of `domain` is complete, in place of libvirt.
pub fn tell_job_completed(domain: &Domain, operation: u32) {
    let fields = domain::job_completed_fields(operation);
    tell(domain, domain::JOB_COMPLETED, &fields);
}

/// Tells an event of the kind `kind` of `domain`, in place of libvirt.
fn tell(domain: &Domain, kind: &str, fields: &[(String, Scalar)]) {
    let Ok(connect) = domain.connect() else {
        return;
    };
    let of = address(&connect);
    let all = TOLD.lock();
    let sinks = all
        .iter()
        .filter(|told| told.address == of && told.kind.name == kind);
    let sinks: Vec<(&'static EventKind, Sink)> = sinks
        .map(|told| (told.kind, Arc::clone(&told.sink)))
        .collect();
    drop(all);
    for (kind, sink) in sinks {
        sink(Event {
            at: Timestamp::now(),
            kind: kind.name,
            noun: kind.family.noun,
            name: domain.name().unwrap_or_default(),
            uuid: domain.uuid_string().unwrap_or_default(),
            fields: fields.to_vec(),
        });
    }
}

/// The failure to ask for events of `kind` if the driver has none.
pub fn unsupported(kind: &EventKind) -> Failure {
    Failure::new(
        virt_sys::VIR_ERR_NO_SUPPORT,
        format!(
            "the connection driver does not support events of the kind `{}`",
            kind.name
        ),
    )
}

/// Sends every event of `kind` on the host to `sink`.
pub fn register(connect: &Connect, kind: &'static EventKind, sink: Sink) -> Result<Registration> {
    let Some(callback) = kind.callback else {
        return Err(unsupported(kind));
    };
    let told = super::stand_in::is_on(connect).then(|| Arc::clone(&sink));
    let target = Box::into_raw(Box::new(Target { kind, sink })).cast::<c_void>();
    // SAFETY: the callback is the one for this kind, and the target was made for it.
    let id =
        unsafe { (kind.family.register)(connect.as_ptr(), kind.id as c_int, callback, target) };
    if id < 0 {
        let failure = Failure::last();
        // SAFETY: libvirt did not take the target, so it is still ours.
        unsafe { free_target(target) };
        return Err(failure);
    }
    TOLD.lock().extend(told.map(|sink| Told {
        address: address(connect),
        id,
        kind,
        sink,
    }));
    Ok(Registration {
        connect: connect.clone(),
        family: kind.family,
        id,
    })
}

unsafe extern "C" fn free_target(target: *mut c_void) {
    // SAFETY: the pointer is the box made in `register`, and libvirt frees it once.
    drop(unsafe { Box::from_raw(target.cast::<Target>()) });
}

/// libvirt's pointer to the object of an event.
trait Subject {
    /// The object's name and UUID, as the handle itself knows them.
    ///
    /// # Safety
    /// The pointer is one that libvirt gave to a callback, which runs.
    unsafe fn identity(self) -> (String, String);
}

/// Passes an event on, and lets no panic reach libvirt.
///
/// # Safety
/// `object` and `target` are the pointers that libvirt gave to a callback.
unsafe fn deliver(object: impl Subject, target: *mut c_void, fields: Vec<(String, Scalar)>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: both live during the callback.
        let (target, (name, uuid)) = unsafe { (&*target.cast::<Target>(), object.identity()) };
        debug_assert!(
            are_declared(target.kind, &fields),
            "{}: {fields:?}",
            target.kind.name
        );
        (target.sink)(Event {
            at: Timestamp::now(),
            kind: target.kind.name,
            noun: target.kind.family.noun,
            name,
            uuid,
            fields,
        });
    }));
}

/// The UUID whose bytes `write` puts into the buffer that it is given, as text; libvirt itself takes longer for the text.
fn uuid(write: impl FnOnce(*mut c_uchar) -> c_int) -> String {
    let mut bytes = [0; virt_sys::VIR_UUID_BUFLEN as usize];
    match write(bytes.as_mut_ptr()) {
        0 => uuid::Uuid::from_bytes(bytes).to_string(),
        _ => String::new(),
    }
}

/// True if an event has the fields of its kind, with words that [`words_of`] lists.
fn are_declared(kind: &EventKind, fields: &[(String, Scalar)]) -> bool {
    let event = fields.iter().find_map(|(name, value)| match value {
        Scalar::Text(text) if name == "event" => Some(text.as_str()),
        _ => None,
    });
    fields.iter().all(|(name, value)| {
        let declared = kind.fields.iter().any(|field| field.name == name);
        let right = match (value, words_of(kind.name, name, event)) {
            (Scalar::Text(text), Some(words)) => {
                text.starts_with("unknown-") || words.contains(&text.as_str())
            }
            _ => true,
        };
        right && (declared || kind.open)
    })
}

fn word(name: &str, words: &Words, number: c_int) -> (String, Scalar) {
    let word = words.word(i64::from(number)).to_string();
    (name.into(), Scalar::Text(word))
}

/// The fields of an event, and `rest` of them that depend on the hypervisor.
fn gathered<const N: usize, const M: usize>(
    fields: [(String, Scalar); N],
    rest: [Vec<(String, Scalar)>; M],
) -> Vec<(String, Scalar)> {
    fields
        .into_iter()
        .chain(rest.into_iter().flatten())
        .collect()
}

fn number(name: &str, value: impl Into<Scalar>) -> (String, Scalar) {
    (name.into(), value.into())
}

fn text(name: &str, value: *const c_char) -> (String, Scalar) {
    // SAFETY: only called on strings that libvirt gave to a callback, which live during it.
    let text = unsafe { borrowed_text(value) }.unwrap_or_default();
    (name.into(), Scalar::Text(text))
}

macro_rules! words {
    ($($name:ident = $group:literal less $prefix:literal;)*) => {
        $(static $name: Words = Words::new($group, $prefix);)*
    };
}
use words;

/// Defines callbacks and the table of kinds from one list. For each sort of object: the name, libvirt's
/// number, the arguments that it calls back with, and the fields they become, in the forms of [`field`]. After `and`
/// stand fields that need not be there, among others that depend on the hypervisor.
macro_rules! callbacks {
    ($($family:ident $subject:ident {
        $($name:literal $id:ident $callback:ident($($argument:ident: $type:ty),*) ->
            [$($form:ident $field:ident $(($words:ident))? = $value:expr),*]
            $(and [$($more_form:ident $more:ident $(($more_words:ident))?),*] of $rest:expr)?;)*
    })*) => {
        $($(unsafe extern "C" fn $callback(
            _: virConnectPtr, object: $subject, $($argument: $type,)* target: *mut c_void,
        ) {
            let fields = gathered([$($form(stringify!($field), $(&$words,)? $value)),*], [$($rest)?]);
            // SAFETY: libvirt gave the pointers to this callback.
            unsafe { deliver(object, target, fields) };
        })*)*

        pub(super) static KINDS: &[EventKind] = &[
            $($(EventKind {
                name: $name,
                family: &$family,
                id: virt_sys::$id,
                // SAFETY: libvirt casts it back to its own type, which the event's number tells,
                // and calls it.
                callback: Some(unsafe { std::mem::transmute::<*const (), Callback>($callback as *const ()) }),
                fields: &[
                    $(field!($form $field $(($words))?),)*
                    $($(field!($more_form $more $(($more_words))?),)*)?
                ],
                open: [$({ let _ = stringify!($rest); true },)? false][0],
            },)*)*
        ];
    };
}
use callbacks;
